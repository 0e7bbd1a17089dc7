"""Kinds of values that a setting can have: each checks a value, reads it from text and shows it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from nncore.data.augment import AUGMENTATIONS, Augmentation, augmentation
from nncore.errors import ConfigError


class Kind:
    """A kind of value. `metavar` stands for it in the help of the command line."""

    metavar = "VALUE"

    @property
    def words(self) -> str:
        """Which values there are, as in "must be …"."""
        raise TypeError(f"{type(self).__name__} defines no words")

    def check(self, title: str, value: Any) -> Any:
        """`value` in its plain Python type. Raises ConfigError, naming `title`, where it is no such value."""
        raise TypeError(f"{type(self).__name__} defines no check")

    def parse(self, title: str, text: str) -> Any:
        """The value that `text` spells. Raises ConfigError, naming `title`, where it spells none."""
        raise TypeError(f"{type(self).__name__} defines no parse")

    def show(self, value: Any) -> str:
        """`value` as people read it."""
        return str(value)

    def refusal(self, title: str, value: Any) -> ConfigError:
        """The sentence that refuses `value`, cut short where the value is long."""
        try:
            shown = str(value) if isinstance(value, int | float | np.number) else repr(value)
        except ValueError:  # Python writes no whole number of more than 4,300 digits
            shown = "a number of thousands of digits"
        return ConfigError(f"{title} must be {self.words}, not {' '.join(shown.split()):.60}.")


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `least` to `most`, both included."""

    least: int
    most: int
    metavar = "N"

    @property
    def words(self) -> str:
        return f"a whole number from {self.least:,} to {self.most:,}"

    def check(self, title: str, value: Any) -> int:
        if not is_whole(value) or not self.least <= value <= self.most:
            raise self.refusal(title, value)
        return int(value)

    def parse(self, title: str, text: str) -> int:
        try:
            value = int(text)
        except ValueError:  # also for thousands of digits, which Python refuses to read
            raise self.refusal(title, text) from None
        return self.check(title, value)

    def show(self, value: Any) -> str:
        return f"{value:,}"


@dataclass(frozen=True)
class Number(Kind):
    """A finite number from `least` to `most`; each of the two belongs to the range unless its `above` or `below` is set."""

    least: float
    most: float
    above: bool = False
    below: bool = False
    metavar = "X"

    @property
    def words(self) -> str:
        start = f"above {self.least:g}" if self.above else f"of at least {self.least:g}"
        end = "" if math.isinf(self.most) else f" and {'below' if self.below else 'at most'} {self.most:g}"
        return f"a number {start}{end}"

    def check(self, title: str, value: Any) -> float:
        if not self.holds(value):
            raise self.refusal(title, value)
        return float(value)

    def holds(self, value: Any) -> bool:
        """Whether `value` is a number within the range."""
        if not is_number(value):
            return False
        above = value > self.least if self.above else value >= self.least
        return bool(above and (value < self.most if self.below else value <= self.most))  # both False for NaN

    def parse(self, title: str, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise self.refusal(title, text) from None
        return self.check(title, value)

    def show(self, value: Any) -> str:
        return number_text(value)


@dataclass(frozen=True)
class Choice(Kind):
    """One of the names of a registry."""

    names: Iterable[str]
    metavar = "NAME"

    @property
    def words(self) -> str:
        return f"one of {', '.join(self.names)}"

    def check(self, title: str, value: Any) -> str:
        if not isinstance(value, str) or value not in tuple(self.names):
            raise self.refusal(title, value)
        return str(value)

    def parse(self, title: str, text: str) -> str:
        return self.check(title, text)


@dataclass(frozen=True)
class Numbers(Kind):
    """So many numbers, each within a range."""

    count: int
    each: Number
    metavar = "X,X"

    @property
    def words(self) -> str:
        return f"{self.count} numbers, each {self.each.words.removeprefix('a number ')}"

    def check(self, title: str, value: Any) -> tuple[float, ...]:
        if not isinstance(value, list | tuple) or len(value) != self.count or not all(self.each.holds(one) for one in value):
            raise self.refusal(title, value)
        return tuple(float(one) for one in value)

    def parse(self, title: str, text: str) -> tuple[float, ...]:
        try:
            return self.check(title, [float(part) for part in text.split(",")])
        except ValueError:
            raise self.refusal(title, text) from None

    def show(self, value: Any) -> str:
        return " and ".join(number_text(one) for one in value)


@dataclass(frozen=True)
class Steps(Kind):
    """Counts of steps in rising order, from 1 to `most`; there may be none."""

    most: int
    metavar = "N,N,..."

    @property
    def words(self) -> str:
        return f"whole numbers of steps in rising order, each from 1 to {self.most:,}"

    def check(self, title: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, list | tuple) or not all(is_whole(step) and 1 <= step <= self.most for step in value):
            raise self.refusal(title, value)
        if list(value) != sorted(value):
            raise self.refusal(title, value)
        return tuple(int(step) for step in value)

    def parse(self, title: str, text: str) -> tuple[int, ...]:
        try:
            return self.check(title, [int(part) for part in text.split(",") if text.strip()])
        except ValueError:
            raise self.refusal(title, text) from None

    def show(self, value: Any) -> str:
        return listed(f"{step:,}" for step in value) or "none"


@dataclass(frozen=True)
class ShareOrCount(Kind):
    """A share between 0 and 1 as a float, or a whole number of images from 1 to `most`."""

    most: int
    metavar = "N"

    @property
    def words(self) -> str:
        return f"a share between 0 and 1, or a whole number of images from 1 to {self.most:,}"

    def check(self, title: str, value: Any) -> int | float:
        if is_whole(value) and 1 <= value <= self.most:
            return int(value)
        if is_number(value) and not is_whole(value) and 0 < value < 1:
            return float(value)
        raise self.refusal(title, value)

    def parse(self, title: str, text: str) -> int | float:
        try:
            return self.check(title, int(text) if text.strip().isdecimal() else float(text))
        except ValueError:
            raise self.refusal(title, text) from None

    def show(self, value: Any) -> str:
        return f"{value:,} images" if isinstance(value, int) else f"{100 * value:.3g} %"


class Varied(Kind):
    """An Augmentation."""

    metavar = "HOW"

    @property
    def words(self) -> str:
        return f"the name of an augmentation ({', '.join(AUGMENTATIONS)}), or settings such as shift=2,rotate=10"

    def check(self, title: str, value: Any) -> Augmentation:
        if isinstance(value, Mapping):
            return Augmentation.from_dict(value)
        if not isinstance(value, Augmentation):
            raise self.refusal(title, value)
        return value

    def parse(self, title: str, text: str) -> Augmentation:
        return augmentation(text)

    def show(self, value: Any) -> str:
        names = [name for name, known in AUGMENTATIONS.items() if known == value]
        return names[0] if names else ", ".join(f"{name} {size:g}" for name, size in value.as_dict().items() if size)


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether `value` is an integer of Python's or NumPy's; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: Any) -> TypeGuard[float]:
    """Whether `value` is a finite integer or floating-point number of Python's or NumPy's; True and False are none."""
    if is_whole(value):
        return abs(int(value)) < 10**300  # a float holds no more
    return isinstance(value, float | np.floating) and math.isfinite(value)


def number_text(value: float) -> str:
    """A number in four significant digits without an exponent where that stays short: 0.0001, 1,500, 1e-08."""
    if value and not 1e-6 <= abs(value) < 1e9:
        return f"{value:.4g}"
    text = f"{value:,.{max(0, 3 - math.floor(math.log10(abs(value))))}f}" if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def listed(words: Iterable[str]) -> str:
    """Words in a row as a sentence has them: `a, b and c`; empty where there are none."""
    *first, last = [*words] or [""]
    return f"{', '.join(first)} and {last}" if first else last
