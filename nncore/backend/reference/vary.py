"""The variation of images in NumPy: the formula of nncore/data/augment.py as it is written there."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.backend.variations import NOISE, Variations


def vary(images: Array, variations: Variations, by_row: Array, by_column: Array, table: Array) -> Array:
    """A variation of each image, uint8 of the same shape (N, height, width, channels).

    `by_row` and `by_column` are the splines of the two sides, float32 (side, KNOTS); `table` is the noise, float32 (NOISE).
    """
    count, height, width, channels = images.shape
    thick = _thickened(images.astype(np.float32), variations.thickness)
    x, y = _places(variations, by_row, by_column)
    left, top = np.minimum(x.astype(np.int32), max(width - 2, 0)), np.minimum(y.astype(np.int32), max(height - 2, 0))
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = (x - left)[..., None], (y - top)[..., None]
    which = np.arange(count)[:, None, None]
    above = thick[which, top, left] * (1 - across) + thick[which, top, right] * across
    under = thick[which, below, left] * (1 - across) + thick[which, below, right] * across
    value = above * (1 - down) + under * down
    noise = table[(variations.noise_from[:, None] + np.arange(height * width * channels)) % NOISE].reshape(images.shape)
    value = value + variations.noise[:, None, None, None] * noise
    return np.floor(np.clip(value, 0, 255) + np.float32(0.5)).astype(np.uint8)


def _thickened(images: Array, thickness: Array) -> Array:
    """x̃ = (1 − |t|) x + |t| · the largest (t > 0) or smallest (t < 0) of each pixel and its four neighbours."""
    if not thickness.any():
        return images
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    neighbours = np.stack([padded[:, 1:-1, :-2], padded[:, 1:-1, 2:], padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], images])
    t = thickness[:, None, None, None]
    return images + np.abs(t) * (np.where(t > 0, neighbours.max(axis=0), neighbours.min(axis=0)) - images)


def _places(variations: Variations, by_row: Array, by_column: Array) -> tuple[Array, Array]:
    """Where each pixel looks: x and y, float32 (N, height, width), within the picture."""
    height, width = len(by_row), len(by_column)
    field = np.einsum("yk,nklc,xl->nyxc", by_row, variations.control, by_column, optimize=True)
    across, down = (np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2) for side in (width, height))
    grid = np.stack(np.broadcast_arrays(across[None, :], down[:, None]), axis=-1)
    looked = np.einsum("nij,yxj->nyxi", variations.linear, grid) + variations.shift[:, None, None] + field
    middle = np.array([(width - 1) / 2, (height - 1) / 2], np.float32)
    looked = np.clip(looked + middle, 0, np.array([width - 1, height - 1], np.float32)).astype(np.float32)
    return looked[..., 0], looked[..., 1]
