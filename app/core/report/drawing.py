"""Drawing: a vector drawing (SVG) whose colours are named, so that the same drawing fits a light page, a dark one and paper."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable
from html import escape

import numpy as np
from PIL import Image

from app.colors import Colors
from nncore.arrays import Array
from nncore.files import printable

LETTER = 0.56
"""The width of a letter as a share of its size, on the average."""


class Drawing:
    """Shapes on a sheet of `width` × `height`, in pixels of a screen; later ones lie above earlier ones.

    A colour is `#rrggbb` or the name of one of the fields of Colors. Texts may be anything: they are escaped here.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        """`title` says what is drawn, for those who do not see it."""
        self.width, self.height, self.title = width, height, title
        self._parts: list[str] = []

    def svg(self, colors: Colors | None = None, font: str = "") -> str:
        """The drawing as SVG. Without `colors` they are left to the page's style sheet, as variables: `--accent` and so on."""
        family = f' font-family="{_quoted(font)}"' if font else ""
        text = (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img"{family} '
            f'aria-label="{_quoted(self.title)}" width="{self.width:g}" height="{self.height:g}" '
            f'viewBox="0 0 {self.width:g} {self.height:g}">{"".join(self._parts)}</svg>'
        )
        if colors is None:
            return text
        values = vars(colors)

        def plain(found: re.Match[str]) -> str:
            return " ".join(f'{what}="{values[name]}"' for what, name in re.findall(r"(\w+):var\(--(\w+)\)", found[0]))

        # Texts are escaped and so hold no quotation marks: what stands between two of them is ours.
        return re.sub(r'style="[^"]*"', plain, text)

    def line(self, x1: float, y1: float, x2: float, y2: float, color: str, width: float = 1, dash: str = "") -> None:
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {_paint(stroke=color)} '
            f'stroke-width="{width:g}"{dashed}/>'
        )

    def curve(self, x: Array, y: Array, color: str, width: float = 1.8, opacity: float = 1, dash: str = "") -> None:
        """A line through points; it is broken where a value is not finite."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        sound = np.isfinite(x) & np.isfinite(y)
        breaks = np.flatnonzero(~sound)
        for part_x, part_y in zip(np.split(x, breaks), np.split(y, breaks), strict=True):
            points = [(a, b) for a, b in zip(part_x, part_y, strict=True) if np.isfinite(a) and np.isfinite(b)]
            if len(points) == 1:
                self.dot(*points[0], color, width, opacity)
            elif points:
                places = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
                self._parts.append(
                    f'<polyline points="{places}" fill="none" {_paint(stroke=color)} stroke-width="{width:g}" '
                    f'stroke-opacity="{opacity:g}" stroke-linejoin="round" stroke-linecap="round"{dashed}/>'
                )

    def dot(self, x: float, y: float, color: str, radius: float = 2.5, opacity: float = 1) -> None:
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" {_paint(fill=color)} fill-opacity="{opacity:g}"/>')

    def box(
        self, x: float, y: float, width: float, height: float, color: str, opacity: float = 1, edge: str = "", radius: float = 2
    ) -> None:
        """A filled rectangle, with a thin line around it where `edge` names its colour."""
        border = ' stroke-width="1"' if edge else ""
        paint = _paint(fill=color, stroke=edge) if edge else _paint(fill=color)
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}" {paint} '
            f'fill-opacity="{opacity:.3g}"{border}/>'
        )

    def text(
        self, x: float, y: float, text: str, color: str = "text", size: float = 11, anchor: str = "start", bold: bool = False,
        turned: bool = False,
    ) -> None:  # fmt: skip
        """One line of text whose baseline begins at (x, y); `anchor` is start, middle or end. `turned`: it runs upwards."""
        weight = ' font-weight="600"' if bold else ""
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" {_paint(fill=color)}{weight}{turn}>'
            f"{_quoted(text)}</text>"
        )

    def picture(self, x: float, y: float, side: float, pixels: Array) -> None:
        """uint8 pixels (height, width, 1 or 3), as large as fits a square of `side`, each pixel a sharp little square."""
        height, width = pixels.shape[:2]
        scale = side / max(height, width)
        self._parts.append(
            f'<image x="{x:.1f}" y="{y:.1f}" width="{width * scale:.1f}" height="{height * scale:.1f}" '
            f'xlink:href="{png_uri(pixels, side)}"/>'
        )


def png_uri(pixels: Array, side: float) -> str:
    """uint8 pixels (height, width, 1 or 3) as a PNG in a data URI, enlarged to at least twice `side` by repeating each pixel."""
    times = max(1, -(-round(2 * side) // max(pixels.shape[:2])))
    large = pixels.repeat(times, axis=0).repeat(times, axis=1)
    content = io.BytesIO()
    Image.fromarray(large[..., 0] if large.shape[2] == 1 else large).save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


def elided(text: str, room: float, size: float = 11) -> str:
    """As much of the text as about fits into `room` pixels."""
    most = max(1, int(room / (LETTER * size)))
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def legend(drawing: Drawing, x: float, y: float, room: float, entries: Iterable[tuple[str, str]]) -> None:
    """Names with their colours in a row from (x, y), as (name, colour); where they need more than `room` pixels, cut short."""
    items = [*entries]
    needed = sum(len(name) * LETTER * 11 + 34 for name, _ in items)
    for name, color in items:
        text = name if needed <= room else elided(name, room / len(items) - 34)
        drawing.line(x, y - 4, x + 14, y - 4, color, 2.5)
        drawing.text(x + 19, y, text, "dim")
        x += 19 + len(text) * LETTER * 11 + 15


def _quoted(text: str) -> str:
    return escape(printable(text), quote=True)


def _paint(**colors: str) -> str:
    """Attributes that set `fill` or `stroke` to a colour."""
    fixed = [f'{what}="{color}"' for what, color in colors.items() if color.startswith("#")]
    named = [f"{what}:var(--{color})" for what, color in colors.items() if not color.startswith("#")]
    return " ".join(fixed + ([f'style="{";".join(named)}"'] if named else []))
