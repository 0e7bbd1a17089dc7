"""Strokes of a pen, bent at random, as ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, gaussian_filter

from nncore.arrays import Array

SIDE, MARGIN = 96, 11
"""Of the sheet in pixels; the strokes lie within the margin."""
PEN = (2.7, 16.0)
"""Least and largest width of the pen in pixels."""
STEP = 0.04
"""Longest straight part of a bent stroke, as a share of the drawing's size."""


@dataclass(frozen=True, eq=False)
class Mark:
    """Something drawn with a pen. x runs to the right and y down, in any unit."""

    strokes: tuple[Array, ...]
    """float (points, 2) each: x and y along the way of the pen"""
    filled: tuple[Array, ...] = ()
    """Outlines, likewise, of what is filled with ink."""


def mark(*strokes: Sequence[Sequence[float]] | Array, filled: Sequence[Array] = ()) -> Mark:
    """A mark of these strokes."""
    return Mark(tuple(np.asarray(each, float) for each in strokes), tuple(np.asarray(each, float) for each in filled))


def arc(x: float, y: float, across: float, down: float, start: float = 0.0, end: float = 360.0, points: int = 32) -> Array:
    """Points (points, 2) of a part of an ellipse around (x, y) with those radii, from one angle in degrees to the other."""
    angles = np.radians(np.linspace(start, end, points))
    return np.stack([x + across * np.cos(angles), y + down * np.sin(angles)], axis=1)


def smooth(points: Sequence[Sequence[float]] | Array, steps: int = 12) -> Array:
    """A smooth curve (many, 2) through the points (N, 2)."""
    known = np.asarray(points, float)
    padded = np.concatenate([known[:1], known, known[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    parts = []
    for one, two, three, four in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        square, cubic = 2 * one - 5 * two + 4 * three - four, 3 * two - one - 3 * three + four
        parts.append((2 * two + (three - one) * t + square * t**2 + cubic * t**3) / 2)
    return np.concatenate([*parts, known[-1:]])


def bent(drawn: Mark, rng: np.random.Generator, warp: float = 0.035, turn: float = 0.13, slant: float = 0.15) -> Mark:
    """The mark as a hand would draw it: within a unit square around 0, waved, made narrower, slanted and turned at random."""
    every = np.concatenate([*drawn.strokes, *drawn.filled])
    low, high = every.min(axis=0), every.max(axis=0)
    scale, middle = 1 / max(float((high - low).max()), 1e-6), (low + high) / 2
    frequency, phase = rng.normal(0, 4.0, (3, 2)), rng.uniform(0, 2 * np.pi, 3)
    push = rng.normal(0, warp, (3, 2))
    angle, shear, aspect = rng.normal(0, turn), rng.normal(0, slant), np.exp(rng.normal(0, 0.15))
    turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    linear = np.diag([aspect, 1.0]) @ np.array([[1, 0], [-shear, 1]]) @ turned

    def placed(points: Array) -> Array:
        fine = _finer((points - middle) * scale)
        return (fine + np.sin(fine @ frequency.T + phase) @ push) @ linear

    return Mark(tuple(map(placed, drawn.strokes)), tuple(map(placed, drawn.filled)))


def _finer(points: Array) -> Array:
    """The same way in parts of at most STEP."""
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    places = np.interp(np.linspace(0, lengths[-1], max(2, round(lengths[-1] / STEP))), lengths, np.arange(len(points)))
    places = np.union1d(places, np.arange(len(points)))
    below = np.minimum(places.astype(int), max(len(points) - 2, 0))
    part = (places - below)[:, None]
    return points[below] * (1 - part) + points[np.minimum(below + 1, len(points) - 1)] * part


def inked(drawn: Mark, width: float) -> Array:
    """The mark drawn with a round pen of that width in pixels: ink, float32 (SIDE, SIDE), 0 to 1."""
    every = np.concatenate([*drawn.strokes, *drawn.filled])
    low, high = every.min(axis=0), every.max(axis=0)
    scale = (SIDE - 2 * MARGIN) / max(float((high - low).max()), 1e-6)
    shift = SIDE / 2 - scale * (low + high) / 2
    sheet = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(sheet)
    for outline in drawn.filled:
        draw.polygon([tuple(point) for point in outline * scale + shift], fill=255)
    for stroke in drawn.strokes:
        draw.line([tuple(point) for point in stroke * scale + shift], fill=255)
    distance = distance_transform_edt(np.asarray(sheet) == 0)
    return np.clip(width / 2 + 0.5 - distance, 0, 1).astype(np.float32)


def some_width(rng: np.random.Generator) -> float:
    """The width of some pen in pixels."""
    return float(np.exp(rng.uniform(*np.log(PEN))))


def worn(ink: Array, rng: np.random.Generator) -> Array:
    """The ink (rows, columns) as half of all pictures show it: out of focus, uneven, with gaps."""
    if rng.random() < 0.5:
        return ink
    ink = gaussian_filter(ink, rng.uniform(0.2, 2.0))
    if rng.random() < 0.3:
        grain = gaussian_filter(rng.normal(0, 1, ink.shape), rng.uniform(0.7, 2.0))
        ink = ink * (grain / grain.std() > rng.uniform(-2.5, -1.2))
    return np.clip(ink * rng.uniform(0.9, 1.6), 0, 1).astype(np.float32)
