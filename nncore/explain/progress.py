"""Progress: what a computation that takes seconds yields on its way, and at its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Progress(Generic[Result]):
    """How far it is. Whoever iterates may stop in between; the last one has the result."""

    done: int
    total: int
    result: Result | None = None
    """What is there: of all only where `done` is `total`; on the way, where a method says so, of what has been seen."""


def result_of(steps: Iterable[Progress[Result]]) -> Result:
    """Iterate to the end, and return what is there then."""
    *_, last = steps
    assert last.result is not None, "it ends with a result"
    return last.result
