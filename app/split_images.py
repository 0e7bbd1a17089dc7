"""SplitImages: the images of the splits of the run in view, opened in the background when they are wanted."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.core.run_in_view import RunInView
from app.core.split import Split
from app.core.state import LabState
from app.core.stored_run import images_of
from app.errors import Problem
from app.threads.priority import lower_priority
from app.threads.task import Task
from app.training import TrainingController
from nncore.data.dataset import Dataset

Which = tuple[RunInView, Split]


class SplitImages(QObject):
    """Held-out images are the run's own. Of the others, those of one split at a time are in memory: the last that were wanted."""

    changed = Signal()
    """Images have come, or why there are none."""

    def __init__(self, state: LabState, training: TrainingController) -> None:
        super().__init__()
        self._state, self._training = state, training
        self._opened: tuple[Which, Dataset] | None = None
        self._refused: tuple[Which, str] | None = None
        self._opening: Which | None = None
        state.run.subscribe(self._forget_others, now=False)

    def of(self, run: RunInView, split: Split) -> Dataset | None:
        """The images of a split of a run; None where they are not there, or not yet."""
        if split is Split.HELD_OUT:
            return run.held_out
        session = self._training.session
        if session is not None and run is self._training.trained:
            at_hand = session.test_data if split is Split.TEST else session.trainer.train_data
            if at_hand is not None:
                return at_hand
        return self._opened[1] if self._opened is not None and self._opened[0] == (run, split) else None

    def why_none(self, run: RunInView, split: Split) -> str:
        """Why there are no images of a split, in one sentence; empty while they are there, or can be opened."""
        if split is Split.HELD_OUT:
            return run.why_no_images
        if run.run is None:
            return f"{run.name} came without its training, and so without its {split.value} images."
        return self._refused[1] if self._refused is not None and self._refused[0] == (run, split) else ""

    def is_opening(self, run: RunInView, split: Split) -> bool:
        """Whether the images of a split are being opened."""
        return self._opening == (run, split)

    def want(self, run: RunInView, split: Split) -> None:
        """Open the images of a split, unless they are there, are being opened, or cannot be had."""
        line, which = run.run, (run, split)
        if split is Split.HELD_OUT or line is None or self._opening == which:
            return  # whoever shows a run opens the images that it holds out
        if self.of(run, split) is not None or self.why_none(run, split):
            return
        self._opening, in_view = which, self._state.data.value

        def open_them() -> Dataset:
            lower_priority()
            return images_of(split, line, in_view)

        Task(open_them, lambda found: self._take(which, found), lambda problem: self._miss(which, problem)).begin()

    def _forget_others(self, run: RunInView | None) -> None:
        """Let go of images, and moments, of a run that is no longer in view."""
        if self._opened is not None and self._opened[0][0] is not run:
            self._opened = None

    def _take(self, which: Which, found: Dataset) -> None:
        if which == self._opening:  # else another split, or run, has been wanted since
            self._opening, self._opened = None, (which, found)
            self.changed.emit()

    def _miss(self, which: Which, problem: Problem) -> None:
        if which == self._opening:
            self._opening, self._refused = None, (which, problem.message)
            self.changed.emit()
