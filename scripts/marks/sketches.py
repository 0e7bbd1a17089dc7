"""Things as people sketch them with a few strokes: outlines with details.

The sketches lie beside this file, a line each: its name, then its strokes. A stroke is "x,y x,y …", a smooth way through points;
"- x,y x,y …", a way with corners; or "o x y across down [from to]", an ellipse or a part of one between two angles in degrees,
clockwise from the right. x runs to the right and y down, in any unit. What would be a digit without its details, or is one in
somebody's eye (a swan, a lollipop, an egg), is left out.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from nncore.arrays import Array
from scripts.marks.pen import Mark, arc, bent, inked, mark, smooth

Rng = np.random.Generator
Sketch = tuple[str, ...]

PEN = (2.0, 9.5)
"""Least and largest width of the pen in pixels: a wider one leaves nothing of the details."""
UNEVEN = 0.025
"""Standard deviation of how far a point is out of its place, as a share of the sketch's size."""
LEFT_OUT = 0.25
"""Where there are many, up to this share of the strokes after the first is left out."""


def sketched(sketch: Sketch, rng: Rng) -> Mark:
    """The sketch as some hand draws it, perhaps the other way round."""
    ways = [_way(stroke) for stroke in sketch]
    size = float(np.ptp(np.concatenate([points for points, _ in ways]), axis=0).max())
    spare = rng.permutation(np.arange(1, len(ways)))[: int(LEFT_OUT * (len(ways) - 2) * rng.random() + 0.5) if len(ways) > 3 else 0]
    strokes = []
    for number, (points, runs_smoothly) in enumerate(ways):
        if number in spare:
            continue
        moved = points + rng.normal(0, UNEVEN * size, points.shape if len(points) < 16 else (1, 2))
        if np.array_equal(points[0], points[-1]) and rng.random() < 0.8:
            moved[-1] = moved[0]
        strokes.append(smooth(moved) if runs_smoothly else moved)
    way = np.array([-1.0 if rng.random() < 0.5 else 1.0, 1.0])
    return mark(*(stroke * way for stroke in strokes))


def _way(stroke: str) -> tuple[Array, bool]:
    """The points (N, 2) of a stroke, and whether the pen runs smoothly through them."""
    kind, *rest = stroke.split()
    if kind == "o":
        return arc(*map(float, rest)), False
    pairs = rest if kind == "-" else [kind, *rest]
    return np.array([[float(each) for each in pair.split(",")] for pair in pairs]), kind != "-"


@cache
def named(which: str) -> dict[str, Sketch]:
    """The sketches that are "learned" or "held_out", by their names."""
    lines = (Path(__file__).parent / f"sketches_{which}.txt").read_text("utf-8").splitlines()
    return {
        name: tuple(stroke.strip() for stroke in strokes.split("|")) for name, strokes in (line.split(": ", 1) for line in lines)
    }


def sketch(which: str, rng: Rng) -> Array:
    """Ink of one of the sketches that are "learned" or "held_out", float32 (SIDE, SIDE)."""
    sketches, width = tuple(named(which).values()), float(np.exp(rng.uniform(*np.log(PEN))))
    return inked(bent(sketched(sketches[int(rng.integers(0, len(sketches)))], rng), rng), width)
