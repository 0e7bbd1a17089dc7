"""WhyCard: which pixels of the probe have decided, found by a method that one chooses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QPushButton, QSlider, QToolButton, QVBoxLayout, QWidget

from app.colors import DIVERGING, MAGMA
from app.core.look import Look
from app.core.why import DEFAULT, METHODS, RUNNER_UP, Method, Why, WhyQuestion
from app.lab import Lab
from app.panels.inspect.card import InspectCard
from app.panels.inspect.inspected import Inspected
from app.panels.inspect.why_asking import WhyAsking
from app.panels.inspect.why_change import WhyChange
from app.widgets.card import label
from app.widgets.elided import Elided
from app.widgets.export import Export
from app.widgets.map_row import MapRow, Picture, Scale
from app.widgets.overlaid import overlaid
from app.widgets.paragraph import Paragraph
from app.widgets.pixels import colored
from nncore.arrays import Array

HINT = "Draw a digit, open a picture, or click an image in the Data panel: the pixels that decided are coloured here."
WAITS = "This takes too long to follow a training: it is computed when that pauses or ends. A gradient or Grad-CAM follows it."
GRACE = 150, 1500
"""Milliseconds after which a map of what was before is drawn pale: at rest, and while a network trains."""
TALL = 860
"""Pixels of height from which on map and change are shown one below the other."""
LINES, LINES_FROM = 4, 400
"""Lines of the words below each, and pixels of height from which on there are so many."""


class WhyCard(InspectCard):
    """The digit, the map of a method beside it, and the map over the digit; and what would turn the answer."""

    name = "Why this answer"
    least_height = 230

    def __init__(self, lab: Lab, inspected: Inspected) -> None:
        self.method, self.label, self.against = QComboBox(), QComboBox(), QComboBox()
        super().__init__(lab, inspected)
        self.why: Why | None = None
        """What is shown."""
        self._asking = WhyAsking(lab.training, self)
        self._asking.answered.connect(self._show_answer)
        self._asking.progressed.connect(self._show_progress)
        self._asking.problem.connect(lab.problem)
        self._fading = QTimer(self, singleShot=True)
        self._fading.timeout.connect(self._fade)
        self.row = MapRow("which pixels decided", "why")
        self.row.hint = HINT
        self.strength = QSlider(Qt.Orientation.Horizontal, minimum=0, maximum=100, value=80, pageStep=10)
        self.random = QCheckBox("Random weights")
        self.words, self.check, self.cancel = Paragraph(200), Elided(), QToolButton()
        self.turn = QPushButton("Make it a…")
        self.change = WhyChange(lab)
        self._map = QWidget()
        self._shows_change = False
        self._build_choices()
        self._build_map()
        self.body.addWidget(self._map, 1)
        self.body.addWidget(self.change, 1)
        self.turn.setToolTip(
            "What would make it a 3? The smallest change of the picture is sought that turns the answer into one that you choose."
        )
        self.turn.clicked.connect(lambda: self.show_change(True))
        self.change.back.connect(lambda: self.show_change(False))
        self.change.changed.connect(self._tell_saving)
        self._arrange()

    def _build_choices(self) -> None:
        self.method.addItems([*METHODS])
        self.method.setCurrentText(DEFAULT)
        self.method.setAccessibleName("method")
        for place, method in enumerate(METHODS.values()):
            self.method.setItemData(place, method.notion, Qt.ItemDataRole.ToolTipRole)
        self.label.setAccessibleName("the class that is asked about")
        self.label.setToolTip(
            "What speaks for this class. Ask about another one than the answer to see what speaks for it, too, though not enough."
        )
        self.against.setAccessibleName("the class that it is compared with")
        self.against.setToolTip(
            "Why the one and not the other? What is explained is then the difference of the two logits, the numbers that softmax "
            "turns into probabilities."
        )
        for box in (self.label, self.against):  # the other one has its entries before it is shown
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for box in (self.method, self.label, self.against):
            box.currentIndexChanged.connect(self._choose)

    def _build_map(self) -> None:
        self.strength.setAccessibleName("strength of the map over the digit")
        self.strength.setToolTip("How strongly the map covers the digit in the picture on the right")
        self.strength.setFixedWidth(70)
        self.strength.valueChanged.connect(self._paint)
        self.random.setToolTip(
            "The map that the same method finds in the same network with random weights. A method that shows what this network "
            "has learned must find another one there: the rank correlation of the two is then near 0. Near 1 it shows the picture "
            "alone."
        )
        self.random.toggled.connect(self._choose)
        self.cancel.setProperty("role", "inline")
        self.cancel.setToolTip("Give this map up: what was there before stays. Compute begins it anew.")
        self.cancel.clicked.connect(lambda: self._asking.again() if self._asking.is_cancelled else self._asking.cancel())
        self.cancel.hide()
        choices = QHBoxLayout()
        choices.setSpacing(8)
        over = label("overlay", "dim")
        over.setBuddy(self.strength)
        for widget in (self.method, self.label, self.against):
            choices.addWidget(widget)
        choices.addStretch(1)
        said = QHBoxLayout()
        said.setSpacing(8)
        said.addWidget(self.words, 1)
        said.addWidget(over, 0, Qt.AlignmentFlag.AlignTop)
        said.addWidget(self.strength, 0, Qt.AlignmentFlag.AlignTop)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.check, 1)
        foot.addWidget(self.cancel)
        foot.addWidget(self.random)
        foot.addWidget(self.turn)
        layout = QVBoxLayout(self._map)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(choices)
        layout.addWidget(self.row, 100)
        layout.addLayout(said, 10)
        layout.addLayout(foot)
        layout.addStretch(1)

    def show_change(self, shows_change: bool) -> None:
        """Show what would turn the answer in place of the map, or the map again."""
        self._shows_change = shows_change
        self._arrange()
        (self.change.go if shows_change else self.turn).setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Show both one below the other where there is room, or else one of them."""
        has_room = self.height() >= TALL
        self._map.setVisible(has_room or not self._shows_change)
        self.change.setVisible(has_room or self._shows_change)
        line = self.words.fontMetrics().lineSpacing()
        for words in (self.words, self.change.words):
            words.setMinimumHeight((LINES if self.height() >= LINES_FROM else 1) * line)
            words.setMaximumHeight(LINES * line)
        self.turn.setHidden(has_room)
        self.change.leave.setHidden(has_room)
        self._tell_saving()

    # -- asking

    def draw(self) -> None:
        look = self.inspected.look.value
        self.change.show_look(look)
        if look is None or look.digit is None:
            self.why = None
            self._asking.ask(None)
            self._fading.stop()
            self._say(HINT)
            return
        self._name_classes(len(look.digit.answer.probabilities))
        question = self._question(look)
        self._name(f"Why {question.target.label}?")
        self.method.setToolTip(question.method.notion)
        if self.why is None:
            self._say("")
        elif question == self.why.question:  # it was a unit of the network that has been chosen, which changes nothing here
            self._show(self.why)
        elif not self._fading.isActive():
            self._fading.start(GRACE[self._asking.is_training])
        self._asking.ask(question)
        self._show_progress()
        if self._asking.waits:
            self.words.show_words(WAITS)

    def _question(self, look: Look) -> WhyQuestion:
        method, wanted, against = METHODS[self.method.currentText()], self.label.currentData(), self.against.currentData()
        return WhyQuestion(look, method, wanted, against, self.random.isChecked())

    def _choose(self, _: object = None) -> None:
        """Something else is asked of the same look."""
        self.refresh()

    def _name_classes(self, count: int) -> None:
        """Offer the classes of a network, where there were others before."""
        if self.label.count() == count + 1:
            return
        for box, first in ((self.label, (("the answer", None),)), (self.against, (("alone", None), ("over runner-up", RUNNER_UP)))):
            box.blockSignals(True)
            box.clear()
            for words, value in first:
                box.addItem(words, value)
            for number in range(count):
                box.addItem(f"{'for' if box is self.label else 'over'} {number}", number)
            box.blockSignals(False)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._asking.ask(None)
        self.change.stop()
        self.refresh()  # as soon as it is in sight again

    # -- what is shown

    def _name(self, words: str) -> None:
        """Have another title."""
        if self.title.text() != words.upper():
            self.title.setText(words.upper())
            self.tab_named.emit(words)

    def _say(self, words: str) -> None:
        """Show words in place of a map."""
        self.row.show_hint(words)
        self.words.show_words("")
        self.check.show_words("")
        self._tell_saving()
        if not self.inspected.look.value:
            self._name(self.name)

    def _show_answer(self, why: Why) -> None:
        """Show an answer, unless it is about another network by now, or something else has been chosen."""
        look = self.inspected.look.value
        of = why.question.look.question.network
        if look is not None and look.question.network is of and replace(why.question, look=look) == self._question(look):
            self.why = why
            self._show(why)

    def _show(self, why: Why) -> None:
        self._fading.stop()
        self.row.show_faded(False)
        if why.found is None:
            self._say(why.error)
            return
        method = why.question.method
        checks = [check for check in (why.check, why.random_check) if check is not None]
        said = [f"Check {'passed' if check.passed else 'failed'}: {check.words.replace('-', '−')}" for check in checks]
        self.words.show_words("\n".join((method.meaning.format(what=why.question.what), *said, method.notion)))
        self._show_progress()
        self._paint()
        self._tell_saving()

    def _show_progress(self) -> None:
        """Say how far an answer is that takes long, and let it be cancelled, or asked for again."""
        asking, told = self._asking, self._asking.progress
        if asking.is_cancelled:
            self.check.show_words("Cancelled")
        elif asking.is_late:
            self.check.show_words("Computing…" if told is None else f"Computing… {100 * told.done // told.total} %")
        else:
            self.check.show_words("" if self.why is None else self.why.checked)
        self.cancel.setText("Compute" if asking.is_cancelled else "Cancel")
        self.cancel.setVisible(asking.is_cancelled or asking.is_late)

    def _fade(self) -> None:
        self.row.show_faded(True)

    def _paint(self, _: object = None) -> None:
        if self.why is not None and self.why.found is not None:
            why, strength = self.why, self.strength.value() / 100
            self.row.show_pictures(*pictures_of(why, strength))

    def _tell_saving(self) -> None:
        self._save.setEnabled(self.export() is not None)

    def export(self) -> Export | None:
        if self._shows_change and not self._map.isVisibleTo(self):
            return self.change.export()
        if self.why is None or self.why.found is None:
            return None
        question = self.why.question
        arrays = {"image": question.image, "map": self.why.map}
        if self.why.random is not None:
            arrays["map_of_random_weights"] = self.why.random
        return Export("why", self.row, self.row.table, arrays)


def pictures_of(why: Why, strength: float) -> tuple[list[Picture], Scale]:
    """The digit, its map, the map over it and, where it is there, that of random weights; the scale of the map."""
    question, method = why.question, why.question.method
    scale = scale_of(method, why.map)
    image = question.image
    step = question.look.question.moment.step
    pictures = [
        Picture("digit", image, image, "What the network sees"),
        Picture(method.name, colored(why.map, scale.table, scale.low, scale.high), why.map, method.notion),
        Picture(
            f"overlay, step {step:,}" if step else "overlay",
            overlaid(image, why.map, scale.table, scale.low, scale.high, strength),
            why.map,
            "The map over the digit: the stronger a colour, the more it counts",
        ),
    ]
    if why.random is not None:
        own = scale_of(method, why.random)
        pictures.insert(2, Picture("random weights", colored(why.random, own.table, own.low, own.high), why.random))
    return pictures, scale


def scale_of(method: Method, values: Array) -> Scale:
    """The colours of a method's map: blue, white at zero, orange; or from zero to the largest value."""
    top = float(np.abs(values).max()) or 1.0
    return Scale(DIVERGING, -top, top, method.unit) if method.is_signed else Scale(MAGMA, 0.0, top, method.unit)
