"""What stands above a layer's maps: its name, its shape and its parameters, shortened where the layer is narrow."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPixmap

from app.theme import font, theme

HEIGHT = 40
"""Pixels of all lines."""
SIZES = ((12, 11, 10), (10, 9))
"""Pixels of the letters of a name, and of a fact, the first that fits."""


def layer_head(title: str, facts: tuple[str, ...], room: int, ratio: float) -> QPixmap:
    """The lines in `room` logical pixels of width, for a screen of `ratio` pixels a logical one."""
    colors = theme().colors
    made = QPixmap(round(room * ratio), round(HEIGHT * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    for line, words in enumerate((title, *facts)):
        shown, size = shortened(words, room, line == 0)
        painter.setFont(font(size, bold=line == 0))
        painter.setPen(QColor(colors.text if line == 0 else colors.dim))
        painter.drawText(QRectF(0, 15 * min(line, 1) + 12 * max(line - 1, 0), room, 16), Qt.AlignmentFlag.AlignTop, shown)
    painter.end()
    return made


def shortened(words: str, room: int, is_title: bool) -> tuple[str, int]:
    """Words that fit into `room` pixels, and the size of their letters.

    Of layers that are joined only the first is named where there is no room for all, of a number of parameters the number is
    left; then the letters become smaller, and at last the end is cut off.
    """
    largest, *smaller = SIZES[0 if is_title else 1]
    first = words.partition(" ")[0]
    for tried, size in ((words, largest), (first, largest), *((first, size) for size in smaller)):
        metrics = QFontMetrics(font(size, bold=is_title))
        if metrics.horizontalAdvance(tried) <= room:
            break
    else:
        tried = metrics.elidedText(first, Qt.TextElideMode.ElideRight, room)
    return tried, size
