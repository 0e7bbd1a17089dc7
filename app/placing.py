"""Placing: puts the window and its probe dock where a Layout says, and tells where they are."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow

from app.core.layout import Box, Layout

FRAME = (16, 44)
"""Width and height in pixels that are left for the window's frame and title bar, which the system adds when it is shown."""
FIRST_SIZE = (1440, 900)
"""Width and height of the first window in pixels, where the screen is large enough."""
PROBE_SIZE = (300, 640)
"""The same of a probe that floats for the first time."""
PANELS_WIDTH = 500
"""Pixels that the probe leaves to the panels at least."""


def screens() -> list[Box]:
    """What windows may use of each screen, the primary one first."""
    primary = QGuiApplication.primaryScreen()
    others = [screen for screen in QGuiApplication.screens() if screen is not primary]
    return [_box(screen.availableGeometry()) for screen in (primary, *others)]


def first_layout(probe_width: int) -> Layout:
    """The layout of the first start: in the middle of the primary screen, the probe `probe_width` wide on the right."""
    room = screens()[0]
    width, height = min(FIRST_SIZE[0], room.width - FRAME[0]), min(FIRST_SIZE[1], room.height - FRAME[1])
    x = room.x + (room.width - width - FRAME[0]) // 2
    y = room.y + (room.height - height - FRAME[1]) // 2
    window = Box(x, y, width, height)
    return Layout(window, Box(x + width - PROBE_SIZE[0] - 40, y + 60, *PROBE_SIZE), probe_width)


def place(window: QMainWindow, dock: QDockWidget, layout: Layout) -> None:
    """Put window and dock where the layout says, as far as the present screens allow."""
    fitted = layout.fitted(screens(), FRAME)
    window.setWindowState(window.windowState() & ~(Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen))
    window.resize(fitted.window.width, fitted.window.height)
    window.move(fitted.window.x, fitted.window.y)
    if fitted.maximised:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)
    dock.setFloating(False)
    areas = Qt.DockWidgetArea
    window.addDockWidget(areas.LeftDockWidgetArea if fitted.probe_left else areas.RightDockWidgetArea, dock)
    width = min(fitted.probe_width, window.width() - PANELS_WIDTH)
    window.resizeDocks([dock], [max(width, dock.minimumWidth())], Qt.Orientation.Horizontal)
    dock.setVisible(fitted.probe_visible and not fitted.probe_floating)
    if fitted.probe_floating and window.isVisible():
        float_probe(dock, fitted)


def float_probe(dock: QDockWidget, layout: Layout) -> None:
    """Take the probe out of the window, which must be shown already: the system would put a later window over it."""
    box = layout.probe.fitted(screens(), FRAME)
    dock.setFloating(True)
    dock.resize(box.width, box.height)
    dock.move(box.x, box.y)
    dock.setVisible(layout.probe_visible)


def layout_of(window: QMainWindow, dock: QDockWidget, before: Layout) -> Layout:
    """The present layout; what cannot be told at present, such as the width of a dock that floats, comes from `before`."""
    state = window.windowState()
    unusual = bool(state & (Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen))
    floating = dock.isFloating()
    return Layout(
        window=_box(window.normalGeometry()) if unusual else Box(window.x(), window.y(), window.width(), window.height()),
        probe=Box(dock.x(), dock.y(), dock.width(), dock.height()) if floating else before.probe,
        probe_width=before.probe_width if floating or dock.isHidden() else dock.width(),
        maximised=bool(state & Qt.WindowState.WindowMaximized),
        probe_visible=not dock.isHidden(),
        probe_floating=floating,
        probe_left=window.dockWidgetArea(dock) == Qt.DockWidgetArea.LeftDockWidgetArea,
    )


def _box(rect: QRect) -> Box:
    return Box(rect.x(), rect.y(), rect.width(), rect.height())
