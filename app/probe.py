"""The probe dock: the one picture that every view looks at, and the network's answer to it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QFont, QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.core.look import Look
from app.core.probe import Probe
from app.core.reading import Reading
from app.core.undo import Act
from app.lab import Lab
from app.theme import IN_STYLESHEET, font
from app.ticked_answers import TickedAnswers
from app.widgets.card import label
from app.widgets.digit_keys import typed_digit
from app.widgets.elided import Elided
from app.widgets.picture import PictureView
from app.widgets.probability_bars import ProbabilityBars
from nncore.recognition import Digit, Verdict

SIDE, LEAST_SIDE = 252, 112
"""Largest and least height of the picture in pixels: nine and four times 28."""
ANSWER = 44
"""Size of the answer in pixels."""
TRUST = {
    Verdict.SURE: "",
    Verdict.UNSURE: "Not sure: the network gives its answer too small a probability, or what it sees may be no digit at all. "
    "The two likeliest digits are named.",
    Verdict.NO_DIGIT: "No digit: a second network, which learned to tell digits from letters, drawings and noise, does not take "
    "this for one. If it is one, press the right digit below.",
}
"""What a verdict means."""


class ProbeView(QWidget):
    """The picture, buttons, the answer, ten bars, and ten buttons to correct the answer. Digits that are typed here correct it."""

    def __init__(self, lab: Lab, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("probe")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("probe")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._lab = lab
        self._look: Look | None = None
        self.picture = PictureView(
            "Draw a digit in Recognise, open or paste a picture, or click an image of the data.", name="probe"
        )
        self.picture.setFixedWidth(SIDE)
        self.picture.setMinimumHeight(LEAST_SIDE)
        self.picture.setMaximumHeight(SIDE)
        self.answer, self.words, self._at = label("–", "answer"), Elided(), Elided()
        self.answer.setAccessibleName("the network's answer")
        # Here and not in the stylesheet: that gives its fonts only when the label is shown, after its room has been measured.
        large = font(ANSWER)
        large.setWeight(QFont.Weight.Bold)
        self.answer.setFont(large)
        self.answer.setMinimumWidth(max(map(QFontMetrics(large).horizontalAdvance, "0123456789–")))
        self.bars = ProbabilityBars()
        self._origin = label("", "dim", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(label("PROBE", "title"))
        layout.addWidget(self.picture, 1)
        layout.addWidget(self._origin)
        layout.addWidget(self._build_together())
        layout.addLayout(self._build_buttons(actions))
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(self.answer)
        beside = QVBoxLayout()
        beside.setSpacing(0)
        beside.addStretch()
        beside.addWidget(self.words)
        beside.addWidget(self._at)
        beside.addStretch()
        line.addLayout(beside, 1)
        layout.addLayout(line)
        layout.addWidget(self.bars)
        layout.addLayout(self._build_correction(actions))
        self.ticked = TickedAnswers(lab)
        layout.addWidget(self.ticked)
        layout.addStretch()
        self.setMinimumWidth(SIDE + 33)  # margins, and the line at the edge
        lab.state.probe.subscribe(self._show_probe)
        lab.state.acts.last.subscribe(self._show_act)
        lab.state.corrections.changed.subscribe(lambda _: self._show_place(), now=False)
        lab.looking.looked.connect(self._show_look)

    def _build_buttons(self, actions: dict[str, QAction]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        for name, words in (("draw", "Draw"), ("open_picture", "Open…"), ("paste", "Paste")):
            button, action = QPushButton(words), actions[name]
            button.setToolTip(action.toolTip())
            button.clicked.connect(action.trigger)
            row.addWidget(button, 1)
        return row

    def _build_together(self) -> QWidget:
        """Buttons to step through pictures that were dropped or pasted together."""
        self._together, self._place = QWidget(), label("", "dim")
        self._previous, self._next = QPushButton("‹"), QPushButton("›")
        row = QHBoxLayout(self._together)
        row.setContentsMargins(0, 0, 0, 0)
        for button, name, by in ((self._previous, "previous picture", -1), (self._next, "next picture", 1)):
            button.setAccessibleName(name)
            button.setToolTip(f"The {name} of those that were dropped together")
            button.clicked.connect(lambda _=False, by=by: self._step(by))
        row.addWidget(self._previous)
        row.addWidget(self._place, 1, Qt.AlignmentFlag.AlignCenter)
        row.addWidget(self._next)
        return self._together

    def _build_correction(self, actions: dict[str, QAction]) -> QVBoxLayout:
        """Ten small buttons, above them what they do, or what was just done."""
        box = QVBoxLayout()
        box.setSpacing(6)
        done = QWidget()
        row = QHBoxLayout(done)
        row.setContentsMargins(0, 0, 0, 0)
        self.confirmation, self.undo = label("", "value", wrap=True), QPushButton("Undo")
        self.undo.setToolTip("Take this back (Ctrl+Z)")
        self.undo.clicked.connect(actions["undo"].trigger)
        row.addWidget(self.confirmation, 1)
        row.addWidget(self.undo)
        self._above = QStackedWidget()  # as high as the higher of the two, so that the buttons below stay where they are
        self._above.addWidget(label("Wrong? Press the right digit: it is kept as one of yours.", "dim", wrap=True))
        self._above.addWidget(done)
        box.addWidget(self._above)
        grid = QGridLayout()
        grid.setSpacing(4)
        self._digits = []
        for digit in range(10):
            button = QPushButton(str(digit))
            button.setStyleSheet("padding: 3px 0; min-width: 0;")
            button.setFixedSize(QSize(47, 26))
            button.setAccessibleName(f"this is a {digit}")
            button.setToolTip(f"This is a {digit}: key {digit} while the probe or the sheet has the keyboard, Alt+{digit} anywhere")
            button.clicked.connect(lambda _=False, d=digit: self._lab.correct(d))
            grid.addWidget(button, digit // 5, digit % 5)
            self._digits.append(button)
        box.addLayout(grid)
        return box

    def keyPressEvent(self, event: QKeyEvent) -> None:
        digit = typed_digit(event)
        if digit is not None:
            self._lab.correct(digit)
        else:
            super().keyPressEvent(event)

    def _step(self, by: int) -> None:
        probe = self._lab.state.probe.value
        self._lab.opener.open_pictures(probe.together, probe.place + by, by)

    def _show_act(self, act: Act | None) -> None:
        confirmation = "" if act is None else act.confirmation
        self.confirmation.setText(confirmation)
        self._above.setCurrentIndex(1 if confirmation else 0)

    def _show_probe(self, probe: Probe) -> None:
        shows = f" — shows a {probe.label}" if probe.label is not None else ""
        self._origin.setText(f"{probe.origin}{shows}" if probe.picture is not None else "")
        self._origin.setVisible(probe.picture is not None)
        self._together.setVisible(bool(probe.together))
        self._place.setText(f"{probe.place + 1} of {len(probe.together)} pictures")
        self._previous.setEnabled(probe.place > 0)
        self._next.setEnabled(probe.place < len(probe.together) - 1)

    def _show_place(self) -> None:
        """Say which of several digits is shown, and whose word on it holds."""
        look = self._look
        if look is None or look.digit is None or len(look.digits) == 1 or look.question.probe is not self._lab.state.probe.value:
            return
        reading, index = Reading.of(look.digits, self._lab.state.corrections.of(look.question.probe)), look.digits.index(look.digit)
        correction = reading.found[index].correction
        whose = "as the network sees it" if correction is None else f"you say it is a {correction}"
        words = f"{reading.where(index) or 'no digit'} — {whose}"
        if words != self._origin.text():
            self._origin.setText(words)

    def _show_look(self, look: Look) -> None:
        self._look = look
        self._show_place()
        digit, question = look.digit, look.question
        step = question.moment.step
        self.picture.set_pixels(None if digit is None else digit.image)
        is_digit = digit is not None and digit.verdict is not Verdict.NO_DIGIT
        self.bars.set_values(
            digit.answer.probabilities if digit is not None and is_digit else np.zeros(question.network.output_shape, np.float32)
        )
        self.answer.setText(str(digit.answer.digit) if digit is not None and is_digit else "–")
        self.words.show_words("no digit yet" if digit is None else _trusted(digit))
        if (tip := "" if digit is None else TRUST[digit.verdict]) != self.answer.toolTip():
            self.answer.setToolTip(tip)
        by = "changed network" if question.edits else "answer"
        self._at.show_words(f"{by} at step {step:,}" if step and digit is not None else by if question.edits else "")
        right = question.probe.label
        wrong = digit is not None and right is not None and right != digit.answer.digit
        pale = digit is not None and digit.verdict is not Verdict.SURE
        color = f"color: palette({IN_STYLESHEET['second' if wrong else 'dim']});" if wrong or pale else ""
        if color != self.answer.styleSheet():
            self.answer.setStyleSheet(color)
        if self._digits[0].isEnabled() != (digit is not None):
            for button in self._digits:
                button.setEnabled(digit is not None)

    @property
    def look(self) -> Look | None:
        """The Look that is shown."""
        return self._look


def _trusted(digit: Digit) -> str:
    """How far the answer to a digit can be trusted, in words."""
    if digit.verdict is Verdict.NO_DIGIT:
        return "no digit"
    if digit.verdict is Verdict.SURE:
        return f"{digit.answer.confidence * 100:.1f} % sure"
    return f"not sure: {' or '.join(map(str, digit.answer.likeliest))}"
