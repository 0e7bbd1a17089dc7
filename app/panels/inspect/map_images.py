"""MapImages: the images that a map can be made of: parts of the run's data, or of a network without a run those in view."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.core.run_in_view import RunInView
from app.core.split import Split
from app.lab import Lab
from app.split_images import SplitImages
from nncore.data.catalogue import title_of
from nncore.data.dataset import Dataset


class MapImages(QObject):
    """Finds the images of a split for the run in view, and opens them where they are wanted."""

    changed = Signal()
    """Images have come, or why there are none."""

    def __init__(self, lab: Lab, parent: QObject) -> None:
        super().__init__(parent)
        self._state = lab.state
        self._of_runs = SplitImages(lab.state, lab.training)
        self._of_runs.setParent(self)
        self._of_runs.changed.connect(self.changed)
        lab.state.data.subscribe(lambda _: self.changed.emit(), now=False)
        lab.state.run.subscribe(lambda _: self.changed.emit(), now=False)

    @property
    def _run(self) -> RunInView | None:
        return self._state.run.value

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that there are: a network without a run holds no images out."""
        is_trained = self._run is not None and self._run.run is not None
        return tuple(Split) if is_trained else (Split.TEST, Split.TRAINING)

    def of(self, split: Split) -> Dataset | None:
        """The images of a split; None where they are not there, or not yet."""
        run, data = self._run, self._state.data.value
        if run is None:
            return None
        if run.run is not None:
            return self._of_runs.of(run, split)
        if data is None:
            return None
        return data.test if split is Split.TEST else data.train

    def title(self, split: Split) -> str:
        """What the images are called: the title of their data and their split."""
        run, data = self._run, self._state.data.value
        spec = run.run.data if run is not None and run.run is not None else "" if data is None else data.spec
        return f"{title_of(spec)} {split.value}"

    def why_none(self, split: Split) -> str:
        """Why there are no images of a split, in one sentence; empty while they are there, or can be opened."""
        run, data = self._run, self._state.data.value
        if run is None or self.of(split) is not None:
            return ""
        if run.run is not None:
            return self._of_runs.why_none(run, split)
        if data is None:
            return "There is no data in view; choose some in the Data panel."
        return f"{title_of(data.spec)} has no {split.value} images; choose others."

    def want(self, split: Split) -> None:
        """Open the images of a split, unless they are there, are being opened, or cannot be had."""
        run = self._run
        if run is not None and run.run is not None:
            self._of_runs.want(run, split)
