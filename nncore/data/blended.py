"""Images that are blends of two, with target probabilities that are blends of theirs (mixup)."""

from __future__ import annotations

import numpy as np

from nncore.data.dataset import Dataset


def blended(data: Dataset, seed: int = 0, alpha: float = 1.0) -> Dataset:
    """As many images as there are, uint8 of the same shape, each λ times an image plus 1 − λ times another one, fixed by the seed.

    λ follows Beta(alpha, alpha); targets are blended alike, and the label is that of the larger share (Zhang et al. 2017,
    arXiv 1710.09412). Raises DataError where an image has neither label nor targets.
    """
    rng = np.random.default_rng(seed)
    targets, other = data.soft_targets(), rng.permutation(len(data))
    share = rng.beta(alpha, alpha, len(data)).astype(np.float32)
    images = np.empty_like(data.images)
    for index, image in enumerate(data.images):
        values = share[index] * image + (1 - share[index]) * data.images[other[index]].astype(np.float32)
        images[index] = np.rint(values)
    rows = share[:, None] * targets + (1 - share)[:, None] * targets[other]
    labels = np.where(share >= 0.5, data.labels, data.labels[other])
    return Dataset(images, labels, f"{data.name}, blended", f"{data.source}, blended with seed {seed}", data.class_names, rows)
