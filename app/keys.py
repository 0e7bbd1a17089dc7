"""Which keys belong to the widget in focus, where they are shortcuts of the window too."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox

from app.widgets.image_grid import ImageGrid
from app.widgets.pixel_view import PixelView


class KeysOfFocus(QObject):
    """Lets the widget in focus keep the keys it lives by, where they are shortcuts of the window too: Space presses a
    button, arrows move in a list or a slider, digits choose in a box.
    """

    ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and not event.modifiers():
            presses = isinstance(watched, QAbstractButton | QComboBox) and event.key() == Qt.Key.Key_Space
            moves = isinstance(watched, QAbstractSlider | QAbstractItemView | QAbstractSpinBox | QComboBox | ImageGrid | PixelView)
            if presses or (moves and event.key() in self.ARROWS):
                event.accept()
                return True
        return False
