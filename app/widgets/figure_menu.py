"""The context menu of widgets that draw figures: the picture, and the table of numbers behind it, to copy and to save."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.widgets.pixels import png_bytes
from nncore.files import write_atomically

FORMATS = "PNG picture (*.png);;Table of values (*.csv)"

Table = Callable[[], Iterable[Sequence[object]]]
"""The rows behind a figure, that of the names first."""


def figure_menu(figure: QWidget, at: QPoint, name: str, table: Table) -> None:
    """Open a context menu to copy and save `figure`. `name` is proposed as that of the file."""
    menu = QMenu(figure)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.addAction("Copy picture", lambda: QGuiApplication.clipboard().setPixmap(figure.grab()))
    menu.addAction("Copy table", lambda: QGuiApplication.clipboard().setText(to_csv(table())))
    menu.addAction("Save as PNG or CSV…", lambda: _ask_and_save(figure, name, table))
    menu.exec(at)


def to_csv(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV (RFC 4180 but for lines that end in a line feed)."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def save_figure(figure: QWidget, path: Path, table: Table) -> None:
    """Write a figure as PNG, or the table behind it as .csv, by the file's ending. DigitLabError where that fails."""
    content = to_csv(table()).encode() if path.suffix == ".csv" else png_bytes(figure.grab().toImage())
    write_atomically(path, content)


def _ask_and_save(figure: QWidget, name: str, table: Table) -> None:
    path, chosen = QFileDialog.getSaveFileName(figure, "Save figure", f"{name}.png", FORMATS)
    if path:
        ending = chosen.partition("*")[2].rstrip(")")
        save_figure(figure, Path(path if Path(path).suffix else path + ending), table)
