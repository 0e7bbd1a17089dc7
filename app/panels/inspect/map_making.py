"""MapMaking: makes the map that is asked for, in the background, and says whether the one that is there is it."""

from __future__ import annotations

from collections.abc import Generator

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.digit_map import DigitMap, MapMaker, Progress, Wanted
from app.errors import Problem
from app.threads.priority import lower_priority
from app.threads.task import Feed

STILL_FOR = 100
"""Milliseconds for which what is asked for must stay the same: not every moment that the slider passes has a map."""


class MapMaking(QObject):
    """One map at a time. What was asked for before is given up."""

    changed = Signal()
    """There is another map, or the one that is there has become right or wrong."""
    progressed = Signal()
    """`words` have changed."""
    problem = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.found: DigitMap | None = None
        """The last map, perhaps of another moment; of t-SNE perhaps on its way."""
        self.wanted: Wanted | None = None
        self.progress: Progress | None = None
        """How far the map under way is; None where none is."""
        self.is_cancelled = False
        """Whether the user does not want the map that is asked for."""
        self.has_failed = False
        self._maker = MapMaker()
        self._feed: Feed | None = None
        self._making: Wanted | None = None
        self._is_finished = True
        """Whether `found` is as it stays."""
        self._still = QTimer(self, interval=STILL_FOR, singleShot=True)
        self._still.timeout.connect(self._begin)

    @property
    def is_current(self) -> bool:
        """Whether the map that is there is, or is becoming, the one that is asked for."""
        return self.found is not None and self.wanted is not None and self.found.wanted.is_same(self.wanted)

    @property
    def is_coming(self) -> bool:
        """Whether the map that is asked for is being made, or about to be."""
        return self._still.isActive() or (self._feed is not None and self._making is self.wanted)

    def want(self, wanted: Wanted | None) -> None:
        """Ask for a map, or for none: what is under way is given up then."""
        before, self.wanted = self.wanted, wanted
        if wanted is not None and before is not None and wanted.is_same(before):
            self.wanted = before
            if self.is_coming or self.is_cancelled or self.has_failed:
                return
        else:
            self.is_cancelled = self.has_failed = False
        if self.wanted is None or (self.is_current and self._is_finished):
            self._still.stop()
            self._leave()
        else:
            self._leave()
            self._still.start()
        self.changed.emit()

    def cancel(self) -> None:
        """Give up the map under way until another one, or `again`, is asked for."""
        self.is_cancelled = True
        self._still.stop()
        self._leave()
        self.changed.emit()

    def again(self) -> None:
        """Make what was cancelled, or failed, all the same."""
        self.is_cancelled = self.has_failed = False
        self._still.start()
        self.changed.emit()

    def _leave(self) -> None:
        if self._feed is not None:
            self._making = None
            self._feed.leave()

    def _begin(self) -> None:
        if self.wanted is None or self._feed is not None:
            return  # where another is under way, its end leads back here
        wanted, maker, before = self.wanted, self._maker, self.found
        self._making = wanted

        def make() -> Generator[Progress | DigitMap]:
            lower_priority()
            yield from maker.make(wanted, before)

        self._feed = Feed(make, self._take, self._take_last, self._miss)
        self._feed.begin()
        self.changed.emit()

    def _take(self, told: Progress | DigitMap) -> None:
        if self._making is None:
            return  # what was given up
        if isinstance(told, Progress):
            self.progress = told
            self.progressed.emit()
            if told.found is not None:
                self.found, self._is_finished = told.found, False
                self.changed.emit()

    def _take_last(self, told: DigitMap | None) -> None:
        was_wanted, self._feed, self._making, self.progress = self._making is not None, None, None, None
        if told is not None and was_wanted:
            self.found, self._is_finished = told, True
        self._go_on()

    def _miss(self, problem: Problem) -> None:
        was_wanted, self._feed, self._making, self.progress = self._making is not None, None, None, None
        if was_wanted:
            self.has_failed = True
            self.problem.emit(problem)
        self._go_on()

    def _go_on(self) -> None:
        """Make what has been asked for meanwhile."""
        is_done = self.is_current and self._is_finished
        if self.wanted is not None and not (is_done or self.is_cancelled or self.has_failed):
            self._still.start()
        self.changed.emit()
