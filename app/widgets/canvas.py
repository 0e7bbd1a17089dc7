"""Canvas: a sheet to draw on with mouse, finger or pen."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEventPoint,
    QInputDevice,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPointingDevice,
    QResizeEvent,
    QTabletEvent,
    QTouchEvent,
    qRgb,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.stroke import HEIGHT, WIDEST, Stroke
from app.theme import font, theme
from app.widgets.digit_boxes import ARROWS, DigitBox, paint_boxes, painted_rect, painted_region, place_after
from app.widgets.figure import keeps_key
from app.widgets.ink import Ink
from nncore.arrays import Array

PEN = 20
"""Width of the pen in those pixels: for a digit of about half the sheet's height as thick as MNIST's strokes."""
ERASER = 1.6
"""Width of the eraser over that of the pen."""
PALM = 90.0
"""Diameter, in the widget's pixels, from which on what touches the screen is a palm and no finger."""
PEN_RESTS = 0.5
"""Seconds after the pen was near in which a touch is taken for the hand that holds it."""
MOUSE, FINGER, TIP = "mouse", "finger", "tip of a pen"


class Canvas(QWidget):
    """A wide sheet. `began`, `changed` and `finished` tell of a stroke: at its begin, at every movement, at its end. `chosen`
    carries the place of a digit to which arrows went.

    An empty sheet takes the proportions of its room, between a square and WIDEST, so that there is space for a row of digits and
    none is wasted. Once there is ink on it they stay: when the window is resized the drawing is scaled as a whole and no stroke
    leaves its place or the sheet. Strokes know the width of their sheet, so that undo brings that back too.

    Mouse: the left button draws, the right one erases. A pen's width follows its pressure, and its other end erases. One finger
    draws; further fingers, palms and the hand that holds a pen are ignored.
    """

    began = Signal()
    changed = Signal()
    finished = Signal()
    chosen = Signal(int)

    def __init__(self, hint: str = "Draw a digit") -> None:
        super().__init__()
        self.pen_width: float = PEN
        self.erasing = False
        self._hint = hint
        self._strokes: tuple[Stroke, ...] = ()
        self._stroke: Stroke | None = None
        self._drawn_by: tuple[str, object] = (MOUSE, None)
        """What draws the present stroke: the device, and the button or the finger."""
        self._pen_was_near = -PEN_RESTS
        self._boxes: tuple[DigitBox, ...] = ()
        self._ink = Ink(HEIGHT, HEIGHT)
        self._colors: list[int] = []
        self.setAccessibleName("drawing sheet")
        self.setMinimumSize(200, 200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        theme().changed.connect(self._take_colors)
        self._take_colors()

    @property
    def is_blank(self) -> bool:
        return not self._strokes and self._stroke is None

    def pixels(self) -> Array:
        """The drawing as uint8 (336, 336 to 872, 1), ink 255 on 0."""
        return self._ink.pixels()

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The strokes that are finished, in their order."""
        return self._strokes

    def set_strokes(self, strokes: Sequence[Stroke], pixels: Array | None = None) -> None:
        """Show other strokes. One that is being drawn is dropped. No signal is emitted.

        `pixels`, uint8 (336, width of the sheet, 1), are what they give, where that is known: then nothing needs to be painted.
        """
        self._strokes, self._stroke = tuple(strokes), None
        self._take_width(self._strokes[0].sheet if self._strokes else self._width_of_room())
        if pixels is not None:
            self._ink.take(pixels)
        else:
            self._ink.clear()
            for stroke in self._strokes:
                self._ink.paint(stroke)
        self.update()

    @property
    def boxes(self) -> tuple[DigitBox, ...]:
        """The boxes drawn over the sheet."""
        return self._boxes

    def set_boxes(self, boxes: Sequence[DigitBox]) -> None:
        """Draw boxes over the digits on the sheet."""
        before, self._boxes, sheet = self._boxes, tuple(boxes), self.sheet()
        for each in set(before) ^ set(self._boxes):  # while one digit is written the others stay as they are
            self.update(painted_region(each, sheet, self._ink.width, HEIGHT))

    def sizeHint(self) -> QSize:
        return QSize(640, 360)

    def sheet(self) -> QRect:
        """The part of the widget that is the sheet: as large as fits, in the middle."""
        across, down = self._ink.width, HEIGHT
        scale = min(self.width() / across, self.height() / down)
        size = QSize(round(across * scale), round(down * scale))
        return QRect((self.width() - size.width()) // 2, (self.height() - size.height()) // 2, size.width(), size.height())

    def _width_of_room(self) -> int:
        """The width of a sheet with the room's proportions."""
        return min(max(HEIGHT * self.width() // max(self.height(), 1), HEIGHT), int(HEIGHT * WIDEST))

    def _take_width(self, width: int) -> None:
        if width != self._ink.width:
            self._ink = Ink(width, HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self.is_blank:
            self._take_width(self._width_of_room())

    # -- drawing

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            self._begin((MOUSE, event.button()), event.position(), erases=event.button() == Qt.MouseButton.RightButton)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._is_drawn_by(MOUSE):
            self._extend(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._is_drawn_by(MOUSE, event.button()):
            self._finish()

    def tabletEvent(self, event: QTabletEvent) -> None:
        event.accept()  # otherwise it comes again as a mouse
        self._pen_was_near = time.monotonic()
        can_press = QInputDevice.Capability.Pressure in event.pointingDevice().capabilities()
        pressure = event.pressure() if can_press else 0.5
        if event.type() == QEvent.Type.TabletPress:
            is_eraser = event.pointerType() == QPointingDevice.PointerType.Eraser
            erases = is_eraser or event.button() == Qt.MouseButton.RightButton
            self._begin((TIP, event.button()), event.position(), erases, pressure)
        elif event.type() == QEvent.Type.TabletMove and self._is_drawn_by(TIP):
            self._extend(event.position(), pressure)
        elif event.type() == QEvent.Type.TabletRelease and self._is_drawn_by(TIP, event.button()):
            self._finish()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QTouchEvent):
            self._take_touch(event)
            event.accept()  # otherwise it comes again as a mouse
            return True
        return keeps_key(event, ARROWS if self._boxes else ()) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._boxes and event.key() in ARROWS:
            if (place := place_after(self._boxes, event.key())) >= 0:
                self.chosen.emit(place)
        else:
            super().keyPressEvent(event)

    def _take_touch(self, event: QTouchEvent) -> None:
        """Let one finger draw."""
        if event.type() == QEvent.Type.TouchCancel:  # the system has taken the finger for a gesture of its own
            if self._is_drawn_by(FINGER):
                self.set_strokes(self._strokes)
                self.changed.emit()
            return
        for point in event.points():
            finger = point.id()
            if point.state() == QEventPoint.State.Pressed and self._may_draw(point):
                self._begin((FINGER, finger), point.position(), erases=False)
            elif point.state() == QEventPoint.State.Updated and self._is_drawn_by(FINGER, finger):
                self._extend(point.position())
            elif point.state() == QEventPoint.State.Released and self._is_drawn_by(FINGER, finger):
                self._finish()

    def _may_draw(self, point: QEventPoint) -> bool:
        """Whether what has touched the screen may be a finger that draws."""
        size = point.ellipseDiameters()
        return max(size.width(), size.height()) < PALM and time.monotonic() - self._pen_was_near >= PEN_RESTS

    def _is_drawn_by(self, device: str, part: object = None) -> bool:
        """Whether the present stroke is drawn by that device, with that button or finger where one is named."""
        return self._stroke is not None and self._drawn_by[0] == device and part in (None, self._drawn_by[1])

    def _begin(self, drawn_by: tuple[str, object], position: QPointF, erases: bool, pressure: float = 0.5) -> None:
        """Begin a stroke, unless one is being drawn, at a position of the widget. Pressure goes from 0 to 1."""
        if self._stroke is None:
            self.began.emit()
            self._drawn_by = drawn_by
            self._stroke = Stroke(self.erasing or erases, self._ink.width)
            self._extend(position, pressure)

    def _extend(self, position: QPointF, pressure: float = 0.5) -> None:
        """Continue the present stroke to a position of the widget."""
        assert self._stroke is not None
        sheet, stroke = self.sheet(), self._stroke
        scale = HEIGHT / max(sheet.height(), 1)
        stroke.points.append(((position.x() - sheet.x()) * scale, (position.y() - sheet.y()) * scale))
        stroke.widths.append(self.pen_width * (ERASER if stroke.erases else 1) * (0.5 + pressure))
        changed = self._ink.begin(stroke) if len(stroke.points) == 1 else self._ink.extend(stroke)
        shown = QRectF(changed.x() / scale, changed.y() / scale, changed.width() / scale, changed.height() / scale)
        if len(self._strokes) or len(stroke.points) > 1:
            self.update(shown.translated(QPointF(sheet.topLeft())).toAlignedRect().adjusted(-1, -1, 1, 1))
        else:
            self.update()  # the hint goes
        self.changed.emit()

    def _finish(self) -> None:
        assert self._stroke is not None
        self._strokes, self._stroke = (*self._strokes, self._stroke), None
        self.finished.emit()

    # -- showing

    def _take_colors(self) -> None:
        self._colors = _table(QColor(theme().colors.panel), QColor(theme().colors.text))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter, sheet, image = theme().colors, QPainter(self), self.sheet(), self._ink.image(self._colors)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(sheet), image, QRectF(image.rect()))
        painter.setPen(QPen(QColor(colors.accent if self.hasFocus() else colors.line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(sheet).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        region = event.region()  # each stroke and each box changes a little of the sheet
        boxes = [each for each in self._boxes if region.intersects(painted_rect(each, sheet, image.width(), HEIGHT))]
        paint_boxes(painter, boxes, sheet, image.width(), HEIGHT)
        if self.is_blank:
            painter.setPen(QColor(colors.dim))
            painter.setFont(font(20))
            painter.drawText(sheet, Qt.AlignmentFlag.AlignCenter, self._hint)


def _table(paper: QColor, ink: QColor) -> list[int]:
    parts = [
        np.linspace(getattr(paper, name)(), getattr(ink, name)(), 256).round().astype(int) for name in ("red", "green", "blue")
    ]
    return [qRgb(int(r), int(g), int(b)) for r, g, b in zip(*parts, strict=True)]
