"""Conversion between arrays and Qt's images, and the context menu of pictures."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from nncore.arrays import Array
from nncore.files import write_atomically

FORMATS = "PNG picture (*.png);;NumPy array (*.npy);;Table of values (*.csv)"


def to_qimage(pixels: Array) -> QImage:
    """uint8 pixels (height, width), or (height, width, 1, 3 or 4: with opacity), as an image that owns its memory."""
    pixels = np.ascontiguousarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
    height, width = pixels.shape[:2]
    formats = {1: QImage.Format.Format_Grayscale8, 3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}
    kind = formats[1 if pixels.ndim == 2 else pixels.shape[2]]
    return QImage(pixels.data, width, height, pixels.strides[0], kind).copy()


def from_qimage(image: QImage) -> Array:
    """An image as uint8 (height, width, 3); what is transparent becomes white, as on paper."""
    flat = QImage(image.size(), QImage.Format.Format_RGB888)
    flat.fill(0xFFFFFF)
    painter = QPainter(flat)
    painter.drawImage(0, 0, image)
    painter.end()
    rows = np.frombuffer(flat.constBits(), np.uint8).reshape(flat.height(), flat.bytesPerLine())
    return rows[:, : flat.width() * 3].reshape(flat.height(), flat.width(), 3).copy()


def colored(values: Array, table: Array, low: float, high: float) -> Array:
    """Values of any shape as colours of a table (256, 3): `low` is its first, `high` its last; uint8 (*shape, 3)."""
    scale = 255 / (high - low) if high > low else 0.0
    return table[np.clip((values - low) * scale, 0, 255).astype(np.uint8)]


def picture_menu(
    parent: QWidget,
    at: QPoint,
    pixels: Array,
    values: Array | None = None,
    make_probe: Callable[[], None] | None = None,
    more: Sequence[tuple[str, Callable[[], None]]] = (),
    first: Sequence[tuple[str, Callable[[], None]]] = (),
) -> None:
    """Open a context menu to copy and save a picture, to make it the probe, and for what `first` and `more` add.

    `values` are the numbers to save in place of the pixels.
    """
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for words, act in first:
        menu.addAction(words, act)
    if first:
        menu.addSeparator()
    menu.addAction("Copy picture", lambda: copy_picture(pixels))
    menu.addAction("Save as…", lambda: save_picture_as(parent, pixels, values))
    if make_probe is not None:
        menu.addAction("Make it the probe", make_probe)
    for words, act in more:
        menu.addAction(words, act)
    menu.exec(at)


def copy_picture(pixels: Array) -> None:
    """Put a picture on the clipboard."""
    QGuiApplication.clipboard().setImage(to_qimage(pixels))


def save_picture(path: Path, pixels: Array, values: Array) -> None:
    """Write a picture as PNG, or the numbers behind it as .npy or .csv, by the file's ending. DigitLabError where that fails."""
    content = io.BytesIO()
    if path.suffix == ".npy":
        np.save(content, values, allow_pickle=False)
    elif path.suffix == ".csv":
        np.savetxt(content, values.reshape(len(values), -1), delimiter=",", fmt="%.6g")
    else:
        content.write(png_bytes(to_qimage(pixels)))
    write_atomically(path, content.getvalue())


def png_bytes(image: QImage) -> bytes:
    """An image as the content of a PNG file."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


def save_picture_as(parent: QWidget, pixels: Array, values: Array | None = None) -> None:
    """Ask for a file name and write the picture there, or `values` (its pixels where None) as numbers."""
    name, chosen = QFileDialog.getSaveFileName(parent, "Save picture", "picture.png", FORMATS)
    if name:
        ending = chosen.partition("*")[2].rstrip(")")
        save_picture(Path(name if Path(name).suffix else name + ending), pixels, pixels if values is None else values)
