"""Sections of a sheet that tell in little room how numbers add up: an equation, and the largest parts of a sum."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from app.theme import font, theme
from app.widgets.sheet import Target
from nncore.arrays import Array

VALUE, WORDS, BETWEEN = 17, 14, 7
"""Height of a value and of the words below it, and pixels on both sides of a sign."""
TITLE, ROW, LEAST = 16, 15, 116
"""Height of the title of a ranking and of its rows, and its least width, in pixels."""


@dataclass(frozen=True)
class Term:
    """A number of an equation: the sign before it, what it is, and how it is written."""

    sign: str
    words: str
    value: str
    is_result: bool = False
    key: Hashable = None
    tip: str = ""


@dataclass(frozen=True, eq=False)
class Equation:
    """Numbers with signs between them, each above what it is; in several rows where one is too short."""

    terms: Sequence[Term]

    def _rects(self, width: float) -> list[QRectF]:
        """Where each term lies, behind its sign."""
        bold, small, plain = QFontMetricsF(font(13, bold=True)), QFontMetricsF(font(10)), QFontMetricsF(font(13))
        found, left, top = list[QRectF](), 0.0, 0.0
        for term in self.terms:
            sign = plain.horizontalAdvance(term.sign) + 2 * BETWEEN if term.sign else 0.0
            own = max(bold.horizontalAdvance(term.value), small.horizontalAdvance(term.words)) + 1
            if found and left + sign + own > width:
                left, top = 0.0, top + VALUE + WORDS + 4
            found.append(QRectF(left + sign, top, own, VALUE + WORDS))
            left += sign + own
        return found

    def size(self, width: float) -> tuple[float, float]:
        rects = self._rects(width)
        return max(rect.right() for rect in rects), rects[-1].bottom()

    def paint(self, painter: QPainter, width: float) -> None:
        colors, flags = theme().colors, Qt.AlignmentFlag
        for term, rect in zip(self.terms, self._rects(width), strict=True):
            painter.setFont(font(13))
            painter.setPen(QColor(colors.dim))
            sign = QRectF(rect.left() - 40, rect.top(), 40 - BETWEEN, VALUE)
            painter.drawText(sign, flags.AlignRight | flags.AlignVCenter, term.sign)
            painter.setFont(font(13, bold=True))
            painter.setPen(QColor(colors.accent if term.is_result else colors.text))
            painter.drawText(QRectF(rect.topLeft(), rect.size()), flags.AlignLeft | flags.AlignTop, term.value)
            painter.setFont(font(10))
            painter.setPen(QColor(colors.dim))
            painter.drawText(rect, flags.AlignLeft | flags.AlignBottom, term.words)

    def targets(self, width: float) -> Sequence[Target]:
        return [
            Target(rect, term.key, term.tip)
            for term, rect in zip(self.terms, self._rects(width), strict=True)
            if term.key is not None or term.tip
        ]


@dataclass(frozen=True, eq=False)
class Ranking:
    """The largest parts of a sum, a line each, and what the others come to."""

    title: str
    names: Sequence[str]
    amounts: Array
    """(count)"""
    values: Sequence[str]
    """The amounts as they are written."""
    keys: Sequence[Hashable]
    words: Sequence[str]
    """What a tooltip says of each."""
    rest: tuple[str, str] | None = None
    """How many others, and what they come to."""

    def size(self, width: float) -> tuple[float, float]:
        return LEAST, TITLE + ROW * (len(self.names) + (self.rest is not None))

    def paint(self, painter: QPainter, width: float) -> None:
        colors, flags, width = theme().colors, Qt.AlignmentFlag, min(width, 2 * LEAST)
        painter.setFont(font(11))
        painter.setPen(QColor(colors.dim))
        painter.drawText(QRectF(0, 0, width, TITLE), flags.AlignLeft, self.title)
        rows = [*zip(self.names, self.values, strict=True), *([self.rest] if self.rest else [])]
        for at, (name, value) in enumerate(rows):
            row = QRectF(0, TITLE + ROW * at, width, ROW)
            painter.setPen(QColor(colors.dim))
            painter.drawText(row, flags.AlignVCenter, name)
            painter.setPen(QColor(colors.text))
            painter.drawText(row, flags.AlignVCenter | flags.AlignRight, value)

    def targets(self, width: float) -> Sequence[Target]:
        rows = [QRectF(0, TITLE + ROW * at, min(width, 2 * LEAST), ROW) for at in range(len(self.names))]
        return [Target(row, key, words) for row, key, words in zip(rows, self.keys, self.words, strict=True)]
