"""GrownImage: an image that excites the chosen unit, and grows while one looks on."""

from __future__ import annotations

from collections.abc import Callable, Generator

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.core.in_view import NetworkInView
from app.core.timeline import Moment
from app.threads.priority import lower_priority
from app.threads.task import Feed
from app.widgets.elided import Elided
from app.widgets.picture import PictureView
from nncore.arrays import Array, Shape
from nncore.explain.activation_maximisation import MadeImage, activation_maximisation
from nncore.explain.progress import Progress
from nncore.network import Network
from nncore.prediction import Predictor

SIDE = 112
"""Least width and height of the image in pixels: four times 28."""
NOTION = (
    "Activation maximisation: it begins as noise, and each step changes every pixel a little so as to raise this unit. "
    "It is kept smooth and dark, or it would become noise that no eye can read. Of a feature map the middle is raised, "
    "and only what that place sees changes."
)

Job = tuple[NetworkInView, Moment, str, int, Shape]
"""A network, the moment whose weights it has, a layer, a unit of it, and the shape of its images."""


class GrownImage(QWidget):
    """The image, what the unit makes of it, and a button to let it grow, or stop."""

    def __init__(self, make_probe: Callable[[Array], None], tell: Callable[[object], None]) -> None:
        """`make_probe` is given an image, uint8 (height, width, channels), to be looked at; `tell` a Problem."""
        super().__init__()
        self.job: Job | None = None
        """What it grows for."""
        self.made: MadeImage | None = None
        """How far it has grown."""
        self._tell = tell
        self._feed: Feed | None = None
        self.picture = PictureView("grown for this unit", "image grown for the unit", make_probe)
        self.picture.setMinimumSize(SIDE, SIDE)
        self.picture.setToolTip(NOTION)
        self.words = Elided()
        self.words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.button = QPushButton("Grow an image")
        self.button.setToolTip(NOTION)
        self.button.clicked.connect(self._toggle)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.picture, 1)
        column.addWidget(self.words)
        column.addWidget(self.button)
        self._show()

    def show_job(self, job: Job | None) -> None:
        """Grow for another unit from now on: what has grown for the one before goes."""
        if job != self.job:
            self.job, self.made = job, None
            self.stop()
            self._show()

    def stop(self) -> None:
        """Let it be as it is."""
        if self._feed is not None:
            self._feed.leave()
            self._feed = None
            self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        self.stop()

    def _toggle(self) -> None:
        job = self.job
        if self._feed is not None:
            self.stop()
        elif job is not None:
            self._feed = feed = Feed(
                lambda: _grow(job), lambda made: self._take(feed, made), lambda made: self._end(feed, made), self._miss
            )
            self._feed.begin()
            self._show()

    def _take(self, feed: Feed, progress: Progress[MadeImage]) -> None:
        if feed is self._feed:
            self.made = progress.result
            self._show()

    def _end(self, feed: Feed, last: Progress[MadeImage] | None) -> None:
        if feed is self._feed:
            self._feed = None
            self.made = last.result if last is not None else self.made
            self._show()

    def _miss(self, problem: object) -> None:
        self._feed = None
        self._tell(problem)
        self._show()

    def _show(self) -> None:
        made = self.made
        self.picture.set_pixels(None if made is None else np.rint(255 * made.image).astype(np.uint8))
        self.words.show_words("" if made is None else f"excites it {made.activation:.2f}".replace("-", "−"))
        self.button.setText("Grow an image" if self._feed is None else "Stop")
        self.button.setEnabled(self.job is not None)


def _grow(job: Job) -> Generator[Progress[MadeImage]]:
    lower_priority()
    view, moment, layer, unit, shape = job
    network = Network.from_config(view.architecture)
    network.load_state_dict(moment.state)
    yield from activation_maximisation(Predictor(network), layer, unit, image_shape=shape)
