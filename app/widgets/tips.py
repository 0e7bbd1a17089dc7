"""Tooltips of a bounded width: Qt wraps only those that are rich text."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip, QWidget

WIDTH = 360
"""Width of a long tooltip in pixels."""
SHORT = 50
"""Characters that need no second line."""


def tip(text: str) -> str:
    """A tooltip that is wrapped where it is long."""
    if len(text) <= SHORT and "\n" not in text:
        return text
    lines = "<br>".join(escape(line) for line in text.split("\n"))
    return f'<table width="{WIDTH}"><tr><td>{lines}</td></tr></table>'


class WrappedTips(QObject):
    """An event filter of the application that wraps every widget's long tooltip."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QHelpEvent):
            return False
        if event.type() != QEvent.Type.ToolTip or not isinstance(watched, QWidget):
            return False
        text = watched.toolTip()
        if len(text) <= SHORT or text.startswith("<"):
            return False
        QToolTip.showText(event.globalPos(), tip(text), watched)
        return True
