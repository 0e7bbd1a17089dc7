"""An area of the screen, or a picture from the camera, becomes the probe."""

from __future__ import annotations

import numpy as np
import PySide6
import pytest
from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from app import camera, capture
from app.widgets.camera_dialog import CameraDialog
from app.widgets.pixels import from_qimage, to_qimage
from app.widgets.screen_overlay import ScreenOverlay
from nncore.errors import ConfigError


@pytest.fixture
def screen(qapp, monkeypatch) -> np.ndarray:
    """What a screen of twice as many pixels as the platform's own shows."""
    size = 2 * qapp.primaryScreen().size()
    pixels = np.random.default_rng(0).integers(0, 256, (size.height(), size.width(), 3), np.uint8)
    monkeypatch.setattr(capture, "grabbed", lambda _: QPixmap.fromImage(to_qimage(pixels)))
    monkeypatch.setattr(capture, "GONE", 1)
    return pixels


def overlay_of(qtbot, window) -> ScreenOverlay:
    """The overlay that comes when the capture begins."""
    found: list[ScreenOverlay] = []

    def is_there() -> bool:
        found[:] = [each for each in QApplication.topLevelWidgets() if isinstance(each, ScreenOverlay) and each.isVisible()]
        return bool(found)

    window._actions["capture"].trigger()
    assert not window.isVisible(), "the window steps aside"
    qtbot.waitUntil(is_there, timeout=5000)
    return found[0]


def test_an_area_of_the_screen_becomes_the_probe(qtbot, window, screen):
    overlay = overlay_of(qtbot, window)
    QTest.mousePress(overlay, Qt.MouseButton.LeftButton, pos=QPoint(110, 90))
    QTest.mouseMove(overlay, QPoint(60, 50))
    QTest.mouseMove(overlay, QPoint(10, 20))
    assert overlay.frame == QRect(10, 20, 100, 70)
    QTest.mouseRelease(overlay, Qt.MouseButton.LeftButton, pos=QPoint(10, 20))
    probe = window.lab.state.probe.value
    assert window.isVisible() and probe.origin == "picture from the screen"
    np.testing.assert_array_equal(probe.picture, screen[40:180, 20:220])
    window._actions["undo"].trigger()
    assert window.lab.state.probe.value.picture is None


def test_escape_leaves_all_as_it_was_and_keys_choose_too(qtbot, window, screen):
    before = window.lab.state.probe.value
    QTest.keyClick(overlay_of(qtbot, window), Qt.Key.Key_Escape)
    assert window.isVisible() and window.lab.state.probe.value is before
    overlay = overlay_of(qtbot, window)
    QTest.mouseClick(overlay, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))  # no area
    for key, modifier in ((Qt.Key.Key_Left, Qt.NoModifier), (Qt.Key.Key_Left, Qt.NoModifier), (Qt.Key.Key_Up, Qt.ShiftModifier)):
        QTest.keyClick(overlay, key, modifier)
    frame = QRect(overlay.frame)
    QTest.keyClick(overlay, Qt.Key.Key_Return)
    picture = window.lab.state.probe.value.picture
    assert frame.left() == overlay.width() // 4 - 1 and frame.height() == overlay.height() // 2 - 1
    assert picture.shape[:2] == (2 * frame.height(), 2 * frame.width())


def test_a_desktop_that_gives_no_picture_is_explained(qtbot, window, monkeypatch):
    monkeypatch.setattr(capture, "grabbed", lambda _: QPixmap())
    monkeypatch.setattr(capture, "GONE", 1)
    window._actions["capture"].trigger()
    qtbot.waitUntil(lambda: window.isVisible() and window.panel.notice.isVisible(), timeout=5000)
    assert "Wayland" in window.panel.notice.message.text() and "Ctrl+V" in window.panel.notice.message.text()


class TwoCameras(QObject):
    """Two cameras, of which the second sees nothing."""

    seen = Signal(QImage)
    failed = Signal(str)

    def __init__(self, picture: QImage) -> None:
        super().__init__()
        self._picture = picture
        self.on: int | None = None

    def names(self) -> list[str]:
        return ["desk", "broken"]

    def turn_on(self, place: int) -> None:
        self.on = place
        QTimer.singleShot(0, lambda: self.seen.emit(self._picture) if place == 0 else self.failed.emit("It is in use."))

    def turn_off(self) -> None:
        self.on = None


def test_what_the_camera_sees_is_taken_and_the_camera_turned_off(qtbot, themed):
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    cameras = TwoCameras(to_qimage(pixels))
    dialog = CameraDialog(None, cameras)
    qtbot.addWidget(dialog)
    dialog.show()
    take = next(button for button in dialog.findChildren(QPushButton) if button.text().replace("&", "") == "Take")
    assert not take.isEnabled(), "there is nothing to take yet"
    qtbot.waitUntil(take.isEnabled, timeout=5000)
    dialog._choice.setCurrentIndex(1)
    qtbot.waitUntil(lambda: dialog._view.accessibleDescription() == "It is in use.", timeout=5000)
    assert not take.isEnabled() and cameras.on == 1
    dialog._choice.setCurrentIndex(0)
    qtbot.waitUntil(take.isEnabled, timeout=5000)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert not dialog.isVisible() and cameras.on is None
    np.testing.assert_array_equal(from_qimage(dialog.picture), pixels)


def test_without_qt_multimedia_the_window_says_what_to_install(window, monkeypatch):
    def refuse(name: str) -> object:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(camera, "import_module", refuse)
    window._actions["camera"].trigger()
    words = window.panel.notice.message.text()
    assert f"PySide6-Addons=={PySide6.__version__}" in words and "digitlab[camera]" in words


def test_a_computer_without_a_camera_is_told_so(monkeypatch):
    class Devices:
        @staticmethod
        def videoInputs() -> list[object]:
            return []

    class Media:
        QMediaDevices = Devices

    monkeypatch.setattr(camera, "import_module", lambda _: Media)
    with pytest.raises(ConfigError, match="no camera on this computer"):
        camera.QtCameras()
