"""Library: the datasets that have a name, getting those that are not here, and keeping those of the user's own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.errors import Problem
from app.threads.task import Feed, Task
from nncore.data import KnownDataset, available_datasets
from nncore.data.download import Download, download, target_folder
from nncore.data.importing import Import, import_data
from nncore.data.sources import SOURCES


class Library(QObject):
    """Looks, downloads and copies in the background. Everything here is called from the interface thread."""

    changed = Signal()
    """`known` is another list, or a download has begun or ended."""
    progressed = Signal(str, object)
    """The name of a dataset that is being downloaded, or the path of one that is being copied; and a Download or Import."""
    arrived = Signal(str)
    """The name of a dataset that is here now."""
    problem = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.known: tuple[KnownDataset, ...] = ()
        """The last that was found; empty until the first look is over."""
        self._going: dict[str, Feed] = {}
        self._latest = object()

    def refresh(self) -> None:
        """Look again which datasets there are; `changed` tells when that is over."""

        self._latest = latest = object()

        def show(known: list[KnownDataset]) -> None:
            if latest is self._latest and tuple(known) != self.known:  # otherwise a later look tells
                self.known = tuple(known)
                self.changed.emit()

        Task(available_datasets, show, self.problem.emit).begin()

    def is_going(self, what: str) -> bool:
        """Whether this dataset is being downloaded or copied."""
        return what in self._going

    def get(self, name: str, replace: bool = False) -> None:
        """Download a published dataset, or go on with it."""
        source = SOURCES[name]
        self._begin(name, Feed(lambda: download(source, target_folder(source), replace=replace), *self._ways(name)))

    def keep(self, path: Path) -> None:
        """Copy the user's own dataset into the data folder, where it has a name."""
        self._begin(str(path), Feed(lambda: import_data(path), *self._ways(str(path))))

    def leave(self, what: str) -> None:
        """Break a download or a copy off. What a download has brought is kept."""
        if what in self._going:
            self._going[what].leave()

    def close(self) -> None:
        """Break everything off; the threads end soon after."""
        for feed in self._going.values():
            feed.leave()

    def _begin(self, what: str, feed: Feed) -> None:
        if what not in self._going:
            self._going[what] = feed
            feed.begin()
            self.changed.emit()

    def _ways(self, what: str) -> tuple[partial[None], partial[None], partial[None]]:
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
        self.problem.emit(problem)
