"""Variations of one image, with the network's answer to each. Qt-free."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from app.core.in_view import NetworkInView
from app.core.timeline import Moment
from nncore.arrays import Array
from nncore.data.augment import Augmentation, vary
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.recognition import Answer

FEWEST, MOST_PIXELS = 4, 200_000
"""Variations are made up to this many pixels in all, so that they do not take long, but at least FEWEST."""


@dataclass(frozen=True, eq=False)
class Varied:
    """Variations of one image and the answers to them."""

    images: Array
    """uint8 (N, height, width, 1 or 3)"""
    answers: tuple[Answer, ...]
    """The network's answer to each variation; empty where the network takes images of another size."""


def variations(
    image: Array, augmentation: Augmentation, count: int, seed: int, network: NetworkInView | None, moment: Moment | None
) -> Varied:
    """`count` variations of `image`, uint8 (height, width, 1 or 3); fewer where the image is large, so that it does not take long.

    The same seed gives the same variations. `augmentation` says how strong they are.
    """
    count = min(count, max(FEWEST, MOST_PIXELS // math.prod(image.shape[:2])))
    drawn = augmentation.draw(count, np.random.default_rng(seed))
    # NumPy's formula, which needs no compiler; one image at a time takes little memory.
    images = np.concatenate([vary(image[None], drawn.of(slice(number, number + 1))) for number in range(count)])
    if network is None or moment is None or image.size != math.prod(network.input_shape):
        return Varied(images, ())
    made = Network.from_config(network.architecture)
    made.load_state_dict(moment.state)
    return Varied(images, tuple(map(Answer.of, Predictor(made).predict(images))))
