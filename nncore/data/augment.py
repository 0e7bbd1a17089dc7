"""Augmentation: each image a little different every time it is seen, so that a network learns what stays the same.

A variation y of an image x is, at each pixel p with the picture's centre c,

    y(p) = x̃(c + M (p − c) + d + e(p)) + σ n(p)

x̃  the image, its strokes made thicker or thinner; between pixels bilinear, beyond the edge as at the edge
M  the 2×2 matrix that undoes a scaling, a shear and a rotation; d the shift
e  the elastic warp: e(p) = Σ_kl B_k(p_y) B_l(p_x) C_kl with cubic B-splines B over a grid of random vectors C. A cubic B-spline
   is all but a Gaussian whose standard deviation is 0.58 of its knots' distance, here about 3 pixels of 28: the field of
   Simard, Steinkraus and Platt (ICDAR 2003), at a fraction of the cost
n  normal noise, from a place of a fixed table that is another for each image

`vary` is that formula in NumPy (nncore/backend/reference/vary.py). Training takes the device's own, which does the same pixel by
pixel: nncore/backend/cpu/warp.py, or nncore/backend/cuda/kernels/vary.cu.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.backend.devices import get_backend
from nncore.backend.reference import vary as reference
from nncore.backend.variations import KNOTS, NOISE, Variations
from nncore.errors import ConfigError

LIMITS = {"shift": 8.0, "rotate": 45.0, "scale": 0.5, "shear": 45.0, "elastic": 3.0, "thickness": 1.0, "noise": 64.0}
"""The largest value of each setting; the least is 0."""
SPLINE_POWER = 151 / 315
"""∫ B² of the cubic B-spline: what the variance of random vectors shrinks by, along each side, on its way into the field."""


@dataclass(frozen=True)
class Augmentation:
    """How far images are varied. All zero, as by default, leaves them as they are. ConfigError for values out of `LIMITS`."""

    shift: float = 0.0
    """Largest shift along each axis, in pixels."""
    rotate: float = 0.0
    """Largest rotation either way, in degrees."""
    scale: float = 0.0
    """Largest change of size: 0.1 is from 1/1.1 to 1.1 times."""
    shear: float = 0.0
    """Largest shear either way, in degrees."""
    elastic: float = 0.0
    """How far the elastic warp moves a pixel along each axis, in pixels (standard deviation)."""
    thickness: float = 0.0
    """Largest number of pixels by which bright strokes grow, or shrink, at each of their edges."""
    noise: float = 0.0
    """Largest standard deviation of the noise, of 255."""

    def __post_init__(self) -> None:
        for name, most in LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
                raise ConfigError(f"Augmentation: {name} must be a number from 0 to {most:g}, not {value!r}.")

    @property
    def changes_something(self) -> bool:
        return any(getattr(self, name) for name in LIMITS)

    def __call__(self, images: Array, rng: np.random.Generator, device: str = "cpu") -> Array:
        """A variation of each image, uint8 of the same shape (N, height, width, 1 or 3), calculated on `device`; the images
        themselves stay.
        """
        if not self.changes_something:
            return images
        height, width = images.shape[1:3]
        variations = self.draw(len(images), rng)
        return get_backend(device).vary(images, variations, splines(height), splines(width), noise_table())

    def draw(self, count: int, rng: np.random.Generator) -> Variations:
        """Random variations for `count` images."""
        u = rng.uniform(-1, 1, (count, 7))
        angle, shear = np.radians(self.rotate * u[:, 0]), np.tan(np.radians(self.shear * u[:, 1]))
        size = (1 + self.scale) ** u[:, 2]
        cos, sin = np.cos(angle), np.sin(angle)
        # A pixel of the variation looks back at where it came from: R(−angle) · shear⁻¹ / size, on (x, y).
        linear = np.stack([cos, sin - shear * cos, -sin, cos + shear * sin], axis=1).reshape(-1, 2, 2) / size[:, None, None]
        pull = np.float32(self.elastic / SPLINE_POWER)
        return Variations(
            linear.astype(np.float32),
            (self.shift * u[:, 3:5]).astype(np.float32),
            rng.standard_normal((count, KNOTS, KNOTS, 2), np.float32) * pull,
            (self.thickness * u[:, 5]).astype(np.float32),
            (self.noise * np.abs(u[:, 6])).astype(np.float32),
            rng.integers(NOISE, size=count, dtype=np.int32),
        )

    def as_dict(self) -> dict[str, float]:
        """The settings as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Augmentation:
        """The augmentation that `as_dict` wrote. ConfigError for a setting that does not exist, or no settings at all."""
        if not isinstance(settings, Mapping):
            raise ConfigError(f"An augmentation is settings by name, not {settings!r:.40}.")
        if unknown := settings.keys() - {field.name for field in fields(cls)}:
            raise ConfigError(f"There is no augmentation called {', '.join(sorted(unknown))}; there are {', '.join(LIMITS)}.")
        return cls(**settings)


AUGMENTATIONS = {
    "none": Augmentation(),
    "light": Augmentation(shift=1.5, rotate=8, scale=0.08, shear=4, elastic=0.4, thickness=0.2),
    "strong": Augmentation(shift=3, rotate=15, scale=0.15, shear=10, elastic=0.8, thickness=0.5, noise=12),
}
"""Augmentations that have a name."""


def augmentation(text: str) -> Augmentation:
    """The augmentation of a name, or of settings such as `shift=2,rotate=10`. ConfigError where it is neither."""
    if text in AUGMENTATIONS:
        return AUGMENTATIONS[text]
    try:
        settings = {name.strip(): float(value) for name, value in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise ConfigError(
            f"There is no augmentation {text!r}; take {', '.join(AUGMENTATIONS)}, or settings such as shift=2,rotate=10 "
            f"({', '.join(LIMITS)})."
        ) from None
    return Augmentation.from_dict(settings)


def vary(images: Array, variations: Variations) -> Array:
    """The readable path: a variation of each image, uint8 of the same shape (N, height, width, channels)."""
    return reference.vary(images, variations, splines(images.shape[1]), splines(images.shape[2]), noise_table())


@cache
def splines(side: int) -> Array:
    """B: cubic B-splines at the pixels of a side, float32 (side, KNOTS); one more knot than distance lies beyond each end."""
    place = np.linspace(1, KNOTS - 2, side) if side > 1 else np.array([(KNOTS - 1) / 2])
    far = np.abs(place[:, None] - np.arange(KNOTS))
    near = np.where(far < 1, 2 / 3 - far**2 + far**3 / 2, np.clip(2 - far, 0, None) ** 3 / 6)
    return near.astype(np.float32)


@cache
def noise_table() -> Array:
    """Standard normal numbers, always the same: float32 (NOISE)."""
    return np.random.default_rng(0).standard_normal(NOISE, np.float32)
