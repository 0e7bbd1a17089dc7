"""UnitSearch: looks a dataset through, in the background, for what excites the units of a layer most."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from app.core import engine
from app.core.in_view import NetworkInView
from app.core.timeline import Moment
from app.core.top_images_store import TopImagesStore, folder, key_of
from app.threads.priority import lower_priority
from app.threads.task import Feed
from nncore.data.dataset import Dataset
from nncore.explain.progress import Progress
from nncore.explain.top_images import TopImages, top_images
from nncore.network import Network
from nncore.prediction import Predictor

STILL_FOR = 300
"""Milliseconds for which network, moment, data and layer must stay the same before the images are looked through."""
KEPT = 16
"""Searches that are kept in memory."""


@dataclass(frozen=True, eq=False)
class Job:
    """What is looked for."""

    network: NetworkInView
    moment: Moment
    data: Dataset
    layer: str

    def same_as(self, other: Job | None) -> bool:
        """Whether the other one finds the same."""
        return other is not None and self.moment is other.moment and self.is_near(other)

    def is_near(self, other: Job | None) -> bool:
        """Whether the other one is of the same layer, network and data, perhaps at another moment."""
        return (
            other is not None
            and self.network.architecture is other.network.architecture
            and self.data is other.data
            and self.layer == other.layer
        )


class UnitSearch(QObject):
    """Does one job at a time. What was found of the same layer at another moment is there until the job is done."""

    changed = Signal()
    """Something of what follows has changed."""
    problem = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.job: Job | None = None
        """What is wanted."""
        self.done, self.total = 0, 0
        """How many images have been looked at, and of how many."""
        self.is_cancelled = False
        """Whether the user does not want it, or it has failed."""
        self._found: list[tuple[Job, TopImages]] = []
        self._feed: Feed | None = None
        self._feed_job: Job | None = None
        self._still = QTimer(self, singleShot=True, interval=STILL_FOR)
        self._still.timeout.connect(self._begin)

    @property
    def is_busy(self) -> bool:
        """Whether the images are being looked through for the job that is wanted, or will be at once."""
        is_under_way = self._feed is not None and self.job is not None and self.job.same_as(self._feed_job)
        return not self.is_cancelled and (self._still.isActive() or is_under_way)

    @property
    def found(self) -> tuple[Job, TopImages] | None:
        """What is known of the job that is wanted, or of the same layer at another moment; None where nothing is."""
        if self.job is None:
            return None
        exact = next((each for each in self._found if each[0].same_as(self.job)), None)
        return exact or next((each for each in reversed(self._found) if each[0].is_near(self.job)), None)

    @property
    def is_current(self) -> bool:
        """Whether what is found is of the moment that is wanted."""
        found = self.found
        return found is not None and found[0].same_as(self.job)

    def want(self, job: Job | None, begin: bool) -> None:
        """Look for something else, or with None for nothing; where not `begin`, only as soon as `start` is called."""
        if (job is None and self.job is None) or (job is not None and job.same_as(self.job)):
            return
        self.job, self.is_cancelled = job, False
        self._leave()
        if job is not None and begin and not self.is_current:
            self._still.start(STILL_FOR)
        self.changed.emit()

    def start(self) -> None:
        """Look the images through now."""
        self.is_cancelled = False
        self._begin()
        self.changed.emit()

    def cancel(self) -> None:
        """Look no further, until `start`."""
        self.is_cancelled = True
        self._leave()
        self.changed.emit()

    def _leave(self) -> None:
        self._still.stop()
        if self._feed is not None:
            self._feed.leave()

    def _begin(self) -> None:
        job = self.job
        if job is None or self.is_current:
            return
        if self._feed is not None or not engine.is_ready():  # the end of the one before leads nowhere, so it is tried again
            self._still.start(STILL_FOR)
            return
        self.done, self.total, self._feed_job = 0, len(job.data), job
        self._feed = Feed(lambda: _search(job), self._take_progress, lambda last: self._take(job, last), self._miss)
        self._feed.begin()

    def _take_progress(self, progress: Progress[TopImages]) -> None:
        self.done = progress.done
        self.changed.emit()

    def _take(self, job: Job, last: Progress[TopImages] | None) -> None:
        self._feed = None
        if last is not None and last.result is not None:
            self._found = [*self._found[1 - KEPT :], (job, last.result)]
        self.changed.emit()

    def _miss(self, problem: object) -> None:
        self._feed, self.is_cancelled = None, True
        self.problem.emit(problem)
        self.changed.emit()


def _search(job: Job) -> Generator[Progress[TopImages]]:
    """Find what was kept on the disk, or look all images through and keep it."""
    lower_priority()
    store, total = TopImagesStore(folder()), len(job.data)
    key = key_of(job.network.architecture, job.moment.state, job.data, job.layer)
    units = next(line.output_shape[-1] for line in job.network.summary if line.name == job.layer)
    known = store.read(key, job.layer, units, job.data)
    if known is not None:
        yield Progress(total, total, known)
        return
    network = Network.from_config(job.network.architecture)
    network.load_state_dict(job.moment.state)
    for progress in top_images(Predictor(network), job.data, job.layer):
        if progress.result is not None:
            store.write(key, progress.result)
        yield progress
