"""The receptive field: the part of the image that a place of a layer's output can depend on."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import Array, Shape
from nncore.checks import whole_number
from nncore.explain.networks import image_shape_of, place_of
from nncore.layers import Conv2d, GlobalAvgPool2d
from nncore.layers.pooling import Pool
from nncore.network import Network


@dataclass(frozen=True)
class Field:
    """A rectangle of an image in pixels."""

    row: int
    column: int
    height: int
    width: int

    def of(self, image: Array) -> Array:
        """That part of an image (height, width, …), as a view."""
        return image[self.row : self.row + self.height, self.column : self.column + self.width]


def receptive_field(network: Network, layer: str, row: int = 0, column: int = 0, image_shape: Shape | None = None) -> Field:
    """The pixels that the output of `layer` at (row, column) can depend on, through every kernel, stride and padding before it.

    It is exact for the layers of nncore, and cut off at the edges of the image. A layer that gives a vector sees what its
    flattened map sees: everything. `image_shape` is needed for networks that take vectors of images that are not square.
    Raises ConfigError where there is no such layer or place.
    """
    at = place_of(network, layer)
    image = image_shape_of(network) if image_shape is None else image_shape
    if len(network.input_shape) != 3 or len(network.layers[at].output_shape) != 3:
        return Field(0, 0, *image[:2])
    spans = []
    for axis, place in enumerate((row, column)):
        size = network.layers[at].output_shape[axis]
        first = last = whole_number(place, f"The {'row' if axis == 0 else 'column'}", 0, size - 1)
        for before in reversed(network.layers[: at + 1]):
            if isinstance(before, (Conv2d, Pool)):
                padding, span = _reach(before, axis)
                first = first * before.stride[axis] - padding
                last = last * before.stride[axis] - padding + span - 1
                first, last = max(first, 0), min(last, before.input_shape[axis] - 1)
            elif isinstance(before, GlobalAvgPool2d):
                first, last = 0, before.input_shape[axis] - 1
        spans.append((first, last - first + 1))
    (top, height), (left, width) = spans
    return Field(top, left, height, width)


def _reach(layer: Conv2d | Pool, axis: int) -> tuple[int, int]:
    """Zeros before the image along an axis, and how far a window reaches."""
    if isinstance(layer, Conv2d):
        return layer.margins[axis][0], layer.span[axis]
    return layer.padding[axis], layer.kernel_size[axis]
