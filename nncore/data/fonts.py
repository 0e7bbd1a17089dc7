"""The ten digits of Pillow's own font, as distance fields, so that they can be bent, thinned and thickened when drawn."""

from __future__ import annotations

from functools import cache

import numpy as np

from nncore.arrays import Array

FONT_SIDE = 64
MARGIN = 12
"""Pixels around each digit, so that a thickened one still fits into the field."""


@cache
def font_fields() -> Array:
    """float32 (10, FONT_SIDE, FONT_SIDE): how far inside the digit's outline each pixel lies, in pixels; negative outside."""
    return np.stack([_signed_distance(glyph) for glyph in _glyphs()])


@cache
def font_outlines(points: int = 64) -> Array:
    """float32 (10, points, 2): x and y, −1 to 1 across the field, of points on the edge of each digit."""
    outlines = []
    for glyph in _glyphs():
        edge = np.argwhere(_edge(glyph))
        outlines.append(edge[np.linspace(0, len(edge) - 1, points).round().astype(int), ::-1] * (2 / (FONT_SIDE - 1)) - 1)
    return np.stack(outlines).astype(np.float32)


def _edge(glyph: Array) -> Array:
    """The pixels of the digit that touch a pixel outside it."""
    padded = np.pad(glyph, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return glyph & ~inner


@cache
def _glyphs() -> Array:
    """bool (10, FONT_SIDE, FONT_SIDE): each digit, its box in the middle."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(54)
    glyphs = []
    for digit in "0123456789":
        picture = Image.new("L", (FONT_SIDE, FONT_SIDE))
        # Anchored at the middle of its box.
        left, top, right, bottom = font.getbbox(digit)
        corner = ((FONT_SIDE - left - right) / 2, (FONT_SIDE - top - bottom) / 2)
        ImageDraw.Draw(picture).text(corner, digit, fill=255, font=font)
        glyphs.append(np.asarray(picture) >= 128)
    return np.stack(glyphs)


def _signed_distance(glyph: Array) -> Array:
    """Distance to the digit's outline, positive inside; every pixel is measured against every pixel of the edge."""
    edge = np.argwhere(_edge(glyph))
    pixels = np.argwhere(np.ones_like(glyph))
    squares = (pixels**2).sum(axis=1)[:, None] - 2 * pixels @ edge.T + (edge**2).sum(axis=1)
    distance = np.sqrt(squares.min(axis=1)).reshape(glyph.shape)
    return np.where(glyph, distance + 0.5, 0.5 - distance).astype(np.float32)
