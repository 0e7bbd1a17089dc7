"""TickedAnswers: what each of the ticked runs says of the probe, in the probe dock."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.core.comparing import RunAnswer, key_of
from app.lab import Lab
from app.widgets.card import label
from app.widgets.run_answers import AnswerLine, RunAnswers


class TickedAnswers(QWidget):
    """A line for each of the first ticked runs; the others are counted. Nothing is there while no run is ticked."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        self.lines = RunAnswers()
        title = label("THE TICKED RUNS ON THIS PICTURE", "title")
        title.setToolTip(
            "The answer of each run that is ticked in the Runs panel, with its best weights, whichever moment is in view"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(title)
        layout.addWidget(self.lines)
        lab.comparing.answered.connect(self._show)
        self._show()

    def _show(self) -> None:
        ticked, answers = self._lab.comparing.ticked, {key_of(each.run): each for each in self._lab.comparing.answers}
        shown = ticked[: self._lab.comparing.MOST]
        lines = [AnswerLine(each.color, each.run.name, *_words(answers.get(key_of(each.run)))) for each in shown]
        self.lines.set_lines(lines, len(ticked) - len(shown))
        self.setVisible(bool(ticked))


def _words(found: RunAnswer | None) -> tuple[str, bool]:
    """What a run says, and whether it is no answer; empty while that is not known."""
    if found is None:
        return "", True
    if found.answer is not None:
        return f"{found.answer.digit} · {found.answer.confidence * 100:.0f} %", False
    return found.why_not or "no digit", True
