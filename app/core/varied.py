"""Variations of one image, and what the network of the moment makes of each. Qt-free."""

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


@dataclass(frozen=True, eq=False)
class Varied:
    """Variations of an image."""

    images: Array
    """uint8 (N, height, width, 1 or 3)"""
    answers: tuple[Answer, ...]
    """What the network says of each; empty where it takes images of another size."""


def variations(
    image: Array, augmentation: Augmentation, count: int, seed: int, network: NetworkInView | None, moment: Moment | None
) -> Varied:
    """`count` variations of `image`, uint8 (height, width, 1 or 3); fewer of a large one, so that they are there at once.

    The seed says which way each goes, the augmentation how far.
    """
    count = min(count, max(FEWEST, MOST_PIXELS // math.prod(image.shape[:2])))
    drawn = augmentation.draw(count, np.random.default_rng(seed))
    # The readable path: few images, and no compiler to wait for. One at a time takes little memory.
    images = np.concatenate([vary(image[None], drawn.of(slice(number, number + 1))) for number in range(count)])
    if network is None or moment is None or image.size != math.prod(network.input_shape):
        return Varied(images, ())
    made = Network.from_config(network.architecture)
    made.load_state_dict(moment.state)
    return Varied(images, tuple(map(Answer.of, Predictor(made).predict(images))))
