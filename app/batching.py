"""Batching: reads many pictures in the background, and writes what came of them to a table."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.core.batch import Batch, as_csv, find_pictures
from app.core.state import LabState
from app.errors import PICTURE, Problem
from app.threads.priority import lower_priority
from app.threads.task import Feed, Task
from models.shipped import digit_detector, picture_classifier
from nncore.files import write_atomically
from nncore.network import Network
from nncore.prediction import Predictor


class Batching(QObject):
    """Reads one batch at a time, with the network of the moment in view when it begins."""

    changed = Signal()
    """A batch has begun or ended, or more of it has been read."""
    problem = Signal(object)
    said = Signal(str)

    def __init__(self, state: LabState) -> None:
        super().__init__()
        self._state = state
        self._feed: Feed | None = None
        self.batch: Batch | None = None
        """What is being read or was read last; None before it is known which pictures that are."""
        self.read_by = ""
        """The network that reads, in words."""
        self.is_cancelled = False
        """Whether the batch was given up, or will be after the picture in hand."""
        self._began = self._ended = 0.0

    @property
    def is_going(self) -> bool:
        """Whether pictures are being read."""
        return self._feed is not None

    @property
    def seconds(self) -> float:
        """How long the batch has been going, or went."""
        return (time.monotonic() if self.is_going else self._ended) - self._began

    def begin(self, paths: Sequence[Path]) -> None:
        """Read these pictures and those in these folders. Where a batch is being read nothing happens."""
        view, moment = self._state.network.value, self._state.moment.value
        if self.is_going or view is None or moment is None:
            return

        def make() -> Generator[Batch]:
            lower_priority()
            network = Network.from_config(view.architecture)
            network.load_state_dict(moment.state)
            batch = Batch(find_pictures(paths), Predictor(network), picture_classifier(), digit_detector())
            yield batch
            for _ in batch.run():
                yield batch

        self.batch, self.is_cancelled = None, False
        self.read_by = f"{view.name} at step {moment.step:,}" if moment.step else view.name
        self._began = time.monotonic()
        self._feed = Feed(make, self._progress, self._end, self._fail)
        self._feed.begin()
        self.changed.emit()

    def cancel(self) -> None:
        """End the batch after the picture in hand. What has been read stays."""
        if self._feed is not None:
            self.is_cancelled = True
            self._feed.leave()
            self.changed.emit()

    def close(self) -> None:
        """Cancel the batch. Its thread ends after the picture in hand."""
        self.cancel()

    def save(self, path: Path) -> None:
        """Write what has been read so far to a table, in the background."""
        items = tuple(self.batch.items) if self.batch is not None else ()
        Task(
            lambda: write_atomically(path, as_csv(items)), lambda _: self.said.emit(f"Saved {path.name}."), self.problem.emit
        ).begin()

    def _progress(self, batch: Batch) -> None:
        self.batch = batch
        self.changed.emit()

    def _end(self, batch: Batch | None) -> None:
        self._feed, self._ended = None, time.monotonic()
        self.batch = batch or self.batch
        self.changed.emit()

    def _fail(self, problem: Problem) -> None:
        self._feed, self._ended = None, time.monotonic()
        self.problem.emit(Problem(problem.message, problem.details, PICTURE))
        self.changed.emit()
