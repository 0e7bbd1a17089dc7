"""What is no digit although it is made of digits, of noise, or of something photographed."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, gaussian_filter, label, rotate

from nncore.arrays import Array
from nncore.vision.resample import resized
from scripts.marks.doodles import DOODLES
from scripts.marks.pen import SIDE, arc, bent, inked, smooth, some_width

Rng = np.random.Generator

OUTSIDE = 40
"""Pixels around a digit for what is added to it."""


def broken(ink: Array, rng: Rng) -> Array:
    """A part of a digit's ink (rows, columns), or the digit turned or mirrored; it may still look like one."""
    rows, columns = ink.shape
    kind = int(rng.integers(0, 4))
    if kind == 0:
        return ink[: round(rows * rng.uniform(0.45, 0.6))]
    if kind == 1:
        return ink[:, : round(columns * rng.uniform(0.45, 0.6))]
    if kind == 2:
        return ink[:, ::-1]
    return np.asarray(rotate(ink, float(rng.choice([70, 90, 110, -70, -90, -110])), order=1), np.float32).clip(0, 1)


def joined(one: Array, other: Array, rng: Rng) -> Array:
    """The ink of two digits, each (rows, columns) of the same height, beside each other, so that they touch."""
    one, other = (each[:, np.flatnonzero((each > 0.3).any(axis=0))] for each in (one, other))
    overlap = int(rng.integers(0, max(1, min(one.shape[1], other.shape[1]) // 4)))
    both = np.zeros((len(one), one.shape[1] + other.shape[1] - overlap), np.float32)
    both[:, : one.shape[1]] = one
    both[:, one.shape[1] - overlap :] = np.maximum(both[:, one.shape[1] - overlap :], other)
    return both


def overdrawn(ink: Array, strokes: int, rng: Rng) -> Array:
    """The ink of a digit (rows, columns) to which so many strokes were added: stems and loops that stick out, dots, scratches."""
    ink = np.pad(ink, OUTSIDE)
    there = np.argwhere(ink > 0.5)
    if not len(there):
        return ink
    low, high = there.min(axis=0)[::-1].astype(float), there.max(axis=0)[::-1].astype(float)
    middle, size = (low + high) / 2, float((high - low).max())
    sheet = Image.new("L", ink.shape[::-1])
    draw = ImageDraw.Draw(sheet)
    for _ in range(strokes):
        start = there[int(rng.integers(0, len(there)))][::-1].astype(float)
        angle, kind = rng.uniform(0, 2 * np.pi), rng.random()
        out = np.array([np.cos(angle), np.sin(angle)])
        edge = middle + out * np.maximum((high - low) / 2, 0.2 * size)
        if kind < 0.45:
            end = edge + out * rng.uniform(0.2, 0.5) * size
            way = smooth([start, (start + end) / 2 + rng.normal(0, 0.08 * size, 2), end])
        elif kind < 0.75:
            across, down = rng.uniform(0.08, 0.28, 2) * size
            way = arc(*(edge + out * rng.uniform(0, 0.2) * size), across, down, 0, rng.choice([180, 360]))
        elif kind < 0.9:
            way = middle + (high - low) * rng.uniform(-0.65, 0.65, (int(rng.integers(3, 7)), 2))
        else:
            way = arc(*(edge + out * 0.15 * size), 1, 1)
        draw.line([tuple(point) for point in way], fill=255)
    width = 1.6 * float(distance_transform_edt(ink > 0.5).max()) * rng.uniform(0.7, 1.2)
    added = np.clip(width / 2 + 0.5 - distance_transform_edt(np.asarray(sheet) == 0), 0, 1)
    return np.maximum(ink, added).astype(np.float32)


def noise(rng: Rng) -> Array:
    """The ink of noise, float32 (rows, columns): all of it, or one piece."""
    rows, columns = rng.integers(20, 60, 2)
    grain = gaussian_filter(rng.normal(0, 1, (rows, columns)), rng.uniform(0, 3.5))
    ink = (grain > np.quantile(grain, rng.uniform(0.4, 0.9))).astype(np.float32)
    if rng.random() < 0.6:
        numbers, count = label(ink, np.ones((3, 3)))
        sizes = np.bincount(numbers.ravel(), minlength=count + 1)[1:]
        ink = (numbers == 1 + int(np.argsort(sizes)[-int(rng.integers(1, min(4, count + 1)))])).astype(np.float32)
    return resized(ink, (3 * ink.shape[0], 3 * ink.shape[1]))


def texture(rng: Rng) -> Array:
    """The ink of something with a pattern: stripes, checks, dots."""
    rows, columns = np.indices((SIDE, SIDE)) / SIDE
    angle, often = rng.uniform(0, np.pi), rng.uniform(2, 9)
    along, across = rows * np.cos(angle) + columns * np.sin(angle), columns * np.cos(angle) - rows * np.sin(angle)
    one, other = (np.sin(2 * np.pi * often * each + rng.uniform(0, 6)) for each in (along, across))
    pattern = (one, one * other, np.minimum(one, other))[int(rng.integers(0, 3))]
    round_ = (rows - 0.5) ** 2 + (columns - 0.5) ** 2 < rng.uniform(0.1, 0.5) ** 2
    return ((pattern > rng.uniform(-0.3, 0.5)) & round_).astype(np.float32)


def photo(rng: Rng) -> Array:
    """A picture with shapes, shades and textures in it as a photograph has: uint8 (rows, columns, 3)."""
    rows, columns = (int(each) for each in rng.integers(80, 220, 2))
    picture = np.empty((rows, columns, 3), np.float32)
    down, right = np.indices((rows, columns)) / max(rows, columns)
    picture[:] = rng.uniform(20, 235, 3) + (down * rng.normal(0, 90) + right * rng.normal(0, 90))[..., None]
    for _ in range(int(rng.integers(2, 14))):
        inside = _shape(rows, columns, rng)
        soft = gaussian_filter(inside.astype(np.float32), rng.uniform(0.5, 6))[..., None]
        shade = rng.uniform(0, 255, 3) + (down * rng.normal(0, 120) + right * rng.normal(0, 120))[..., None]
        if rng.random() < 0.4:
            grain = gaussian_filter(rng.normal(0, 1, (rows, columns)), rng.uniform(0.5, 4))
            shade = shade + grain[..., None] * rng.uniform(20, 200)
        picture = picture * (1 - soft) + shade * soft
    cloud = sum(gaussian_filter(rng.normal(0, 1, (rows, columns)), 2.0**scale) * 2.0**scale for scale in range(6))
    picture += cloud[..., None] * rng.uniform(0, 14) + rng.normal(0, rng.uniform(0, 8), picture.shape)
    return np.clip(gaussian_filter(picture, (*[rng.uniform(0, 1.5)] * 2, 0)), 0, 255).astype(np.uint8)


def _shape(rows: int, columns: int, rng: Rng) -> Array:
    """Where something lies in a picture: bool (rows, columns)."""
    size = round(rng.uniform(0.1, 0.8) * min(rows, columns))
    doodle = DOODLES[int(rng.integers(0, len(DOODLES)))]
    ink = resized(inked(bent(doodle(rng), rng), some_width(rng) * rng.uniform(0.5, 2)), (size, size)) > 0.5
    if rng.random() < 0.5:
        ink = np.maximum.accumulate(ink, axis=0) & np.maximum.accumulate(ink[::-1], axis=0)[::-1]
    there = np.zeros((rows, columns), bool)
    top, left = int(rng.integers(-size // 2, rows - size // 2)), int(rng.integers(-size // 2, columns - size // 2))
    from_row, from_column = max(top, 0), max(left, 0)
    part = ink[from_row - top : rows - top, from_column - left : columns - left]
    there[from_row : from_row + part.shape[0], from_column : from_column + part.shape[1]] = part
    return there
