"""What a report is made of: blocks of plain text, tables and drawings. How they look is decided where they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.report.drawing import Drawing


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text."""

    text: str
    dim: bool = False


@dataclass(frozen=True)
class Notice:
    """One sentence about what is not there."""

    text: str


@dataclass(frozen=True)
class Command:
    """Something to type into a shell."""

    text: str


@dataclass(frozen=True)
class Tiles:
    """Figures, each large with its meaning below: (figure, meaning)."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Rows of texts below a head. Columns other than those in `words` hold figures and stand at the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0})
    strong: frozenset[tuple[int, int]] = frozenset()
    """Cells to be emphasised, as (row, column)."""
    swatches: tuple[str, ...] = ()
    """A colour for each row that stands before its first cell, as Drawing names colours; none where it is empty."""


@dataclass(frozen=True)
class Figure:
    """A drawing with a sentence below it."""

    drawing: Drawing
    caption: str = ""


@dataclass(frozen=True)
class Row:
    """Blocks side by side."""

    blocks: tuple[Block, ...]


Block = Text | Notice | Command | Tiles | Table | Figure | Row


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    title: str
    subtitle: str
    sections: tuple[Section, ...]
