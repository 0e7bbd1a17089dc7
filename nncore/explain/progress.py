"""Progress: what a computation that takes seconds yields on its way, and at its end."""

from __future__ import annotations

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
