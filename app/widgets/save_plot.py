"""Saving a plot: as a picture, as a drawing, or its values as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QBuffer, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QWidget

from app.widgets.pixels import png_bytes
from nncore.arrays import Array
from nncore.files import write_atomically

FORMATS = "PNG picture (*.png);;SVG drawing (*.svg);;Table of values (*.csv)"


def as_csv(value: str, curves: Mapping[str, tuple[Array, Array]]) -> str:
    """(steps, values) by the curve's name, as a table of curve, step, and `value`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["curve", "step", value])
    for curve, (steps, values) in curves.items():
        writer.writerows((curve, int(step), f"{found:.6g}") for step, found in zip(steps.tolist(), values.tolist(), strict=True))
    return out.getvalue()


def as_svg(plot: QWidget) -> bytes:
    """A widget as the content of an SVG file."""
    content, drawing = QBuffer(), QSvgGenerator()
    drawing.setOutputDevice(content)
    ratio = plot.devicePixelRatioF()  # pens have their width in pixels of the screen, of which there may be more
    drawing.setSize(plot.size())
    drawing.setViewBox(QRectF(0, 0, plot.width() * ratio, plot.height() * ratio))
    painter = QPainter(drawing)
    painter.scale(ratio, ratio)
    plot.render(painter)
    painter.end()
    return bytes(content.data().data())


def writer_of(path: Path, plot: QWidget, value: str, curves: Mapping[str, tuple[Array, Array]]) -> Callable[[], None]:
    """A function that writes a plot to `path` as .png, .svg or .csv, by the ending. It may be called in any thread, and raises
    DigitLabError where the disk refuses; what is written is the plot of now.
    """
    if path.suffix == ".csv":
        kept = dict(curves)
        return lambda: write_atomically(path, as_csv(value, kept).encode())
    if path.suffix == ".svg":
        drawing = as_svg(plot)
        return lambda: write_atomically(path, drawing)
    picture = plot.grab().toImage()
    return lambda: write_atomically(path, png_bytes(picture))


def ask_for_path(parent: QWidget, name: str) -> Path | None:
    """Ask for a file to save the plot `name` in, with its ending; None where the user does not want to."""
    found, chosen = QFileDialog.getSaveFileName(parent, "Save curves", f"{name}.png", FORMATS)
    if not found:
        return None
    return Path(found if Path(found).suffix else found + chosen.partition("*")[2].rstrip(")"))
