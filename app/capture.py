"""ScreenCapture: makes an area of the screen the probe. The window steps aside meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication, QImage, QPixmap, QScreen
from PySide6.QtWidgets import QWidget

from app.errors import PICTURE, Problem
from app.widgets.screen_overlay import ScreenOverlay

GONE = 300
"""Milliseconds until a window that is hidden has left the screen, also where it fades."""
NO_PICTURE = Problem(
    "This desktop gives programs no picture of its screen (as on Wayland); take a screenshot with the desktop's own tool, "
    "copy it, and paste it here with Ctrl+V.",
    about=PICTURE,
)


class ScreenCapture(QObject):
    """Hides the window, shows every screen dimmed, and hands over the area that is chosen."""

    def __init__(self, window: QWidget, take: Callable[[QImage, str], None], tell: Callable[[Problem], None]) -> None:
        """`take` is called with a picture and the words that say where it came from, `tell` where there is none."""
        super().__init__(window)
        self._window, self._take, self._tell = window, take, tell
        self._overlays: list[ScreenOverlay] = []
        self._is_on = False

    def begin(self) -> None:
        """Let the user choose an area."""
        if not self._is_on:
            self._is_on = True
            self._window.hide()
            QTimer.singleShot(GONE, self._show_overlays)

    def _show_overlays(self) -> None:
        pictures = [(screen, grabbed(screen)) for screen in QGuiApplication.screens()]
        self._overlays = [ScreenOverlay(screen, picture) for screen, picture in pictures if not picture.isNull()]
        if not self._overlays:
            self._end()
            self._tell(NO_PICTURE)
        for overlay in self._overlays:
            overlay.chosen.connect(self._choose)
            overlay.cancelled.connect(self._end)
            overlay.showFullScreen()
        for overlay in self._overlays[:1]:
            overlay.raise_()
            overlay.activateWindow()
            overlay.setFocus()

    def _choose(self, picture: QPixmap) -> None:
        self._end()
        self._take(picture.toImage(), "picture from the screen")

    def _end(self) -> None:
        """Bring the window back; first, so that there is never none."""
        self._window.show()
        self._window.activateWindow()
        for overlay in self._overlays:
            overlay.close()
        self._overlays, self._is_on = [], False


def grabbed(screen: QScreen) -> QPixmap:
    """What is on a screen; a null pixmap where the platform does not give it."""
    return screen.grabWindow(0)
