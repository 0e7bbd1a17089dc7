"""Pages of digits drawn by code, for tests and measurements, and what befalls them: rules, shadows, perspective, noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from nncore.arrays import Array
from nncore.data.synthetic import Style, draw_digits

PAPER, PEN = (236, 232, 222), (38, 42, 60)


@dataclass(frozen=True, eq=False)
class Page:
    """A page and what is written on it."""

    picture: Array
    """uint8 (height, width, 3)"""
    text: str
    """Its digits in reading order, "/" between lines."""
    boxes: list[tuple[int, int, int, int]]
    """(x, y, width, height) of each digit"""


def written(
    lines: Sequence[str],
    seed: int = 0,
    height: int = 60,
    gap: float = 0.45,
    leading: float = 1.7,
    margin: float = 1.2,
    pen: tuple[float, float] = (0.9, 1.6),
    uneven: float = 0.06,
) -> tuple[Array, list[tuple[int, int, int, int]]]:
    """The ink of a page, float32 (rows, columns) from 0 to 1, and each digit's box.

    `height` is that of a digit in pixels, of which `gap` (below 0: the digits touch), `leading` and `margin` are shares; `pen`
    is the radius of the pen where a digit is 20 pixels high; `uneven` is how much sizes and places stray.
    """
    rng = np.random.default_rng(seed)
    edge = round(margin * height)
    ink = np.zeros(
        (2 * edge + round(height * (leading * (len(lines) - 1) + 1)), 2 * edge + 2 * height * max(map(len, lines))), np.float32
    )
    style = Style(font_share=0.0, pen=(pen[0] * height / 20, pen[1] * height / 20))
    boxes, right = [], 0
    for number, line in enumerate(lines):
        drawn = draw_digits(np.array([int(digit) for digit in line]), style, rng, side=round(1.3 * height), size=float(height))
        left, baseline = edge, edge + height + round(number * leading * height)
        for one in drawn:
            rows, columns = (np.flatnonzero((one > 0.3).any(axis=axis)) for axis in (1, 0))
            shape = one[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            top = min(max(baseline - len(shape) + round(rng.normal(0, uneven * height)), 0), len(ink) - len(shape))
            place = slice(top, top + shape.shape[0]), slice(left, left + shape.shape[1])
            ink[place] = np.maximum(ink[place], shape)
            boxes.append((left, top, shape.shape[1], shape.shape[0]))
            right = max(right, left + shape.shape[1])
            left += shape.shape[1] + round(height * gap * rng.uniform(0.8, 1.2))
    return ink[:, : right + edge], boxes


def on_paper(ink: Array, paper: Sequence[int] = PAPER, pen: Sequence[int] = PEN) -> Array:
    """uint8 (rows, columns, 3): ink of one colour on paper of another."""
    return np.round(ink[..., None] * np.array(pen) + (1 - ink[..., None]) * np.array(paper)).astype(np.uint8)


def page(lines: Sequence[str], seed: int = 0, **how: float | int | tuple[float, float]) -> Page:
    """A page as `written` writes it, on paper."""
    ink, boxes = written(lines, seed, **how)  # type: ignore[arg-type]
    return Page(on_paper(ink), "/".join(lines), boxes)


def some_lines(seed: int, count: int, digits: int) -> list[str]:
    """`count` lines of so many random digits."""
    rng = np.random.default_rng(seed)
    return ["".join(map(str, rng.integers(0, 10, digits))) for _ in range(count)]


def ruled(picture: Array, spacing: int, squared: bool = False, colour: Sequence[int] = (150, 170, 205), width: int = 2) -> Array:
    """The picture with lines printed under the ink every `spacing` pixels, and across them too where it is squared paper."""
    lines = np.zeros(picture.shape[:2], bool)
    for start in range(width):
        lines[spacing // 2 + start :: spacing] = True
        if squared:
            lines[:, spacing // 2 + start :: spacing] = True
    return np.where(lines[..., None], np.minimum(picture, np.array(colour, np.uint8)), picture)


def shaded(picture: Array, darkest: float = 0.45, angle: float = 0.5, place: float = 0.5, softness: float = 0.0) -> Array:
    """The picture with a shadow over one side of a line at that angle, hard-edged unless `softness` pixels are given."""
    rows, columns = np.indices(picture.shape[:2], np.float32)
    height, width = picture.shape[:2]
    across = np.cos(angle) * (columns - place * width) + np.sin(angle) * (rows - place * height)
    dark = (across > 0).astype(np.float32) if softness == 0 else 1 / (1 + np.exp(-np.clip(across / softness, -30, 30)))
    return np.round(picture * (1 - (1 - darkest) * dark)[..., None]).astype(np.uint8)


def sloped(picture: Array, darkest: float = 0.4) -> Array:
    """The picture lit from one corner."""
    rows, columns = (np.linspace(0, 0.5, length, dtype=np.float32) for length in picture.shape[:2])
    return np.round(picture * (1 - (1 - darkest) * (rows[:, None] + columns[None]))[..., None]).astype(np.uint8)


def noisy(picture: Array, sigma: float = 8.0, seed: int = 0) -> Array:
    """The picture with the noise of a poor sensor."""
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def blurred(picture: Array, sigma: float) -> Array:
    """The picture out of focus."""
    return gaussian_filter(picture.astype(np.float32), (sigma, sigma, 0)).astype(np.uint8)


def speckled(picture: Array, count: int = 60, side: int = 3, seed: int = 0) -> Array:
    """The picture with specks of dirt."""
    rng, dirty = np.random.default_rng(seed), picture.copy()
    for row, column in zip(
        rng.integers(0, len(picture) - side, count), rng.integers(0, picture.shape[1] - side, count), strict=True
    ):
        dirty[row : row + side, column : column + side] = 60
    return dirty


def seen_from(
    picture: Array,
    corners: Sequence[tuple[float, float]],
    size: tuple[int, int],
    table: Sequence[int] = (70, 52, 40),
    seed: int = 0,
) -> Array:
    """A photograph of the page on a table: uint8 (rows, columns, 3) of that size.

    The page's corners, from the upper left, clockwise, are at those places (x, y), as shares of the width and the height.
    """
    height, width = picture.shape[:2]
    there = np.array([[x * size[1], y * size[0]] for x, y in corners], float)
    here = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], float)
    # The projection from the photograph to the page, through four points.
    equations, values = [], []
    for (x, y), (u, v) in zip(there, here, strict=True):
        equations += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    a, b, c, d, e, f, g, h = np.linalg.solve(np.array(equations), np.array(values))
    rows, columns = np.indices(size, np.float64)
    scale = g * columns + h * rows + 1
    places = [(d * columns + e * rows + f) / scale, (a * columns + b * rows + c) / scale]
    grain = gaussian_filter(np.random.default_rng(seed).normal(0, 60, size), (1, 12))
    photo = np.clip(np.array(table) + grain[..., None], 0, 255)
    inside = (places[0] >= 0) & (places[0] <= height - 1) & (places[1] >= 0) & (places[1] <= width - 1)
    for channel in range(3):
        photo[..., channel][inside] = map_coordinates(
            picture[..., channel].astype(np.float32), [each[inside] for each in places], order=1
        )
    return photo.astype(np.uint8)
