"""From a picture to an answer: what the drawing sheet, the probe and `digitlab predict` have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.backend import Array
from nncore.inference import predict
from nncore.network import Network
from nncore.vision import fit_colour, see_digit


@dataclass(frozen=True)
class Answer:
    """What a network says of one picture. `digit` is None where the picture is blank."""

    digit: int | None
    probabilities: Array
    """float32 (classes); all zero where the picture is blank"""

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())


def network_view(network: Network, picture: Array) -> Array | None:
    """`picture`, uint8 (height, width, 1 or 3), as the network wants its images: uint8 (height, width, channels).

    Networks for grey images get the digit cropped, scaled and centred as in MNIST, those for colour the whole picture.
    None where there is nothing on it.
    """
    if len(network.input_shape) == 3 and network.input_shape[2] == 3:
        return fit_colour(picture, network.input_shape)
    sight = see_digit(picture)
    return None if sight.blank else sight.image


def answer(network: Network, image: Array | None) -> Answer:
    """What the network says of an image that `network_view` made (None: a blank one)."""
    if image is None:
        return Answer(None, np.zeros(network.output_shape, np.float32))
    probabilities = predict(network, image[None])[0]
    return Answer(int(probabilities.argmax()), probabilities)


def recognise(network: Network, picture: Array) -> Answer:
    """What the network says of a picture of any size."""
    return answer(network, network_view(network, picture))
