"""From ink to the 28×28 picture that a network trained on MNIST expects: scaled, weighted and placed as MNIST's digits were."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.vision.resample import resized

SIDE, BOX = 28, 20
FINE = 5
"""Strokes are made thicker or thinner on a grid this many times finer than the result's."""
THINNEST, THICKEST = 2.2, 3.4
"""Width of the pen, in pixels of the result, outside which strokes are mended; MNIST's own lie between 1.7 and 3.8 (90 %)."""


def ink_box(ink: Array, least: float = 0.3) -> tuple[slice, slice] | None:
    """The rows and columns that hold ink above `least` in ink (height, width); None where there is none."""
    there = ink > least
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def centre_digit(ink: Array) -> Array:
    """uint8 (28, 28) from ink (height, width), 0 to 1: its box scaled into 20×20, its centre of mass at the centre.

    Strokes much thinner or thicker than MNIST's are mended. All zero where there is no ink.
    """
    box = ink_box(ink)
    if box is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    return _placed(_scaled(_mended(_scaled(ink[box], BOX * FINE)), BOX))


def _scaled(ink: Array, longest: int) -> Array:
    """The ink (rows, columns) scaled in proportion, its longer side `longest` pixels, and its darkest part to 1."""
    scale = longest / max(ink.shape)
    size = tuple(max(1, round(length * scale)) for length in ink.shape)
    scaled = resized(ink, size)
    dark = scaled[scaled > 0.5 * scaled.max()]
    # The upper quartile. np.quantile takes longer than all else here.
    place = 3 * (len(dark) - 1) // 4
    full = np.partition(dark, place)[place] if len(dark) else 0
    return np.clip(scaled / max(float(full), 1e-6), 0, 1)


def stroke_width(ink: Array) -> float:
    """The pen's width in pixels of ink (rows, columns): twice the area over the length of the outline."""
    padded = np.pad(ink, 1)
    down, right = np.diff(padded, axis=0)[:, :-1], np.diff(padded, axis=1)[:-1]
    return 2 * float(ink.sum()) / max(float(np.sqrt(down * down + right * right).sum()), 1e-6)


def _mended(ink: Array) -> Array:
    """The fine ink (rows, columns) with its strokes brought between THINNEST and THICKEST, cropped to its box again."""
    width = stroke_width(ink) / FINE
    wanted = min(max(width, THINNEST), THICKEST)
    passes = round((wanted - width) * FINE / 2)
    if passes == 0:
        return ink
    ink = np.pad(ink, abs(passes) + 1)
    for turn in range(abs(passes)):
        # A cross and a square by turns grow a point to an octagon, nearly round.
        ink = _grown(ink, turn % 2 == 1) if passes > 0 else 1 - _grown(1 - ink, turn % 2 == 1)
    box = ink_box(ink)
    return ink if box is None else ink[box]


def _grown(ink: Array, square: bool) -> Array:
    """Each pixel becomes the largest of itself and its four (or, for a square, eight) neighbours."""
    columns = ink.copy()
    np.maximum(columns[:, 1:], ink[:, :-1], out=columns[:, 1:])
    np.maximum(columns[:, :-1], ink[:, 1:], out=columns[:, :-1])
    above = columns if square else ink
    grown = columns.copy()
    np.maximum(grown[1:], above[:-1], out=grown[1:])
    np.maximum(grown[:-1], above[1:], out=grown[:-1])
    return grown


def _placed(ink: Array) -> Array:
    """uint8 (28, 28) with the ink (at most 20×20) moved by whole pixels so that it balances at the centre."""
    rows, columns = ink.shape
    mass = float(ink.sum())
    # MNIST's digits balance on pixel 14, not between 13 and 14.
    top = round(SIDE / 2 - float(ink.sum(axis=1) @ np.arange(rows)) / mass)
    left = round(SIDE / 2 - float(ink.sum(axis=0) @ np.arange(columns)) / mass)
    top, left = min(max(top, 0), SIDE - rows), min(max(left, 0), SIDE - columns)
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + rows, left : left + columns] = np.round(ink * 255)
    return image
