"""Your digits: those that the user has corrected last, and the button by which the network learns them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QToolButton, QWidget

from app.core.teaching import LEAST, STEPS
from app.lab import Lab
from app.teaching import Phase
from app.theme import GREY
from app.widgets.card import Card, label
from app.widgets.mosaic import Mosaic
from nncore.data.catalogue import OWN_DIGITS

NOTHING = "Where the network is wrong, press the right digit: it is kept here, and the network can learn your hand from it."
FEW = f"{LEAST} digits of your own are needed to learn from; write some more, and correct what the network reads."
LEARN = (
    f"Learn my handwriting: some {STEPS} steps of training on your digits, mixed with the images that the network knows, so that "
    "it does not forget those. It becomes a run of its own; undo brings the network back as it was."
)
FIGURES = (
    "The share that is read correctly, before and after.\n"
    "Yours: all digits that you have kept, from which it has learned.\n"
    "Held out: each digit is left out of one short training in turn, and so new to it, as your next ones will be."
)
WORDS = {
    Phase.IDLE: "",
    Phase.PREPARING: "Looking at what the network knows…",
    Phase.LEARNING: "Learning your handwriting…",
    Phase.MEASURING: "Measuring what it knows now…",
    Phase.IN_TURN: "held out: being measured…",
}
LINES = 3
"""Lines of text for which there is room from a lesson's beginning on, so that nothing moves while its figures come."""


class TeachCard(Card):
    """How many digits are kept, the last ones, what learning them has brought, and what can be done."""

    def __init__(self, lab: Lab) -> None:
        self.see_all = _inline("", "Show your own digits in the Data panel, where they can be deleted and given another label")
        super().__init__("Your digits", self.see_all)
        self._lab, self._teaching = lab, lab.teaching
        self._digits = Mosaic("your last digits", self._caption)
        self.learn = QPushButton("Learn my handwriting")
        self.learn.setProperty("role", "go")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Break off; the network stays as it was")
        self._bar = QProgressBar(textVisible=False, maximum=STEPS)
        self._bar.setFixedHeight(6)
        self._bar.setAccessibleName("progress of learning")
        self.words = label("", "dim", wrap=True)
        self.words.hide()
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.undo = _inline("Undo", "Show the network as it was before it learned your handwriting")
        self.again = _inline("Use it again", "Show the network that has learned your handwriting")
        self.keep = _inline("Keep it", "Let the network that has learned your handwriting take the place of the one before")
        self.leave = _inline("Leave it", "Stay with the network before; the other one remains in the Runs panel")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.learn)
        row.addWidget(self.cancel)
        row.addStretch(1)
        links = QHBoxLayout()
        links.setSpacing(8)
        for button in (self.undo, self.again, self.keep, self.leave):
            links.addWidget(button)
        links.addStretch(1)
        self.body.addWidget(self._digits, 0, Mosaic.aligned())
        self.body.addLayout(row)
        self.body.addWidget(self._bar)
        self.body.addWidget(self.words)
        self.body.addLayout(links)
        self.body.addStretch(1)
        self._connect()
        self._show_kept()

    def _connect(self) -> None:
        teaching, training = self._teaching, self._lab.training
        self.see_all.clicked.connect(self._see_all)
        self.learn.clicked.connect(teaching.learn)
        self.cancel.clicked.connect(teaching.cancel)
        self.undo.clicked.connect(teaching.go_back)
        self.again.clicked.connect(teaching.keep)
        self.keep.clicked.connect(teaching.keep)
        self.leave.clicked.connect(teaching.leave)
        teaching.changed.connect(self._show)
        teaching.kept_changed.connect(self._show_kept)
        training.status_changed.connect(lambda _: self._show())
        training.updated.connect(lambda _: self._show_progress())

    def _see_all(self) -> None:
        self._lab.show_panel("data")
        self._lab.opener.open_data(OWN_DIGITS)

    def _caption(self, index: int) -> str:
        return f"kept as a {self._teaching.kept.labels[index]}"

    def _show_kept(self) -> None:
        kept = self._teaching.kept
        self.see_all.setText(f"{kept.count:,} kept")
        self.see_all.setAccessibleName(f"{kept.count:,} of your digits are kept; show them all")
        self._digits.set_maps(kept.images[..., 0].astype(np.float32), GREY, 0, 255, max(len(kept.images), 1), 1, gap=3)
        self.see_all.setVisible(kept.count > 0)
        self._show()

    def _show(self) -> None:
        teaching = self._teaching
        kept = teaching.kept.count
        reason = teaching.why_not if not teaching.is_busy else ""
        if 0 < kept < LEAST:
            reason = FEW
        self.learn.setEnabled(kept >= LEAST and not reason)
        self.learn.setToolTip(reason or LEARN)
        self._swap(self.learn, self.cancel, teaching.is_busy)
        self.learn.setVisible(kept > 0 and not teaching.is_busy)
        self._bar.setVisible(teaching.is_busy)
        # The figures of a lesson take the place of the digits, so that the text that is read keeps its room.
        self._digits.setVisible(kept > 0 and not self._tells_of_lesson)
        self.words.setMinimumHeight(LINES * self.words.fontMetrics().lineSpacing() if self._tells_of_lesson else 0)
        self._show_links()
        self._show_progress()

    @property
    def _tells_of_lesson(self) -> bool:
        """Whether a lesson is going on, or the network in view is the one that it made or began with."""
        teaching = self._teaching
        is_of_last = teaching.taught is not None and (teaching.is_taught_in_view or teaching.is_before_in_view)
        return teaching.is_busy or is_of_last

    def _swap(self, first: QWidget, second: QWidget, is_second: bool) -> None:
        """Show one of two buttons in one place. The keyboard goes from the one to the other."""
        shown, hidden = (second, first) if is_second else (first, second)
        shown.show()
        if hidden.hasFocus():
            shown.setFocus()
        hidden.hide()

    def _show_links(self) -> None:
        teaching = self._teaching
        can = teaching.taught is not None and not teaching.is_busy
        shown = {
            self.keep: can and teaching.is_asking,
            self.leave: can and teaching.is_asking,
            self.undo: can and not teaching.is_asking and teaching.is_taught_in_view,
            self.again: can and not teaching.is_asking and teaching.is_before_in_view,
        }
        for button in (each for each, is_shown in shown.items() if is_shown):
            button.show()
        for button in (each for each, is_shown in shown.items() if not is_shown):
            if button.hasFocus():  # the keyboard goes to what stands in its place
                next((each for each, is_shown in shown.items() if is_shown), self.learn).setFocus()
            button.hide()

    def _show_progress(self) -> None:
        teaching, last = self._teaching, self._lab.training.last
        step = last.step if last is not None and teaching.phase is Phase.LEARNING else 0
        self._bar.setValue(STEPS if teaching.phase is Phase.MEASURING else step)
        words = self._text()
        if words != self.words.text():
            self.words.setText(words)
            self.words.setVisible(bool(words))
            self.words.setAccessibleName(words)
            self.words.setToolTip("" if teaching.is_busy or teaching.taught is None else FIGURES)

    def _text(self) -> str:
        """What is said below the button."""
        teaching, taught, kept = self._teaching, self._teaching.taught, self._teaching.kept.count
        if teaching.is_busy:
            return WORDS[teaching.phase]
        if taught is None or not self._tells_of_lesson:
            return "" if kept >= LEAST else FEW if kept else NOTHING
        held_out = taught.held_out_words("held out") or WORDS[teaching.phase]
        if teaching.is_asking:
            lines = f"{taught.fall()}. Keep it?", taught.own_words(), held_out
        else:
            lines = taught.own_words(), held_out, taught.others_words()
        return "\n".join(filter(None, (*lines, teaching.note)))


def _inline(words: str, tooltip: str) -> QToolButton:
    """A small button in a line of text."""
    made = QToolButton(text=words, toolTip=tooltip)
    made.setProperty("role", "inline")
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return made


def tab_stops(card: TeachCard) -> tuple[QWidget, ...]:
    """The widgets of a card that take the keyboard's focus, in order."""
    return card.see_all, card.learn, card.cancel, card.undo, card.again, card.keep, card.leave
