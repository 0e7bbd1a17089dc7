"""Digits of odd hands, drawn by code: what a network that was trained on ordinary handwriting reads wrongly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from nncore.arrays import Array
from nncore.data.dataset import DIGITS, Dataset
from nncore.data.strokes import StrokeTable, stroke_table
from nncore.data.synthetic import pixel_grid
from nncore.vision.centring import centre_digit

SIDE = 60
"""Side of the sheet that a digit is drawn on, in pixels."""
_GRID = pixel_grid(SIDE)
LIGHTNING = np.array([(0.7, 0.0), (0.2, 0.5), (0.75, 0.5), (0.3, 1.0)])
SLASH = np.array([(0.95, 0.0), (0.05, 1.0)])
CROSS = np.array([(0.05, 0.0), (0.95, 1.0)])


@dataclass(frozen=True)
class OddStyle:
    """A way of writing some of the digits."""

    name: str
    points: Callable[[int, np.random.Generator], Array]
    """The way of the pen for a digit, float (points, 2), x to the right and y down, in any unit."""
    digits: Sequence[int] = range(10)
    pen: float = 2.8
    """Radius of the pen in pixels of the sheet."""

    def draw(self, count: int, seed: int) -> Dataset:
        """`count` digits as the recogniser sees them, as many of each as can be, fixed by the seed; uint8 (count, 28, 28, 1)."""
        rng = np.random.default_rng((seed, len(self.name)))
        labels = np.array([self.digits[n % len(self.digits)] for n in range(count)], np.int64)
        images = [centre_digit(_ink(self.points(int(label), rng), self.pen * rng.uniform(0.8, 1.25))) for label in labels]
        return Dataset(np.stack(images)[..., None], labels, self.name, f"drawn by code, {self.name}, seed {seed}", DIGITS)


def _ink(points: Array, pen: float) -> Array:
    """Round dots of the pen at the points, float (SIDE, SIDE) from 0 to 1; close together they are a stroke."""
    low, high = points.min(axis=0), points.max(axis=0)
    placed = (points - (low + high) / 2) * (0.8 * SIDE - 2 * pen) / float((high - low).max()) + SIDE / 2
    # |pixel − point|² less |pixel|², as one product.
    nearest = ((placed**2).sum(axis=1) - 2 * _GRID @ placed.T).min(axis=1)
    distance = np.sqrt(np.maximum(nearest + (_GRID**2).sum(axis=1), 0))
    return np.clip(pen - distance + 0.5, 0, 1).reshape(SIDE, SIDE)


@cache
def _table() -> StrokeTable:
    return stroke_table()


def _written(digit: int, rng: np.random.Generator) -> Array:
    """The way of an ordinary pen: one of the prototypes of a digit, its control points strayed, slanted and narrowed a little."""
    table = _table()
    row = rng.choice(np.flatnonzero(table.labels == digit))
    points = table.weights[row] @ (table.control[row] + rng.normal(0, 0.03, table.control[row].shape))
    return _moved(points, (rng.uniform(0.6, 0.9), -rng.normal(0.1, 0.1)), (0, 1))


def _moved(points: Array, x: tuple[float, float], y: tuple[float, float]) -> Array:
    """The points with (x, y) · `x` and (x, y) · `y` in place of x and y."""
    return points @ np.array([x, y]).T


def _line(corners: Array, rng: np.random.Generator, count: int = 48) -> Array:
    """Points along straight lines between corners that have strayed a little."""
    corners = corners + rng.normal(0, 0.04, corners.shape)
    at = np.linspace(0, len(corners) - 1, count)
    return np.stack([np.interp(at, np.arange(len(corners)), corners[:, axis]) for axis in (0, 1)], axis=1)


def _with_line(points: Array, corners: Array, rng: np.random.Generator) -> Array:
    """The points, and a line across them that runs a little beyond their box."""
    low, high = points.min(axis=0), points.max(axis=0)
    return np.concatenate([points, _line(low + (high - low) * (1.2 * corners - 0.1), rng)])


def _sideways(digit: int, rng: np.random.Generator) -> Array:
    return _moved(_written(digit, rng), (0, -1), (1, 0))


STYLES = (
    OddStyle("mirrored", lambda digit, rng: _moved(_written(digit, rng), (-1, 0), (0, 1))),
    OddStyle("very slanted", lambda digit, rng: _moved(_written(digit, rng), (1, -1.4), (0, 1))),
    OddStyle("made of dots", lambda digit, rng: _written(digit, rng)[::6], pen=2.5),
    OddStyle("lying on their side", _sideways),
    OddStyle("7s upside down", lambda digit, rng: _moved(_written(digit, rng), (-1, 0), (0, -1)), (7,)),
    OddStyle("4s like lightning", lambda digit, rng: _line(LIGHTNING, rng), (4,)),
    OddStyle("crossed 0s", lambda digit, rng: _with_line(_with_line(_written(digit, rng), SLASH, rng), CROSS, rng), (0,)),
    OddStyle("crossed out", lambda digit, rng: _with_line(_written(digit, rng), SLASH, rng)),
)
