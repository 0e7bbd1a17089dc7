"""Occlusion: how much lower a target is when a part of the image is covered."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, shape_text
from nncore.checks import whole_number
from nncore.errors import ConfigError
from nncore.explain.networks import logit_predictor
from nncore.explain.progress import Progress, result_of
from nncore.explain.target import Target
from nncore.prediction import Predictor

PATCH, STRIDE = 5, 1
AT_ONCE = 96
"""Covered copies of the image that are made at a time."""


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What a target loses when a square patch covers a part of the image."""

    target: Target
    score: float
    """The target of the image: a logit, or the difference of two."""
    patch: tuple[int, int]
    """Height and width of the patch."""
    fill: int
    """The value that covers, 0 to 255."""
    rows: Array
    """int64: the upper edges of the patches."""
    columns: Array
    """int64: their left edges."""
    drops: Array
    """float32 (rows, columns): the target of the image less that of the image covered there, by a forward pass each."""
    map: Array
    """float32 (height, width): for each pixel the mean of `drops` over all patches that cover it."""


def occlusion(
    predictor: Predictor, image: Array, target: Target, patch: int = PATCH, stride: int = STRIDE, fill: int = 0
) -> Occlusion:
    """Cover the image, uint8 (height, width, channels), with a patch of side `patch`, `stride` pixels further each time.

    The last patches of a row and column lie at the edge, so that every pixel is covered. Zeiler and Fergus 2014, arXiv 1311.2901.
    Raises ConfigError where image, target and network do not fit, or the strides leave gaps.
    """
    return result_of(occlusion_in_parts(predictor, image, target, patch, stride, fill))


def occlusion_in_parts(
    predictor: Predictor, image: Array, target: Target, patch: int = PATCH, stride: int = STRIDE, fill: int = 0
) -> Generator[Progress[Occlusion]]:
    """`occlusion`, telling how many covered images the network has answered."""
    whole_number(patch, "The side of the patch", 1, max(image.shape[:2]))
    whole_number(stride, "The stride of the patch", 1, patch)
    whole_number(fill, "The value that covers", 0, 255)
    logits = logit_predictor(predictor)
    target.check(logits.network.classes)
    height, width = (min(patch, size) for size in image.shape[:2])
    rows, columns = _edges(image.shape[0], height, stride), _edges(image.shape[1], width, stride)
    score = float(target.of(logits.outputs(image[None]))[0])
    places = [(row, column) for row in rows for column in columns]
    covered = np.empty(len(places), np.float32)
    for start in range(0, len(places), AT_ONCE):
        part = places[start : start + AT_ONCE]
        images = np.stack([occluded(image, row, column, (height, width), fill) for row, column in part])
        covered[start : start + len(part)] = target.of(logits.outputs(images))
        yield Progress(start + len(part), len(places) + 1)
    drops = (score - covered).reshape(len(rows), len(columns))
    spread = np.zeros(image.shape[:2], np.float64)
    count = np.zeros(image.shape[:2], np.int64)
    for (row, column), drop in zip(places, drops.flat, strict=True):
        spread[row : row + height, column : column + width] += drop
        count[row : row + height, column : column + width] += 1
    mean = (spread / count).astype(np.float32)
    found = Occlusion(target, score, (height, width), fill, np.array(rows), np.array(columns), drops, mean)
    yield Progress(len(places) + 1, len(places) + 1, found)


def occluded(image: Array, row: int, column: int, patch: tuple[int, int], fill: int = 0) -> Array:
    """A copy of the image, uint8 (height, width, channels), covered by a patch whose upper left pixel is (row, column)."""
    if image.ndim != 3:
        raise ConfigError(f"An image to cover is height×width×channels, not {shape_text(image.shape)}.")
    copy = image.copy()
    copy[row : row + patch[0], column : column + patch[1]] = fill
    return copy


def _edges(size: int, patch: int, stride: int) -> list[int]:
    """Where patches begin: every `stride` pixels, and at the far edge."""
    return sorted({*range(0, size - patch + 1, stride), size - patch})
