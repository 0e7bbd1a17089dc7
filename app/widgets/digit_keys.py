"""The keys 0 to 9, of the upper row and of the keypad."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent


def typed_digit(event: QKeyEvent) -> int | None:
    """The digit whose key is pressed without Ctrl, Alt or the like; None for every other key."""
    text = event.text()
    is_plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return int(text) if is_plain and len(text) == 1 and text in "0123456789" else None
