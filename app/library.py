"""Library: lists the datasets that have a name, downloads published ones, and copies the user's own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.errors import DATA, Problem
from app.threads.task import Feed, Task
from nncore.data import KnownDataset, available_datasets
from nncore.data.download import Download, download, target_folder
from nncore.data.importing import Import, import_data
from nncore.data.sources import SOURCES


class Library(QObject):
    """Lists, downloads and copies in the background. To be used from the interface thread only."""

    changed = Signal()
    """`known` has changed, or a download or copy has begun or ended."""
    progressed = Signal(str, object)
    """The name of a dataset that is downloaded, or the path of one that is copied, with a Download or an Import event."""
    arrived = Signal(str)
    """The name of a dataset that has just been downloaded or copied."""
    problem = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.known: tuple[KnownDataset, ...] = ()
        """The datasets that were found by the last `refresh`; empty before the first has ended."""
        self._going: dict[str, Feed] = {}
        self._latest = object()

    def refresh(self) -> None:
        """Find out in the background which datasets there are. `changed` follows where the list is another."""
        self._latest = latest = object()

        def show(known: list[KnownDataset]) -> None:
            if latest is self._latest and tuple(known) != self.known:  # otherwise a later refresh does it
                self.known = tuple(known)
                self.changed.emit()

        Task(available_datasets, show, self.problem.emit).begin()

    def is_going(self, what: str) -> bool:
        """Whether this dataset is being downloaded or copied."""
        return what in self._going

    def get(self, name: str, replace: bool = False) -> None:
        """Download a published dataset, or go on with it."""
        source = SOURCES[name]
        self._begin(name, Feed(lambda: download(source, target_folder(source), replace=replace), *self._callbacks(name)))

    def keep(self, path: Path) -> None:
        """Copy the user's own dataset into the data folder, where it has a name."""
        self._begin(str(path), Feed(lambda: import_data(path), *self._callbacks(str(path))))

    def leave(self, what: str) -> None:
        """Cancel a download or a copy. What has been downloaded so far is kept."""
        if what in self._going:
            self._going[what].leave()

    def close(self) -> None:
        """Cancel everything. The threads end soon after."""
        for feed in self._going.values():
            feed.leave()

    def _begin(self, what: str, feed: Feed) -> None:
        if what not in self._going:
            self._going[what] = feed
            feed.begin()
            self.changed.emit()

    def _callbacks(self, what: str) -> tuple[partial[None], partial[None], partial[None]]:
        return partial(self._tell, what), partial(self._end, what), partial(self._fail, what)

    def _tell(self, what: str, event: Download | Import) -> None:
        self.progressed.emit(what, event)

    def _end(self, what: str, last: Download | Import | None) -> None:
        del self._going[what]
        self.changed.emit()
        self.refresh()
        if last is not None:
            self.arrived.emit(last.name if isinstance(last, Import) else what)

    def _fail(self, what: str, problem: Problem) -> None:
        del self._going[what]
        self.changed.emit()
        self.refresh()
        self.problem.emit(replace(problem, about=DATA))
