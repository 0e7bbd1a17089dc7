"""Checks of settings: each returns the setting as plain Python, or raises ConfigError naming it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from numbers import Integral, Real

import numpy as np

from nncore.errors import ConfigError

LARGEST_SIZE = 10_000_000
"""The most that a single size may be. Larger ones are slips, and numbers that no machine word holds would break NumPy."""
LARGEST_NUMBER = 1e30
"""The most that a setting may be, and its inverse the least that a positive one may be: float32 holds both."""
LONGEST_VALUE = 60
"""Characters of a wrong value that a message shows."""


def shown(value: object) -> str:
    """A wrong value as one short line of text, whatever it is."""
    try:
        text = repr(value)
    except Exception:  # a whole number of over 4,300 digits, say
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def listed(names: Iterable[object]) -> str:
    """Names from a file as one short line: the first three of them in order, and how many more there are."""
    ordered = sorted(map(str, names))
    first = [name if name.isprintable() and len(name) <= LONGEST_VALUE else shown(name) for name in ordered[:3]]
    return ", ".join(first) + (f" and {len(ordered) - 3} more" if len(ordered) > 3 else "")


def as_whole(value: object, least: int, most: int) -> int | None:
    """`value` as an int where it is a whole number, Python's or NumPy's, from `least` to `most`; otherwise None, also for bools."""
    if isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most:
        return int(value)
    return None


def whole_number(value: object, what: str, least: int = 1, most: int = LARGEST_SIZE) -> int:
    """`value` as an int. Raises ConfigError, calling it `what`, where it is no whole number from `least` to `most`."""
    number = as_whole(value, least, most)
    if number is not None:
        return number
    raise ConfigError(f"{what} must be a whole number from {least} to {most:,}, not {shown(value)}.")


def real_number(value: object, what: str, wants: str, fits: Callable[[float], bool]) -> float:
    """`value` as a float. Raises ConfigError, calling it `what`, where it is no finite number or `fits` refuses it.

    `wants` puts into words what `fits` asks for: `at least 0 and below 1`.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number) and abs(number) <= LARGEST_NUMBER and fits(number):
            return number
    raise ConfigError(f"{what} must be a number {wants}, not {shown(value)}.")


def true_or_false(value: object, what: str) -> bool:
    """`value` as a bool, Python's or NumPy's. Raises ConfigError, calling it `what`."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise ConfigError(f"{what} must be true or false, not {shown(value)}.")


def positive_number(value: object, what: str) -> float:
    """`value` as a float above zero. Raises ConfigError, calling it `what`."""
    return real_number(value, what, "above 0", lambda number: number >= 1 / LARGEST_NUMBER)


def decay_rate(value: object, what: str = "weight_decay") -> float:
    """`value` as a float of at least zero. Raises ConfigError, calling it `what`."""
    return real_number(value, what, "of at least 0", lambda number: number >= 0)


def pair(value: object, what: str, least: int = 1, most: int = LARGEST_SIZE) -> tuple[int, int]:
    """A whole number or a pair as a pair (vertical, horizontal). ConfigError, calling it `what`, where it is neither."""
    numbers = [as_whole(one, least, most) for one in (value if isinstance(value, (tuple, list)) else (value, value))]
    if len(numbers) == 2 and numbers[0] is not None and numbers[1] is not None:
        return numbers[0], numbers[1]
    raise ConfigError(f"{what} must be a whole number from {least} to {most:,}, or a pair of them, not {shown(value)}.")


def refuse_positional(surplus: tuple[object, ...], layer: str, positional: str, example: str) -> None:
    """Raise ConfigError where more came without a name than a layer takes that way: `surplus` is what was too much."""
    if surplus:
        raise ConfigError(
            f"{layer} takes {positional}, and everything else by name, for instance {example}; "
            "the network itself finds the size of the input."
        )
