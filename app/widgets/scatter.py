"""Scatter: thousands of images as points, to move about in, to point at and to choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PySide6.QtCore import QEasingCurve, QEvent, QPoint, QPointF, QRectF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QInputDevice,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)

from app.theme import theme
from app.widgets.figure import Figure
from app.widgets.pill import paint_pill
from app.widgets.scatter_notes import paint_card, paint_marked
from app.widgets.scatter_painter import PALE, Cloud, paint_axes
from app.widgets.scatter_view import Frame, View, inside_polygon, inside_rectangle, nearest, neighbour
from nncore.arrays import Array

STEP = 1.25
"""How much nearer one notch of the wheel, or one key, goes."""
NOTCH = 120
"""One notch of a mouse wheel in Qt's units (eighths of a degree)."""
CLICK, REACH = 4, 10
"""Pixels by which the pointer may move in a click, and from a point to the pointer that means it."""
FLIGHT = 500
"""Milliseconds in which points move to other places."""
SHIFT = 60
"""Pixels by which a key moves the view."""
ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


class Scatter(Figure):
    """Dragging moves the points, or with `is_lasso` draws around some; Shift and dragging always draws a rectangle. Wheel, + and −
    zoom, Home shows all. Arrows go from point to point, with Shift they move the points; Return or a click chooses one.

    `activated` carries the point that is chosen, `chosen` those that were drawn around, int64, in the order of the points.
    """

    OWN_KEYS = (*ARROWS, Qt.Key.Key_Home, Qt.Key.Key_L, Qt.Key.Key_Escape)
    activated = Signal(int)
    chosen = Signal(object)
    lasso_wanted = Signal()
    """The key for drawing around points, or for moving again, was pressed."""

    def __init__(self, name: str, file: str, hint: str = "") -> None:
        super().__init__(name, file)
        self.positions: Array = np.zeros((0, 2))
        """Of the points, float64 (N, 2), in units of their own."""
        self.current = -1
        """The point that is pointed at by the keyboard, or was chosen last; −1 where none is."""
        self.selection: Array = np.zeros(0, np.int64)
        """The points that were drawn around."""
        self.is_lasso = False
        self.axes = ("", "")
        """What is said along them."""
        self.rows: Callable[[], Iterator[Sequence[object]]] = lambda: iter(())
        self.marked: Array | None = None
        """The position of the picture that is marked, float64 (2); None where none is."""
        self._hint, self._busy, self._pale = hint, "", False
        self._image: Callable[[int], Array] = lambda _: np.zeros((28, 28, 1), np.uint8)
        self._describe: Callable[[int], Sequence[str]] = lambda _: ()
        self._frame, self._view = Frame(), View()
        self._placed: Array = np.zeros((0, 2))
        self._from, self._to = self._placed, self._placed
        self._marked_image: Array | None = None
        self.cloud = Cloud()
        self._pointed = -1
        self._path: list[QPointF] = []
        """What is being drawn around points; two opposite corners of a rectangle, or a lasso."""
        self._held: QPointF | None = None
        self._has_moved = self._is_rectangle = self._is_drawing = False
        self._flight = QVariantAnimation(self, startValue=0.0, endValue=1.0, duration=FLIGHT)
        self._flight.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._flight.valueChanged.connect(self._fly)
        self.setMouseTracking(True)
        self.setMinimumSize(200, 160)
        theme().changed.connect(self._tint)

    def _tint(self) -> None:
        self.cloud.forget()

    # -- what is shown

    def set_points(
        self,
        positions: Array,
        image: Callable[[int], Array],
        describe: Callable[[int], Sequence[str]],
        same_points: bool = False,
        at_once: bool = False,
    ) -> None:
        """Show other points (N, 2). `image` gives the picture of one, uint8 (H, W, 1 or 3), and `describe` the lines about it.

        With `same_points` they are those from before at other places: each moves there, unless `at_once`, and the view stays.
        """
        self._flight.stop()
        before, same_points = self._placed, same_points and len(positions) == len(self._placed)
        self.positions, self._image, self._describe = positions, image, describe
        self._frame = Frame.around(positions)
        placed = self._frame.placed(positions)
        self.setAccessibleDescription(f"{len(positions):,} points")
        if not same_points:
            self.current = self._pointed = -1
            self.selection = self.cloud.chosen = np.zeros(0, np.int64)
            self._view = View(self.width(), self.height())
            self._place(placed)
        elif self.isVisible() and not at_once:
            self._from, self._to = before, placed
            self._flight.start()
        else:
            self._place(placed)

    def set_pale(self, pale: bool, busy: str = "") -> None:
        """Draw the points pale, or no longer; `busy` says over them what is being done."""
        if (pale, busy) != (self._pale, self._busy):
            if pale is not self._pale:
                self.cloud.forget()
            self._pale, self._busy = pale, busy
            self.update()

    def set_hint(self, hint: str) -> None:
        """What stands there while there are no points."""
        if hint != self._hint:
            self._hint = hint
            self.update()

    def set_marked(self, position: Array | None, image: Array | None = None) -> None:
        """Mark a picture, uint8 (H, W, 1 or 3), at a position (2), or none."""
        self.marked, self._marked_image = position, image
        self.update()

    def set_lasso(self, is_lasso: bool) -> None:
        """Let dragging draw around points, or move them."""
        self.is_lasso = is_lasso
        self.setCursor(Qt.CursorShape.CrossCursor if is_lasso else Qt.CursorShape.ArrowCursor)

    def select(self, indices: Array) -> None:
        """Choose points, as if they had been drawn around."""
        self.selection = self.cloud.chosen = indices
        self.cloud.forget()
        self.update()
        self.chosen.emit(indices)

    @property
    def is_flying(self) -> bool:
        """Whether points are on their way to other places."""
        return self._flight.state() is QVariantAnimation.State.Running

    @property
    def view(self) -> View:
        return self._view

    def pixels(self) -> Array:
        """Where the points lie in the widget, float64 (N, 2)."""
        return self._view.on_screen(self._placed)

    def table(self) -> Iterator[Sequence[object]]:
        return self.rows()

    def sizeHint(self) -> QSize:
        return QSize(560, 420)

    def _place(self, placed: Array) -> None:
        self._placed = placed
        self.cloud.forget()
        self.update()

    def _fly(self, share: float) -> None:
        if self.is_flying or share == 1.0:
            self._place(self._from + (self._to - self._from) * share)

    # -- moving about

    def look(self, view: View) -> None:
        """Look at another part of the points."""
        self._view = view
        self._pointed = -1
        self.cloud.forget()
        self.update()

    def zoom(self, factor: float, around: QPointF | None = None) -> None:
        """Show the points `factor` times as far apart; the pixel `around` stays where it is."""
        around = around or QPointF(self.width() / 2, self.height() / 2)
        self.look(self._view.zoomed(factor, around.x(), around.y()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.look(View(self.width(), self.height(), self._view.x, self._view.y, self._view.zoom))

    def wheelEvent(self, event: QWheelEvent) -> None:
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        is_touchpad = event.device() is not None and event.device().type() == QInputDevice.DeviceType.TouchPad
        if is_touchpad and not control:
            moved = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta() / 2
            self.look(self._view.moved(moved.x(), moved.y()))
        elif turned := event.angleDelta().y():
            self.zoom(STEP ** (turned / NOTCH), event.position())
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom(1 + event.value(), event.position())
            return True
        return super().event(event)

    # -- pointing and choosing

    @property
    def _among(self) -> Array:
        """Which points can be meant: bool (N)."""
        return self.cloud.is_shown(len(self._placed))

    def point_at(self, point: QPointF) -> int:
        """The point that the pointer means at a pixel; −1 for none."""
        return nearest(self.pixels(), point.x(), point.y(), REACH, self._among)

    def words_at(self, point: QPoint) -> str:
        """Nothing where a point has its card."""
        return "" if self._pointed >= 0 or self._path else self.notion

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held, self._has_moved = event.position(), False
            self._is_rectangle = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._is_drawing = self.is_lasso or self._is_rectangle

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position()
        if self._held is None:
            self._point(self.point_at(point))
            return
        moved = point - self._held
        if not self._has_moved and moved.manhattanLength() <= CLICK:
            return
        if not self._has_moved:
            self._has_moved, self._pointed = True, -1
            self._path = [self._held] if self._is_drawing else []
        if self._is_drawing:
            self._path = [self._path[0], point] if self._is_rectangle else [*self._path, point]
            self.update()
        else:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.look(self._view.moved(moved.x(), moved.y()))
            self._held = point

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._held is None:
            return
        path, self._path, self._held = self._path, [], None
        self.set_lasso(self.is_lasso)
        if self._has_moved and self._is_drawing:
            self.select(np.flatnonzero(self._drawn_around(path) & self._among))
        elif not self._has_moved and (index := self.point_at(event.position())) >= 0:
            self._choose(index)

    def _drawn_around(self, path: Sequence[QPointF]) -> Array:
        """Which points a path is drawn around: bool (N)."""
        corners = np.array([(point.x(), point.y()) for point in path])
        if self._is_rectangle:
            return inside_rectangle(self.pixels(), *corners.min(axis=0), *corners.max(axis=0))
        return inside_polygon(self.pixels(), corners)

    def leaveEvent(self, event: QEvent) -> None:
        self._point(-1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point(-1)

    def _point(self, index: int) -> None:
        """Show the card of a point, or none."""
        if index != self._pointed:
            self._pointed = index
            if index >= 0:
                self.setAccessibleDescription(", ".join(self._describe(index)))
            self.update()

    def _choose(self, index: int) -> None:
        self.current = index
        self.update()
        self.activated.emit(index)

    # -- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, shift = event.key(), event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if key in ARROWS:
            across, down = ARROWS[Qt.Key(key)]
            if shift:
                self.look(self._view.moved(-across * SHIFT, -down * SHIFT))
            else:
                self._go(across, down)
        elif event.text() in ("+", "=") or event.matches(QKeySequence.StandardKey.ZoomIn):
            self.zoom(STEP)
        elif event.text() == "-" or event.matches(QKeySequence.StandardKey.ZoomOut):
            self.zoom(1 / STEP)
        elif key == Qt.Key.Key_Home or (key == Qt.Key.Key_0 and event.modifiers() & Qt.KeyboardModifier.ControlModifier):
            self.look(View(self.width(), self.height()))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current >= 0:
            self._choose(self.current)
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select(np.flatnonzero(self._view.in_sight(self.pixels()) & self._among))
        elif key == Qt.Key.Key_L:
            self.lasso_wanted.emit()
        elif key == Qt.Key.Key_Escape and (self._path or len(self.selection)):
            self._path, self._held = [], None
            self.select(np.zeros(0, np.int64))
        else:
            super().keyPressEvent(event)

    def _go(self, across: int, down: int) -> None:
        """Point at the next point in a direction: from the current one, or from the middle of what is in sight."""
        pixels, among = self.pixels(), self._among
        if not among.any():
            return
        if self.current < 0 or not among[self.current]:
            self.current = nearest(pixels, self.width() / 2, self.height() / 2, np.inf, among)
        else:
            self.current = neighbour(pixels, self.current, across, down, among)
        x, y = pixels[self.current]
        if not (0 <= x <= self.width() and 0 <= y <= self.height()):
            self.look(self._view.moved(self.width() / 2 - x, self.height() / 2 - y))
        self._point(self.current)
        self.update()

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), theme().colors
        if not len(self._placed):
            painter.setPen(QColor(colors.dim))
            room = self.rect().adjusted(24, 0, -24, 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._hint)
        else:
            self._paint_points(painter)
        if self._busy:
            paint_pill(painter, self.rect(), self._busy)
        if self.hasFocus():
            painter.setPen(QColor(colors.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_points(self, painter: QPainter) -> None:
        colors, view, pixels = theme().colors, QRectF(self.rect()), self.pixels()
        self.cloud.paint(painter, self._view, pixels, self._image, PALE if self._pale else 1.0, self.devicePixelRatioF())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_axes(painter, view, self.axes)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colors.text), 1.5))
        for index in {self.current, self._pointed} - {-1}:
            painter.drawEllipse(QPointF(*pixels[index]), 6, 6)
        if self.marked is not None and self._marked_image is not None:
            at = self._view.on_screen(self._frame.placed(self.marked))
            paint_marked(painter, view, QPointF(*at), self._marked_image, PALE if self._pale else 1.0)
        if self._path:
            painter.setPen(QPen(QColor(colors.accent), 1.5, Qt.PenStyle.DashLine))
            if self._is_rectangle:
                painter.drawRect(QRectF(self._path[0], self._path[-1]).normalized())
            else:
                painter.drawPolygon(QPolygonF(self._path))
        if self._pointed >= 0:
            index = self._pointed
            paint_card(painter, view, QPointF(*pixels[index]), self._image(index), self._describe(index))
