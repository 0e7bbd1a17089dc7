"""The map of digits: what a layer makes of each image of a dataset, as vectors of which a plane can be drawn."""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np

from nncore.arrays import Array, Shape
from nncore.data.dataset import Dataset
from nncore.explain.networks import layer_of, up_to
from nncore.explain.progress import Progress
from nncore.prediction import Predictor

MOST_VALUES = 1024
"""Numbers of a vector: what a feature map has more is averaged over neighbouring places."""
AT_ONCE = 1000
"""Images between two reports."""


class LayerVectors:
    """From uint8 images (N, height, width, channels) to the outputs of one layer, as vectors: the network is copied once.

    A feature map is averaged over the cells of a grid, as fine as MOST_VALUES allows, and so has the same vector whenever it is
    asked for. ConfigError where there is no such layer.
    """

    def __init__(self, predictor: Predictor, layer: str) -> None:
        self.layer, self.shape = layer, layer_of(predictor.network, layer).output_shape
        self._part = Predictor(up_to(predictor.network, layer), predictor.device)
        self._grid = grid_of(self.shape)
        self.size = math.prod(self._grid) * self.shape[-1]
        """Numbers of a vector."""

    def prepare(self) -> None:
        """Compile what is needed, so that all answers come at full speed; seconds, once a machine."""
        self._part.prepare()

    def __call__(self, images: Array) -> Array:
        """float32 (N, size). Raises ConfigError where the images do not fit."""
        out = []
        for start in range(0, max(len(images), 1), self._part.batch):
            outputs = self._part.outputs(images[start : start + self._part.batch])
            out.append(_averaged(outputs, self._grid) if outputs.ndim == 4 else outputs)
        return np.concatenate(out).reshape(len(images), self.size)


def layer_vectors(predictor: Predictor, data: Dataset, layer: str) -> Generator[Progress[Array]]:
    """The vectors of a dataset, float32 (N, size), in its order; yields a Progress every thousand images, the vectors at the end.

    Raises ConfigError where layer, images and network do not fit.
    """
    vectors_of = LayerVectors(predictor, layer)
    vectors_of.prepare()
    return _collected(vectors_of, data)


def _collected(vectors_of: LayerVectors, data: Dataset) -> Generator[Progress[Array]]:
    yield Progress(0, len(data))
    parts = [vectors_of(data.images[:0])]
    for start in range(0, len(data), AT_ONCE):
        parts.append(vectors_of(data.images[start : start + AT_ONCE]))
        if start + AT_ONCE < len(data):
            yield Progress(start + AT_ONCE, len(data))
    yield Progress(len(data), len(data), np.concatenate(parts))


def grid_of(shape: Shape) -> tuple[int, int]:
    """Rows and columns of the grid for outputs of a shape: those of the map, or in proportion fewer where it is too large."""
    if len(shape) != 3:
        return 1, 1
    rows, columns, channels = shape
    while rows * columns * channels > MOST_VALUES and rows * columns > 1:
        rows, columns = (rows - 1, columns) if rows * shape[1] >= columns * shape[0] and rows > 1 else (rows, columns - 1)
    return rows, columns


def _averaged(maps: Array, grid: tuple[int, int]) -> Array:
    """Maps (N, rows, columns, channels) averaged over a grid (N, *grid, channels). Cell i of n covers ⌊i s/n⌋ up to ⌈(i+1) s/n⌉."""
    for axis, cells in ((1, grid[0]), (2, grid[1])):
        size = maps.shape[axis]
        if cells < size:
            edges = [(n * size // cells, -(-(n + 1) * size // cells)) for n in range(cells)]
            maps = np.stack([maps.take(range(*edge), axis).mean(axis=axis) for edge in edges], axis=axis)
    return maps
