"""The variation of images on the device: see kernels/vary.cu."""

from __future__ import annotations

import math

import numpy as np

from nncore.arrays import Array
from nncore.backend.cuda.device import At, Device, Launch
from nncore.backend.cuda.geometry import threads
from nncore.backend.variations import Variations

AT_ONCE = 2**14
"""Images at most that are varied together, so that a few megabytes of memory do."""


def vary(device: Device, images: Array, variations: Variations, by_row: Array, by_column: Array, table: Array) -> Array:
    """A variation of each image: uint8 (N, height, width, channels) in and out. See nncore.backend.contract.Backend."""
    out = np.empty_like(images)
    with device:
        of_all = {name: _put(device, array) for name, array in (("table", table), ("by_row", by_row), ("by_column", by_column))}
        for start in range(0, len(images), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            of_each = {name: _put(device, array) for name, array in vars(variations.of(part)).items()}
            given, size = _put(device, images[part]), images[part].size
            made = device.zeros(size, np.uint8)
            rows, cols, C = images.shape[1:]
            shapes = {"rows": rows, "cols": cols, "C": C, "count": len(images[part])}
            arguments = {"images": given, "out": At(made), **of_each, **of_all, **shapes}
            device.run([Launch("vary", (), *threads(size // C), arguments)])
            out[part] = device.get(made, size).reshape(out[part].shape)
    return out


def _put(device: Device, array: Array) -> At:
    values = np.ascontiguousarray(array)
    buffer = device.zeros(math.prod(values.shape), values.dtype)
    device.put(buffer, values.ravel())
    return At(buffer)
