"""Keys that are shortcuts of the window but belong to the widget in focus."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox

from app.widgets.image_grid import ImageGrid
from app.widgets.pixel_view import PixelView


class KeysOfFocus(QObject):
    """Keeps the window's shortcuts from taking keys that the widget in focus needs: Space on a button, arrows in a list, a
    slider or a box and among buttons of which one is chosen, and what a gallery offers by a key (Delete).
    """

    ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.Type.ShortcutOverride and not event.modifiers():
            presses = isinstance(watched, QAbstractButton | QComboBox) and event.key() == Qt.Key.Key_Space
            moves = isinstance(watched, QAbstractSlider | QAbstractItemView | QAbstractSpinBox | QComboBox | ImageGrid | PixelView)
            offered = isinstance(watched, ImageGrid) and watched.takes_key(event.key())
            chooses = isinstance(watched, QAbstractButton) and watched.group() is not None
            if presses or offered or ((moves or chooses) and event.key() in self.ARROWS):
                event.accept()
                return True
        return False
