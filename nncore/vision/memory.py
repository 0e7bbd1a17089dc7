"""Memory: what was made of a drawing before, so that of one that grows only what is new is looked at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nncore.arrays import Array
from nncore.vision.centring import centre_digit
from nncore.vision.growing import GrowingPieces
from nncore.vision.pieces import Pieces
from nncore.vision.segments import Classifier

MOST_BYTES = 16 * 2**20
"""Bytes of ink whose images are kept: those of some hundred digits."""
MOST_ANSWERS = 2000
"""Images whose answers are kept."""


class Recall:
    """A function of images that is not asked the same twice. For one thread."""

    def __init__(self, ask: Callable[[Array], Array]) -> None:
        """`ask` gives an answer, (N, …), for each of uint8 images (N, …), which depends on that image alone."""
        self._ask = ask
        self._answers: dict[bytes, Array] = {}

    def __call__(self, images: Array) -> Array:
        """What the function says of uint8 images (N, …), N at least 1."""
        keys = [image.tobytes() for image in images]
        new = [place for place, key in enumerate(keys) if key not in self._answers]
        if len(self._answers) + len(new) > MOST_ANSWERS:
            self._answers.clear()
            new = list(range(len(keys)))
        if new:
            self._answers |= zip([keys[place] for place in new], self._ask(images[new]), strict=True)
        return np.stack([self._answers[key] for key in keys])


class Memory(Recall):
    """A Classifier that asks another one, and `centre_digit` and `find_pieces` in their place; no work is done twice. For one
    thread.

    Between two movements of the pen most digits of a drawing stay as they are, to the last pixel.
    """

    def __init__(self, classify: Classifier) -> None:
        super().__init__(classify)
        self._images: dict[tuple[int, bytes], Array] = {}
        self._bytes = 0
        self._growing = GrowingPieces()

    def pieces(self, drawing: Array) -> Pieces:
        """The pieces of a drawing, uint8 (height, width), as `find_pieces` finds them in its ink. They hold until the next call."""
        return self._growing.find(drawing)

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
