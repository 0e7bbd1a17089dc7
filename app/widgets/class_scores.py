"""ClassScores: precision, recall and F1 of each class, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QPainter, QPaintEvent, QPen

from app.theme import font, theme
from app.widgets.class_rows import ClassRows
from app.widgets.figure import FADED
from app.widgets.figure_menu import figure_menu

ROW, LEAST_ROW = 18, 13
"""Height of a row in pixels where there is room for it, and of one that can still be read."""
TALL = 16
"""Height of a row from which on there is room for words of 12 pixels; of 11 in lower ones."""
UNSCROLLED = 10
"""Classes whose rows become lower before any of them is scrolled out of sight."""
INSET = 4
"""Pixels between the words and the frame of the row that has the keyboard."""
HEAD = ("class", "precision", "recall", "F1", "images")
MEANING = {
    "precision": "Precision: how often the answer was right, of all times that this class was answered; – where it never was.",
    "recall": "Recall: how many of the images of this class were recognised; – where there are none.",
    "F1": "F1: the harmonic mean of precision and recall; it is only high where both are.",
}
MACRO_AVERAGE = (
    "Macro average: the mean over the classes, each of which counts the same however many images it has. A class that was never "
    "answered counts as 0 in that of the precision."
)


@dataclass(frozen=True)
class ScoreRow:
    """One row: shares from 0 to 1, None where there is nothing to take a share of."""

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    images: int


class ClassScores(ClassRows):
    """A row for each class under that of their mean; the class with the lowest F1 is emphasised. A click, Return or Space
    chooses a class.
    """

    ROW_HEIGHT, HEAD_HEIGHT = ROW, 2 * ROW
    CHOOSING = (*ClassRows.CHOOSING, Qt.Key.Key_Space)

    def __init__(self) -> None:
        super().__init__("scores of the classes")
        self._rows: Sequence[ScoreRow] = ()
        self._mean: ScoreRow | None = None
        self.worst = -1
        """The class with the lowest F1; −1 where no class makes a mistake."""
        self._hint, self._is_faded = "", False

    def set_scores(self, rows: Sequence[ScoreRow], mean: ScoreRow | None, hint: str = "", faded: bool = False) -> None:
        """Show the scores of the classes and their mean; where there are none, `hint`."""
        self._rows, self._mean, self._hint, self._is_faded = rows, mean, hint, faded
        known = {place: row.f1 for place, row in enumerate(rows) if row.f1 is not None and row.f1 < 1}
        self.worst = min(known, key=lambda place: known[place], default=-1)
        self._set_classes(len(rows))
        self.setAccessibleDescription(self.words_for(self._cursor) if rows else hint)

    def table(self) -> Iterator[Sequence[object]]:
        """The rows of a table: the names of the columns, the classes, and their mean."""
        yield HEAD
        for row in (*self._rows, *((replace(self._mean, name="macro average"),) if self._mean else ())):
            yield [row.name, *("" if share is None else f"{share:.6g}" for share in _shares(row)), row.images]

    # -- geometry

    def _layout(self) -> None:
        rows = 2 + min(self._classes, UNSCROLLED)
        self.ROW_HEIGHT = min(ROW, max(LEAST_ROW, self.viewport().height() // rows))
        self.HEAD_HEIGHT = 2 * self.ROW_HEIGHT
        self.verticalScrollBar().setSingleStep(self.ROW_HEIGHT)
        super()._layout()

    def minimumSizeHint(self) -> QSize:
        return QSize(180, 4 * ROW)

    def _columns(self, place: QRect) -> list[QRect]:
        """The five columns of a row: the first takes what the others leave."""
        place = place.adjusted(INSET, 0, -INSET, 0)
        width = min(64, place.width() // 5)
        first = place.width() - 4 * width
        lefts = [0, *(first + width * number for number in range(4))]
        return [
            QRect(place.left() + left, place.top(), first if not left else width, place.height()).adjusted(2, 0, -2, 0)
            for left in lefts
        ]

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme().colors, QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._rows:
            painter.setFont(font(12))
            painter.setPen(QColor(colors.dim))
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._hint)
            return
        height = self.ROW_HEIGHT
        head, size = QRect(0, 0, self.viewport().width(), height), 12 if height >= TALL else 11
        painter.setFont(font(10))
        self._paint_words(painter, head, HEAD, colors.dim)
        painter.setOpacity(FADED if self._is_faded else 1)
        painter.setFont(font(size, bold=True))
        if self._mean is not None:
            self._paint_words(painter, head.translated(0, height), _words(self._mean), colors.text)
        painter.setFont(font(size))
        painter.setClipRect(self.viewport().rect().adjusted(0, self.HEAD_HEIGHT, 0, 0))
        for row in self._in_sight():
            self._paint_words(
                painter, self.row_rect(row), _words(self._rows[row]), colors.second if row == self.worst else colors.text
            )
            if self.hasFocus() and row == self._cursor:
                painter.setPen(QPen(QColor(colors.accent), 1))
                painter.drawRoundedRect(QRectF(self.row_rect(row)).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _paint_words(self, painter: QPainter, place: QRect, words: Sequence[str], color: str) -> None:
        painter.setPen(QColor(color))
        for number, (rect, text) in enumerate(zip(self._columns(place), words, strict=True)):
            side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width() + 2)
            painter.drawText(rect.adjusted(-2, 0, 0, 0), side | Qt.AlignmentFlag.AlignVCenter, shown)

    # -- explaining

    def words_for(self, row: int) -> str:
        found = self._rows[row]
        shares = ", ".join(f"{name} {share}" for name, share in zip(HEAD[1:4], _words(found)[1:4], strict=True))
        words = f"{found.name}: {shares}, {found.images:,} image{'s' * (found.images != 1)}"
        if row == self.worst:
            words += "; the lowest F1 of all classes"
        return f"{words}; never answered, so its precision is not defined" if found.precision is None else words

    def words_at(self, point: QPoint) -> str:
        row, head = self.row_at(point), QRect(0, 0, self.viewport().width(), self.ROW_HEIGHT)
        if row >= 0:
            return f"{self.words_for(row)}.\nClick to see its images."
        if not self._rows or point.y() >= self.HEAD_HEIGHT:
            return ""
        if point.y() >= self.ROW_HEIGHT:
            return MACRO_AVERAGE
        return next((MEANING.get(name, "") for name, at in zip(HEAD, self._columns(head), strict=True) if at.contains(point)), "")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        figure_menu(self, event.globalPos(), "classes", self.table)


def _shares(row: ScoreRow) -> tuple[float | None, float | None, float | None]:
    return row.precision, row.recall, row.f1


def _words(row: ScoreRow) -> list[str]:
    return [row.name, *("–" if share is None else f"{share * 100:.1f} %" for share in _shares(row)), f"{row.images:,}"]
