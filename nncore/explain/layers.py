"""The output of every layer: how an image changes on its way through the network."""

from __future__ import annotations

from nncore.arrays import Array
from nncore.prediction import Predictor


def layer_outputs(predictor: Predictor, image: Array) -> dict[str, Array]:
    """The output of each layer by its name, in order and without the batch axis, for `image`, uint8 (height, width, channels)."""
    _, outputs = predictor.look(image[None])
    return {name: values[0] for name, values in outputs.items()}
