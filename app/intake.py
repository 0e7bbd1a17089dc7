"""Intake: what comes into the window from outside: pictures and paths, dropped or pasted."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication, QImage

from app.core.probe import Probe
from app.errors import Problem
from app.lab import Lab
from app.widgets.pixels import from_qimage
from nncore.data.kinds import kind_of


class Intake:
    """Finds out what something is and hands it to the lab."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def paste(self) -> None:
        """Take the picture, or the file, on the clipboard."""
        clipboard = QGuiApplication.clipboard()
        image = clipboard.image()
        if not image.isNull():
            self.take_image(image, "pasted picture")
        elif clipboard.mimeData() is not None and clipboard.mimeData().hasUrls():
            self.take_path(Path(clipboard.mimeData().urls()[0].toLocalFile()))
        else:
            self._lab.problem.emit(Problem("There is no picture on the clipboard; copy one first, then paste."))

    @staticmethod
    def can_take(dragged: QMimeData) -> bool:
        """Whether what is dragged over the window may be dropped there."""
        return dragged.hasUrls() or dragged.hasImage()

    def take_dropped(self, dropped: QMimeData) -> None:
        """Take a file or picture that was dropped on the window."""
        if dropped.hasUrls():
            self.take_path(Path(dropped.urls()[0].toLocalFile()))
        else:
            image = dropped.imageData()
            if isinstance(image, QImage):
                self.take_image(image, "dropped picture")

    def take_image(self, image: QImage, origin: str) -> None:
        """Make a picture the probe; `origin` says where it came from."""
        self._lab.state.probe.set(Probe(from_qimage(image), origin))

    def take_path(self, path: Path) -> None:
        """Open what lies at `path`: a dataset, weights, or else a picture."""
        if path.is_dir() or kind_of(path) is not None:
            self._lab.show_panel("data")
            self._lab.opener.open_data(str(path))
        elif path.suffix == ".safetensors":
            self._lab.opener.open_weights(str(path))
        else:
            self._lab.opener.open_picture(path)
