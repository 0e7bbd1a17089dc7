"""ScreenOverlay: a dimmed picture of a screen, over all of that screen, on which an area is chosen."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QScreen
from PySide6.QtWidgets import QWidget

from app.theme import font, theme

LEAST = 4
"""Pixels of the least width and height of an area: less is a click."""
STEP, STRIDE = 1, 10
"""Pixels by which an arrow key moves an edge, and with Ctrl."""
DIM = QColor(0, 0, 0, 130)
WORDS = (
    "Drag a frame around the digits. Enter takes what is inside, or the whole screen; arrow keys move the frame, with Shift its "
    "lower right corner; Escape cancels."
)


class ScreenOverlay(QWidget):
    """Covers a screen with `picture`, what was on it. Emits the part that was chosen, or `cancelled`."""

    chosen = Signal(QPixmap)
    cancelled = Signal()

    def __init__(self, screen: QScreen, picture: QPixmap) -> None:
        flags = Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint | Qt.WindowType.Tool
        super().__init__(None, flags)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("picture of the screen")
        self.setAccessibleDescription(WORDS)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setScreen(screen)
        self.setGeometry(screen.geometry())
        self._picture = picture
        self._frame = QRect()
        self._corner: QPoint | None = None
        """Where the frame that is being dragged began."""

    @property
    def frame(self) -> QRect:
        """The area that is chosen, in the widget's pixels; empty where none is yet."""
        return self._frame

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._corner = event.position().toPoint()
            self._set_frame(QRect())
        else:
            self.cancelled.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._corner is not None:
            place = event.position().toPoint()
            left, right = sorted((self._corner.x(), place.x()))
            top, bottom = sorted((self._corner.y(), place.y()))
            self._set_frame(QRect(left, top, right - left, bottom - top) & self.rect())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._corner is not None and event.button() == Qt.MouseButton.LeftButton:
            self._corner = None
            if min(self._frame.width(), self._frame.height()) >= LEAST:
                self._choose(self._frame)
            else:
                self._set_frame(QRect())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: QPoint(-1, 0),
            Qt.Key.Key_Right: QPoint(1, 0),
            Qt.Key.Key_Up: QPoint(0, -1),
            Qt.Key.Key_Down: QPoint(0, 1),
        }
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self._frame if not self._frame.isEmpty() else self.rect())
        elif event.key() in moves:
            by = moves[Qt.Key(event.key())] * (STRIDE if event.modifiers() & Qt.KeyboardModifier.ControlModifier else STEP)
            self._move(by, event.modifiers() & Qt.KeyboardModifier.ShiftModifier != Qt.KeyboardModifier.NoModifier)
        else:
            super().keyPressEvent(event)

    def _move(self, by: QPoint, only_corner: bool) -> None:
        """Move the frame, or only its lower right corner; where there is none yet it begins in the middle."""
        frame = QRect(self._frame)
        if frame.isEmpty():
            frame = QRect(self.width() // 4, self.height() // 4, self.width() // 2, self.height() // 2)
        elif only_corner:
            corner = frame.bottomRight() + by
            frame.setBottomRight(QPoint(max(corner.x(), frame.left() + LEAST), max(corner.y(), frame.top() + LEAST)))
        else:
            frame.translate(by)
        self._set_frame(frame & self.rect())

    def _set_frame(self, frame: QRect) -> None:
        self._frame = frame
        self.update()

    def _choose(self, area: QRect) -> None:
        """Emit what lies in an area of the widget, in the screen's own pixels."""
        across, down = self._picture.width() / self.width(), self._picture.height() / self.height()
        place = QRect(round(area.x() * across), round(area.y() * down), round(area.width() * across), round(area.height() * down))
        self.chosen.emit(self._picture.copy(place))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(self.rect(), self._picture)
        painter.fillRect(self.rect(), DIM)
        if not self._frame.isEmpty():
            painter.setClipRect(self._frame)
            painter.drawPixmap(self.rect(), self._picture)
            painter.setClipping(False)
            painter.setPen(QPen(QColor(theme().colors.accent), 2))
            painter.drawRect(self._frame)
        painter.setFont(font())
        words = painter.fontMetrics().boundingRect(
            self.rect().adjusted(40, 24, -40, -24), Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, WORDS
        )
        if not words.intersects(self._frame):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(0, 0, 0, 190))
            painter.drawRoundedRect(words.adjusted(-12, -8, 12, 8), 6, 6)
            painter.setPen(QColor(255, 255, 255))
            painter.drawText(words, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, WORDS)
