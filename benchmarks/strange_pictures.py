"""Pictures of no digit, made by code and fixed by a seed: noise, paper, letters, drawings, and what looks like a photograph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from benchmarks.drawn_pages import noisy, on_paper, ruled, shaded, sloped
from benchmarks.held_out_shapes import DRAWINGS, LETTERS, LIKE_DIGITS, OTHER_DRAWINGS
from nncore.arrays import Array

SHEET = (336, 672)
"""Rows and columns of a sheet that is drawn on."""
FINE = 2
"""Strokes are drawn on a grid this many times finer."""

Rng = np.random.Generator


@dataclass(frozen=True, eq=False)
class Strange:
    """A picture without a digit."""

    picture: Array
    """uint8 (height, width, 1 or 3)"""
    drawn: bool = False
    """Whether it is ink on our own sheet."""


def noise(rng: Rng) -> Strange:
    rows, columns = (int(each) for each in rng.integers(24, 500, 2))
    kind, channels = int(rng.integers(0, 5)), int(rng.choice([1, 3]))
    shape = rows, columns, channels
    if kind == 0:
        return Strange(rng.integers(0, 256, shape, np.uint8))
    if kind == 1:
        return Strange(np.clip(rng.normal(rng.uniform(40, 220), rng.uniform(5, 80), shape), 0, 255).astype(np.uint8))
    if kind == 2:
        salt = rng.random(shape[:2])[..., None] < rng.uniform(0.01, 0.5)
        return Strange(np.repeat(np.where(salt, rng.integers(0, 60), rng.integers(180, 256)), channels, axis=2).astype(np.uint8))
    sigma = rng.uniform(0.7, 4) if kind == 3 else rng.uniform(4, 25)
    grain = gaussian_filter(rng.normal(0, 1, shape), (sigma, sigma, 0))
    return Strange(np.clip(128 + 60 * grain / grain.std(), 0, 255).astype(np.uint8))


def paper(rng: Rng) -> Strange:
    rows, columns = (int(each) for each in rng.integers(60, 700, 2))
    plain = np.full((rows, columns, 3), rng.integers(0, 256, 3) if rng.random() < 0.3 else rng.integers(170, 256), np.uint8)
    if rng.random() < 0.3:
        plain = ruled(plain, int(rng.integers(12, 40)), bool(rng.random() < 0.5))
    if rng.random() < 0.5:
        plain = sloped(plain, rng.uniform(0.3, 0.9))
    if rng.random() < 0.3:
        plain = shaded(plain, rng.uniform(0.4, 0.8), rng.uniform(0, 3), rng.uniform(0.2, 0.8), rng.uniform(0, 40))
    if rng.random() < 0.6:
        plain = noisy(plain, rng.uniform(1, 8), int(rng.integers(0, 1000)))
    return Strange(_as_jpeg(plain, rng) if rng.random() < 0.3 else plain)


def _as_jpeg(picture: Array, rng: Rng) -> Array:
    kept = BytesIO()
    Image.fromarray(picture).save(kept, "JPEG", quality=int(rng.integers(20, 80)))
    return np.asarray(Image.open(kept))


def letters(rng: Rng) -> Strange:
    """One letter or a few, by hand."""
    count = 1 if rng.random() < 0.5 else int(rng.integers(2, 7))
    names = [str(each) for each in rng.choice(list(LETTERS), count)]
    return shown([LETTERS[name] for name in names], rng)


def drawings(rng: Rng) -> Strange:
    return shown([DRAWINGS[str(rng.choice(list(DRAWINGS)))]], rng)


def other_drawings(rng: Rng) -> Strange:
    return shown([OTHER_DRAWINGS[str(rng.choice(list(OTHER_DRAWINGS)))]], rng)


def typed_words(rng: Rng) -> Strange:
    """A line or three of text in type, without letters that look like digits."""
    words = ["the", "paper", "can", "wait", "then", "we", "met", "after", "tea", "and", "went", "up", "a", "hat", "rack", "read"]
    text = "\n".join(" ".join(str(each) for each in rng.choice(words, int(rng.integers(1, 5)))) for _ in range(rng.integers(1, 4)))
    font = ImageFont.load_default(int(rng.integers(18, 60)))
    _, _, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((30, 30), text, font=font)
    sheet = Image.new("L", (int(right) + 30, int(bottom) + 30))
    ImageDraw.Draw(sheet).multiline_text((30, 30), text, fill=255, font=font)
    return Strange(noisy(on_paper(np.asarray(sheet, np.float32) / 255), rng.uniform(0, 5)))


def shown(shapes: Sequence[Sequence[str]], rng: Rng) -> Strange:
    """Shapes beside each other, drawn on the sheet or on paper."""
    rows, columns = SHEET
    ink = np.zeros(SHEET, np.float32)
    size = int(min(rng.uniform(90, 260), columns * 0.8 / len(shapes)))
    width = size * rng.uniform(0.03, 0.11)
    left = int(rng.integers(8, max(9, columns - len(shapes) * (size + 12))))
    top = int(rng.integers(8, rows - size - 8))
    for shape in shapes:
        drawn = _by_hand(shape, size, width, rng)
        place = ink[top : top + drawn.shape[0], left : left + drawn.shape[1]]
        np.maximum(place, drawn[: place.shape[0], : place.shape[1]], out=place)
        left += drawn.shape[1] + round(size * rng.uniform(0.05, 0.3))
        if left > columns - size // 2:
            break
    if rng.random() < 0.5:
        return Strange(np.round(ink * 255).astype(np.uint8)[..., None], drawn=True)
    picture = noisy(sloped(on_paper(ink), rng.uniform(0.5, 1.0)), rng.uniform(0, 6), int(rng.integers(0, 1000)))
    return Strange(picture)


def _by_hand(shape: Sequence[str], size: int, width: float, rng: Rng) -> Array:
    """The ink of a shape, float32 (rows, columns), its longer side `size` pixels, every point a little out of place."""
    ways = [_way(stroke, rng) for stroke in shape]
    every = np.concatenate(ways)
    low, high = every.min(axis=0), every.max(axis=0)
    scale = FINE * (size - width) / max(high - low)
    rows, columns = (round(float(each)) for each in ((high - low) * scale + FINE * (width + 2))[::-1])
    sheet = Image.new("L", (columns, rows))
    draw = ImageDraw.Draw(sheet)
    radius = FINE * width / 2
    for way in ways:
        points = (way - low) * scale + radius + FINE
        for (x, y), share in zip(points, np.linspace(0, 3, len(points)), strict=True):
            pressed = radius * (1 + 0.15 * np.sin(share + low[0]))
            draw.ellipse((x - pressed, y - pressed, x + pressed, y + pressed), fill=255)
    small = sheet.resize((max(1, columns // FINE), max(1, rows // FINE)), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / 255


def _way(stroke: str, rng: Rng) -> Array:
    """Points close to each other along a stroke, (many, 2)."""
    points = np.array([pair.split(",") for pair in stroke.split()], float)
    moved, before = [], None
    for point in points:  # a corner stays one
        moved.append(moved[-1] if before is not None and np.array_equal(point, before) else point + rng.normal(0, 0.025, 2))
        before = point
    known = np.array(moved)
    padded = np.concatenate([known[:1], known, known[-1:]])
    t = np.linspace(0, 1, 60, endpoint=False)[:, None]
    weights = [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3]
    parts = [sum(w * p for w, p in zip(weights, padded[n : n + 4], strict=True)) / 2 for n in range(len(known) - 1)]
    return np.concatenate([*parts, known[-1:]])


def photographs(rng: Rng) -> Strange:
    """A scene: sky over land, a wall of bricks, stones, leaves, a window, something out of focus."""
    rows, columns = (int(each) for each in rng.integers(180, 640, 2))
    scene = (_landscape, _bricks, _stones, _window, _out_of_focus)[int(rng.integers(0, 5))]
    picture = scene(rows, columns, rng) + rng.normal(0, rng.uniform(1, 7), (rows, columns, 1))
    return Strange(np.clip(picture, 0, 255).astype(np.uint8))


def _cloud(rows: int, columns: int, rng: Rng) -> Array:
    """1/f noise of standard deviation 1, (rows, columns)."""
    across, down = np.fft.rfftfreq(columns)[None], np.fft.fftfreq(rows)[:, None]
    strength = 1 / np.maximum(np.hypot(across, down), 1 / max(rows, columns)) ** rng.uniform(1, 1.6)
    waves = rng.normal(0, 1, (2, rows, columns // 2 + 1))
    field = np.fft.irfft2((waves[0] + 1j * waves[1]) * strength, (rows, columns))
    return np.asarray((field - field.mean()) / field.std())


def _landscape(rows: int, columns: int, rng: Rng) -> Array:
    horizon = rows * (0.5 + 0.12 * _cloud(1, columns, rng)[0])
    land = np.arange(rows)[:, None] > horizon
    sky = np.array((190, 210, 240)) + 18 * _cloud(rows, columns, rng)[..., None]
    ground = np.array((80, 100, 60)) + 30 * _cloud(rows, columns, rng)[..., None]
    return np.where(land[..., None], ground, sky)


def _bricks(rows: int, columns: int, rng: Rng) -> Array:
    high, wide = int(rng.integers(14, 50)), int(rng.integers(30, 110))
    down, across = np.indices((rows, columns))
    course = down // high
    joint = (down % high < 3) | ((across + (course % 2) * wide // 2) % wide < 3)
    shade = rng.normal(0, 22, (course.max() + 1, columns // wide + 2))[course, (across + (course % 2) * wide // 2) // wide]
    picture = np.array((150, 75, 55)) + (shade + 12 * _cloud(rows, columns, rng))[..., None]
    return np.where(joint[..., None], 195, picture)


def _stones(rows: int, columns: int, rng: Rng) -> Array:
    from scipy.spatial import cKDTree

    count = int(rng.integers(12, 150))
    places = rng.uniform(0, 1, (count, 2)) * (rows, columns)
    near, which = cKDTree(places).query(np.stack(np.indices((rows, columns)), axis=-1).reshape(-1, 2), 2)
    gap = (near[:, 1] - near[:, 0]).reshape(rows, columns) < 4
    shade = rng.uniform(90, 210, count)[which[:, 0]].reshape(rows, columns) - near[:, 0].reshape(rows, columns)
    return np.where(gap, 45, shade + 10 * _cloud(rows, columns, rng))[..., None] * np.array((1.0, 0.97, 0.92))


def _window(rows: int, columns: int, rng: Rng) -> Array:
    picture = np.full((rows, columns, 3), rng.uniform(120, 220, 3)) + 10 * _cloud(rows, columns, rng)[..., None]
    for _ in range(int(rng.integers(1, 6))):
        top, left = int(rng.integers(0, rows - 60)), int(rng.integers(0, columns - 60))
        high, wide = int(rng.integers(30, rows // 2)), int(rng.integers(30, columns // 2))
        picture[top : top + high, left : left + wide] = rng.uniform(20, 90, 3)
        picture[top + 4 : top + high - 4, left + 4 : left + wide - 4] += rng.uniform(20, 120, 3)
        picture[top + high // 2 : top + high // 2 + 4, left : left + wide] = rng.uniform(20, 90)
    return picture


def _out_of_focus(rows: int, columns: int, rng: Rng) -> Array:
    picture = np.full((rows, columns, 3), rng.uniform(30, 200, 3))
    down, across = np.indices((rows, columns))
    for _ in range(int(rng.integers(3, 20))):
        y, x, radius = rng.uniform(0, rows), rng.uniform(0, columns), rng.uniform(10, min(rows, columns) / 3)
        inside = gaussian_filter(((down - y) ** 2 + (across - x) ** 2 < radius**2).astype(float), rng.uniform(1, 12))
        picture = picture * (1 - inside[..., None]) + rng.uniform(0, 255, 3) * inside[..., None]
    return picture


KINDS: dict[str, Callable[[Rng], Strange]] = {
    "noise": noise,
    "paper": paper,
    "letters by hand": letters,
    "text in type": typed_words,
    "drawings": drawings,
    "photographs": photographs,
    "drawings of other things": other_drawings,
}


def pictures(kind: str, count: int, seed: int = 0) -> list[Strange]:
    """`count` pictures of one of KINDS; the same seed gives the same pictures."""
    return [KINDS[kind](np.random.default_rng([seed, list(KINDS).index(kind), number])) for number in range(count)]


def letters_like_digits(count: int, seed: int = 0) -> list[Strange]:
    """Single letters that many a hand writes like digits: not fair as pictures of no digit."""
    streams = [np.random.default_rng([seed, len(KINDS), number]) for number in range(count)]
    return [shown([LIKE_DIGITS[str(rng.choice(list(LIKE_DIGITS)))]], rng) for rng in streams]
