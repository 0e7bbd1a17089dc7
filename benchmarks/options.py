"""What the options of benchmarks take; a mistake is one sentence."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence

from benchmarks.cases import GPU_NETWORKS, Trained


def count(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"takes whole numbers of at least 1, not {text!r}")
    return int(text)


def counts(text: str) -> tuple[int, ...]:
    """Several of them, separated by commas."""
    return tuple(count(part) for part in text.split(","))


def names(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Some of the known names, separated by commas."""

    def chosen(text: str) -> tuple[str, ...]:
        parts = tuple(text.split(","))
        if unknown := [name for name in parts if name not in known]:
            raise ArgumentTypeError(f"there is no {unknown[0]!r}; there are {', '.join(known)}")
        return parts

    return chosen


def networks(text: str) -> list[Trained]:
    """The networks whose name holds a text."""
    found = [trained for trained in GPU_NETWORKS if text in trained.name]
    if not found:
        raise ArgumentTypeError(
            f"no network's name holds {text!r}; there are {', '.join(trained.name for trained in GPU_NETWORKS)}"
        )
    return found
