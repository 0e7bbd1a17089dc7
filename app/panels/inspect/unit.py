"""UnitCard: what the chosen unit looks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.core.probe import Kind, Probe
from app.lab import Lab
from app.panels.inspect.card import InspectCard
from app.panels.inspect.columns import JOINED
from app.panels.inspect.inspected import Inspected, Unit
from app.panels.inspect.off_row import OffRow
from app.panels.inspect.unit_grown import GrownImage
from app.panels.inspect.unit_grown import Job as GrownJob
from app.panels.inspect.unit_search import Job, UnitSearch
from app.widgets.elided import Elided
from app.widgets.export import Export
from app.widgets.image_grid import ImageGrid
from nncore.arrays import Array
from nncore.explain.top_images import TopImages
from nncore.network import LayerSummary
from nncore.vision import Box

SCALES = 2, 4
"""Pixels of the screen for one of an image: in the card among others, and alone in the panel."""
GROWN = 128, 280
"""Width of the grown image in pixels, likewise."""
NO_UNIT = "Choose a unit of a layer above: the images that excite it most appear here."
NO_DATA = "No images to look through: open a dataset that this network takes, in the Data panel."
DEAD = "No image of {count:,} raises this unit above zero: it is dead, and nothing would change without it."
NOTION = (
    "Those images of the dataset in view for which this unit makes its largest number, the strongest first; the frame marks the "
    "patch that did it. Click one to make it the probe. Changes of the network, such as units that are off, do not count here."
)


class UnitCard(InspectCard):
    """The images of the dataset that excite the chosen unit most, and one that is made for it."""

    name = "What it looks for"
    least_height = 240

    def __init__(self, lab: Lab, inspected: Inspected) -> None:
        self.search = UnitSearch()
        self.facts, self.again = Elided(), QPushButton()
        super().__init__(lab, inspected)
        self.search.setParent(self)
        self.search.problem.connect(lab.problem.emit)
        self.search.changed.connect(self._show)
        self.again.clicked.connect(self._start_or_cancel)
        self.grid = ImageGrid("images that excite the unit most", NO_UNIT, has_captions=False)
        self.grid.setToolTip(NOTION)
        self.grid.activated.connect(self._choose)
        self.grown = GrownImage(self._probe_grown, lab.problem.emit)
        self.images: Array = np.empty((0, 28, 28, 1), np.uint8)
        """The images that are shown."""
        self._shown: tuple[TopImages, int] | None = None
        self._line = QWidget()
        line = QHBoxLayout(self._line)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.facts, 1)
        line.addWidget(self.again)
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addWidget(self._line)
        left.addWidget(self.grid, 1)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addLayout(left, 1)
        row.addWidget(self.grown)
        self._picture = QWidget()
        self._picture.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        self.off = OffRow(lab, inspected)
        self.body.addWidget(self._picture, 1)
        self.body.addWidget(self.off)
        for observable in (lab.state.data, lab.state.moment):
            observable.subscribe(self.refresh, now=False)
        self.sight_changed.connect(self._follow_sight)
        lab.closing.connect(self._end)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 180)

    # -- what is wanted

    def show_maximised(self, is_maximised: bool) -> None:
        super().show_maximised(is_maximised)
        self.refresh()

    def draw(self) -> None:
        self.grid.set_scale(SCALES[self.is_maximised])
        self.grown.setFixedWidth(GROWN[self.is_maximised])
        self.search.want(self._job(), begin=not self.lab.training.is_active)
        self.grown.show_job(self._grown_job())
        self._show()

    def _job(self) -> Job | None:
        """The search for the chosen unit's layer; None where there is no such unit, or no images that the network takes."""
        network, moment = self.lab.state.network.value, self.lab.state.moment.value
        data, unit = self.lab.state.data.value, self.inspected.unit
        if network is None or moment is None or data is None or unit is None:
            return None
        names = [line.name for line in network.summary]
        fits = np.prod(data.train.image_shape) == np.prod(network.input_shape)
        return Job(network, moment, data.train, unit.layer) if unit.layer in names and fits and len(data.train) else None

    def _grown_job(self) -> GrownJob | None:
        """What an image can be grown for; None where no unit of a layer is chosen."""
        network, moment, unit = self.lab.state.network.value, self.lab.state.moment.value, self.inspected.unit
        look = self.inspected.look.value
        if network is None or moment is None or unit is None or look is None or look.digit is None:
            return None
        names = [line.name for line in network.summary]
        return (network, moment, unit.layer, unit.unit, look.digit.image.shape) if unit.layer in names else None

    def _follow_sight(self) -> None:
        if not self.isVisible():
            self._end()

    def _end(self) -> None:
        self.search.want(None, begin=False)
        self.grown.stop()

    def _start_or_cancel(self) -> None:
        if self.search.is_busy:
            self.search.cancel()
        else:
            self.search.start()

    # -- what is shown

    def _show(self) -> None:
        if not self.isVisible():
            return
        unit, job, found = self.inspected.unit, self.search.job, self.search.found
        title = self.name if unit is None or self._summary is None else f"What {unit_name(self._summary, unit)} looks for"
        self.title.setText(title.upper())
        self.again.setVisible(job is not None and not self.search.is_current)
        self.again.setText("Cancel" if self.search.is_busy else "Search")
        self.facts.show_words(self._facts())
        shown = None if found is None or unit is None else (found[1], unit.unit)
        if shown != self._shown:
            self._shown = shown
            self._show_images()
        self.grid.set_faded(found is not None and not self.search.is_current, self._hint())

    def _show_images(self) -> None:
        if self._shown is None or self.search.job is None:
            self.images = self.images[:0]
            self.grid.set_images(self.images, str)
            return
        top, unit = self._shown
        # Behind a ReLU what does not excite a unit has zeros, and they are the last.
        self.images = self.search.job.data.images[top.indices[unit][top.values[unit] != 0]]
        self.grid.set_images(self.images, str, describe=self._words)
        self.grid.set_marks(self._mark)

    def _mark(self, position: int) -> Box:
        assert self._shown is not None, "there are images"
        field = self._shown[0].fields[self._shown[1]][position]
        return field.column, field.row, field.width, field.height

    def _words(self, position: int) -> str:
        """What is said of an image: the unit's number, what it shows, and where the patch lies."""
        assert self._shown is not None and self.search.job is not None, "there are images"
        (top, unit), data = self._shown, self.search.job.data
        number, value = int(top.indices[unit, position]), float(top.values[unit, position])
        return f"{value:.3f} for image {number:,} of {data.name}, which shows {data.class_name(number)}".replace("-", "−")

    def _facts(self) -> str:
        search, found = self.search, self.search.found
        if search.job is None:
            return ""
        done = f"{search.done:,} " if search.is_busy and not search.is_current else ""
        older = f", as at step {found[0].moment.step:,}" if found is not None and not search.is_current else ""
        unit, summary = self.inspected.unit, self._summary
        name = f"{unit_name(summary, unit)} · " if self.title.isHidden() and unit is not None and summary is not None else ""
        return f"{name}{done}of {len(search.job.data):,} images · {search.job.data.name}{older}"

    def _hint(self) -> str:
        if self.inspected.unit is None or self._summary is None:
            return NO_UNIT
        if self.search.job is None:
            is_input = self.inspected.unit.layer not in [line.name for line in self._summary]
            return NO_UNIT if is_input else NO_DATA
        if self.search.found is not None:
            return DEAD.format(count=len(self.search.job.data))
        return "Looking through the images…" if self.search.is_busy else "Press Search to look the images through."

    @property
    def _summary(self) -> Sequence[LayerSummary] | None:
        network = self.lab.state.network.value
        return None if network is None else network.summary

    # -- choosing and saving

    def _choose(self, position: int) -> None:
        if self._shown is not None and self.search.job is not None:
            data, number = self.search.job.data, int(self._shown[0].indices[self._shown[1], position])
            name = data.class_name(number)
            origin = f"{data.name} training image {number:,}"
            self.lab.state.show_probe(
                Probe(np.array(data.images[number]), origin, int(name) if name.isdecimal() else None, Kind.DATASET), origin
            )

    def _probe_grown(self, pixels: Array) -> None:
        unit = self.inspected.unit
        origin = "grown image" if unit is None else f"grown for {unit.layer} unit {unit.unit}"
        self.lab.state.show_probe(Probe(pixels, origin, kind=Kind.DATASET), origin)

    def export(self) -> Export | None:
        if self._shown is None or not len(self.images):
            return None
        arrays = {"images": self.images, "values": self._shown[0].values[self._shown[1]]}
        if self.grown.made is not None:
            arrays["grown"] = self.grown.made.image
        return Export("top-images", self._picture, self._rows, arrays)

    def _rows(self) -> Iterator[Sequence[object]]:
        yield "rank", "image", "shows", "value", "top", "left", "height", "width"
        if self._shown is None or self.search.job is None:
            return
        (top, unit), data = self._shown, self.search.job.data
        for rank, (number, value, field) in enumerate(zip(top.indices[unit], top.values[unit], top.fields[unit], strict=True), 1):
            yield rank, int(number), data.class_name(int(number)), float(value), field.row, field.column, field.height, field.width


def unit_name(summary: Sequence[LayerSummary], unit: Unit) -> str:
    """What the unit is called: after the layer before, where its own only changes each number by itself, as ReLU does."""
    names = [line.name for line in summary]
    place = names.index(unit.layer) if unit.layer in names else 0
    while place and summary[place].kind in JOINED:
        place -= 1
    return f"{names[place] if unit.layer in names else unit.layer} unit {unit.unit}"
