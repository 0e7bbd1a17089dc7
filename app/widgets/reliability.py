"""ReliabilityDiagram: how often the network is right where it is so and so sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen

from app.theme import font, theme
from app.widgets.figure import FADED, Figure
from nncore.arrays import Array

LEFT, RIGHT, BOTTOM = 36, 12, 28
"""Room for the axes in pixels."""
LEAST_WORDS = 80
"""Least width of the words beside the plot in pixels; where there is less, they are only in the tooltip."""


class ReliabilityDiagram(Figure):
    """A bar a bin: as high as the share of right answers, over a pale one as high as the share of all answers. The diagonal is
    where both would be if the network knew how often it is right. Arrows move from bin to bin, for whoever has it read out.
    """

    described = Signal(str)
    """What the bin in focus says, in words."""
    OWN_KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right)

    def __init__(self, words: str = "") -> None:
        """`words` stand beside the plot."""
        super().__init__("reliability diagram", "calibration")
        self._words = words
        self._counts: Array = np.zeros(0, np.int64)
        self._confidences: Array = np.zeros(0)
        self._accuracies: Array = np.zeros(0)
        self._hint, self._is_faded, self._cursor = "", False, 0
        self.setMinimumSize(120, 100)

    def set_bins(self, counts: Array, confidences: Array, accuracies: Array, hint: str = "", faded: bool = False) -> None:
        """Show bins of equal width from 0 to 1: how many answers each has, int64, the mean of their probabilities and the share
        that is right, float64, all (bins). Where there are none, `hint`.
        """
        self._counts, self._confidences, self._accuracies = counts, confidences, accuracies
        self._hint, self._is_faded = hint, faded
        self._cursor = min(self._cursor or len(counts) - 1, max(0, len(counts) - 1))
        self._describe()
        self.update()

    def table(self) -> Iterator[Sequence[object]]:
        """The rows of a table: the names of the columns, and for each bin its bounds, answers, mean sureness and accuracy."""
        yield "from", "to", "answers", "mean sureness", "accuracy"
        bins = len(self._counts)
        for place in range(bins):
            shares = [f"{values[place]:.6g}" if self._counts[place] else "" for values in (self._confidences, self._accuracies)]
            yield place / bins, (place + 1) / bins, int(self._counts[place]), *shares

    # -- geometry

    def sizeHint(self) -> QSize:
        return QSize(180, 160)

    def _plot(self) -> QRectF:
        """Where the plot lies: a square."""
        width, height = self.width() - LEFT - RIGHT, self.height() - BOTTOM - 6
        return QRectF(LEFT, 6, max(1, min(width, height)), max(1, min(height, width)))

    def _bin_at(self, point: QPoint) -> int:
        """The bin at a point, or −1."""
        plot = self._plot()
        place = int((point.x() - plot.left()) / plot.width() * len(self._counts)) if point.x() >= plot.left() else -1
        return place if 0 <= place < len(self._counts) and plot.contains(QPointF(point)) else -1

    def _bar(self, place: int, share: float) -> QRectF:
        plot, width = self._plot(), self._plot().width() / len(self._counts)
        height = plot.height() * share
        return QRectF(plot.left() + place * width + 1, plot.bottom() - height, width - 2, height)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter, flags = theme().colors, QPainter(self), Qt.AlignmentFlag
        painter.setFont(font(10))
        if not self._counts.sum():
            painter.setFont(font(12))
            painter.setPen(QColor(colors.dim))
            painter.drawText(self.rect(), flags.AlignCenter | Qt.TextFlag.TextWordWrap, self._hint)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plot = self._plot()
        for share in (0.0, 0.5, 1.0):
            y, x = plot.bottom() - share * plot.height(), plot.left() + share * plot.width()
            painter.setPen(QPen(QColor(colors.line), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(QColor(colors.dim))
            painter.drawText(QRectF(0, y - 7, LEFT - 5, 14), flags.AlignRight | flags.AlignVCenter, f"{share * 100:.0f}")
            painter.drawText(QRectF(x - 20, plot.bottom() + 2, 40, 13), flags.AlignCenter, f"{share * 100:.0f}")
        painter.drawText(QRectF(plot.left(), plot.bottom() + 14, plot.width(), 13), flags.AlignCenter, "sure, %")
        painter.save()
        painter.translate(0, plot.bottom())
        painter.rotate(-90)
        painter.drawText(QRectF(0, 0, plot.height(), 13), flags.AlignCenter, "right, %")
        painter.restore()
        beside = QRectF(self.rect()).adjusted(plot.right() + 2 * RIGHT, 2, 0, 0)
        if beside.width() >= LEAST_WORDS:
            painter.setFont(font(12))
            painter.drawText(beside, flags.AlignLeft | flags.AlignTop | Qt.TextFlag.TextWordWrap, self._words)
        painter.setOpacity(FADED if self._is_faded else 1)
        self._paint_bars(painter)
        painter.setPen(QPen(QColor(colors.text), 1, Qt.PenStyle.DashLine))
        painter.drawLine(plot.bottomLeft(), plot.topRight())
        if self.hasFocus():
            painter.setOpacity(1)
            painter.setPen(QPen(QColor(colors.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self._bar(self._cursor, 1.0))

    def _paint_bars(self, painter: QPainter) -> None:
        colors = theme().colors
        painter.setPen(Qt.PenStyle.NoPen)
        shares = self._counts / self._counts.sum()
        for place in range(len(self._counts)):
            pale, bar = QColor(colors.dim), QColor(colors.accent)
            pale.setAlphaF(0.3)
            bar.setAlphaF(0.75)
            painter.setBrush(pale)
            painter.drawRect(self._bar(place, float(shares[place])))
            painter.setBrush(bar)
            painter.drawRect(self._bar(place, float(self._accuracies[place])).adjusted(2, 0, -2, 0))

    # -- explaining

    def words_for(self, place: int) -> str:
        """What a bin says, in words."""
        bins, count = len(self._counts), int(self._counts[place])
        words = f"{place * 100 / bins:.0f} to {(place + 1) * 100 / bins:.0f} % sure: {count:,} answer{'s' * (count != 1)}"
        if not count:
            return words
        return f"{words}, on average {self._confidences[place] * 100:.1f} % sure, {self._accuracies[place] * 100:.1f} % right"

    def _describe(self) -> None:
        self.setAccessibleDescription(self.words_for(self._cursor) if self._counts.sum() else self._hint)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves: dict[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in moves and len(self._counts):
            self._cursor = min(max(self._cursor + moves[event.key()], 0), len(self._counts) - 1)
            self._describe()
            self.described.emit(self.accessibleDescription())
            self.update()
        else:
            super().keyPressEvent(event)

    def words_at(self, point: QPoint) -> str:
        place = self._bin_at(point)
        return self.words_for(place) if place >= 0 else super().words_at(point)
