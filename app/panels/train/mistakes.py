"""Mistakes: what the network answers on the images of a split, counted, scored and one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QStackedWidget, QWidget

from app.core.answers import Answers, Kind, Selection
from app.core.calibration import calibration
from app.core.probe import Kind as ProbeKind
from app.core.probe import Probe
from app.core.scores import Score, class_scores, macro_average
from app.core.split import Split
from app.evaluating import Shown
from app.lab import Lab
from app.panels.train.answer_filter import AnswerFilter
from app.panels.train.evaluation_line import EvaluationLine
from app.panels.train.figures import loss_text
from app.widgets.card import Card
from app.widgets.class_scores import ClassScores, ScoreRow
from app.widgets.confusion import ConfusionMatrix
from app.widgets.image_grid import ImageGrid
from app.widgets.reliability import ReliabilityDiagram
from app.widgets.throttle import Throttle
from nncore.arrays import Array

AFTER_AN_EPOCH = "After the first epoch, the held-out images that the network gets wrong appear here, the most confident first."
SPLITS = {
    Split.HELD_OUT: "Held-out images: kept apart from the training, to see how it does on what it has not learned",
    Split.TEST: "Test images: never used while training, neither to learn from nor to choose the best moment",
    Split.TRAINING: "Training images: those that the network learned from. Far fewer mistakes here than on others: it overfits",
}
NONE_LEFT = "None. “All mistakes” under Filter… shows the mistakes again."
APART = 60
"""Milliseconds between the drawing of the curves and of each of the two cards while a network trains."""
EVERY = 4000
"""Least milliseconds between two drawings while a network trains: they take longer than a plot."""
VIEWS = ("Mistakes", "Classes", "Calibration")
SHORT_NOTION = (
    "Of what it is 90\u00a0% sure of, nine in ten should be right. Bars below the line: too sure. Pale: share of all answers."
)
NOTION = (
    "Calibration: whether the network is right as often as it is sure. Of the answers that it is 90 % sure of, nine in ten "
    "should be right: the bar then ends at the dashed line. A bar below the line: it is surer than it should be; above: less "
    "sure. The expected calibration error is the mean distance from the line, each bin counted by its answers (Guo et al., 2017)."
)


class Mistakes(QObject):
    """Two cards, `confusion_card` and `mistakes_card`: those of the moment in view, and while a network trains of its last epoch.

    What belongs to another moment of the run, while its own is computed, is pale and says which step it is of. What is chosen
    stays when the moment, the split or the run changes.
    """

    def __init__(self, lab: Lab, panel: QWidget) -> None:
        """`panel` is the parent."""
        super().__init__(panel)
        self.lab = lab
        self.selection = Selection()
        self._answers: Answers | None = None
        self._shown: Shown | None = None
        self._indices: Array = np.zeros(0, np.int64)
        """Which of the split's images are in the grid."""
        self.confusion_card, self.mistakes_card = self._build_confusion(), self._build_mistakes()
        self._to_draw: list[Callable[[], None]] = []
        self._later = QTimer(self, interval=APART)
        self._later.timeout.connect(self._draw_next)
        self._next_epoch = Throttle(self._draw_apart, EVERY, self)
        lab.evaluating.changed.connect(self._follow)
        lab.training.ended.connect(self.show_all)
        self.show_all()

    def _build_confusion(self) -> Card:
        self.split = QComboBox()
        self.split.setAccessibleName("which images")
        for split, explanation in SPLITS.items():
            self.split.addItem(split.value, split)
            self.split.setItemData(self.split.count() - 1, explanation, Qt.ItemDataRole.ToolTipRole)
        self.split.setToolTip("\n".join(SPLITS.values()))
        self.split.activated.connect(lambda _: self.lab.evaluating.choose(self.split.currentData()))
        card = Card("Confusion", self.split)
        card.setMinimumWidth(264)
        self._confusion = ConfusionMatrix()
        self._confusion.notion = (
            "Confusion matrix: each row is what an image shows, each column what it was taken for. Click a cell, or the label of a "
            "row or column, to see its images; click it again, or press Escape, to see all mistakes."
        )
        self._confusion.chosen.connect(self._choose_place)
        card.body.addWidget(self._confusion)
        return card

    def _build_mistakes(self) -> Card:
        self.view, self.filter = QComboBox(), AnswerFilter()
        self.view.addItems(VIEWS)
        self.view.setAccessibleName("what is shown of the answers")
        self.view.setToolTip(
            "Mistakes: the images one by one. Classes: precision, recall and F1 of each. Calibration: how sure, how right."
        )
        self.view.currentIndexChanged.connect(self._show_view)
        self.filter.changed.connect(self._select)
        card = Card("Answers", self.filter)
        card.title.hide()  # the list says which
        card.header.insertWidget(0, self.view)
        self.line = EvaluationLine(self.lab.evaluating)
        self.which = self.line.text
        self.grid, self.scores, self.diagram = (
            ImageGrid("mistakes", AFTER_AN_EPOCH),
            ClassScores(),
            ReliabilityDiagram(SHORT_NOTION),
        )
        self.grid.activated.connect(self._make_probe)
        self.scores.chosen.connect(self._choose_class)
        self.diagram.notion = NOTION
        self.diagram.described.connect(self.line.show_words)
        self._stack = QStackedWidget()
        for page in (self.grid, self.scores, self.diagram):
            self._stack.addWidget(page)
        card.body.addWidget(self.line)
        card.body.addWidget(self._stack, 1)
        self._back = QShortcut(QKeySequence(Qt.Key.Key_Escape), card, self._go_back)
        self._back.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        return card

    # -- what is shown

    def _follow(self) -> None:
        """Draw what has changed; the next epoch of a network that trains not at once."""
        before, now = self._shown, self.lab.evaluating.shown
        if not self.lab.training.is_active:
            self.show_all()
        elif before is not None and now is not None and (before.run, before.split) == (now.run, now.split):
            self._next_epoch()
        else:
            self._draw_apart()

    def _draw_apart(self) -> None:
        """Draw one card after the other and none with the curves, so that no frame is held up for long."""
        self._to_draw = [self._show_matrix, self._show_view]
        self._later.start()

    def _draw_next(self) -> None:
        if self._to_draw:
            self._to_draw.pop(0)()
        if not self._to_draw:
            self._later.stop()

    def show_all(self) -> None:
        """Draw what is known of the split that is chosen, of the run in view."""
        self._to_draw.clear()
        self._show_matrix()
        self._show_view()

    def _show_matrix(self) -> None:
        evaluating, before = self.lab.evaluating, self._shown
        shown = self._shown = evaluating.shown
        if shown is None:
            self._answers = None
        elif before is None or before.evaluation is not shown.evaluation:
            self._answers = Answers(shown.evaluation)
        counts = np.zeros((self._classes, self._classes), np.int64) if self._answers is None else self._answers.confusion
        chosen = (self.selection.shows, self.selection.answer)
        if any(number is not None and number >= len(counts) for number in chosen):  # another run, with fewer classes
            self.selection = Selection()
        names = self._names(len(counts))
        note = "" if shown is None else f"step {shown.step:,} · {shown.evaluation.accuracy * 100:.2f} % right"
        self._confusion.set_counts(counts, names, note, faded=shown is not None and not shown.is_current)
        self._confusion.set_choice(self.selection.shows, self.selection.answer)
        self.split.setCurrentIndex(list(SPLITS).index(evaluating.split))
        self.filter.set_classes(names)
        self.filter.show_selection(self.selection)

    @property
    def _classes(self) -> int:
        """How many classes the network in view tells apart."""
        network = self.lab.state.network.value
        return 10 if network is None else network.output_shape[-1]

    def _names(self, classes: int) -> list[str]:
        """The name of each class: that of the data where it has one, else its number."""
        images = None if self._shown is None else self._shown.images
        known = list(() if images is None else images.class_names)[:classes]
        return known + [str(number) for number in range(len(known), classes)]

    def _show_view(self) -> None:
        """Fill the view in sight."""
        view = self.view.currentIndex()
        self._stack.setCurrentIndex(view)
        self.filter.setVisible(view == 0)
        self._back.setEnabled((self.selection.shows, self.selection.answer) != (None, None))
        (self._show_images, self._show_scores, self._show_calibration)[view]()

    def _show_images(self) -> None:
        shown, answers = self._shown, self._answers
        self._indices = np.zeros(0, np.int64)
        if shown is None or answers is None:
            self.grid.set_images(np.empty((0, 28, 28, 1), np.uint8), str, self._why_none())
            self.line.show_words("")
            return
        chosen = answers.select(self.selection)
        self.line.show_words(f"step {shown.step:,} · {self._words(answers, chosen)}")
        if shown.images is None:
            self.grid.set_images(np.empty((0, 28, 28, 1), np.uint8), str, self._why_none())
            return
        self._indices, names = chosen, self._names(len(answers.confusion))

        def caption(position: int) -> str:
            index = chosen[position]
            return f"{names[answers.labels[index]]} → {names[answers.predicted[index]]}"

        def describe(position: int) -> str:
            index = int(chosen[position])
            shows, taken = names[answers.labels[index]], names[answers.predicted[index]]
            own = shown.evaluation.probabilities[index, answers.labels[index]]
            words = "recognised" if answers.is_right[index] else f"taken for {taken}"
            rest = "" if answers.is_right[index] else f"; {own * 100:.1f} % for {shows}"
            return f"{shows} {words}, {answers.sureness[index] * 100:.1f} % sure{rest} ({shown.split.value} image {index:,})"

        is_all_right = self.selection.kind is Kind.MISTAKES and bool(answers.is_right.all())
        none = f"No mistakes: all {len(answers):,} images are recognised." if is_all_right else NONE_LEFT
        self.grid.set_images(shown.images.images, caption, none, chosen, describe)
        self.grid.set_faded(not shown.is_current)

    def _words(self, answers: Answers, chosen: Array) -> str:
        """What is in the grid, in words."""
        wanted, names, count = self.selection, self._names(len(answers.confusion)), len(chosen)
        parts = []
        if wanted.shows is not None and wanted.shows == wanted.answer:
            parts.append(f"{names[wanted.shows]} recognised")
        elif wanted.shows is not None or wanted.answer is not None:
            shows = "" if wanted.shows is None else f"{'shows ' if wanted.answer is None else ''}{names[wanted.shows]}"
            parts.append(f"{shows} {'' if wanted.answer is None else f'taken for {names[wanted.answer]}'}".strip())
        if wanted.kind is not Kind.ALL:
            parts.append(f"{count:,} {wanted.kind.value.removesuffix('s') if count == 1 else wanted.kind.value}")
        elif wanted.shows is not None and wanted.answer is not None:
            parts.append(f"{count:,} image{'s' * (count != 1)}")
        else:
            parts.append(f"{count - int(answers.is_right[chosen].sum()):,} of {count:,} wrong")
        if wanted.least_sure:
            parts.append(f"≥ {wanted.least_sure * 100:.0f} % sure")
        return " · ".join(parts)

    def _show_scores(self) -> None:
        shown, answers = self._shown, self._answers
        if shown is None or answers is None:
            self.scores.set_scores((), None, self._why_none())
            self.line.show_words("")
            return
        found, names = class_scores(answers.confusion), self._names(len(answers.confusion))
        rows = [_row(name, score) for name, score in zip(names, found, strict=True)]
        mean = _row("mean", macro_average(found))
        self.scores.set_scores(rows, mean, faded=not shown.is_current)
        worst = f" · weakest {names[self.scores.worst]}" if self.scores.worst >= 0 else ""
        self.line.show_words(f"step {shown.step:,} · loss {loss_text(shown.evaluation.loss)}{worst}")

    def _show_calibration(self) -> None:
        shown = self._shown
        if shown is None:
            empty = np.zeros(0)
            self.diagram.set_bins(np.zeros(0, np.int64), empty, empty, self._why_none())
            self.line.show_words("")
            return
        found = calibration(shown.evaluation)
        self.diagram.set_bins(found.counts, found.confidences, found.accuracies, faded=not shown.is_current)
        self.line.show_words(f"step {shown.step:,} · calibration error {found.error * 100:.2f} %")

    def _why_none(self) -> str:
        """What stands in the place of images that are not there."""
        run, training, evaluating = self.lab.state.run.value, self.lab.training, self.lab.evaluating
        which = f"The {evaluating.split.value} images"
        if run is None or (training.is_active and run is training.trained and evaluating.split is Split.HELD_OUT):
            return AFTER_AN_EPOCH
        if evaluating.why_none:
            return evaluating.why_none
        if training.is_active:
            return f"{which} are evaluated once the training has ended."
        if evaluating.has_failed or evaluating.is_cancelled:
            return f"{which} have not been evaluated."
        return f"{which} are being evaluated…" if evaluating.count else f"{which} are being opened…"

    # -- what is chosen

    def _select(self, selection: Selection) -> None:
        """Show other answers."""
        self.selection = selection
        self._confusion.set_choice(selection.shows, selection.answer)
        self._show_view()

    def _choose_place(self, shows: int | None, answer: int | None) -> None:
        """Show all images of a cell, a row or a column of the matrix; None twice: all mistakes again."""
        kind = Kind.MISTAKES if shows is None and answer is None else Kind.ALL
        self._select(replace(self.selection, kind=kind, shows=shows, answer=answer))
        self.filter.show_selection(self.selection)

    def _go_back(self) -> None:
        """Close the filter where it is open; otherwise show all mistakes again."""
        if self.filter.popup.isVisible():
            self.filter.popup.hide()
        else:
            self._choose_place(None, None)

    def _choose_class(self, number: int) -> None:
        """Show the images of a class."""
        self._choose_place(number, None)
        self.view.setCurrentIndex(0)
        self.grid.setFocus()

    def _make_probe(self, position: int) -> None:
        shown = self._shown
        if shown is not None and shown.images is not None:
            index, images = int(self._indices[position]), shown.images
            origin = f"{images.name} {shown.split.value} image {index:,}"
            probe = Probe(images.images[index], origin, int(images.labels[index]), kind=ProbeKind.DATASET)
            self.lab.state.show_probe(probe, origin)


def _row(name: str, score: Score) -> ScoreRow:
    return ScoreRow(name, score.precision, score.recall, score.f1, score.images)
