"""Memory: what was made of pieces of ink before, so that of a drawing that grows only what is new is looked at."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.vision.centring import centre_digit
from nncore.vision.segments import Classifier

MOST_BYTES = 16 * 2**20
"""Bytes of ink whose images are kept: those of some hundred digits."""
MOST_ANSWERS = 2000
"""Images whose probabilities are kept."""


class Memory:
    """A Classifier that asks another one, and `centre_digit` in its place; neither is asked the same twice. For one thread.

    Between two movements of the pen most digits of a drawing stay as they are, to the last pixel.
    """

    def __init__(self, classify: Classifier) -> None:
        self._ask = classify
        self._images: dict[tuple[int, bytes], Array] = {}
        self._answers: dict[bytes, Array] = {}
        self._bytes = 0

    def centre(self, ink: Array) -> Array:
        """uint8 (28, 28) from ink, float32 (height, width), as by `centre_digit`."""
        key = ink.shape[1], ink.tobytes()
        image = self._images.pop(key, None)
        if image is None:
            image = centre_digit(ink)
            self._bytes += ink.nbytes
            while self._images and self._bytes > MOST_BYTES:
                oldest = next(iter(self._images))
                del self._images[oldest]
                self._bytes -= len(oldest[1])
        self._images[key] = image  # the newest stand last
        return image

    def __call__(self, images: Array) -> Array:
        """Probabilities, float32 (N, 10), for uint8 images (N, 28, 28, 1)."""
        keys = [image.tobytes() for image in images]
        new = [place for place, key in enumerate(keys) if key not in self._answers]
        if len(self._answers) + len(new) > MOST_ANSWERS:
            self._answers.clear()
            new = list(range(len(keys)))
        if new:
            self._answers |= zip([keys[place] for place in new], self._ask(images[new]), strict=True)
        return np.stack([self._answers[key] for key in keys])
