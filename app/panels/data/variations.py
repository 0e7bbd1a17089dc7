"""VariationsView: one image beside its variations, and sliders for the augmentation that training uses too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QSlider, QStackedWidget, QVBoxLayout, QWidget

from app.core.probe import Kind, Probe
from app.core.varied import Varied, variations
from app.lab import Lab
from app.panels.augmentation import SETTINGS, NameBox, augmentation_of, in_words, value_in_words
from app.panels.data.item import Item
from app.threads.task import Task
from app.widgets.card import Card, label
from app.widgets.image_grid import ImageGrid
from app.widgets.picture import PictureView
from app.widgets.throttle import Throttle
from nncore.data.augment import AUGMENTATIONS, LIMITS, Augmentation

COUNT = 24
"""Variations that are shown."""
FOLLOW_EVERY = 500
"""Least milliseconds between two updates of the answers while a network trains."""
BEGIN_WITH = "light"
"""The augmentation that is offered where nothing varies yet."""
STEPS = 100
"""Positions of a slider."""


class VariationsView(Card):
    """Left the image, right its variations, above them a slider for each setting. `left` asks for the gallery."""

    left = Signal()

    def __init__(self, lab: Lab) -> None:
        super().__init__("")
        self.setAccessibleName("augmentation")
        self._lab = lab
        self._item: Item | None = None
        self._seed = 0
        self._busy = self._again = False
        self.varied: Varied | None = None
        self._shown: tuple[Item, Augmentation, int] | None = None
        """What `varied` was made of: image, augmentation and seed."""
        self._follow = Throttle(self._ask, FOLLOW_EVERY, self)
        self._sliders: dict[str, QSlider] = {}
        self._values = {name: label("", "dim") for name in LIMITS}
        self._build_header()
        self.body.addLayout(self._build_sliders())
        self.body.addWidget(self._build_pictures(), 1)
        lab.state.recipe.subscribe_part(augmentation_of, self._show)
        lab.state.moment.subscribe(lambda _: self._follow(), now=False)

    # -- building

    def _build_header(self) -> None:
        self.title.hide()
        back = QPushButton("Gallery")
        back.setToolTip("Back to where you were in the gallery (Esc)")
        back.clicked.connect(self.left)
        self.names = NameBox(self._lab)
        self.names.setToolTip("Augmentation: show each image a little different every time, so that the network learns what stays")
        self.another = QPushButton("Others")
        self.another.setToolTip("Draw other variations of this image (V)")
        self.another.clicked.connect(self._draw_others)
        while self.header.count():
            self.header.takeAt(0)
        self.header.addWidget(back)
        self.header.addWidget(label("Augmentation", "heading"))
        self.header.addStretch(1)
        self.header.addWidget(self.names)
        self.header.addWidget(self.another)

    def _build_sliders(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        for number, (name, setting) in enumerate(SETTINGS.items()):
            slider = QSlider(Qt.Orientation.Horizontal, minimum=0, maximum=STEPS, pageStep=10)
            slider.setAccessibleName(setting.title)
            slider.valueChanged.connect(lambda place, name=name: self._set(name, place))
            self._sliders[name] = slider
            title = label(setting.title)
            title.setBuddy(slider)
            for widget in (title, slider, self._values[name]):
                widget.setToolTip(f"{setting.title}: {setting.explains}")
            self._values[name].setMinimumWidth(72)
            row, column = divmod(number, 2)
            for offset, widget in enumerate((title, slider, self._values[name])):
                grid.addWidget(widget, row, 3 * column + offset)
        self._note = label("", "dim", wrap=True)
        grid.addWidget(self._note, len(SETTINGS) // 2, 3, 1, 3)
        for column in (1, 4):
            grid.setColumnStretch(column, 1)
        return grid

    def _build_pictures(self) -> QWidget:
        made = QWidget()
        self.original = PictureView("", "the image as it is", lambda _: self._probe_original())
        self.original.setFixedWidth(168)
        self._words = label("", "dim", wrap=True)
        self._tally = label("", wrap=True)
        self.grid = ImageGrid("variations", "Choose an image in the gallery to see its variations.", scale=3)
        self.grid.activated.connect(self._choose)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.grid)
        self._pages.addWidget(self._build_nothing())
        column = QVBoxLayout()
        column.addWidget(self.original)
        column.addWidget(self._words)
        column.addWidget(self._tally)
        column.addStretch(1)
        self.original.setFixedHeight(168)
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 8, 0, 0)
        row.setSpacing(16)
        row.addLayout(column)
        row.addWidget(self._pages, 1)
        for text in (self._words, self._tally):
            text.setFixedWidth(168)
        return made

    def _build_nothing(self) -> QWidget:
        """What is shown in place of the variations while the augmentation changes nothing."""
        made = QWidget()
        words = label(
            "Nothing varies yet: training takes every image as it is. Move a slider, or begin with a preset.", "dim", True
        )
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.vary = QPushButton(f"Vary the images: {BEGIN_WITH}")
        self.vary.setToolTip(f"Train with the augmentation “{BEGIN_WITH}”: {in_words(AUGMENTATIONS[BEGIN_WITH])}")
        self.vary.clicked.connect(self._begin_to_vary)
        layout = QVBoxLayout(made)
        layout.addStretch(1)
        layout.addWidget(words)
        layout.addWidget(self.vary, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        return made

    # -- what is shown

    def show_item(self, item: Item) -> None:
        """Show this image and its variations."""
        self._item = item
        self.original.set_pixels(item.pixels)
        self._words.setText(item.words)
        self._ask()

    def forget(self) -> None:
        """Show nothing, and keep no reference to the data."""
        self._item = self._shown = self.varied = None
        self.original.set_pixels(None)
        self.grid.set_images(np.empty((0, 28, 28, 1), np.uint8), str)

    def _show(self, augmentation: Augmentation) -> None:
        for name, value in augmentation.as_dict().items():
            slider = self._sliders[name]
            slider.blockSignals(True)
            slider.setValue(round(STEPS * value / LIMITS[name]))
            slider.blockSignals(False)
            self._values[name].setText(value_in_words(name, value))
        self._note.setText(
            "Training varies every image like this." if augmentation.changes_something else "Training takes every image as it is."
        )
        self._pages.setCurrentIndex(0 if augmentation.changes_something else 1)
        self.another.setEnabled(augmentation.changes_something)
        self._ask()

    def _set(self, name: str, place: int) -> None:
        state = self._lab.state
        state.change_recipe(augmentation=replace(augmentation_of(state.recipe.value), **{name: LIMITS[name] * place / STEPS}))

    def _begin_to_vary(self) -> None:
        self._lab.state.change_recipe(augmentation=AUGMENTATIONS[BEGIN_WITH])
        self.another.setFocus()

    @property
    def first_button(self) -> QPushButton:
        """The button that the keyboard begins with."""
        return self.another if self.another.isEnabled() else self.vary

    def _draw_others(self) -> None:
        self._seed += 1
        self._ask()

    # -- asking

    def showEvent(self, event: QShowEvent) -> None:
        self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        self._again = False

    def _ask(self) -> None:
        """Have the variations made in a thread. If it is still busy, they are made again when it has finished."""
        if self._item is None or not self.isVisible():
            return
        if self._busy:
            self._again = True
            return
        self._busy = True
        item, state, seed = self._item, self._lab.state, self._seed
        augmentation, network, moment = augmentation_of(state.recipe.value), state.network.value, state.moment.value

        def done(varied: Varied) -> None:
            self._busy = False
            if item is self._item:
                self._take(varied, (item, augmentation, seed), network is None)
            if self._again:
                self._again = False
                self._ask()

        def failed(problem: object) -> None:
            self._busy = self._again = False
            self._lab.problem.emit(problem)

        Task(lambda: variations(item.pixels, augmentation, COUNT, seed, network, moment), done, failed).begin()

    def _take(self, varied: Varied, shown: tuple[Item, Augmentation, int], no_network: bool) -> None:
        same, item = shown == self._shown, shown[0]
        self.varied, self._shown = varied, shown
        answers, known = varied.answers, item.class_name.isdecimal()

        def caption(position: int) -> str:
            if not answers:
                return ""
            answer = answers[position]
            mark = "" if not known or str(answer.digit) == item.class_name else " ✗"
            return f"{answer.digit}{mark}\t{answer.confidence * 100:.0f} %"

        if same:  # only the network has changed: the choice and the place in the grid stay
            self.grid.set_captions(caption)
        else:
            self.grid.set_images(varied.images, caption)
        if not shown[1].changes_something:
            self._tally.setText("")
        elif answers and known:
            right = sum(str(answer.digit) == item.class_name for answer in answers)
            self._tally.setText(f"The network reads {right} of {len(answers)} as a {item.class_name}.")
        else:
            self._tally.setText("" if answers or no_network else "The network in view takes images of another size.")

    # -- choosing

    def _choose(self, position: int) -> None:
        shown, varied = self._shown, self.varied
        if shown is not None and varied is not None:
            item = shown[0]
            origin = f"variation of {item.origin}"
            probe = Probe(np.array(varied.images[position]), origin, item.probe().label, kind=Kind.DATASET)
            self._lab.state.show_probe(probe, origin)

    def _probe_original(self) -> None:
        if self._item is not None:
            self._lab.state.show_probe(self._item.probe(), self._item.origin)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain and event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif plain and event.key() == Qt.Key.Key_V:
            self._draw_others()
        else:
            super().keyPressEvent(event)
