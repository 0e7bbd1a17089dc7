"""What a network wants of a picture before it sees it, told to whoever uses the network outside DigitLab."""

from __future__ import annotations

import math
from typing import Any

from nncore.arrays import Shape, shape_text
from nncore.errors import ConfigError
from nncore.layers import Layer, Softmax
from nncore.network import Network


def picture_shape(input_shape: Shape) -> Shape:
    """The (height, width, channels) of the pictures that a network of that input shape reads; vectors are square pictures.

    Raises ConfigError where it reads none: pictures have one channel or three.
    """
    if len(input_shape) == 3 and input_shape[2] in (1, 3):
        return input_shape
    for channels in (1, 3) if len(input_shape) == 1 else ():
        side = math.isqrt(input_shape[0] // channels)
        if channels * side * side == input_shape[0]:
            return side, side, channels
    raise ConfigError(f"This network takes {shape_text(input_shape)}, which is no picture, grey or in colour.")


def scoring_layers(network: Network) -> list[Layer]:
    """The layers that make the logits: all of them but for a softmax at the end."""
    return network.layers[:-1] if isinstance(network.layers[-1], Softmax) else network.layers


def preparation(network: Network) -> str:
    """How a picture becomes the network's input, in a few sentences; empty where it takes no pictures."""
    try:
        height, width, channels = picture_shape(network.input_shape)
    except ConfigError:
        return ""
    if channels == 3:
        return (
            f"Take the whole picture in red, green and blue, pad it by its edges to the proportions of {width}×{height}, "
            f"resize it to {width}×{height} pixels, and divide each value (0 to 255) by 255."
        )
    if height == width:
        box = f"{box_side(height)}×{box_side(height)}"
        return (
            f"Make the digit bright (255) on black (0). Crop it, scale it in proportion to fit {box} pixels, "
            f"and place it in {width}×{height} so that its centre of mass lies in the middle, as in MNIST. "
            "Divide each value by 255."
        )
    return f"Make the digit bright (255) on black (0), resize it to {width}×{height} pixels, and divide each value by 255."


def box_side(side: int) -> int:
    """Pixels of the box that a digit is scaled into, in a square picture of `side` pixels: 20 of 28, as in MNIST."""
    return max(1, round(side * 20 / 28))


def about(network: Network) -> dict[str, Any]:
    """The same as plain data: layout, shape, range and preparation of the input."""
    shape = network.input_shape
    is_image = len(shape) == 3
    return {
        "layout": "NCHW" if is_image else "NC",
        "shape": [shape[2], shape[0], shape[1]] if is_image else list(shape),
        "dtype": "float32",
        "range": [0, 1],
        "scale": "uint8 / 255",
        "preparation": preparation(network),
    }
