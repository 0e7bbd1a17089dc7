"""Export: a picture with the numbers behind it, to copy, and to save as PNG, SVG, CSV, NPY or NPZ."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QPoint
from PySide6.QtGui import QGuiApplication, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.widgets.figure_menu import Table, to_csv
from app.widgets.pixels import png_bytes
from nncore.arrays import Array
from nncore.files import write_atomically

PICTURES = "PNG picture (*.png);;SVG drawing (*.svg);;Table of values (*.csv)"


@dataclass(frozen=True, eq=False)
class Export:
    """A widget as a picture, the table behind it, and its numbers as arrays."""

    name: str
    """That is proposed for a file."""
    picture: QWidget
    table: Table
    arrays: Mapping[str, Array] = field(default_factory=dict)
    """By name; one is saved as .npy, several together as .npz."""

    @property
    def formats(self) -> str:
        """The kinds of files, as a file dialog takes them."""
        many = "NumPy array (*.npy)" if len(self.arrays) == 1 else "NumPy arrays (*.npz)"
        return f"{PICTURES};;{many}" if self.arrays else PICTURES

    def writer(self, path: Path) -> Callable[[], None]:
        """A function that writes to `path` by its ending. Any thread may call it; it raises DigitLabError where the disk refuses.

        What is written is the picture of now.
        """
        if path.suffix == ".csv":
            text = to_csv(self.table())
            return lambda: write_atomically(path, text.encode())
        if path.suffix == ".svg":
            drawing = self._svg()
            return lambda: write_atomically(path, drawing)
        if path.suffix in (".npy", ".npz"):
            return lambda: write_atomically(path, self._packed(path.suffix))
        image = self.picture.grab().toImage()
        return lambda: write_atomically(path, png_bytes(image))

    def _svg(self) -> bytes:
        content, drawing = QBuffer(), QSvgGenerator()
        drawing.setOutputDevice(content)
        drawing.setSize(self.picture.size())
        drawing.setViewBox(self.picture.rect())
        painter = QPainter(drawing)
        try:
            self.picture.render(painter, QPoint())
        finally:
            painter.end()
        return bytes(content.data().data())

    def _packed(self, ending: str) -> bytes:
        content = io.BytesIO()
        if ending == ".npy" and len(self.arrays) == 1:
            np.save(content, next(iter(self.arrays.values())), allow_pickle=False)
        else:
            np.savez(content, allow_pickle=False, **dict(self.arrays))
        return content.getvalue()

    def menu(self, parent: QWidget, write: Callable[[Callable[[], None]], None]) -> QMenu:
        """A menu to copy and to save; `write` is given the function that writes, and calls it in a thread."""
        menu = QMenu(parent)
        menu.addAction("Copy picture", lambda: QGuiApplication.clipboard().setPixmap(self.picture.grab()))
        menu.addAction("Copy table", lambda: QGuiApplication.clipboard().setText(to_csv(self.table())))
        menu.addAction("Save as…", lambda: self._ask(parent, write))
        return menu

    def _ask(self, parent: QWidget, write: Callable[[Callable[[], None]], None]) -> None:
        found, chosen = QFileDialog.getSaveFileName(parent, "Save picture", f"{self.name}.png", self.formats)
        if found:
            ending = chosen.partition("*")[2].rstrip(")")
            write(self.writer(Path(found if Path(found).suffix else found + ending)))
