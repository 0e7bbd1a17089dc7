"""Things that people doodle, each drawn a little different every time: the shapes that the detector learns from.

Those of the measurement (benchmarks/strange_pictures.py) are others.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nncore.arrays import Array
from scripts.marks.pen import Mark, arc, mark, smooth

Rng = np.random.Generator


def _polygon(corners: int, rng: Rng, turn: float = 0.0) -> Array:
    angles = turn + 2 * np.pi * np.arange(corners + 1) / corners
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _box(left: float, top: float, right: float, bottom: float) -> Array:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], float)


def scribble(rng: Rng) -> Mark:
    return mark(smooth(rng.uniform(0, 1, (int(rng.integers(6, 22)), 2))))


def drifting_scribble(rng: Rng) -> Mark:
    """To and fro, moving on."""
    turns = int(rng.integers(4, 12))
    y = np.tile([0.0, 1.0], turns)[:turns] + rng.normal(0, 0.12, turns)
    points = np.stack([np.linspace(0, rng.uniform(0.5, 1.6), turns), y], axis=1)
    angle = rng.uniform(0, np.pi)
    points = points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return mark(smooth(points) if rng.random() < 0.6 else points)


def tangle(rng: Rng) -> Mark:
    """Round and round."""
    t = np.linspace(0, 2 * np.pi * rng.uniform(2.5, 7), 160)
    radius = 1 + 0.3 * np.sin(t * rng.uniform(0.2, 1.7) + rng.uniform(0, 6))
    drift = np.stack([np.sin(t * 0.21 + 1), np.cos(t * 0.17)], axis=1) * rng.uniform(0, 0.6)
    return mark(np.stack([radius * np.cos(t), radius * np.sin(t) * rng.uniform(0.5, 1)], axis=1) + drift)


def zigzag(rng: Rng) -> Mark:
    corners = int(rng.integers(5, 12))
    points = np.stack([np.linspace(0, rng.uniform(0.8, 2.5), corners), np.arange(corners) % 2], axis=1)
    return mark(points if rng.random() < 0.7 else points[:, ::-1])


def spiral(rng: Rng) -> Mark:
    t = np.linspace(0.5, 2 * np.pi * rng.uniform(2.2, 4.5), 120)
    wise = 1 if rng.random() < 0.5 else -1
    return mark(np.stack([t * np.cos(wise * t), t * np.sin(wise * t)], axis=1))


def waves(rng: Rng) -> Mark:
    t = np.linspace(0, 2 * np.pi * rng.uniform(1.8, 4), 90)
    return mark(np.stack([t / 3, np.sin(t) * rng.uniform(0.3, 1)], axis=1))


def loops(rng: Rng) -> Mark:
    t = np.linspace(0, 2 * np.pi * rng.uniform(2.5, 5), 140)
    return mark(np.stack([t * 0.25 + 0.8 * np.sin(t), np.cos(t)], axis=1))


def circle_with_something(rng: Rng) -> Mark:
    ring, kind = arc(0, 0, 1, rng.uniform(0.8, 1.1)), int(rng.integers(0, 6))
    inside = {
        0: [arc(0, 0, 0.12, 0.12)],
        1: [[(-1, 0), (1, 0)], [(0, -1), (0, 1)]],
        2: [[(-0.7, -0.7), (0.7, 0.7)], [(0.7, -0.7), (-0.7, 0.7)]],
        3: [arc(0, 0, 0.5, 0.5)],
        4: [[(0, 0), (0, -0.8)], [(0, 0), (0.5, 0.2)]],
        5: [_polygon(3, rng, -np.pi / 2) * 0.6],
    }[kind]
    return mark(ring, *inside)


def smiley(rng: Rng) -> Mark:
    mouth = arc(0, 0.1, 0.5, 0.5, 20, 160) if rng.random() < 0.7 else arc(0, 0.75, 0.5, 0.4, 200, 340)
    eyes = [arc(x, -0.3, 0.08, rng.uniform(0.08, 0.2)) for x in (-0.35, 0.35)]
    nose = [[(0, -0.1), (0.05, 0.15)]] if rng.random() < 0.3 else []
    return mark(arc(0, 0, 1, 1), mouth, *eyes, *nose)


def cross(rng: Rng) -> Mark:
    if rng.random() < 0.5:
        return mark([(-1, -1), (1, 1)], [(1, -1), (-1, 1)])
    return mark([(-1, rng.uniform(-0.4, 0.4)), (1, 0)], [(0, -1), (0, 1)])


def tick(rng: Rng) -> Mark:
    return mark([(0, 0.6), (rng.uniform(0.25, 0.45), 1), (1.1, rng.uniform(-0.1, 0.25))])


def arrow(rng: Rng) -> Mark:
    head = rng.uniform(0.3, 0.5)
    tip = [(1 - head, -head), (1, 0), (1 - head, head)]
    shaft = [(-1, 0), (1, 0)] if rng.random() < 0.6 else smooth([(-1, 0.6), (-0.4, -0.3), (0.3, 0.3), (1, 0)])
    angle = rng.integers(0, 8) * np.pi / 4
    turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return mark(np.asarray(shaft) @ turned, np.asarray(tip) @ turned)


def heart(rng: Rng) -> Mark:
    t = np.linspace(0, 2 * np.pi, 60)
    shape = np.stack([16 * np.sin(t) ** 3, -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))], axis=1)
    return mark(shape, filled=[shape] if rng.random() < 0.3 else [])


def star(rng: Rng) -> Mark:
    if rng.random() < 0.4:
        return mark(_polygon(5, rng, -np.pi / 2)[[0, 2, 4, 1, 3, 0]])
    points = int(rng.integers(4, 8))
    outline = _polygon(2 * points, rng, -np.pi / 2)
    outline[1::2] *= rng.uniform(0.35, 0.6)
    outline[-1] = outline[0]
    return mark(outline, filled=[outline] if rng.random() < 0.3 else [])


def asterisk(rng: Rng) -> Mark:
    rays = int(rng.integers(3, 6))
    ends = [np.array([np.cos(a), np.sin(a)]) for a in np.pi * np.arange(rays) / rays + rng.uniform(0, 1)]
    return mark(*([end, -end] for end in ends))


def house(rng: Rng) -> Mark:
    walls, roof = _box(-1, 0, 1, 1.6), [(-1.2, 0), (0, -1), (1.2, 0)]
    more = [_box(-0.3, 0.7, 0.3, 1.6)] if rng.random() < 0.7 else []
    more += [_box(0.45, 0.3, 0.8, 0.7)] if rng.random() < 0.5 else []
    return mark(walls, roof, *more)


def box(rng: Rng) -> Mark:
    wide, kind = rng.uniform(0.6, 1.8), int(rng.integers(0, 6))
    outline = _box(-wide, -1, wide, 1)
    inside = {
        0: [],
        1: [[(-wide, -1), (wide, 1)], [(wide, -1), (-wide, 1)]],
        2: [[(0, -1), (0, 1)], [(-wide, 0), (wide, 0)]],
        3: [[(-wide, 1), (wide, -1)]],
        4: [_box(-wide / 2, -0.5, wide / 2, 0.5)],
        5: [[(-0.6 * wide, 0), (-0.1, 0.7), (wide * 1.1, -1.2)]],
    }[kind]
    return mark(outline, *inside)


def grid(rng: Rng) -> Mark:
    lines, wide = int(rng.integers(2, 5)), rng.uniform(0.7, 1.3)
    places = np.linspace(-0.5, 0.5, lines)
    return mark(*([(-wide, y), (wide, y)] for y in places), *([(x, -1), (x, 1)] for x in places))


def polygon(rng: Rng) -> Mark:
    corners = int(rng.choice([3, 3, 4, 5]))
    outline = _polygon(corners, rng, rng.uniform(0, 2 * np.pi))
    return mark(outline, filled=[outline] if rng.random() < 0.25 else [])


def filled_blob(rng: Rng) -> Mark:
    t = np.linspace(0, 2 * np.pi, 50)
    radius = 1 + sum(rng.normal(0, 0.35 / k) * np.cos(k * t + rng.uniform(0, 6)) for k in range(1, 6))
    outline = np.stack([radius * np.cos(t), radius * np.sin(t) * rng.uniform(0.6, 1.1)], axis=1)
    return mark(outline, filled=[outline])


def ring_blob(rng: Rng) -> Mark:
    """An uneven outline with many bays."""
    t = np.linspace(0, 2 * np.pi, 90)
    bays = int(rng.integers(5, 10))
    radius = 1 + 0.25 * np.abs(np.sin(bays * t / 2))
    return mark(np.stack([radius * np.cos(t) * rng.uniform(1, 1.7), radius * np.sin(t)], axis=1))


def lightning(rng: Rng) -> Mark:
    return mark([(0.6, 0), (0, 0.55), (0.45, 0.55), (0.1, 1.1), (1, 0.4), (0.5, 0.4), (0.9, 0), (0.6, 0)])


def ladder(rng: Rng) -> Mark:
    rungs = np.linspace(0.15, 0.85, int(rng.integers(3, 6)))
    return mark([(0, 0), (0, 1)], [(0.4, 0), (0.4, 1)], *([(0, y), (0.4, y)] for y in rungs))


def stairs(rng: Rng) -> Mark:
    steps = int(rng.integers(3, 6))
    points = [(0.0, 0.0)]
    for step in range(steps):
        points += [(step + 1, -step), (step + 1, -step - 1)]
    return mark(np.array(points, float) * (1 if rng.random() < 0.5 else -1, 1))


def moon(rng: Rng) -> Mark:
    outline = np.concatenate([arc(0, 0, 1, 1, 60, 300), arc(0.5, 0, 0.75, 0.86, 290, 70)])
    return mark(outline, outline[[-1, 0]], filled=[outline] if rng.random() < 0.4 else [])


def infinity(rng: Rng) -> Mark:
    t = np.linspace(0, 2 * np.pi, 60)
    return mark(np.stack([1.6 * np.sin(t), np.sin(2 * t) * rng.uniform(0.5, 0.8)], axis=1))


def dash(rng: Rng) -> Mark:
    """A line that lies, or two or three."""
    count = int(rng.integers(1, 4))
    return mark(*([(0, 0.35 * y), (1, 0.35 * y + rng.normal(0, 0.04))] for y in range(count)))


def strokes_side_by_side(rng: Rng) -> Mark:
    """A tally, a fence."""
    count = int(rng.integers(3, 7))
    bars = [[(0.25 * x, rng.normal(0, 0.06)), (0.25 * x + rng.normal(0, 0.05), 1)] for x in range(count)]
    across = [[(-0.1, rng.uniform(0.2, 0.8)), (0.25 * count, rng.uniform(0.2, 0.8))]] if rng.random() < 0.5 else []
    return mark(*bars, *across)


def rocket(rng: Rng) -> Mark:
    body = smooth([(-0.4, 1), (-0.45, 0), (0, -1.1), (0.45, 0), (0.4, 1)])
    return mark(
        body, [(-0.4, 1), (0.4, 1)], [(-0.4, 0.5), (-0.9, 1.2), (-0.4, 1)], [(0.4, 0.5), (0.9, 1.2), (0.4, 1)], arc(0, 0, 0.2, 0.2)
    )


def mushroom(rng: Rng) -> Mark:
    cap = np.concatenate([arc(0, 0, 1, 0.9, 180, 360), [(-1.0, 0.0)]])
    return mark(cap, [(-0.3, 0), (-0.35, 1), (0.35, 1), (0.3, 0)], arc(-0.3, -0.4, 0.15, 0.15))


def eye(rng: Rng) -> Mark:
    return mark(arc(0, 0.6, 1.2, 1.1, 210, 330), arc(0, -0.6, 1.2, 1.1, 30, 150), arc(0, 0, 0.35, 0.35), arc(0, 0, 0.1, 0.1))


def ice_cream(rng: Rng) -> Mark:
    return mark([(-0.6, 0), (0, 1.6), (0.6, 0), (-0.6, 0)], arc(0, 0, 0.6, 0.7, 180, 360))


def glasses(rng: Rng) -> Mark:
    return mark(arc(-0.8, 0, 0.5, 0.5), arc(0.8, 0, 0.5, 0.5), arc(0, 0, 0.3, 0.2, 180, 360))


def hand_of_lines(rng: Rng) -> Mark:
    """A few strokes from one place."""
    count = int(rng.integers(3, 7))
    return mark(*(smooth([(0, 0), rng.normal(0, 0.25, 2) + end / 2, end]) for end in _polygon(count, rng, rng.uniform(0, 6))[:-1]))


def leaf(rng: Rng) -> Mark:
    return mark(
        smooth([(0, 1), (-0.6, 0.3), (0, -1), (0.6, 0.3), (0, 1)]),
        [(0, 1.5), (0, -0.7)],
        [(0, 0.3), (0.35, 0)],
        [(0, 0.3), (-0.35, 0)],
    )


def hatching(rng: Rng) -> Mark:
    """Lines beside each other, and perhaps others across."""
    count, lean = int(rng.integers(3, 9)), rng.normal(0, 0.6)
    lines = [[(x, 0.0), (x + lean, rng.uniform(0.8, 1.2))] for x in np.linspace(0, rng.uniform(0.5, 1.5), count)]
    return mark(*lines, *([(y, x) for x, y in line] for line in lines if rng.random() < 0.4))


def character(rng: Rng) -> Mark:
    """Strokes as in a Chinese character: many that lie or stand, some that slant, dots."""
    strokes, levels = [], np.linspace(0, 1, int(rng.integers(3, 6)))
    for _ in range(int(rng.integers(4, 10))):
        one, other = np.sort(rng.choice(levels, 2, replace=False))
        at, kind = rng.choice(levels) + rng.normal(0, 0.03), rng.random()
        if kind < 0.4:
            strokes.append([(one, at), (other, at + rng.normal(0, 0.03))])
        elif kind < 0.7:
            strokes.append([(at, one), (at + rng.normal(0, 0.02), other)])
        elif kind < 0.9:
            strokes.append(smooth([(at, one), (at - rng.normal(0, 0.15), (one + other) / 2), (at - rng.normal(0, 0.35), other)]))
        else:
            strokes.append([(at, one), (at + 0.12, one + 0.12)])
    return mark(*strokes)


def dotted_bows(rng: Rng) -> Mark:
    """Bows on a line, with dots above and below: as Arabic is written."""
    place, strokes = 0.0, []
    for _ in range(int(rng.integers(2, 5))):
        wide, deep = rng.uniform(0.4, 0.9), rng.uniform(0.15, 0.6)
        strokes.append(arc(place + wide / 2, 0, wide / 2, deep, 0, 180 if rng.random() < 0.7 else -180))
        dots = range(int(rng.integers(0, 3)))
        strokes += [arc(place + wide / 2 + 0.2 * number, rng.choice([-0.5, 0.85]), 0.05, 0.05) for number in dots]
        place += wide
    return mark(*strokes)


def plant(rng: Rng) -> Mark:
    """A stem that branches, with leaves or curls."""
    stem = smooth([(0, 0), rng.normal((0, -0.5), 0.08), (rng.normal(0, 0.2), -1)])
    strokes = [stem]
    for _ in range(int(rng.integers(2, 6))):
        start, side = stem[int(rng.integers(3, len(stem)))], rng.choice([-1, 1])
        end = start + np.array([side * rng.uniform(0.25, 0.6), -rng.uniform(0, 0.5)])
        strokes.append(smooth([start, (start + end) / 2 + np.array([0, 0.1]), end]))
        if rng.random() < 0.5:
            strokes.append(arc(*end, *rng.uniform(0.07, 0.2, 2)))
    return mark(*strokes)


def invented(rng: Rng) -> Mark:
    """A few straight and bent strokes that mean nothing; they may look like a digit."""
    strokes = []
    for _ in range(int(rng.integers(2, 6))):
        kind = rng.random()
        if kind < 0.45:
            strokes.append(rng.uniform(0, 1, (2, 2)))
        elif kind < 0.75:
            x, y = rng.uniform(0.2, 0.8, 2)
            start = rng.uniform(0, 360)
            strokes.append(arc(x, y, *rng.uniform(0.1, 0.5, 2), start, start + rng.uniform(90, 360)))
        else:
            strokes.append(smooth(rng.uniform(0, 1, (int(rng.integers(3, 6)), 2))))
    return mark(*strokes)


def creature(rng: Rng) -> Mark:
    """A closed outline with stems, tails and eyes that mean nothing; it may look like a digit."""
    t = np.linspace(0, 2 * np.pi, 60)
    radius = 1 + sum(rng.normal(0, 0.3 / k) * np.cos(k * t + rng.uniform(0, 6)) for k in range(1, 5))
    radius = np.maximum(radius, 0.25)
    outline = np.stack([radius * np.cos(t), radius * np.sin(t) * rng.uniform(0.5, 1.1)], axis=1)
    outline[-1] = outline[0]
    strokes = [outline]
    for _ in range(int(rng.integers(1, 5))):
        start = outline[int(rng.integers(0, 60))]
        kind = rng.random()
        if kind < 0.5:
            out = start * rng.uniform(1.1, 1.9) + rng.normal(0, 0.25, 2)
            strokes.append(smooth([start, (start + out) / 2 + rng.normal(0, 0.12, 2), out]))
        elif kind < 0.7:
            strokes.append(arc(*(start * rng.uniform(0, 0.6)), *rng.uniform(0.08, 0.3, 2)))
        elif kind < 0.85:
            strokes.append(smooth([start, rng.normal(0, 0.3, 2), outline[int(rng.integers(0, 60))]]))
        else:
            strokes.append(arc(*(start * rng.uniform(1.1, 1.4)), *rng.uniform(0.15, 0.5, 2)))
    return mark(*strokes)


DOODLES: tuple[Callable[[Rng], Mark], ...] = (
    scribble,
    drifting_scribble,
    tangle,
    zigzag,
    spiral,
    waves,
    loops,
    circle_with_something,
    smiley,
    cross,
    tick,
    arrow,
    heart,
    star,
    asterisk,
    house,
    box,
    grid,
    polygon,
    filled_blob,
    ring_blob,
    lightning,
    ladder,
    stairs,
    moon,
    infinity,
    dash,
    strokes_side_by_side,
    rocket,
    mushroom,
    eye,
    ice_cream,
    glasses,
    hand_of_lines,
    leaf,
    hatching,
    character,
    dotted_bows,
    plant,
)
"""Shapes that are no digit in anybody's eye."""
