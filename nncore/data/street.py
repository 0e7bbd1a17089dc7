"""Digits drawn by code in the manner of SVHN: colour, a house's wall behind them, and parts of their neighbours at the sides."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array, Shape
from nncore.data.dataset import Dataset
from nncore.data.synthetic import Style, draw_digits, in_blocks, pixel_grid

SIDE = 32
STREET = Style(font_share=0.7, pen=(1.2, 3.0), wobble=0.02, aspect=(0.5, 1.05), slant=(0, 0.08), turn=0.06, warp=0.015, uneven=0.04)
LEAST_CONTRAST = 45
"""Least difference of brightness, out of 255, between a digit and the wall."""


def synthetic_street(split: str = "train", count: int | None = None, seed: int = 0) -> Dataset:
    """`count` coloured digits (10,000 for "train", 2,000 for "test" unless told), uint8 (count, 32, 32, 3), as many of each.

    Seeds, splits and errors are as in `synthetic`.
    """
    return in_blocks("synthetic-street", _draw, split, count, seed)


def _draw(labels: Array, rng: np.random.Generator) -> Array:
    count = len(labels)
    size = rng.uniform(20, 30, count)
    ink = _moved(draw_digits(labels, STREET, rng, SIDE, size), rng.integers(-2, 3, count), rng.integers(-2, 3, count))
    for side in (-1, 1):
        beside = np.flatnonzero(rng.random(count) < 0.6)
        others = draw_digits(rng.integers(0, 10, len(beside)), STREET, rng, SIDE, size[beside])
        down, right = rng.integers(-2, 3, len(beside)), side * rng.integers(16, 25, len(beside))
        ink[beside] = np.maximum(ink[beside], _moved(others, down, right))
    wall, paint = _colours(count, rng)
    picture = _blurred(wall + (paint - wall) * ink[..., None], rng) + _light(count, rng)
    picture += rng.standard_normal(picture.shape, np.float32) * _uniform(rng, 0, 6, (count, 1, 1, 1))
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _uniform(rng: np.random.Generator, low: float, high: float, shape: Shape) -> Array:
    return rng.uniform(low, high, shape).astype(np.float32)


def _moved(ink: Array, down: Array, right: Array) -> Array:
    """Each of the pictures (N, side, side) moved by whole pixels; what comes in from beyond is empty."""
    side = ink.shape[1]
    rows, columns = np.arange(side) - down[:, None], np.arange(side) - right[:, None]
    inside = ((rows >= 0) & (rows < side))[:, :, None] & ((columns >= 0) & (columns < side))[:, None, :]
    moved = ink[np.arange(len(ink))[:, None, None], rows.clip(0, side - 1)[:, :, None], columns.clip(0, side - 1)[:, None, :]]
    return moved * inside


def _colours(count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """A colour of the wall and one of the digits for each picture, float32 (N, 1, 1, 3), told apart by their brightness."""
    # Walls and numbers are mostly grey with a tint.
    wall, paint = (rng.uniform(20, 235, (count, 1)) + rng.normal(0, 14, (count, 3)) for _ in range(2))
    gap = paint.mean(axis=1) - wall.mean(axis=1)
    away = np.where(wall.mean(axis=1) < 128, 1, -1)
    short = np.abs(gap) < LEAST_CONTRAST
    paint = paint + (short * (away * rng.uniform(LEAST_CONTRAST, 120, count) - gap))[:, None]
    return wall[:, None, None].astype(np.float32), paint[:, None, None].astype(np.float32)


def _light(count: int, rng: np.random.Generator) -> Array:
    """Uneven light, float32 (N, side, side, 1): a slope and a slow wave, in steps of brightness."""
    place = pixel_grid(SIDE) / SIDE - np.float32(0.5)
    slope = place @ rng.normal(0, 20, (2, count)).astype(np.float32)
    wave = np.sin(place @ rng.normal(0, 8, (2, count)).astype(np.float32) + _uniform(rng, 0, 6.28, (count,)))
    return (slope + wave * _uniform(rng, 0, 14, (count,))).T.reshape(count, SIDE, SIDE, 1)


def _blurred(pictures: Array, rng: np.random.Generator) -> Array:
    """Each picture (N, side, side, 3) blurred, some more than others."""
    share = _uniform(rng, 0.1, 1, (len(pictures), 1, 1, 1))
    # A binomial filter of seven points along each side, as one small matrix; at the border the outermost pixel is repeated.
    matrix = np.zeros((SIDE, SIDE), np.float32)
    for offset, weight in zip(range(-3, 4), (1, 6, 15, 20, 15, 6, 1), strict=True):
        np.add.at(matrix, (np.arange(SIDE), np.clip(np.arange(SIDE) + offset, 0, SIDE - 1)), weight / 64)
    soft = matrix @ pictures.reshape(len(pictures), SIDE, -1)
    soft = matrix @ soft.reshape(-1, SIDE, 3)
    return pictures + share * (soft.reshape(pictures.shape) - pictures)
