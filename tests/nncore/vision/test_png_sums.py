"""A PNG file with a single byte changed is refused, or gives the very pixels that were saved."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from nncore.errors import DataError
from nncore.vision import read_picture


def digit() -> np.ndarray:
    """28 × 28 pixels with a stroke of many greys."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[5:20, 8:12] = np.random.default_rng(0).integers(100, 255, (15, 4))
    return pixels


def test_no_changed_byte_changes_the_pixels():
    file = io.BytesIO()
    Image.fromarray(digit()).save(file, "PNG")
    whole = file.getvalue()
    refused = 0
    for place in range(len(whole)):
        for change in (0x01, 0x20, 0x80, 0xFF):
            damaged = bytearray(whole)
            damaged[place] ^= change
            try:
                pixels = read_picture(bytes(damaged))
            except DataError:
                refused += 1
            else:
                assert np.array_equal(pixels[..., 0], digit()), f"byte {place} of {len(whole)}"
    assert refused > 3 * len(whole), "nearly every byte matters"
