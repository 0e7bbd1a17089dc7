"""Intake: what comes into the window from outside: pictures and paths, dropped or pasted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication, QImage

from app.core.probe import Probe
from app.errors import Problem
from app.lab import Lab
from app.threads.task import Task
from app.widgets.pixels import from_qimage
from models.shipped import ONNX_SUFFIX
from nncore.arrays import Array
from nncore.data.kinds import kind_of

AT_ONCE = 4_000_000
"""Pixels up to which an image is taken at once; taking a larger one would keep the interface waiting."""
WEIGHTS_SUFFIXES = (".safetensors", ONNX_SUFFIX)


class Intake:
    """Finds out what something is and hands it to the lab."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def paste(self) -> None:
        """Take the picture, or the files, on the clipboard."""
        clipboard = QGuiApplication.clipboard()
        image = clipboard.image()
        if not image.isNull():
            self.take_image(image, "pasted picture")
        elif clipboard.mimeData() is not None and clipboard.mimeData().hasUrls():
            self._take_urls(clipboard.mimeData())
        else:
            self._lab.problem.emit(Problem("There is no picture on the clipboard; copy one first, then paste."))

    @staticmethod
    def can_take(dragged: QMimeData) -> bool:
        """Whether what is dragged over the window may be dropped there."""
        return dragged.hasUrls() or dragged.hasImage()

    def take_dropped(self, dropped: QMimeData) -> None:
        """Take files or a picture that were dropped on the window."""
        if dropped.hasUrls():
            self._take_urls(dropped)
        else:
            image = dropped.imageData()
            if isinstance(image, QImage):
                self.take_image(image, "dropped picture")

    def _take_urls(self, data: QMimeData) -> None:
        urls = data.urls()
        files = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
        if files:
            self.take_paths(files)
        elif not urls:  # a busy program is slow to hand over what it has announced, and Qt does not wait for long
            self._lab.problem.emit(Problem("The other program has not handed over the file in time; try it once more."))
        else:
            self._lab.problem.emit(Problem("Only files on this computer can be opened; save it first, then drop the file."))

    def take_image(self, image: QImage, origin: str) -> None:
        """Make a picture the probe; `origin` says where it came from. A large one takes a moment."""
        if image.width() * image.height() <= AT_ONCE:
            self._take_pixels(from_qimage(image), origin)
        else:
            Task(lambda: from_qimage(image), lambda pixels: self._take_pixels(pixels, origin), self._lab.problem.emit).begin()

    def _take_pixels(self, pixels: Array, origin: str) -> None:
        self._lab.state.show_probe(Probe(pixels, origin), origin)

    def take_paths(self, paths: Sequence[Path]) -> None:
        """Open what lies at these paths: the pictures, which can be stepped through, one dataset and one weights file.

        What is left over is named.
        """
        data = [path for path in paths if path.is_dir() or kind_of(path) is not None]
        weights = [path for path in paths if path not in data and path.suffix.lower() in WEIGHTS_SUFFIXES]
        pictures = [path for path in paths if path not in data and path not in weights]
        if data:
            self._lab.show_panel("data")
            self._lab.opener.open_data(str(data[0]))
        if weights:
            self._lab.opener.open_weights(str(weights[0]))
        if pictures:
            self._lab.opener.open_pictures(pictures)
        taken = [f"data {path.name}" for path in data[:1]] + [f"weights {path.name}" for path in weights[:1]]
        if taken and len(paths) > 1:
            taken += [f"{len(pictures)} pictures" if len(pictures) > 1 else f"picture {path.name}" for path in pictures[:1]]
            self._lab.said.emit(f"Taken: {', '.join(taken)}.")
        surplus = [
            f"one {what} is opened at a time, so {_names(left)} {'was' if len(left) == 1 else 'were'} left out"
            for what, left in (("dataset", data[1:]), ("weights file", weights[1:]))
            if left
        ]
        if surplus:
            words = "; ".join(surplus)
            self._lab.problem.emit(Problem(f"{words[0].upper()}{words[1:]}."))


def _names(paths: Sequence[Path]) -> str:
    """The names of files: `a.csv`, `a.csv and b.csv`, `a.csv and 7 others`."""
    if len(paths) <= 2:
        return " and ".join(path.name for path in paths)
    return f"{paths[0].name} and {len(paths) - 1} others"
