"""Digits drawn by code: endless labelled data that needs no download, has no licence to mind, and is fixed by its seed.

Each digit is written with a pen (`strokes.py`) or set in type (Pillow's own font), bent, slanted, turned and scaled at
random, drawn anti-aliased by its distance field, and placed as MNIST's digits were: in a box of 20×20, its centre of
mass at the centre of 28×28. A small network trained on 20,000 of them reads about 95 % of MNIST's test digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from nncore.arrays import Array
from nncore.data.dataset import Dataset
from nncore.data.fonts import FONT_SIDE, font_fields, font_outlines
from nncore.data.hands import FOREIGN_PROTOTYPES
from nncore.data.strokes import PROTOTYPES, StrokeTable, stroke_table
from nncore.errors import ConfigError, DataError

SIDE, BOX = 28, 20
BLOCK = 250
"""Images are drawn this many at a time from a random stream of their own, 25 of each digit, so an image of a seed does
not depend on how many are asked for."""

STREAMS = {"train": 0, "test": 1}
COUNTS = {"train": 10_000, "test": 2_000}
MOST = 1_000_000


@dataclass(frozen=True)
class Style:
    """The ranges within which digits vary. Lengths are in pixels of the image, angles in radians."""

    foreign: bool = False
    """Whether strokes follow FOREIGN_PROTOTYPES (`hands.py`)."""
    font_share: float = 0.1
    pen: tuple[float, float] = (0.75, 2.0)
    """Radius of the pen."""
    wobble: float = 0.04
    """How far each control point of a stroke strays, as a share of the digit's height (standard deviation)."""
    aspect: tuple[float, float] = (0.4, 1.1)
    """Width over height."""
    slant: tuple[float, float] = (0.15, 0.3)
    """Mean and standard deviation of the shear to the right."""
    turn: float = 0.14
    """Standard deviation of the rotation."""
    warp: float = 0.05
    """How far the elastic warp moves a point, as a share of half the digit's height."""
    uneven: float = 0.14
    """How much one half of the digit grows at the cost of the other (standard deviation)."""


HANDWRITING = Style()
FOREIGN = Style(foreign=True, font_share=0.15, pen=(0.7, 2.1), aspect=(0.45, 1.2), slant=(0.08, 0.18), turn=0.1, uneven=0.1)


def synthetic(split: str = "train", count: int | None = None, seed: int = 0) -> Dataset:
    """`count` digits (10,000 for "train", 2,000 for "test" unless told), uint8 (count, 28, 28, 1), as many of each digit.

    The same split and seed give the same bytes; a larger count begins with the same images. The splits share none.
    Raises DataError where there is no such split, ConfigError where the count makes no sense.
    """
    return in_blocks("synthetic", lambda labels, rng: centre(draw_digits(labels, HANDWRITING, rng)), split, count, seed)


def foreign_digits(split: str = "train", count: int | None = None, seed: int = 0) -> Dataset:
    """Digits as `synthetic`, as other hands than MNIST's are taught (`hands.py`): slashed 0s, 1s with a flag, crossed 7s."""
    return in_blocks("synthetic-foreign", lambda labels, rng: centre(draw_digits(labels, FOREIGN, rng)), split, count, seed)


def in_blocks(name: str, draw: Callable[[Array, np.random.Generator], Array], split: str, count: int | None, seed: int) -> Dataset:
    """A dataset whose images `draw` makes, BLOCK at a time, from their labels and a random stream that is the block's own.

    Raises DataError where there is no such split, ConfigError where the count makes no sense.
    """
    if split not in STREAMS:
        raise DataError(f'The synthetic digits have the splits "train" and "test", not "{split}".')
    count = COUNTS[split] if count is None else count
    if not 1 <= count <= MOST or seed < 0:
        raise ConfigError(
            f"Synthetic digits come 1 to {MOST:,} at a time with a seed of at least 0, not {count:,} with seed {seed}."
        )
    images, labels = [], []
    for block in range(-(-count // BLOCK)):
        rng = np.random.default_rng([seed, STREAMS[split], block])
        labels.append(rng.permutation(np.arange(BLOCK) % 10))
        images.append(draw(labels[-1], rng))
    return Dataset(np.concatenate(images)[:count], np.concatenate(labels)[:count], name, f"drawn by code, {split}, seed {seed}")


def draw_digits(labels: Array, style: Style, rng: np.random.Generator, side: int = BOX, size: Array | float = BOX) -> Array:
    """Digits as ink, float32 (N, side, side) from 0 to 1; each fills, in its longer direction, `size` pixels around the centre."""
    labels = np.asarray(labels)
    ink = np.empty((len(labels), side, side), np.float32)
    bend = _random_bend(len(labels), style, rng)
    radius = _log_uniform(rng, *style.pen, len(labels))
    softness = rng.uniform(0.9, 1.5, len(labels)).astype(np.float32)
    size = np.broadcast_to(np.asarray(size, np.float32), len(labels))
    typed = rng.random(len(labels)) < style.font_share
    if len(pen := np.flatnonzero(~typed)):
        points, pressure = _write(labels[pen], bend.of(pen), style, rng)
        ink[pen] = _draw_strokes(points, pressure, radius[pen], softness[pen], size[pen], side)
    if len(type_ := np.flatnonzero(typed)):
        ink[type_] = _draw_type(labels[type_], bend.of(type_), radius[type_], softness[type_], size[type_], side)
    return ink


def centre(ink: Array) -> Array:
    """Place ink (N, box, box) into uint8 (N, 28, 28, 1), moved by whole pixels so that its centre of mass is at the centre."""
    box = ink.shape[1]
    mass = ink.sum(axis=(1, 2)) + np.float32(1e-6)
    places = np.arange(box, dtype=np.float32)
    # MNIST's digits balance on pixel 14, not between 13 and 14.
    down = np.clip(np.round(SIDE / 2 - ink.sum(axis=2) @ places / mass), 0, SIDE - box).astype(int)
    right = np.clip(np.round(SIDE / 2 - ink.sum(axis=1) @ places / mass), 0, SIDE - box).astype(int)
    images = np.zeros((len(ink), SIDE, SIDE, 1), np.uint8)
    rows = down[:, None] + np.arange(box)
    columns = right[:, None] + np.arange(box)
    images[np.arange(len(ink))[:, None, None], rows[:, :, None], columns[:, None, :], 0] = np.round(ink * 255)
    return images


@dataclass(frozen=True)
class _Bend:
    """How each of N digits is bent: one half grown, a sum of a few waves, then a linear map, on points from −1 to 1."""

    linear: Array
    """(N, 2, 2), applied to (x, y) from the right"""
    frequency: Array
    """(N, waves, 2)"""
    phase: Array
    """(N, waves)"""
    push: Array
    """(N, waves, 2)"""
    uneven: Array
    """(N, 1, 2): how much wider the lower half is than the upper, and how far the waist sinks"""

    def of(self, chosen: Array) -> _Bend:
        return _Bend(self.linear[chosen], self.frequency[chosen], self.phase[chosen], self.push[chosen], self.uneven[chosen])

    def warp(self, points: Array) -> Array:
        """How far each of the points (N, P, 2) moves before the linear map."""
        x, y = points[..., :1], points[..., 1:]
        waves = np.sin(points @ self.frequency.transpose(0, 2, 1) + self.phase[:, None]) @ self.push
        return waves + self.uneven * np.concatenate([x * y, np.clip(1 - y * y, 0, 1)], axis=2)

    def forward(self, points: Array) -> Array:
        """Where the points (N, P, 2) go."""
        return (points + self.warp(points)) @ self.linear

    def backward(self, points: Array) -> Array:
        """Where the points (N, P, 2) came from, all but exactly: the warp is small and smooth."""
        straight = points @ np.linalg.inv(self.linear)
        return straight - self.warp(straight)


def _random_bend(count: int, style: Style, rng: np.random.Generator, waves: int = 3) -> _Bend:
    aspect = rng.uniform(*style.aspect, count)
    slant = np.clip(rng.normal(*style.slant, count), -0.5, 1.0)
    turn = np.clip(rng.normal(0, style.turn, count), -0.4, 0.4)
    scale = np.zeros((count, 2, 2))
    scale[:, 0, 0], scale[:, 1, 1] = aspect, 1
    shear = np.tile(np.eye(2), (count, 1, 1))
    shear[:, 1, 0] = -slant  # y runs down: what is higher moves to the right
    rotation = np.stack([np.cos(turn), np.sin(turn), -np.sin(turn), np.cos(turn)], axis=-1).reshape(-1, 2, 2)
    return _Bend(
        (scale @ shear @ rotation).astype(np.float32),
        rng.normal(0, 1.8, (count, waves, 2)).astype(np.float32),
        rng.uniform(0, 2 * np.pi, (count, waves)).astype(np.float32),
        rng.normal(0, style.warp, (count, waves, 2)).astype(np.float32),
        np.clip(rng.normal(0, style.uneven, (count, 1, 2)), -0.4, 0.4).astype(np.float32),
    )


def _log_uniform(rng: np.random.Generator, low: float, high: float, count: int) -> Array:
    return np.exp(rng.uniform(np.log(low), np.log(high), count)).astype(np.float32)


@cache
def _strokes(foreign: bool) -> tuple[StrokeTable, list[Array]]:
    """The table of strokes and, for each digit, the rows of its prototypes."""
    table = stroke_table(FOREIGN_PROTOTYPES if foreign else PROTOTYPES)
    return table, [np.flatnonzero(table.labels == digit) for digit in range(10)]


def _fit(points: Array, margin: Array, size: Array, side: int) -> tuple[Array, Array]:
    """Scale (N) and shift (N, 1, 2) that bring points (N, P, 2), plus a margin in pixels, into the box of `size` at the centre."""
    low, high = points.min(axis=1), points.max(axis=1)
    scale = np.maximum(size - 2 * margin, 2) / np.maximum((high - low).max(axis=1), 1e-3)
    return scale, (side - 1) / 2 - (scale[:, None] * (low + high) / 2)[:, None]


def _write(labels: Array, bend: _Bend, style: Style, rng: np.random.Generator) -> tuple[Array, Array]:
    """The pen's way (N, P, 2) for each label, and how hard it is pressed there (N, P), about 1."""
    table, rows = _strokes(style.foreign)
    chosen = np.array([rows[label][int(p * len(rows[label]))] for label, p in zip(labels, rng.random(len(labels)), strict=True)])
    control = table.control[chosen] + rng.normal(0, style.wobble, (len(labels), *table.control.shape[1:])).astype(np.float32)
    points = bend.forward(table.weights[chosen] @ (2 * control - 1))
    phase, depth = rng.uniform(0, 2 * np.pi, (len(labels), 1)), rng.uniform(0, 0.25, (len(labels), 1))
    return points, 1 + depth * np.sin(np.linspace(0, 5, points.shape[1]) + phase)


def _draw_strokes(points: Array, pressure: Array, radius: Array, softness: Array, size: Array, side: int) -> Array:
    """Digits written with a pen along the points: ink (N, side, side), full within the radius, then sloping over `softness`."""
    scale, shift = _fit(points, radius, size, side)
    distance = _nearest(points * scale[:, None, None] + shift, (1 / pressure**2).astype(np.float32), side)
    return np.clip((radius[:, None, None] - distance) / softness[:, None, None] + np.float32(0.5), 0, 1)


def _nearest(points: Array, weight: Array, side: int, at_once: int = 25) -> Array:
    """Distance (N, side, side) from each pixel to the nearest of its image's points (N, P, 2), squares weighted by (N, P)."""
    grid = pixel_grid(side)
    # |pixel − point|² as one matrix product: (|point|², −2x, −2y, 1) · (1, x, y, |pixel|²).
    pixels = np.concatenate([np.ones((len(grid), 1)), grid, (grid**2).sum(axis=1, keepdims=True)], axis=1).astype(np.float32).T
    terms = np.concatenate(
        [(points**2).sum(axis=2, keepdims=True), -2 * points, np.ones((*points.shape[:2], 1), points.dtype)], axis=2
    )
    terms = (terms * weight[..., None]).astype(np.float32)
    nearest = np.empty((len(points), len(grid)), np.float32)
    for start in range(0, len(points), at_once):  # a few at a time stay in the cache
        nearest[start : start + at_once] = (terms[start : start + at_once] @ pixels).min(axis=1)
    return np.sqrt(np.maximum(nearest, 0)).reshape(-1, side, side)


def pixel_grid(side: int) -> Array:
    """x and y of each pixel of a square picture, float32 (side², 2)."""
    rows, columns = np.divmod(np.arange(side * side), side)
    return np.stack([columns, rows], axis=1).astype(np.float32)


def _draw_type(labels: Array, bend: _Bend, radius: Array, softness: Array, size: Array, side: int) -> Array:
    """Digits set in type, thinned or thickened towards the pen's radius: ink (N, side, side)."""
    outline = bend.forward(font_outlines()[labels])
    scale, shift = _fit(outline, np.zeros(len(labels), np.float32), size, side)
    grid = (pixel_grid(side)[None] - shift) / scale[:, None, None]
    places = (bend.backward(grid.astype(np.float32)) + 1) * np.float32((FONT_SIDE - 1) / 2)
    places = np.clip(places, 0, FONT_SIDE - 1.001)
    whole = places.astype(np.int32)
    part = places - whole.astype(np.float32)
    fields = font_fields()[labels].reshape(len(labels), -1)
    at = whole[..., 1] * FONT_SIDE + whole[..., 0]
    corners = [np.take_along_axis(fields, at + step, axis=1) for step in (0, 1, FONT_SIDE, FONT_SIDE + 1)]
    above = corners[0] * (1 - part[..., 0]) + corners[1] * part[..., 0]
    below = corners[2] * (1 - part[..., 0]) + corners[3] * part[..., 0]
    # The field counts in pixels of the font's picture, positive inside; here it is wanted in pixels of the image, from the edge.
    depth = (above * (1 - part[..., 1]) + below * part[..., 1]) * (scale * 2 / (FONT_SIDE - 1))[:, None]
    heavier = np.clip(radius - 1.3, -0.4, 0.6)
    return np.clip((depth + heavier[:, None]) / softness[:, None] + 0.5, 0, 1).reshape(-1, side, side).astype(np.float32)
