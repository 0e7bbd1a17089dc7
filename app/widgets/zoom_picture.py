"""ZoomPicture: a picture of any size to zoom into and to move about in, with boxes over its digits to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QInputDevice,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)  # fmt: skip
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QSizePolicy, QWidget

from app.theme import theme
from app.widgets.digit_boxes import ARROWS, DigitBox, frame_of, paint_boxes, painted_rect, place_after, place_of_chosen
from app.widgets.figure import FADED, keeps_key, shows_tip
from app.widgets.pill import paint_pill
from app.widgets.pyramid import Level, level_for, rough_levels
from nncore.arrays import Array

STEP = 1.25
"""How much nearer one notch of the wheel, or one key, goes."""
NOTCH = 120
"""One notch of a mouse wheel in Qt's units (eighths of a degree)."""
NEAREST = 40
"""Most pixels of the screen for one of the picture."""
REST = 120
"""Milliseconds for which the pointer rests on a digit before that is chosen: not whatever it passes over on its way."""
CLICK = 4
"""Pixels by which the pointer may move in a click."""


class ZoomPicture(QWidget):
    """Shows uint8 pixels (height, width, 1 or 3), at first as large as they fit, small ones enlarged by a whole number.

    Wheel, pinch, + and − zoom, Home and Ctrl+0 show all of it; dragging, Page Up and Page Down move it. `chosen` carries the place
    of a digit that the pointer rests on or that is clicked, or to which arrows went; `menu_wanted` that of one, or −1, for which a
    menu is asked, and where.
    """

    chosen = Signal(int)
    menu_wanted = Signal(int, QPoint)
    zoomed = Signal()

    def __init__(self, name: str = "picture") -> None:
        super().__init__()
        self._pixels: Array | None = None
        self._levels: Sequence[Level] = ()
        self._scale = 0.0
        """Pixels of the widget for one of the picture; 0: as many as let the whole picture fit."""
        self._exact = 0.0
        """The same before it was made a whole number of the screen's pixels, while a pinch goes on; 0 otherwise."""
        self._centre = QPointF()
        """The point of the picture, in its pixels, in the middle of the view."""
        self._boxes: tuple[DigitBox, ...] = ()
        self._busy = ""
        self._held: QPointF | None = None
        self._has_moved = False
        self._pointed = -1
        self._rest = QTimer(self, interval=REST, singleShot=True)
        self._rest.timeout.connect(lambda: self._choose(self._pointed))
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(120, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.grabGesture(Qt.GestureType.PinchGesture)
        theme().changed.connect(self.update)

    # -- what is shown

    @property
    def pixels(self) -> Array | None:
        return self._pixels

    def set_pixels(self, pixels: Array | None) -> None:
        """Show another picture, as a whole. Of a large one what is shown is rough until `set_levels` follows."""
        if pixels is self._pixels:
            return
        self._pixels, self._levels = pixels, [] if pixels is None else rough_levels(pixels)
        self._boxes, self._scale = (), 0.0
        self._rest.stop()
        self.update()
        self.zoomed.emit()

    def set_levels(self, pixels: Array, levels: Sequence[Level]) -> None:
        """Show a picture by its `levels_of`, if it is still the one that is shown."""
        if pixels is self._pixels:
            self._levels = levels
            self.update()

    @property
    def boxes(self) -> tuple[DigitBox, ...]:
        """The boxes drawn over the picture."""
        return self._boxes

    def set_boxes(self, boxes: Sequence[DigitBox]) -> None:
        """Draw boxes over the picture, in reading order, until it is another one."""
        before, self._boxes = self._boxes, tuple(boxes)
        if len(before) != len(self._boxes):
            self.update()
            return
        for old, new in zip(before, self._boxes, strict=True):
            if old != new and self._pixels is not None:
                height, width = self._pixels.shape[:2]
                self.update(painted_rect(old, self.picture_rect(), width, height))
                self.update(painted_rect(new, self.picture_rect(), width, height))

    def set_busy(self, words: str) -> None:
        """Say over the picture what is being done with it, with pale boxes; with empty words all is as usual."""
        if words != self._busy:
            self._busy = words
            self.update()

    # -- geometry

    def sizeHint(self) -> QSize:
        return QSize(560, 420)

    @property
    def _fitting(self) -> float:
        if self._pixels is None:
            return 1.0
        height, width = self._pixels.shape[:2]
        return self._snapped(min(self.width() / width, self.height() / height))

    def _snapped(self, scale: float) -> float:
        """The scale, or where it is larger than one the whole number of the screen's pixels below: squares stay squares."""
        ratio = self.devicePixelRatioF()
        return int(scale * ratio + 1e-6) / ratio if scale * ratio >= 1 else scale

    @property
    def scale(self) -> float:
        """Pixels of the widget for one of the picture."""
        return self._scale or self._fitting

    @property
    def is_whole(self) -> bool:
        """Whether the whole picture is shown."""
        return not self._scale

    def picture_rect(self) -> QRect:
        """Where the whole picture lies, also its parts out of sight."""
        if self._pixels is None:
            return self.rect()
        height, width = self._pixels.shape[:2]
        wide, high = max(round(width * self.scale), 1), max(round(height * self.scale), 1)
        left = _placed(self.width(), wide, self._centre.x() * self.scale)
        top = _placed(self.height(), high, self._centre.y() * self.scale)
        return QRect(round(left), round(top), wide, high)

    def box_rect(self, index: int) -> QRectF:
        """Where the box of a digit lies in the widget."""
        assert self._pixels is not None, "boxes lie on a picture"
        return frame_of(self._boxes[index].box, self.picture_rect(), self._pixels.shape[1], self._pixels.shape[0])

    def digit_at(self, point: QPointF) -> int:
        """The place of the digit at a point of the widget, the smallest where boxes overlap; −1 where there is none."""
        hit = [n for n in range(len(self._boxes)) if self.box_rect(n).contains(point)]
        return min(hit, key=lambda n: self._boxes[n].box[2] * self._boxes[n].box[3], default=-1)

    def _words_at(self, point: QPoint) -> str:
        index = self.digit_at(QPointF(point))
        return self._boxes[index].tip if index >= 0 else ""

    # -- zooming and moving

    def zoom(self, factor: float, around: QPointF | None = None, by_step: bool = True) -> None:
        """Show the picture `factor` times as large. The point `around` of the widget stays where it is.

        From one on only whole numbers of the screen's pixels are shown: `by_step` goes on to the next of them at least, and
        without it small factors add up.
        """
        if self._pixels is None:
            return
        around = around or QPointF(self.rect().center())
        before = (around - QPointF(self.picture_rect().topLeft())) / self.scale
        ratio = self.devicePixelRatioF()
        exact = min((self.scale if by_step else self._exact or self.scale) * factor, NEAREST)
        wanted = exact
        if exact * ratio > 1:
            whole, present = round(exact * ratio), int(self.scale * ratio)
            if by_step:
                whole = max(whole, present + 1) if factor > 1 else min(whole, present - 1)
            wanted = min(max(whole, 1) / ratio, NEAREST)
        self._scale = wanted if wanted > self._fitting else 0.0
        self._exact = 0.0 if by_step or not self._scale else exact
        middle = QPointF(self.width() / 2, self.height() / 2)
        self._look_at(before - (around - middle) / self.scale)
        self.zoomed.emit()

    def fit(self) -> None:
        """Show the whole picture, as large as it fits."""
        self._scale = 0.0
        self.update()
        self.zoomed.emit()

    def reveal(self, index: int) -> None:
        """Move the picture so that a digit is in sight."""
        place, view = self.box_rect(index), QRectF(self.rect()).adjusted(16, 24, -16, -16)
        if not self.is_whole and not view.contains(place):
            self._look_at(self._centre + (place.center() - view.center()) / self.scale)

    def _look_at(self, point: QPointF) -> None:
        """Move a point of the picture into the middle of the view, as far as the edges of the picture allow."""
        if self._pixels is None:
            return
        height, width = self._pixels.shape[:2]
        half = QPointF(self.width(), self.height()) / (2 * self.scale)
        self._centre = QPointF(
            min(max(point.x(), half.x()), max(width - half.x(), half.x())),
            min(max(point.y(), half.y()), max(height - half.y(), half.y())),
        )
        self.update()

    def _move(self, by: QPointF) -> None:
        """Move the view by pixels of the widget."""
        self._look_at(self._centre + by / self.scale)

    # -- choosing

    @property
    def current(self) -> int:
        """The place of the digit that is chosen; −1 where none is."""
        return place_of_chosen(self._boxes)

    def _choose(self, index: int) -> None:
        if 0 <= index < len(self._boxes):
            self.chosen.emit(index)

    def _go(self, index: int) -> None:
        """Choose the digit at a place by the keyboard, if there is one."""
        if 0 <= index < len(self._boxes):
            self.chosen.emit(index)
            self.reveal(index)

    # -- events

    def event(self, event: QEvent) -> bool:
        if keeps_key(event, ARROWS if self._boxes or not self.is_whole else ()) or shows_tip(self, event, self._words_at):
            return True
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom(1 + event.value(), event.position(), by_step=False)
            return True
        if isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self.zoom(pinch.scaleFactor(), QPointF(self.mapFromGlobal(pinch.centerPoint().toPoint())), by_step=False)
                return True
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        is_touchpad = event.device() is not None and event.device().type() == QInputDevice.DeviceType.TouchPad
        if is_touchpad and not control:
            moved = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta() / 2
            self._move(-QPointF(moved))
        elif turned := event.angleDelta().y():
            self.zoom(STEP ** (turned / NOTCH), event.position(), by_step=abs(turned) >= NOTCH)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in ARROWS:
            if self._boxes:
                self._go(place_after(self._boxes, key))
            else:
                self._move(QPointF(*ARROWS[Qt.Key(key)]) * 60)
        elif event.text() in ("+", "=") or event.matches(QKeySequence.StandardKey.ZoomIn):
            self.zoom(STEP)
        elif event.text() == "-" or event.matches(QKeySequence.StandardKey.ZoomOut):
            self.zoom(1 / STEP)
        elif key == Qt.Key.Key_Home or (key == Qt.Key.Key_0 and event.modifiers() & Qt.KeyboardModifier.ControlModifier):
            self.fit()
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self._move(QPointF(0, (0.8 if key == Qt.Key.Key_PageDown else -0.8) * self.height()))
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held, self._has_moved = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            moved = event.position() - self._held
            if self._has_moved or moved.manhattanLength() > CLICK:
                self._has_moved = True
                if not self.is_whole:
                    self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self._move(-moved)
                self._held = event.position()
            return
        self._pointed = self.digit_at(event.position())
        if self._pointed >= 0 and self._pointed != self.current:
            self._rest.start()
        else:
            self._rest.stop()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held is not None and event.button() == Qt.MouseButton.LeftButton:
            self._held = None
            self.unsetCursor()
            if not self._has_moved:
                self._choose(self.digit_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._rest.stop()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._pixels is None:
            return
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            at = self.box_rect(self.current).center().toPoint() if self.current >= 0 else self.rect().center()
            self.menu_wanted.emit(self.current, self.mapToGlobal(at))
        else:
            self.menu_wanted.emit(self.digit_at(QPointF(event.pos())), event.globalPos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._scale and self._scale <= self._fitting:
            self._scale = 0.0
        self._look_at(self._centre)
        self.zoomed.emit()

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), theme().colors
        if self._pixels is None:
            painter.fillRect(self.rect(), QColor(colors.raised))
            return
        whole = self.picture_rect()
        seen = QRectF(whole.intersected(self.rect()))
        height, width = self._pixels.shape[:2]
        level = level_for(self._levels, self.scale * self.devicePixelRatioF())
        across, down = width / level.factor / whole.width(), height / level.factor / whole.height()
        part = QRectF((seen.x() - whole.x()) * across, (seen.y() - whole.y()) * down, seen.width() * across, seen.height() * down)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, across > 1 or level.factor > 1)
        painter.drawImage(seen, level.image, part)
        painter.setOpacity(FADED if self._busy else 1)
        view = event.rect()
        boxes = [each for each in self._boxes if painted_rect(each, whole, width, height).intersects(view)]
        paint_boxes(painter, boxes, whole, width, height, max(whole.y(), 0))
        painter.setOpacity(1)
        if self._busy:
            paint_pill(painter, self.rect(), self._busy)
        if self.hasFocus():
            painter.setPen(QColor(colors.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(seen.adjusted(0.5, 0.5, -0.5, -0.5))


def _placed(room: float, size: float, centre: float) -> float:
    """Where something of length `size` begins in a length `room`: centred where it fits, else with `centre` in the middle."""
    return (room - size) / 2 if size <= room else min(0.0, max(room - size, room / 2 - centre))
