"""Pages of digits, as a camera or a scanner shows them, and the pieces of ink that are found in a picture.

Pieces that hang together are found as `see_page` finds them; which belong together is not asked, which takes most of its time.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from nncore.arrays import Array
from nncore.vision import centre_digit, ink_map
from nncore.vision.centring import ink_box
from nncore.vision.pieces import find_pieces
from nncore.vision.resample import resized

Rng = np.random.Generator
Box = tuple[int, int, int, int]

SPECK = 8
"""Pixels of the least height of a piece, and of twice its width."""
OVERLAP = 0.6
"""What is found counts as a digit that was written where so much of the two boxes' union is common to both."""


def page(inks: list[Array], rng: Rng) -> tuple[Array, list[Box]]:
    """uint8 (rows, columns, 3): the digits, ink (rows, columns) each, in lines on paper, and their boxes (x, y, width, height)."""
    height = int(rng.integers(22, 64))
    gap, leading = rng.uniform(0.3, 1.0) * height, rng.uniform(1.5, 2.2) * height
    across = int(rng.integers(3, 9))
    lines = -(-len(inks) // across)
    sheet = np.zeros((round(height * 2 + lines * leading), round(across * (height * 1.2 + gap) + 2 * height)), np.float32)
    boxes: list[Box] = []
    for line in range(lines):
        left = height
        for ink in inks[line * across : (line + 1) * across]:
            there = ink_box(ink)
            if there is None:
                boxes.append((0, 0, 0, 0))
                continue
            shape = ink[there]
            tall = max(8, round(height * rng.uniform(0.85, 1.1)))
            shape = resized(shape, (tall, max(3, min(round(shape.shape[1] * tall / len(shape)), round(1.2 * height)))))
            top = round(height + line * leading + rng.normal(0, 0.06 * height))
            place = sheet[top : top + shape.shape[0], left : left + shape.shape[1]]
            np.maximum(place, shape[: place.shape[0], : place.shape[1]], out=place)
            boxes.append((left, top, shape.shape[1], shape.shape[0]))
            left += shape.shape[1] + round(gap * rng.uniform(0.8, 1.2))
    paper, pen = rng.uniform(170, 250, 3), rng.uniform(10, 90, 3)
    picture = np.broadcast_to(paper, (*sheet.shape, 3)).astype(np.float32)
    if rng.random() < 0.35:
        picture = _ruled(picture, round(leading / rng.integers(1, 3)), rng)
    ink = np.clip(gaussian_filter(sheet, rng.uniform(0, 1.0)) * rng.uniform(0.8, 1.2), 0, 1)[..., None]
    picture = picture * (1 - ink) + pen * ink
    down, right = np.indices(sheet.shape, np.float32) / max(sheet.shape)
    light = 1 + rng.normal(0, 0.2) * down + rng.normal(0, 0.2) * right
    picture = picture * np.clip(light, 0.4, 1.3)[..., None] + rng.normal(0, rng.uniform(0, 7), picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8), boxes


def _ruled(picture: Array, spacing: int, rng: Rng) -> Array:
    """Lines of a faint colour every `spacing` pixels, across them too on squared paper."""
    picture, colour = picture.copy(), rng.uniform(110, 190, 3)
    start = int(rng.integers(0, spacing))
    picture[start::spacing] = colour
    if rng.random() < 0.4:
        picture[:, start::spacing] = colour
    return picture


def pieces(picture: Array) -> list[tuple[Box, Array]]:
    """The pieces of ink in a uint8 picture (rows, columns, 1 or 3) that are no specks: box, and uint8 (28, 28, 1)."""
    found = find_pieces(ink_map(picture))
    fair = [n for n in range(1, len(found) + 1) if min(found.heights[n], 2 * found.widths[n]) >= SPECK]
    boxes = [found.box([n]) for n in fair]
    return [
        ((left, top, right - left, bottom - top), centre_digit(found.crop([n]))[..., None])
        for n, (top, left, bottom, right) in zip(fair, boxes, strict=True)
    ]


def cut_out(inks: list[Array], labels: Array, rng: Rng) -> tuple[list[Array], list[int]]:
    """The digits of a page of them as they are found on it, uint8 (28, 28, 1), and which they are."""
    picture, boxes = page(inks, rng)
    found, which = [], []
    for place, image in pieces(picture):
        shares = [_common(place, box) for box in boxes]
        if max(shares) > OVERLAP:
            found.append(image)
            which.append(int(labels[int(np.argmax(shares))]))
    return found, which


def _common(one: Box, other: Box) -> float:
    """The part of the two boxes' union that is common to both."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(wide, 0) * max(high, 0)
    return common / (one[2] * one[3] + other[2] * other[3] - common)
