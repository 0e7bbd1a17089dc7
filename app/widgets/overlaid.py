"""A map laid over the picture that it is about."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array

DARKER = 0.4
"""The share of the picture's light that a map of full strength takes away, so that colours stand out on white, too."""


def overlaid(image: Array, values: Array, table: Array, low: float, high: float, strength: float) -> Array:
    """Values (height, width) as colours of a table (256, 3) over an image, uint8 (height, width, 1 or 3): uint8 (height, width, 3).

    `low` is the table's first colour, `high` its last. The further a value is from zero the more it covers, as its root; at zero
    the picture is seen. A map that lies on both sides of zero has the end colours of its table alone. `strength` is from 0, the
    picture alone, to 1.
    """
    furthest = max(abs(low), abs(high)) or 1.0
    share = strength * np.sqrt(np.clip(np.abs(values) / furthest, 0, 1))[..., None]
    if low < 0 < high:
        colors = np.where(values[..., None] < 0, table[0], table[-1])
    else:
        colors = table[np.clip(values / furthest * 255, 0, 255).astype(np.uint8)]
    light = image.astype(np.float32) * (1 - DARKER * strength)
    mixed = light * (1 - share) + colors * share
    return np.broadcast_to(mixed, (*values.shape, 3)).round().astype(np.uint8)
