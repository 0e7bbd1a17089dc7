"""ClassScores: precision, recall and F1 of each class, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip

from app.theme import font, theme
from app.widgets.figure_menu import figure_menu
from app.widgets.tips import tip

ROW = 18
"""Height of a row in pixels."""
FADED = 0.35
"""Opacity while other scores are awaited."""
HEAD = ("class", "precision", "recall", "F1", "images")
MEANING = {
    "precision": "Precision: how often the answer was right, of all times that this class was answered.",
    "recall": "Recall: how many of the images of this class were recognised.",
    "F1": "F1: the harmonic mean of precision and recall; it is only high where both are.",
}


@dataclass(frozen=True)
class ScoreRow:
    """One row: shares from 0 to 1, None where there is nothing to take a share of."""

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    images: int


class ClassScores(QAbstractScrollArea):
    """A row for each class under that of their mean; the class with the lowest F1 is emphasised. `chosen` carries the class
    that was chosen by a click, Return or Space. Arrows move between the rows.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[ScoreRow] = ()
        self._mean: ScoreRow | None = None
        self.worst = -1
        """The class with the lowest F1; −1 where no class makes a mistake."""
        self._hint, self._is_faded, self._cursor = "", False, 0
        self.setAccessibleName("scores of the classes")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(ROW)
        theme().changed.connect(self.viewport().update)

    def set_scores(self, rows: Sequence[ScoreRow], mean: ScoreRow | None, hint: str = "", faded: bool = False) -> None:
        """Show the scores of the classes and their mean; where there are none, `hint`."""
        self._rows, self._mean, self._hint, self._is_faded = rows, mean, hint, faded
        known = {place: row.f1 for place, row in enumerate(rows) if row.f1 is not None and row.f1 < 1}
        self.worst = min(known, key=lambda place: known[place], default=-1)
        self._cursor = min(self._cursor, max(0, len(rows) - 1))
        self._describe()
        self._layout()

    def table(self) -> Iterator[Sequence[object]]:
        """The rows of a table: the names of the columns, the classes, and their mean."""
        yield HEAD
        for row in (*self._rows, *((replace(self._mean, name="macro average"),) if self._mean else ())):
            yield [row.name, *("" if share is None else f"{share:.6g}" for share in _shares(row)), row.images]

    # -- geometry

    def minimumSizeHint(self) -> QSize:
        return QSize(180, 4 * ROW)

    def _layout(self) -> None:
        page = self.viewport().height() - 2 * ROW
        self.verticalScrollBar().setRange(0, max(0, ROW * len(self._rows) - page))
        self.verticalScrollBar().setPageStep(max(ROW, page))
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._layout()

    def row_rect(self, row: int) -> QRect:
        """Where a class lies in the viewport, below the head and the mean."""
        return QRect(0, (row + 2) * ROW - self.verticalScrollBar().value(), self.viewport().width(), ROW)

    def row_at(self, point: QPoint) -> int:
        """The class at a point of the viewport, or −1."""
        row = (point.y() - 2 * ROW + self.verticalScrollBar().value()) // ROW
        return row if point.y() >= 2 * ROW and 0 <= row < len(self._rows) else -1

    def _columns(self, place: QRect) -> list[QRect]:
        """The five columns of a row: the first takes what the others leave."""
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
        head = QRect(0, 0, self.viewport().width(), ROW)
        painter.setFont(font(10))
        self._paint_words(painter, head, HEAD, colors.dim)
        painter.setOpacity(FADED if self._is_faded else 1)
        painter.setFont(font(12, bold=True))
        if self._mean is not None:
            self._paint_words(painter, head.translated(0, ROW), _words(self._mean), colors.text)
        painter.setFont(font(12))
        painter.setClipRect(self.viewport().rect().adjusted(0, 2 * ROW, 0, 0))
        first = self.verticalScrollBar().value() // ROW
        for row in range(first, min(len(self._rows), first + self.viewport().height() // ROW + 1)):
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

    # -- choosing

    def _move_to(self, row: int) -> None:
        self._cursor = min(max(row, 0), len(self._rows) - 1)
        place, bar = self.row_rect(self._cursor), self.verticalScrollBar()
        over, under = 2 * ROW - place.top(), place.bottom() + 1 - self.viewport().height()
        if over > 0 or under > 0:
            bar.setValue(bar.value() + (-over if over > 0 else under))
        self._describe()
        self.viewport().update()

    def _describe(self) -> None:
        self.setAccessibleDescription(self._explain(self._cursor) if self._rows else self._hint)

    def _explain(self, row: int) -> str:
        found = self._rows[row]
        shares = ", ".join(f"{name} {share}" for name, share in zip(HEAD[1:4], _words(found)[1:4], strict=True))
        worst = "; the lowest F1 of all classes" if row == self.worst else ""
        return f"{found.name}: {shares}, {found.images:,} image{'s' * (found.images != 1)}{worst}"

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(event.position().toPoint())
        if row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._move_to(row)
            self.chosen.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys, page = Qt.Key, max(1, self.viewport().height() // ROW - 2)
        moves: dict[int, int] = {
            keys.Key_Up: -1,
            keys.Key_Down: 1,
            keys.Key_PageUp: -page,
            keys.Key_PageDown: page,
            keys.Key_Home: -len(self._rows),
            keys.Key_End: len(self._rows),
        }
        if event.key() in moves and self._rows:
            self._move_to(self._cursor + moves[event.key()])
        elif event.key() in (keys.Key_Return, keys.Key_Enter, keys.Key_Space) and self._rows:
            self.chosen.emit(self._cursor)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            is_space = event.key() == Qt.Key.Key_Space and not event.modifiers()
            if is_space:  # the window's key that starts a training
                event.accept()
                return True
        return super().event(event)

    # -- explaining

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row, words = self.row_at(event.pos()), ""
            if row >= 0:
                words = f"{self._explain(row)}.\nClick to see its images."
            elif self._rows and event.pos().y() < ROW:
                columns = self._columns(QRect(0, 0, self.viewport().width(), ROW))
                words = next(
                    (MEANING.get(name, "") for name, at in zip(HEAD, columns, strict=True) if at.contains(event.pos())), ""
                )
            elif self._rows and event.pos().y() < 2 * ROW:
                words = "Macro average: the mean over the classes, each of which counts the same however many images it has."
            QToolTip.showText(event.globalPos(), tip(words) if words else "", self)
            return True
        return super().viewportEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        figure_menu(self, event.globalPos(), "classes", self.table)


def _shares(row: ScoreRow) -> tuple[float | None, float | None, float | None]:
    return row.precision, row.recall, row.f1


def _words(row: ScoreRow) -> list[str]:
    return [row.name, *("–" if share is None else f"{share * 100:.1f} %" for share in _shares(row)), f"{row.images:,}"]
