"""The camera: through Qt Multimedia, which is an extra of the installation and loaded only when it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import PySide6
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from app.widgets.camera_dialog import CameraDialog, Cameras
from nncore.errors import ConfigError

EXTRA = (
    f"The camera needs Qt Multimedia; install it with: python -m pip install PySide6-Addons=={PySide6.__version__} "
    "(or the extra: digitlab[camera]), and start DigitLab again."
)
NO_CAMERA = "There is no camera on this computer; plug one in, or photograph the paper with a phone and open the picture."
REST = 0.06
"""Seconds between two pictures that are shown: turning a frame into a picture takes the interface some milliseconds."""


class QtCameras(QObject):
    """The cameras that Qt Multimedia knows. Raises ConfigError, saying what to do, where it is not installed or knows none."""

    seen = Signal(QImage)
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._media = _load()
        self._inputs = self._media.QMediaDevices.videoInputs()
        if not self._inputs:
            raise ConfigError(NO_CAMERA)
        usual = self._media.QMediaDevices.defaultVideoInput()
        self._inputs.sort(key=lambda each: each != usual)
        self._session = self._media.QMediaCaptureSession()
        self._sink = self._media.QVideoSink()
        self._session.setVideoSink(self._sink)
        self._sink.videoFrameChanged.connect(self._take_frame)
        self._camera: Any = None
        self._last = 0.0

    def names(self) -> list[str]:
        return [each.description() for each in self._inputs]

    def turn_on(self, place: int) -> None:
        self.turn_off()
        self._camera = self._media.QCamera(self._inputs[place])
        self._camera.errorOccurred.connect(self._fail)
        self._session.setCamera(self._camera)
        self._camera.start()

    def turn_off(self) -> None:
        if self._camera is not None:
            self._camera.stop()
            self._session.setCamera(None)
            self._camera.deleteLater()
            self._camera = None

    def _take_frame(self, frame: Any) -> None:
        now = time.monotonic()
        if self._camera is None or now - self._last < REST:
            return
        picture = frame.toImage()
        if not picture.isNull():
            self._last = now
            self.seen.emit(picture)

    def _fail(self, _: Any, words: str) -> None:
        self.failed.emit(f"The camera shows nothing ({words}); another program may use it, or this one may not be allowed to.")


def _load() -> Any:
    """The module QtMultimedia. Raises ConfigError where it is not installed, or the system lacks what it needs."""
    try:
        return import_module("PySide6.QtMultimedia")
    except ModuleNotFoundError as error:
        raise ConfigError(EXTRA) from error
    except ImportError as error:
        raise ConfigError(f"Qt Multimedia cannot be loaded ({error}); install what it misses and try again.") from error


def take_picture(parent: QWidget, make: Callable[[], Cameras] = QtCameras) -> QImage:
    """Let the user take a picture with a camera; a null image where none is taken. Raises ConfigError where there is no camera."""
    dialog = CameraDialog(parent, make())
    picture = dialog.picture if dialog.exec() else QImage()
    dialog.deleteLater()
    return picture
