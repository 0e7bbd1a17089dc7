"""Corrections: what the user says of digits on pictures. Qt-free."""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from app.core.observable import Observable
from app.core.probe import Kind, Probe
from nncore.vision import Box


class Corrections:
    """Belong to a picture, and there to a box, so that they stay true whichever network looks at the picture.

    They are forgotten with the picture.
    """

    def __init__(self) -> None:
        self._said: WeakKeyDictionary[Probe, dict[Box, int]] = WeakKeyDictionary()
        self.changed: Observable[None] = Observable(None)
        """Told when something was corrected, or a correction was taken back."""

    def of(self, probe: Probe) -> Mapping[Box, int]:
        """The digit that the user says to be at each box of the picture."""
        return self._said.get(probe, {})

    def say(self, probe: Probe, box: Box, digit: int | None) -> None:
        """Note that `digit` is at a box of the picture; None forgets what was said of it."""
        said = self._said.setdefault(probe, {})
        if digit is None:
            said.pop(box, None)
        else:
            said[box] = digit
        self.changed.tell()

    def carry(self, old: Probe, new: Probe) -> None:
        """Let what was said of a drawing hold for one that goes on from it: what was not drawn on lies where it lay."""
        if old.kind is new.kind is Kind.DRAWING and (said := self._said.get(old)):
            self._said[new] = dict(said)
