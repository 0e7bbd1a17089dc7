"""Where the points of a scatter plot lie on the screen, and which of them are meant. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nncore.arrays import Array

MARGIN = 0.94
"""Share of the room that the points take when all are shown."""
NEAREST = 400.0
"""Most times that points are shown larger than when all are in sight."""


@dataclass(frozen=True)
class Frame:
    """How positions in units of their own become positions that lie between −1 and 1, by the longer side."""

    centre: tuple[float, float] = (0.0, 0.0)
    half: float = 1.0
    """Half the longer side."""

    @classmethod
    def around(cls, positions: Array) -> Frame:
        """The frame of positions (N, 2)."""
        if not len(positions):
            return cls()
        low, high = positions.min(axis=0), positions.max(axis=0)
        middle = (low + high) / 2
        return cls((float(middle[0]), float(middle[1])), float((high - low).max()) / 2 or 1.0)

    def placed(self, positions: Array) -> Array:
        """Positions (..., 2) within the frame, float64."""
        return (np.asarray(positions, np.float64) - self.centre) / self.half


@dataclass(frozen=True)
class View:
    """The part of a frame that is in sight."""

    width: float = 1.0
    height: float = 1.0
    """Of the widget, in pixels."""
    x: float = 0.0
    y: float = 0.0
    """The point of the frame in the middle of the widget; y grows upwards."""
    zoom: float = 1.0
    """1 shows the whole frame."""

    @property
    def scale(self) -> float:
        """Pixels for one unit of the frame."""
        return self.zoom * MARGIN * max(min(self.width, self.height), 1.0) / 2

    def on_screen(self, placed: Array) -> Array:
        """Pixels (..., 2) of positions in the frame."""
        middle = np.array([self.width / 2 - self.x * self.scale, self.height / 2 + self.y * self.scale])
        return placed * np.array([self.scale, -self.scale]) + middle

    def moved(self, across: float, down: float) -> View:
        """The view after the points have been dragged by so many pixels. Some of the frame always stays in sight."""
        x, y = self.x - across / self.scale, self.y + down / self.scale
        return replace(self, x=min(max(x, -1.0), 1.0), y=min(max(y, -1.0), 1.0))

    def zoomed(self, factor: float, x: float, y: float) -> View:
        """The view `factor` times as near; what lies at the pixel (x, y) stays there."""
        zoom = min(max(self.zoom * factor, 1.0), NEAREST)
        if zoom == 1.0:
            return replace(self, x=0.0, y=0.0, zoom=1.0)
        right, up = (x - self.width / 2) / self.scale, (self.height / 2 - y) / self.scale
        gone = self.zoom / zoom
        return replace(self, zoom=zoom, x=self.x + right * (1 - gone), y=self.y + up * (1 - gone)).moved(0, 0)

    def in_sight(self, pixels: Array) -> Array:
        """Which pixels (N, 2) lie in the widget: bool (N)."""
        return inside_rectangle(pixels, 0, 0, self.width, self.height)


def inside_rectangle(pixels: Array, left: float, top: float, right: float, bottom: float) -> Array:
    """Which of (N, 2) lie in a rectangle: bool (N)."""
    x, y = pixels[:, 0], pixels[:, 1]
    return (x >= left) & (x <= right) & (y >= top) & (y <= bottom)


def inside_polygon(pixels: Array, corners: Array) -> Array:
    """Which of (N, 2) lie in a polygon with corners (M, 2): bool (N). A ray from there crosses its sides an odd number of times."""
    inside = np.zeros(len(pixels), bool)
    if len(corners) < 3:
        return inside
    near = inside_rectangle(pixels, *corners.min(axis=0), *corners.max(axis=0))
    x, y = pixels[near, 0], pixels[near, 1]
    found = np.zeros(len(x), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 != y2:
            found ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    inside[near] = found
    return inside


def nearest(pixels: Array, x: float, y: float, within: float, among: Array) -> int:
    """The point of (N, 2) nearest to a pixel, of those where `among`, bool (N), is true; −1 where none is as near as `within`."""
    if not len(pixels):
        return -1
    distances = np.where(among, np.hypot(pixels[:, 0] - x, pixels[:, 1] - y), np.inf)
    found = int(distances.argmin())
    return found if distances[found] <= within else -1


def neighbour(pixels: Array, current: int, across: int, down: int, among: Array) -> int:
    """The point of (N, 2) that an arrow leads to from `current`: the nearest one in that direction, within 45° of it; itself where
    there is none.
    """
    away = pixels - pixels[current]
    along = away[:, 0] * across + away[:, 1] * down
    aside = np.abs(away[:, 0] * down + away[:, 1] * across)
    fits = among & (along > 0) & (aside <= along)
    if not fits.any():
        return current
    return int(np.where(fits, along + 2 * aside, np.inf).argmin())
