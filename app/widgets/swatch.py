"""Swatches: the colours that tell runs apart, as the present theme has them."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap

from app.theme import theme

WIDTH, HEIGHT = 16, 16
"""Logical pixels of a swatch."""


def hex_of(name: str) -> str:
    """A colour as `#rrggbb`: it may be the name of one of the theme's."""
    return name if name.startswith("#") else str(getattr(theme().colors, name))


def swatch(name: str, ratio: float = 1.0) -> QPixmap:
    """A short stroke of a colour, as it stands before a run's name. `ratio` is that of the screen's pixels to logical ones."""
    pixmap = QPixmap(round(WIDTH * ratio), round(HEIGHT * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(hex_of(name)))
    painter.drawRoundedRect(QRectF(1, HEIGHT / 2 - 2, WIDTH - 2, 4), 2, 2)
    painter.end()
    return pixmap


def swatch_icon(name: str, ratio: float = 1.0) -> QIcon:
    """A swatch that looks the same in a row that is selected."""
    made, pixmap = QIcon(), swatch(name, ratio)
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        made.addPixmap(pixmap, mode)
    return made
