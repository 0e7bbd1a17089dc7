"""Crosshair: a line over a plot at one step, and a small box that tells every value there. The plot below is not drawn again."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.theme import font, theme

ROW = 15
"""Height of a line of the box in pixels."""
PAD, SWATCH, APART = 6, 14, 12
"""Pixels: within the box's edge, of a colour with the space behind it, and between the columns and from the line."""


@dataclass(frozen=True)
class Value:
    """One curve's value."""

    color: str
    words: str
    at: QPointF | None
    """Where it is in the plot, in pixels; None where it is out of sight."""


@dataclass(frozen=True)
class Reading:
    """What a plot shows at one step. Places are pixels of the widget that the crosshair covers."""

    x: float
    area: QRectF
    """Where the curves are drawn."""
    heading: str
    values: list[Value] = field(default_factory=list)

    @property
    def words(self) -> str:
        """All of it in one line."""
        return f"{self.heading}: {', '.join(value.words for value in self.values) or 'no values'}"


class Crosshair(QWidget):
    """Lies over its parent, lets the mouse through, and draws a Reading."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._reading: Reading | None = None
        self._drawn = QRect()

    @property
    def reading(self) -> Reading | None:
        """What is shown; None where nothing is."""
        return self._reading

    def show_reading(self, reading: Reading | None) -> None:
        """Show a reading in place of the one before, or nothing."""
        self._reading = reading
        before, self._drawn = self._drawn, self._extent()
        self.update(before)
        self.update(self._drawn)

    def _extent(self) -> QRect:
        """The pixels that are drawn on."""
        found = self._reading
        if found is None:
            return QRect()
        line = QRectF(found.x - 6, found.area.top(), 12, found.area.height())
        return line.united(self._box(found)).toAlignedRect().adjusted(-2, -2, 2, 2)

    def _columns(self, found: Reading) -> list[list[Value]]:
        """The values in as many columns as the height asks for."""
        rows = max(1, int((found.area.height() - 2 * PAD) / ROW) - 1)
        return [found.values[first : first + rows] for first in range(0, len(found.values), rows)]

    def _widths(self, found: Reading) -> list[int]:
        """Of the columns, in pixels."""
        metrics = QFontMetrics(font(11))
        return [SWATCH + max(metrics.horizontalAdvance(value.words) for value in column) for column in self._columns(found)]

    def _box(self, found: Reading) -> QRectF:
        """Where the box is: right of the line, or left of it where there is no room."""
        columns, widths = self._columns(found), self._widths(found)
        heading = QFontMetrics(font(11, bold=True)).horizontalAdvance(found.heading)
        width = 2 * PAD + max(heading, sum(widths) + APART * max(0, len(widths) - 1))
        height = 2 * PAD + ROW * (1 + max((len(column) for column in columns), default=0))
        left = found.x + APART
        if left + width > found.area.right():
            left = max(found.area.left(), found.x - APART - width)
        return QRectF(left, found.area.top() + 4, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        found = self._reading
        if found is None:
            return
        colors, painter = theme().colors, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colors.text), 1))
        x = round(found.x) + 0.5
        painter.drawLine(QPointF(x, found.area.top()), QPointF(x, found.area.bottom()))
        for value in found.values:
            if value.at is not None:
                painter.setPen(QPen(QColor(colors.panel), 1))
                painter.setBrush(QColor(value.color))
                painter.drawEllipse(value.at, 3.5, 3.5)
        box = self._box(found)
        painter.setPen(QColor(colors.line))
        painter.setBrush(QColor(colors.raised))
        painter.drawRoundedRect(box, 4, 4)
        self._write(painter, found, box)

    def _write(self, painter: QPainter, found: Reading, box: QRectF) -> None:
        text = QColor(theme().colors.text)
        middle = Qt.AlignmentFlag.AlignVCenter
        left, top = box.left() + PAD, box.top() + PAD
        painter.setFont(font(11, bold=True))
        painter.setPen(text)
        painter.drawText(QRectF(left, top, box.width(), ROW), middle, found.heading)
        painter.setFont(font(11))
        for column, width in zip(self._columns(found), self._widths(found), strict=True):
            for row, value in enumerate(column, 1):
                y = top + row * ROW
                painter.fillRect(QRectF(left, y + ROW / 2 - 1.5, 9, 3), QColor(value.color))
                painter.drawText(QRectF(left + SWATCH, y, width, ROW), middle, value.words)
            left += width + APART
