"""A few words over a picture, on a ground of their own."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from app.theme import font, theme


def paint_pill(painter: QPainter, view: QRect, words: str) -> None:
    """Paint words in the middle of a view's lower edge."""
    colors = theme().colors
    painter.setFont(font())
    wide, high = painter.fontMetrics().horizontalAdvance(words) + 28, painter.fontMetrics().height() + 12
    pill = QRectF(view.center().x() - wide / 2, view.bottom() - high - 16, wide, high)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(colors.line))
    painter.setBrush(QColor(colors.panel))
    painter.drawRoundedRect(pill, high / 2, high / 2)
    painter.setPen(QColor(colors.text))
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, words)
