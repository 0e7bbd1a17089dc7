"""WhyChange: the smallest change of the probe that turns the answer into another one, sought and shown step by step."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.colors import DIVERGING
from app.core.look import Look
from app.core.probe import Kind, Probe
from app.core.what_if import KINDS, PLAIN, WhatIf, search
from app.errors import Problem
from app.lab import Lab
from app.threads.priority import lower_priority
from app.threads.task import Feed
from app.widgets.export import Export
from app.widgets.map_row import MapRow, Picture, Scale
from app.widgets.paragraph import Paragraph
from app.widgets.pixels import colored
from nncore.recognition import Answer

HINT = "Choose what the network should take it for, and search: the picture is changed step by step until it does."
FRAME = 80
"""Milliseconds that a step of the animation is shown."""


class WhyChange(QWidget):
    """Before, the change, and after; buttons to search, to play the search again, and to make what was found the probe."""

    back = Signal()
    changed = Signal()
    """There is something else to save, or nothing any more."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        self._look: Look | None = None
        self._search: Feed | None = None
        self.found: WhatIf | None = None
        """What is shown: of a search that has ended, or as far as one has come."""
        self.step = 0
        """The step that is shown, from 0."""
        self._playing = QTimer(self, interval=FRAME)
        self._playing.timeout.connect(self._show_next)
        self.label, self.kind = QComboBox(), QComboBox()
        self.go, self.play = QPushButton("Search"), QPushButton("Play")
        self.take, self.leave = QPushButton("Make it the probe"), QPushButton("Back to why")
        self.row = MapRow("the smallest change", "what-if")
        self.row.show_hint(HINT)
        self.words = Paragraph(200)
        self._build()
        self._enable()

    def _build(self) -> None:
        self.label.setAccessibleName("the class that it should become")
        self.label.setToolTip("What the network should take the picture for")
        self.kind.setAccessibleName("the kind of change")
        for number, (name, kind) in enumerate(KINDS.items()):
            self.kind.addItem(name)
            self.kind.setItemData(number, kind.notion)
        self.kind.setCurrentText(PLAIN)
        self.label.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for box in (self.label, self.kind):
            box.currentIndexChanged.connect(self._forget_found)
        self.go.setToolTip("Look for the smallest change; once more: stop looking")
        self.play.setToolTip("Show again, step by step, how the picture was changed; once more: stop")
        self.take.setToolTip("Look at the changed picture in every view (Ctrl+Z brings the old one back)")
        self.leave.setToolTip("Show again which pixels decided")
        self.go.clicked.connect(self._search_or_stop)
        self.play.clicked.connect(self._play_or_stop)
        self.take.clicked.connect(self._make_probe)
        self.leave.clicked.connect(self.back)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        head, foot = QHBoxLayout(), QHBoxLayout()
        for row, widgets in ((head, (self.label, self.kind, self.go)), (foot, (self.play, self.take))):
            row.setSpacing(8)
            for widget in widgets:
                row.addWidget(widget)
            row.addStretch(1)
        foot.addWidget(self.leave)
        layout.addLayout(head)
        layout.addWidget(self.row, 100)
        layout.addWidget(self.words, 10)
        layout.addLayout(foot)
        layout.addStretch(1)

    # -- what it is about

    def show_look(self, look: Look | None) -> None:
        """Be about another look: what was found for another picture or network is gone, for another moment it is pale."""
        before, self._look = self._look, look
        digit = None if look is None else look.digit
        if look is not None and digit is not None:
            self._name_classes(digit.answer)
        if self.found is not None and not (look is not None and digit is not None and self.found.is_about(look)):
            self.stop()
            self._forget_found()
        elif self.found is not None and look is not None:
            self.row.show_faded(look.question.moment is not self.found.look.question.moment)
        if before is None or look is None:
            self._enable()

    def _name_classes(self, answer: Answer) -> None:
        """Offer the network's classes; what it answers already cannot be wanted, so the likeliest other one is chosen then."""
        count, is_free = len(answer.probabilities), self.found is None and self._search is None
        self.label.blockSignals(True)
        if self.label.count() != count:
            self.label.clear()
            for number in range(count):
                self.label.addItem(f"into {number}", number)
            self.label.setCurrentIndex(answer.digit)
        if is_free and self.label.currentData() == answer.digit:
            self.label.setCurrentIndex(answer.likeliest[1])
        self.label.blockSignals(False)

    # -- searching

    def _search_or_stop(self) -> None:
        if self._search is not None:
            self.stop()
            return
        look, label, kind = self._look, self.label.currentData(), self.kind.currentText()
        if look is None or look.digit is None:
            return
        self._playing.stop()

        def steps() -> Generator[WhatIf]:
            lower_priority()
            yield from search(look, label, kind)

        def progressed(found: WhatIf) -> None:
            if self._search is feed:
                self._show_found(found)

        def done(found: WhatIf | None) -> None:
            if self._search is feed:
                self._search = None
                if found is not None:
                    self._show_found(found)
                self._enable()

        def failed(problem: Problem) -> None:
            done(None)
            self._lab.problem.emit(problem)

        feed = Feed(steps, progressed, done, failed)
        self._search = feed
        feed.begin()
        self._enable()

    def stop(self) -> None:
        """End the search, and the animation."""
        self._playing.stop()
        if self._search is not None:
            self._search.leave()
            self._search = None
        self._enable()

    def _forget_found(self) -> None:
        self.stop()
        self.found = None
        self.row.show_hint(HINT)
        self.row.show_faded(False)
        self.words.show_words("")
        self._enable()
        self.changed.emit()

    def _enable(self) -> None:
        """Enable what can be done now, and name buttons by it."""
        has_digit = self._look is not None and self._look.digit is not None
        is_found = self.found is not None and self._search is None
        self.go.setText("Search" if self._search is None else "Stop")
        self.go.setEnabled(has_digit)
        self.play.setText("Stop" if self._playing.isActive() else "Play")
        self.play.setEnabled(is_found and self.found is not None and len(self.found.steps) > 1)
        self.take.setEnabled(is_found)

    # -- showing

    def _show_found(self, found: WhatIf) -> None:
        self.found = found
        look = self._look
        self.row.show_faded(look is not None and look.question.moment is not found.look.question.moment)
        self._show_step(len(found.steps) - 1)
        self.words.show_words(f"{found.words}\n{KINDS[found.kind].notion}")
        self.changed.emit()

    def _show_step(self, step: int) -> None:
        if self.found is not None:
            self.step = step
            self.row.show_pictures(*pictures_of(self.found, step))

    def _play_or_stop(self) -> None:
        if self._playing.isActive():
            self._playing.stop()
            if self.found is not None:
                self._show_step(len(self.found.steps) - 1)
        elif self.found is not None:
            self._show_step(0)
            self._playing.start()
        self._enable()

    def _show_next(self) -> None:
        if self.found is None or self.step + 1 >= len(self.found.steps):
            self._playing.stop()
            self._enable()
        else:
            self._show_step(self.step + 1)

    def _make_probe(self) -> None:
        found = self.found
        if found is not None:
            origin = f"{found.look.question.probe.origin}, changed into {found.label}"
            self._lab.state.show_probe(Probe(found.picture(-1), origin, kind=Kind.DATASET), f"picture changed into {found.label}")

    def export(self) -> Export | None:
        """What can be copied and saved; None while there is nothing."""
        if self.found is None:
            return None
        before, after = self.found.picture(0), self.found.picture(self.step)
        return Export("what-if", self.row, self.row.table, {"before": before, "after": after})


def pictures_of(found: WhatIf, step: int) -> tuple[list[Picture], Scale]:
    """The picture before, what was changed up to a step, and the picture then, with the answers; the scale of the change."""
    before, after = found.picture(0), found.picture(step)
    change = after.astype(np.int16) - before
    top = max(float(np.abs(found.picture(-1).astype(np.int16) - before).max()), 1.0)
    shown = change.mean(axis=2) if change.shape[2] > 1 else change[..., 0]
    scale = Scale(DIVERGING, -top, top, "of 255")
    return [
        Picture(f"before: {found.answer(0)}", before, before, "The picture as it is, and the network's answer"),
        Picture(
            f"change, step {step}", colored(shown, DIVERGING, -top, top), change,
            "What was changed: orange is brighter than before, blue is darker; of a coloured picture the mean of its channels",
        ),
        Picture(f"after: {found.answer(step)}", after, after, "The changed picture, and the network's answer"),
    ], scale  # fmt: skip
