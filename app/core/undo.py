"""UndoStack: what was done to the probe and to the user's own digits, so that it can be taken back. Qt-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.core.observable import Observable

MOST_ACTS = 500
MOST_BYTES = 256_000_000
"""Memory that the acts may hold together. The oldest are forgotten first; the last one is always kept."""


@dataclass(frozen=True, eq=False)
class Act:
    """Something that was done, and how to take it back and do it again. What returns False could not be done now."""

    words: str
    """What was done, for the menu: `stroke`, `digit kept as a 4`."""
    undo: Callable[[], object]
    redo: Callable[[], object]
    nbytes: int = 0
    """Memory that it holds."""
    confirmation: str = ""
    """What the probe dock says as long as this is the last act: `Kept as a 4`. Empty where what was done is seen anyway."""


class UndoStack:
    """The acts that were done, in their order, and those that were undone. A new act forgets those that were undone."""

    def __init__(self) -> None:
        self._done: list[Act] = []
        self._undone: list[Act] = []
        self.last: Observable[Act | None] = Observable(None)
        """The last act, which `undo` takes back; set after each act, undo and redo."""

    @property
    def next(self) -> Act | None:
        """The act that `redo` does again."""
        return self._undone[-1] if self._undone else None

    def add(self, act: Act) -> None:
        """Note an act that has just been done."""
        self._undone.clear()
        self._done.append(act)
        while len(self._done) > 1 and (len(self._done) > MOST_ACTS or sum(each.nbytes for each in self._done) > MOST_BYTES):
            del self._done[0]
        self._tell()

    def undo(self) -> Act | None:
        """Take the last act back, and return it; None where there is none, or it cannot be taken back now and so stays the last."""
        return self._move(self._done, self._undone, lambda act: act.undo())

    def redo(self) -> Act | None:
        """Do the act again that was undone last, and return it; None where there is none, or it cannot be done now."""
        return self._move(self._undone, self._done, lambda act: act.redo())

    def _move(self, source: list[Act], target: list[Act], do: Callable[[Act], object]) -> Act | None:
        if not source:
            return None
        act = source.pop()
        target.append(act)
        if do(act) is False:
            source.append(target.pop())
            return None
        self._tell()
        return act

    def _tell(self) -> None:
        self.last.set(self._done[-1] if self._done else None)
