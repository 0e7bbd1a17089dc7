"""LayerEdits: the edits of a list of layers, which can be undone and done again. Qt-free."""

from __future__ import annotations

from app.core.layer_list import LayerList

MOST_EDITED = 120
"""Layers of the longest list that is edited in the window: more would take too long to draw."""
MOST_EDITS = 1000
"""Edits that can be undone; the oldest are forgotten first."""


class LayerEdits:
    """The list as it was, as it is, and as it was before the last undo."""

    def __init__(self, first: LayerList) -> None:
        self.first = self.present = first
        """The list before the first edit; and the list as it is now."""
        self._before: list[LayerList] = []
        self._after: list[LayerList] = []
        self._last: object = None
        """What the last edit was of, as far as the next one may join it."""

    @property
    def is_changed(self) -> bool:
        """Whether the list is another one than at first."""
        return self.present != self.first

    @property
    def can_undo(self) -> bool:
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        return bool(self._after)

    def do(self, edited: LayerList, of: object = None) -> None:
        """Take over an edited list. One that equals the present one is no edit.

        Edits that follow each other and have the same `of` (a setting of a layer, say, that is turned step by step) are undone
        together.
        """
        if edited == self.present:
            return
        if of is None or of != self._last or not self._before:
            self._before.append(self.present)
            del self._before[:-MOST_EDITS]
        self._after.clear()
        self._last, self.present = of, edited

    def begin_again(self) -> None:
        """Take the list as it is now for the first one, since it has been kept. What was done before can still be undone."""
        self.first, self._last = self.present, None

    def give_up(self) -> None:
        """Go back to the first list. What is given up can be brought back by `redo`, or by `undo` where it was undone."""
        while self.is_changed and self.undo():
            pass
        while self.is_changed and self.redo():
            pass
        if self.is_changed:  # it was kept, then undone, and then forgotten by another edit
            self._before, self._after, self.present = [], [], self.first
        self._last = None

    def undo(self) -> bool:
        """Take the last edit back; whether there was one."""
        return self._move(self._before, self._after)

    def redo(self) -> bool:
        """Do the edit again that was undone last; whether there was one."""
        return self._move(self._after, self._before)

    def _move(self, source: list[LayerList], target: list[LayerList]) -> bool:
        if not source:
            return False
        target.append(self.present)
        self.present, self._last = source.pop(), None
        return True
