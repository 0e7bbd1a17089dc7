"""MapView: the map of digits: images as points, by what a layer of the network makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.core.digit_map import INPUT, DigitMap, Method, Wanted, has_tsne, images_for, last_hidden, layers_offered, table_of
from app.core.look import LAYERS, Look
from app.core.probe import Kind, Probe
from app.lab import Lab
from app.panels.inspect.map_images import MapImages
from app.panels.inspect.map_making import MapMaking
from app.panels.inspect.map_words import (
    BY_ANSWER,
    BY_RIGHT,
    CHOOSE,
    COLORS,
    LAYER_NOTION,
    METHODS,
    NOTION,
    SPLITS,
    axes_of,
    facts,
    lines,
    names_of,
    progress_words,
)
from app.theme import theme
from app.training import Status
from app.widgets.card import label
from app.widgets.elided import Elided
from app.widgets.image_grid import ImageGrid
from app.widgets.scatter import Scatter
from app.widgets.scatter_legend import ScatterLegend
from app.widgets.scatter_marks import Mark, Shape, class_marks
from nncore.arrays import Array
from nncore.errors import DigitLabError
from nncore.explain.tsne import MISSING
from nncore.prediction import as_input

SIDE = 222
"""Width of the grid of chosen images in pixels."""
NOTHING = np.empty((0, 28, 28, 1), np.uint8)


class MapView(QWidget):
    """A map of the run and the moment in view, made while it is in sight; the digit that is looked at appears in it."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab
        self.images, self.making = MapImages(lab, self), MapMaking(self)
        self._look: Look | None = None
        self._drawn: DigitMap | None = None
        self._single: int | None = None
        self._in_grid: Array = np.zeros(0, np.int64)
        """The points whose images are in the grid, in its order."""
        self.layer, self.method = _choice("layer", LAYER_NOTION), _choice("how many numbers become two", lines(METHODS))
        self.split, self.color = _choice("which images", lines(SPLITS)), _choice("colour", lines(COLORS))
        self.lasso = QPushButton("Lasso", checkable=True)
        self.lasso.setToolTip("Drag around points to open their images (L). Shift and drag draws a rectangle at any time.")
        self.scatter = Scatter("map of digits", "map")
        self.scatter.notion = NOTION
        self.legend, self.line, self.button = ScatterLegend(), Elided(), QToolButton()
        self.button.setProperty("role", "inline")
        self.chosen, self.grid = label("", "dim", wrap=True), ImageGrid("chosen images", CHOOSE)
        self.grid.setFixedWidth(SIDE)
        self._build()
        self._fill_choices()
        self._connect()
        self._follow_network()

    def _build(self) -> None:
        above, middle, below = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for row in (above, middle, below):
            row.setSpacing(8)
        for widget in (self.layer, self.method, self.split, self.color, self.lasso):
            above.addWidget(widget)
        above.addStretch(1)
        self.side = QWidget()
        side = QVBoxLayout(self.side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(4)
        side.addWidget(self.chosen)
        side.addWidget(self.grid, 1)
        middle.addWidget(self.scatter, 1)
        middle.addWidget(self.side)
        below.addWidget(self.line, 1)
        below.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(above)
        layout.addLayout(middle, 1)
        layout.addWidget(self.legend)
        layout.addLayout(below)

    def _fill_choices(self) -> None:
        for method, words in METHODS.items():
            self.method.addItem(method.value, method)
            self.method.setItemData(self.method.count() - 1, words, Qt.ItemDataRole.ToolTipRole)
        if not has_tsne():
            self.method.setItemText(1, "t-SNE (not installed)")
            self.method.setItemData(1, MISSING, Qt.ItemDataRole.ToolTipRole)
        for color, words in COLORS.items():
            self.color.addItem(color, color)
            self.color.setItemData(self.color.count() - 1, words, Qt.ItemDataRole.ToolTipRole)

    def _connect(self) -> None:
        lab = self.lab
        self.layer.activated.connect(self._ask)
        self.method.activated.connect(self._choose_method)
        self.split.activated.connect(self._ask)
        self.color.activated.connect(lambda: self._show_marks(forget=True))
        self.lasso.toggled.connect(self.scatter.set_lasso)
        self.scatter.lasso_wanted.connect(self.lasso.toggle)
        self.scatter.activated.connect(self._make_probe)
        self.scatter.chosen.connect(self._show_chosen)
        self.grid.activated.connect(lambda at: self._make_probe(int(self._in_grid[at])))
        self.legend.singled.connect(self._single_out)
        self.button.clicked.connect(lambda: self.making.again() if self._may_go_on else self.making.cancel())
        self.making.changed.connect(self._draw)
        self.making.progressed.connect(self._say)
        self.making.problem.connect(lab.problem)
        self.images.changed.connect(self._ask)
        lab.state.network.subscribe(lambda _: self._follow_network(), now=False)
        lab.state.moment.subscribe(lambda _: self._ask(), now=False)
        lab.training.status_changed.connect(lambda _: self._ask())
        theme().changed.connect(self._tint)  # no lambda: the theme outlives the window, and would keep it

    # -- what is asked for

    def show_look(self, look: Look | None) -> None:
        """Let the digit that is looked at appear in the map; the Look must have the outputs of the layers."""
        self._look = look
        self._show_marked()
        self._say()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.making.want(None)

    def _follow_network(self) -> None:
        """Offer the layers of another network; one of the same name stays chosen."""
        view, before = self.lab.state.network.value, self.layer.currentData()
        offered = {} if view is None else layers_offered(view)
        self.layer.clear()
        for name, words in offered.items():
            self.layer.addItem(words, name)
        if view is not None:
            self.layer.setCurrentIndex(list(offered).index(before if before in offered else last_hidden(view)))
        self._ask()

    def _fill_splits(self) -> None:
        """Offer the splits that there are; what was chosen stays."""
        splits, before = self.images.splits, self.split.currentData()
        if [self.split.itemData(n) for n in range(self.split.count())] != list(splits):
            self.split.clear()
            for split in splits:
                self.split.addItem(f"{split.value} images", split)
                self.split.setItemData(self.split.count() - 1, SPLITS[split], Qt.ItemDataRole.ToolTipRole)
            self.split.setCurrentIndex(splits.index(before) if before in splits else 0)

    @property
    def _is_training(self) -> bool:
        """Whether a training needs the processor; while it is paused there is time."""
        return self.lab.training.status in (Status.STARTING, Status.TRAINING, Status.STOPPING)

    def _ask(self) -> None:
        """Ask for the map of what is chosen and in view, if it can be made now. Out of sight nothing is asked for."""
        if not self.isVisible():
            return
        self._fill_splits()
        wanted = None
        if not self._is_training:
            self.images.want(self.split.currentData())
            wanted = self._wanted()
        self.making.want(wanted)

    def _wanted(self) -> Wanted | None:
        state, layer, split = self.lab.state, self.layer.currentData(), self.split.currentData()
        images = self.images.of(split)
        view, moment = state.network.value, state.moment.value
        if images is None or view is None or moment is None or layer is None:
            return None
        try:
            indices = images_for(images)
        except DigitLabError as error:
            self.scatter.set_hint(str(error))
            return None
        return Wanted(view, moment, images, indices, layer, self.method.currentData())

    def _choose_method(self) -> None:
        if self.method.currentData() is Method.TSNE and not has_tsne():
            self.method.setCurrentIndex(0)
            self.line.show_words(MISSING)
            return
        self._ask()

    # -- what is shown

    @property
    def found(self) -> DigitMap | None:
        """The map that is drawn, perhaps of another moment; None where there is none of the network in view."""
        found = self.making.found
        return found if found is not None and found.wanted.network is self.lab.state.network.value else None

    @property
    def is_current(self) -> bool:
        """Whether it is that of the moment in view, and of what is chosen."""
        found, state = self.found, self.lab.state
        if found is None or found.wanted.moment is not state.moment.value:
            return False
        return self.making.wanted is None or self.making.is_current

    def _draw(self) -> None:
        found, before = self.found, self._drawn
        self._drawn = found
        if found is None:
            self.scatter.set_points(np.zeros((0, 2)), lambda _: NOTHING, lambda _: ())
        elif found is not before:
            same = before is not None and before.wanted.has_points_of(found.wanted)
            flies = before is None or before.wanted is not found.wanted
            images, indices = found.wanted.images.images, found.wanted.indices
            self.scatter.set_points(found.positions, lambda n: images[indices[n]], self._describe, same, not flies)
            self.scatter.rows = lambda: table_of(found)
            self.scatter.axes = axes_of(found)
            if before is None or not same:
                self._single = None
                self._show_chosen(np.zeros(0, np.int64))
            self._show_marks(forget=not same)
        self.scatter.set_pale(not self.is_current, self._busy_words())
        self._show_marked()
        self._say()

    def _tint(self) -> None:
        self._show_marks()

    def _show_marks(self, forget: bool = False) -> None:
        """Give the points colours, shapes and digits; with `forget` no group stays singled out."""
        found = self._drawn
        if found is None:
            self.legend.show_marks((), (), None)
            return
        marks, groups, texts, text_of = self._marks(found)
        self._single = None if forget else self._single
        cloud = self.scatter.cloud
        cloud.single = self._single
        cloud.set_marks(marks, groups, texts, text_of)
        self.legend.show_marks(marks, np.bincount(groups, minlength=len(marks)).tolist(), self._single)
        self.scatter.update()

    def _marks(self, found: DigitMap) -> tuple[Sequence[Mark], Array, Sequence[str], Array]:
        """The marks, the mark of each point, the digits that can stand for points, and that of each."""
        names, color = names_of(found), self.color.currentData()
        texts = [*names, "?"]
        labels = np.where(found.labels < 0, len(names), found.labels)
        if color == BY_RIGHT:
            wrong = Mark("wrong", "second", Shape.CROSS, 1.7)
            return (Mark("right", "dim"), wrong), (found.answers != found.labels).astype(np.int64), texts, labels
        marks = class_marks(names, theme().colors)
        if color == BY_ANSWER:
            return marks, found.answers, texts, found.answers
        return (*marks, *([Mark("unknown", "dim")] if (found.labels < 0).any() else [])), labels, texts, labels

    def _single_out(self, number: int | None) -> None:
        self._single = self.scatter.cloud.single = number
        self.scatter.cloud.forget()
        self.scatter.update()

    def _show_marked(self) -> None:
        """Mark the digit that is looked at, where it was looked at with the weights that the map is of, or with these changed."""
        look, found = self._look, self.found
        if look is None or look.digit is None or found is None or not self._is_of_map(look):
            self.scatter.set_marked(None)
            return
        wanted = found.wanted
        if wanted.layer == INPUT:
            values = as_input(look.digit.image[None], wanted.network.input_shape)[0]
        else:
            values = look.results[LAYERS][wanted.layer]
        self.scatter.set_marked(found.place(values), look.digit.image)

    def _is_of_map(self, look: Look) -> bool:
        """Whether a look has the outputs of the network that the map is of, as it is or changed by edits."""
        question, found = look.question, self.found
        if found is None or LAYERS not in look.results or question.network is not found.wanted.network:
            return False
        if question.edits:  # their moment is another one, made of that of this step
            return question.moment.step == found.wanted.moment.step
        return question.moment is found.wanted.moment

    def _describe(self, number: int) -> tuple[str, ...]:
        """The lines about a point."""
        found = self._drawn
        assert found is not None, "a map has been drawn"
        names, label_, answer = names_of(found), int(found.labels[number]), int(found.answers[number])
        shows = names[label_] if label_ >= 0 else "?"
        taken = "recognised" if answer == label_ else f"taken for {names[answer]}"
        return (
            f"{shows} · {taken}, {found.sureness[number] * 100:.1f} % sure",
            self._origin(found, number),
        )

    def _origin(self, found: DigitMap, number: int) -> str:
        return f"{self.images.title(self.split.currentData())} image {int(found.wanted.indices[number]):,}"

    # -- in words

    @property
    def _may_go_on(self) -> bool:
        return self.making.is_cancelled or self.making.has_failed

    def _busy_words(self) -> str:
        if self.found is None or self.is_current:
            return ""
        step = f"step {self.found.wanted.moment.step:,}"
        return f"{step}: the map follows when the training pauses" if self._is_training else step

    def _say(self) -> None:
        making, found = self.making, self.found
        if making.wanted is None and found is None:
            self.scatter.set_hint(self._why_none())
        elif found is None:
            self.scatter.set_hint("Cancelled." if self._may_go_on else "The map is being made…")
        is_changed = self._look is not None and bool(self._look.question.edits) and self._is_of_map(self._look)
        words, act = ("" if found is None else facts(found, is_changed)), ""
        if making.wanted is not None and self._may_go_on:
            words, act = (
                "Cancelled: this is not the map of what is chosen." if making.is_cancelled else "This map failed.",
                "Make it",
            )
        elif making.is_coming and making.progress is not None:
            words, act = progress_words(making.progress), "Cancel"
        self.line.show_words(words)
        self.button.setText(act)
        self.button.setVisible(bool(act))

    def _why_none(self) -> str:
        if self.lab.state.network.value is None:
            return "Open a network, or train one: the map shows how it sees the digits."
        if self._is_training:
            return "The map is made when the training pauses or has ended, so that it does not slow it down."
        return self.images.why_none(self.split.currentData()) or "The images are being opened…"

    # -- what is chosen

    def _show_chosen(self, numbers: Array) -> None:
        """Show the images of points that were drawn around, first those that the network gets wrong."""
        found = self._drawn
        self._in_grid = numbers
        if found is None or not len(numbers):
            self.chosen.setText("")
            self.grid.set_images(NOTHING, str, CHOOSE)
            return
        is_right = found.answers[numbers] == found.labels[numbers]
        wrong = int((~is_right).sum())
        numbers = self._in_grid = numbers[np.argsort(is_right, kind="stable")]
        self.chosen.setText(f"{len(numbers):,} images · {wrong:,} wrong")
        names = names_of(found)

        def caption(at: int) -> str:
            shows, answer = int(found.labels[numbers[at]]), int(found.answers[numbers[at]])
            return f"{names[shows] if shows >= 0 else '?'} → {names[answer]}"

        def describe(at: int) -> str:
            return ", ".join(self._describe(int(numbers[at])))

        self.grid.set_images(found.wanted.images.images, caption, CHOOSE, found.wanted.indices[numbers], describe)

    def _make_probe(self, number: int) -> None:
        found = self._drawn
        if found is not None:
            index, origin = int(found.wanted.indices[number]), self._origin(found, number)
            shows = int(found.labels[number])
            image = found.wanted.images.images[index]
            self.lab.state.show_probe(Probe(image, origin, shows if shows >= 0 else None, kind=Kind.DATASET), origin)


def _choice(name: str, notion: str) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(name)
    made.setToolTip(notion)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    return made
