"""Canvas: a sheet to draw on with mouse, finger or pen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, qRgb
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import font, theme
from app.widgets.digit_boxes import DigitBox, paint_boxes
from nncore.arrays import Array

SIDE = 336
"""Pixels of the sheet's side: twelve times 28."""
PEN = 26
"""Width of the pen in those pixels: for a digit of about 20/28 of the sheet, as thick as MNIST's strokes."""


@dataclass(eq=False)
class Stroke:
    """One movement of the pen, in the sheet's pixels."""

    width: float
    erases: bool
    points: list[QPointF] = field(default_factory=list)


class Canvas(QWidget):
    """A square sheet. `began`, `changed` and `finished` tell of a stroke: at its begin, at every movement, at its end."""

    began = Signal()
    changed = Signal()
    finished = Signal()

    def __init__(self, hint: str = "Draw a digit") -> None:
        super().__init__()
        self.pen_width = PEN
        self.erasing = False
        self._hint = hint
        self._strokes: tuple[Stroke, ...] = ()
        self._stroke: Stroke | None = None
        self._boxes: tuple[DigitBox, ...] = ()
        self._image = QImage(SIDE, SIDE, QImage.Format.Format_Grayscale8)
        self._image.fill(0)
        self.setAccessibleName("drawing sheet")
        self.setMinimumSize(200, 200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        theme().changed.connect(self.update)

    @property
    def is_blank(self) -> bool:
        return not self._strokes and self._stroke is None

    def pixels(self) -> Array:
        """The drawing as uint8 (336, 336, 1), ink 255 on 0."""
        rows = np.frombuffer(self._image.constBits(), np.uint8).reshape(SIDE, self._image.bytesPerLine())
        return rows[:, :SIDE, None].copy()

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The strokes that are finished, in their order."""
        return self._strokes

    def set_strokes(self, strokes: Sequence[Stroke]) -> None:
        """Show other strokes. One that is being drawn is dropped. No signal is emitted."""
        self._strokes, self._stroke = tuple(strokes), None
        self._image.fill(0)
        for stroke in self._strokes:
            for last in range(len(stroke.points)):  # piece by piece, as it was drawn, so that the pixels are the same
                self._paint(stroke, last)
        self.update()

    @property
    def boxes(self) -> tuple[DigitBox, ...]:
        """The boxes drawn over the sheet."""
        return self._boxes

    def set_boxes(self, boxes: Sequence[DigitBox]) -> None:
        """Draw boxes over the digits on the sheet."""
        if tuple(boxes) != self._boxes:
            self._boxes = tuple(boxes)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(420, 420)

    def sheet(self) -> QRect:
        """The square of the widget that is the sheet."""
        side = min(self.width(), self.height())
        return QRect((self.width() - side) // 2, (self.height() - side) // 2, side, side)

    # -- drawing

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            erases = self.erasing or event.button() == Qt.MouseButton.RightButton
            self.began.emit()
            self._stroke = Stroke(self.pen_width * (1.6 if erases else 1), erases)
            self._extend(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._stroke is not None:
            self._extend(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._stroke is not None:
            stroke, self._stroke = self._stroke, None
            self._strokes = (*self._strokes, stroke)
            self.finished.emit()

    def _extend(self, position: QPointF) -> None:
        """Continue the present stroke to a position of the widget."""
        assert self._stroke is not None
        sheet = self.sheet()
        point = (position - QPointF(sheet.topLeft())) * (SIDE / max(sheet.width(), 1))
        self._stroke.points.append(point)
        self._paint(self._stroke, len(self._stroke.points) - 1)
        self.update()
        self.changed.emit()

    def _paint(self, stroke: Stroke, last: int) -> None:
        """Paint the piece of a stroke that leads to its point `last`: a line, or at first a dot."""
        painter = QPainter(self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = QColor(0, 0, 0) if stroke.erases else QColor(255, 255, 255)
        painter.setPen(QPen(ink, stroke.width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        if last == 0:
            painter.drawPoint(stroke.points[0])
        else:
            painter.drawLine(stroke.points[last - 1], stroke.points[last])
        painter.end()

    # -- showing

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter, sheet = theme().colors, QPainter(self), self.sheet()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        # The bytes are read as indices into a table of colours: what is shown follows the theme, the pixels do not.
        shown = QImage(self._image.constBits(), SIDE, SIDE, self._image.bytesPerLine(), QImage.Format.Format_Indexed8)
        shown.setColorTable(_table(QColor(colors.panel), QColor(colors.text)))
        painter.setPen(QPen(QColor(colors.accent if self.hasFocus() else colors.line), 1))
        painter.drawImage(QRectF(sheet), shown, QRectF(0, 0, SIDE, SIDE))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(sheet).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        paint_boxes(painter, self._boxes, sheet, SIDE, SIDE)
        if self.is_blank:
            painter.setPen(QColor(colors.dim))
            painter.setFont(font(20))
            painter.drawText(sheet, Qt.AlignmentFlag.AlignCenter, self._hint)


def _table(paper: QColor, ink: QColor) -> list[int]:
    parts = [
        np.linspace(getattr(paper, name)(), getattr(ink, name)(), 256).round().astype(int) for name in ("red", "green", "blue")
    ]
    return [qRgb(int(r), int(g), int(b)) for r, g, b in zip(*parts, strict=True)]
