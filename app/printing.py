"""A report as a PDF. It needs no display, and is the only part of the command line's work that loads Qt."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from html import escape
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QPointF, QRectF, QSizeF
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument
from PySide6.QtSvg import QSvgRenderer

from app.colors import LIGHT
from app.core.report.blocks import Block, Command, Figure, Notice, Report, Row, Table, Text, Tiles
from app.core.report.drawing import Drawing
from nncore.errors import DigitLabError
from nncore.files import printable, write_atomically

WIDTH = 1016
"""Units across the page: a figure is as wide beside the text as on a screen."""
MARGIN = 15.0
"""Millimetres at each edge."""
GAP = 14
"""Units between two blocks."""
FOOT = 36
"""Units at the end of a page that the page's number needs."""
SIZE = 17
"""Units of a line of text: 8 points on A4, where the figures' own letters are 5 to 6."""
FONT = "Inter, Noto Sans, Segoe UI, Helvetica Neue, Arial, DejaVu Sans, sans-serif"

STYLE = f"""
body {{ color: {LIGHT.text}; }}
.dim, th {{ color: {LIGHT.dim}; font-weight: normal; }}
h1 {{ font-size: 34px; font-weight: 600; margin: 0; }}
.title {{ font-size: 14px; font-weight: 600; color: {LIGHT.dim}; }}
p, pre {{ margin: 0; }}
pre {{ font-family: DejaVu Sans Mono, Menlo, Consolas, monospace; white-space: pre-wrap; }}
.figure {{ font-size: 30px; font-weight: 600; }}
.notice {{ background-color: {LIGHT.raised}; color: {LIGHT.second}; }}
"""


_application: object = None
"""Kept to the end of the program: Qt's fonts must not outlive it."""


def write_pdf(report: Report, path: Path) -> None:
    """Write the report as a PDF of A4 pages in light colours. DigitLabError where that fails."""
    global _application
    _application = QGuiApplication.instance() or QGuiApplication([sys.argv[0], *_platform()])
    content = QBuffer()
    content.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(content)
    writer.setTitle(f"{printable(report.title)} · DigitLab")
    writer.setCreator("DigitLab")
    margins = QMarginsF(MARGIN, MARGIN, MARGIN, MARGIN)
    writer.setPageLayout(QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, margins))
    painter = QPainter()
    if not painter.begin(writer):
        raise DigitLabError("The PDF could not be made; write the page without --pdf and print that.")
    _Pages(writer, painter).draw(report)
    painter.end()
    content.close()
    write_atomically(path, bytes(content.data().data()))


def _platform() -> list[str]:
    """The options of an application that needs no display, whatever the environment says; other systems always have one."""
    return ["-platform", "offscreen"] if sys.platform.startswith("linux") else []


class _Pages:
    """Draws blocks one below the other, and begins a new page where one does not fit."""

    def __init__(self, writer: QPdfWriter, painter: QPainter) -> None:
        self._writer, self._painter = writer, painter
        self._scale = writer.width() / WIDTH
        painter.scale(self._scale, self._scale)
        self._height = writer.height() / self._scale - FOOT
        self._y, self._page = 0.0, 1

    def draw(self, report: Report) -> None:
        self._number()
        self._place(_Words(f"<h1>{_escaped(report.title)}</h1><p class='dim'>{_escaped(report.subtitle)}</p>"))
        for section in report.sections:
            title = _Words(f"<p class='title'>{_escaped(section.title.upper())}</p>")
            pieces = [_piece(block, WIDTH) for block in section.blocks]
            # A title stays with what it is about: sentences, and the first table or figure behind them.
            words = next((place for place, block in enumerate(section.blocks) if not isinstance(block, Text)), 0)
            first = sum(piece.height(WIDTH) + GAP for piece in pieces[: words + 1])
            needed = title.height(WIDTH) + GAP + min(first, self._height / 2)
            if self._y + 3 * GAP + needed > self._height:
                self._begin_page()
            else:
                self._y += GAP
                self._painter.setPen(QColor(LIGHT.line))
                self._painter.drawLine(QPointF(0, self._y), QPointF(WIDTH, self._y))
                self._y += GAP
            self._place(title)
            for piece in pieces:
                self._place(piece)

    def _place(self, piece: _Piece) -> None:
        """Draw a piece below what is there; one that is longer than a page goes over several."""
        height = piece.height(WIDTH)
        if self._y and self._y + height > self._height and (height <= self._height or self._y > self._height / 2):
            self._begin_page()
        begun = 0.0
        while begun < height:
            part = min(height - begun, self._height - self._y)
            self._painter.save()
            self._painter.translate(0, self._y - begun)
            self._painter.setClipRect(QRectF(0, begun, WIDTH, part))
            piece.draw(self._painter, WIDTH)
            self._painter.restore()
            begun, self._y = begun + part, self._y + part
            if begun < height:
                self._begin_page()
        self._y += GAP

    def _begin_page(self) -> None:
        self._writer.newPage()
        self._y, self._page = 0.0, self._page + 1
        self._number()

    def _number(self) -> None:
        words = _Words(f"<p class='dim' align='right'>DigitLab · {self._page}</p>")
        self._painter.save()
        self._painter.translate(0, self._height + FOOT - words.height(WIDTH))
        words.draw(self._painter, WIDTH)
        self._painter.restore()


class _Piece(ABC):
    """Something of a certain height that can be drawn at the painter's origin."""

    @abstractmethod
    def height(self, width: float) -> float:
        """Its height in pixels where there is room for `width`."""

    @abstractmethod
    def draw(self, painter: QPainter, width: float) -> None:
        """Draw it from the painter's origin on, no wider than `width`."""


class _Words(_Piece):
    """Text in the HTML that Qt knows."""

    def __init__(self, html: str) -> None:
        self._document = QTextDocument()
        font = QFont()
        font.setFamilies([name.strip() for name in FONT.split(",")])
        font.setPixelSize(SIZE)
        self._document.setDefaultFont(font)
        self._document.setDocumentMargin(0)
        self._document.setDefaultStyleSheet(STYLE)
        self._document.setHtml(f"<body>{html}</body>")

    def height(self, width: float) -> float:
        self._document.setTextWidth(width)
        return self._document.size().height()

    def draw(self, painter: QPainter, width: float) -> None:
        self._document.setTextWidth(width)
        self._document.drawContents(painter)


class _Picture(_Piece):
    """A drawing, made smaller where it is wider than the room."""

    def __init__(self, drawing: Drawing) -> None:
        self._size = QSizeF(drawing.width, drawing.height)
        self._renderer = QSvgRenderer(QByteArray(drawing.svg(LIGHT, FONT.split(",")[0]).encode()))

    def height(self, width: float) -> float:
        return self._size.height() * min(1.0, width / self._size.width())

    def draw(self, painter: QPainter, width: float) -> None:
        share = min(1.0, width / self._size.width())
        self._renderer.render(painter, QRectF(QPointF(0, 0), self._size * share))


class _Stack(_Piece):
    """Pieces one below the other."""

    def __init__(self, pieces: list[_Piece], gap: float) -> None:
        self._pieces, self._gap = pieces, gap

    def height(self, width: float) -> float:
        return sum(piece.height(width) for piece in self._pieces) + self._gap * (len(self._pieces) - 1)

    def draw(self, painter: QPainter, width: float) -> None:
        for piece in self._pieces:
            painter.save()
            piece.draw(painter, width)
            painter.restore()
            painter.translate(0, piece.height(width) + self._gap)


class _Beside(_Piece):
    """Pieces side by side, each in the same share of the width."""

    def __init__(self, pieces: list[_Piece]) -> None:
        self._pieces = pieces

    def _width(self, width: float) -> float:
        return (width - 2 * GAP * (len(self._pieces) - 1)) / len(self._pieces)

    def height(self, width: float) -> float:
        return max(piece.height(self._width(width)) for piece in self._pieces)

    def draw(self, painter: QPainter, width: float) -> None:
        for piece in self._pieces:
            painter.save()
            piece.draw(painter, self._width(width))
            painter.restore()
            painter.translate(self._width(width) + 2 * GAP, 0)


def _piece(block: Block, width: float) -> _Piece:
    match block:
        case Text(text, dim):
            return _Words(f"<p{' class=dim' if dim else ''}>{_escaped(text)}</p>")
        case Notice(text):
            return _Words(f"<p class='notice'>{_escaped(text)}</p>")
        case Command(text):
            return _Words(f"<pre>{_escaped(text)}</pre>")
        case Tiles(items):
            cells = "".join(
                f"<td style='padding-right: 34px'><span class='figure'>{_escaped(figure)}</span><br><span class='dim'>"
                f"{_escaped(meaning)}</span></td>"
                for figure, meaning in items
            )
            return _Words(f"<table cellspacing='0'><tr>{cells}</tr></table>")
        case Figure(drawing, caption):
            words = [_Words(f"<p class='dim'>{_escaped(caption)}</p>")] if caption else []
            return _Stack([_Picture(drawing), *words], 6)
        case Row(blocks):
            return _Beside([_piece(each, width / len(blocks)) for each in blocks])
        case Table():
            return _Words(_table(block))


def _table(table: Table) -> str:
    def cell(kind: str, row: int, column: int, text: str) -> str:
        side = "left" if column in table.words else "right"
        inner = f"<b>{_escaped(text)}</b>" if (row, column) in table.strong else _escaped(text)
        if not column and row < len(table.swatches) and row >= 0:
            name = table.swatches[row]
            inner = f"<span style='color:{name if name.startswith('#') else vars(LIGHT)[name]}'>━ </span>{inner}"
        return f"<{kind} align='{side}' style='padding: 2px 18px 2px 0'>{inner}</{kind}>"

    lines = [[("th", -1, text) for text in table.head]] if any(table.head) else []
    lines += [[("td", row, text) for text in cells] for row, cells in enumerate(table.rows)]
    rows = "".join(
        f"<tr>{''.join(cell(kind, row, column, text) for column, (kind, row, text) in enumerate(cells))}</tr>" for cells in lines
    )
    return f"<table cellspacing='0'>{rows}</table>"


def _escaped(text: str) -> str:
    return escape(printable(text), quote=True)
