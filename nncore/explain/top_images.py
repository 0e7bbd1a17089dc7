"""What excites the units of a layer most: the images of a dataset, and the patch of each that did it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, Shape
from nncore.checks import whole_number
from nncore.data.dataset import Dataset
from nncore.explain.networks import up_to
from nncore.explain.progress import Progress
from nncore.explain.receptive_field import Field, receptive_field
from nncore.network import Network
from nncore.prediction import Predictor

COUNT = 12
AT_ONCE = 1000
"""Images between two reports."""


@dataclass(frozen=True, eq=False)
class TopImages:
    """For each unit of a layer the images with its largest outputs, the largest first.

    A unit is a channel of a feature map, with the largest of all its places, or one number of a vector.
    """

    layer: str
    indices: Array
    """int64 (units, count): which images of the dataset."""
    values: Array
    """float32 (units, count): the unit's output there. A unit behind a ReLU that no image excites has zeros."""
    rows: Array
    """int64 (units, count): the place of the output in the unit's map; 0 for a vector."""
    columns: Array
    """int64 (units, count)"""
    fields: tuple[tuple[Field, ...], ...]
    """For each unit and image the part of the image that the place sees."""


def top_images(predictor: Predictor, data: Dataset, layer: str, count: int = COUNT) -> Generator[Progress[TopImages]]:
    """Find the `count` images (fewer where the dataset has fewer) that excite each unit of `layer` most; of equal ones the first.

    All units in one pass over the dataset; yields a Progress every thousand images, with the result at the end. The network is
    copied at the start, so that it may train meanwhile. Raises ConfigError where layer, images and network do not fit.
    """
    whole_number(count, "The number of images for each unit")
    network = up_to(predictor.network, layer)
    part = Predictor(network, predictor.device)
    part.prepare()
    return _search(part, data, layer, min(count, len(data)))


def _search(part: Predictor, data: Dataset, layer: str, count: int) -> Generator[Progress[TopImages]]:
    units, total = part.network.output_shape[-1], len(data)
    # One row an image, so that a unit's candidates lie in a column; place is the place's number in reading order.
    values = np.full((count, units), -np.inf, np.float32)
    indices, places = np.zeros((count, units), np.int64), np.zeros((count, units), np.int64)
    yield Progress(0, total)
    for start in range(0, total, AT_ONCE):
        for first in range(start, min(start + AT_ONCE, total), part.batch):
            images = data.images[first : min(first + part.batch, start + AT_ONCE)]
            maps = part.outputs(images).reshape(len(images), -1, units)
            best = maps.max(axis=1)
            better = best > values[-1]  # the last of a unit's images is its weakest
            candidates = np.flatnonzero(better.any(axis=1))
            if not len(candidates):
                continue
            best = best[candidates]
            found = np.where(better[candidates], maps[candidates].argmax(axis=1), 0)
            every = np.concatenate([values, best])
            order = np.argsort(-every, axis=0, kind="stable")[:count]
            values = np.take_along_axis(every, order, axis=0)
            numbers = np.broadcast_to((first + candidates)[:, None], best.shape)
            indices = np.take_along_axis(np.concatenate([indices, numbers]), order, axis=0)
            places = np.take_along_axis(np.concatenate([places, found]), order, axis=0)
        done = min(start + AT_ONCE, total)
        if done < total:
            yield Progress(done, total)
    yield Progress(total, total, _result(part.network, layer, data.image_shape, values.T, indices.T, places.T))


def _result(network: Network, layer: str, image_shape: Shape, values: Array, indices: Array, places: Array) -> TopImages:
    shape = network.output_shape
    rows, columns = np.divmod(places, shape[1]) if len(shape) == 3 else (places, places)
    fields = {
        (row, column): receptive_field(network, layer, row, column, image_shape)
        for row, column in set(zip(rows.ravel().tolist(), columns.ravel().tolist(), strict=True))
    }
    by_unit = tuple(
        tuple(fields[place] for place in zip(*lines, strict=True)) for lines in zip(rows.tolist(), columns.tolist(), strict=True)
    )
    return TopImages(layer, indices, values, rows, columns, by_unit)
