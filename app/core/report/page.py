"""A report as one HTML page that needs no script, no other file and no network."""

from __future__ import annotations

import base64
from html import escape
from importlib import resources

from app.colors import DARK, LIGHT, Colors
from app.core.report.blocks import Block, Command, Figure, Notice, Report, Row, Section, Table, Text, Tiles
from nncore.files import printable


def html_page(report: Report) -> str:
    """The report as a page. It follows the reader's light or dark scheme; printed it is light."""
    assets = resources.files("assets")
    icon = base64.b64encode((assets / "icons" / "digitlab.svg").read_bytes()).decode()
    title = _escaped(report.title)
    sections = "\n".join(_section(section) for section in report.sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title} · DigitLab</title>
<link rel="icon" href="data:image/svg+xml;base64,{icon}">
<style>
:root {{ {_variables(LIGHT)} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}
{(assets / "report.css").read_text("utf-8")}</style>
</head>
<body>
<main>
<header><img alt="" src="data:image/svg+xml;base64,{icon}"><div><h1>{title}</h1><p>{_escaped(report.subtitle)}</p></div></header>
{sections}
<footer>Written by DigitLab.</footer>
</main>
</body>
</html>
"""


def _variables(colors: Colors) -> str:
    return " ".join(f"--{name}: {value};" for name, value in vars(colors).items())


def _section(section: Section) -> str:
    return f"<section>\n<h2>{_escaped(section.title)}</h2>\n{_blocks(section.blocks)}\n</section>"


def _blocks(blocks: tuple[Block, ...]) -> str:
    return "\n".join(map(_block, blocks))


def _block(block: Block) -> str:
    match block:
        case Text(text, dim):
            return f'<p class="dim">{_escaped(text)}</p>' if dim else f"<p>{_escaped(text)}</p>"
        case Notice(text):
            return f'<p class="notice">{_escaped(text)}</p>'
        case Command(text):
            return f"<pre>{_escaped(text)}</pre>"
        case Tiles(items):
            tiles = (f"<div><b>{_escaped(figure)}</b><span>{_escaped(meaning)}</span></div>" for figure, meaning in items)
            return f'<div class="tiles">{"".join(tiles)}</div>'
        case Figure(drawing, caption):
            words = f"<figcaption>{_escaped(caption)}</figcaption>" if caption else ""
            return f'<figure style="width:{drawing.width:g}px">{drawing.svg()}{words}</figure>'
        case Row(blocks):
            return f'<div class="row">{_blocks(blocks)}</div>'
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    def kind(row: int, column: int) -> str:
        names = (["words"] if column in table.words else []) + (["strong"] if (row, column) in table.strong else [])
        return f' class="{" ".join(names)}"' if names else ""

    def swatch(row: int, column: int) -> str:
        if column or row >= len(table.swatches):
            return ""
        color = table.swatches[row]
        value = color if color.startswith("#") else f"var(--{color})"
        return f'<span class="swatch" style="background:{value}"></span>'

    head = "".join(f"<th{kind(-1, column)}>{_escaped(text)}</th>" for column, text in enumerate(table.head))
    lines = [
        "<tr>" + "".join(f"<td{kind(row, column)}>{swatch(row, column)}{_escaped(text)}</td>" for column, text in enumerate(cells))
        + "</tr>"
        for row, cells in enumerate(table.rows)
    ]  # fmt: skip
    top = f"<thead><tr>{head}</tr></thead>" if any(table.head) else ""
    return f'<div class="table"><table>{top}<tbody>{"".join(lines)}</tbody></table></div>'


def _escaped(text: str) -> str:
    """The text as HTML takes it; what is no character, or would turn the line around, becomes a question mark."""
    return escape(printable(text), quote=True)
