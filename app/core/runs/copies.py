"""Copies of the user's own digits as networks have learned them: they go with the last run that refers to them."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.runs.run import Run


def forget_copy(run: Run, others: Iterable[Run]) -> None:
    """Remove the copy of the user's own digits that a deleted run has learned from, unless one of the others refers to it."""
    from nncore.data.own import copy_in, remove_copy  # which most commands on runs never need

    copy = copy_in(run.data)
    if copy is not None and all(copy_in(other.data) != copy for other in others):
        remove_copy(copy)
