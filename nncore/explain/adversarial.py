"""The smallest change that nobody sees: the network is led to another class, and the picture looks as before."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from nncore.arrays import Array
from nncore.checks import shown, whole_number
from nncore.errors import ConfigError
from nncore.explain.counterfactual import Counterfactual, as_bytes, judged, margin, smallest
from nncore.explain.networks import as_batch, logits_of
from nncore.explain.progress import Progress
from nncore.explain.target import Target
from nncore.network import Network
from nncore.prediction import Predictor

L2, LINF = NORMS = ("l2", "linf")
"""What is kept small: the Euclidean length of the change, or its largest value."""
STEPS = 200
OVERSHOOT = 0.02
"""How much further than to the boundary each step goes, as a share."""
LONGEST = {L2: 0.2, LINF: 4 / 255}
"""The longest step, in 0..1: a network is nearly linear only that near."""
LEAST = 0.5 / 255
"""The least that the largest value of a step moves: rounding to bytes would undo smaller steps."""


def adversarial(
    predictor: Predictor, image: Array, label: int, norm: str = L2, steps: int = STEPS
) -> Generator[Progress[Counterfactual]]:
    """Change the image, uint8 (height, width, channels), by as little as leads to the answer `label`; each Progress has it so far.

    DeepFool (Moosavi-Dezfooli et al. 2016, arXiv 1511.04599) towards one class: with m = z_label − max z_other and w = dm/dx, step
    by −m w / ‖w‖₂², or for the largest value by −m sign(w) / ‖w‖₁, as if the network were linear, but by no more than LONGEST and
    within 0..255, until it answers `label` to the image in bytes. Then the smallest part of that change that does is found by
    forward passes. Where the last image's `found` is False, `steps` steps did not reach the class.

    Raises ConfigError where image, class and network do not fit, or there is no such norm.
    """
    if norm not in NORMS:
        raise ConfigError(f"There is no norm {shown(norm)}; there are {' and '.join(NORMS)}.")
    network = logits_of(predictor.network)
    Target(label).check(network.classes)
    whole_number(steps, "The number of steps", 1, 100_000)
    as_batch(network, image[None])
    return _changing(predictor, network, image, label, norm, steps)


def _changing(
    predictor: Predictor, network: Network, image: Array, label: int, norm: str, steps: int
) -> Generator[Progress[Counterfactual]]:
    x = image.astype(np.float32) / 255
    found = judged(predictor, label, image, image[None])[0]
    for step in range(steps):
        yield Progress(step, steps + 1, found)
        if found.found:
            break
        short, slope = margin(network, x, label)
        slope[((x <= 0) & (slope < 0)) | ((x >= 1) & (slope > 0))] = 0  # these can go no further
        if not slope.any() or not np.isfinite(slope).all():
            break
        unit = slope / np.linalg.norm(slope) if norm == L2 else np.sign(slope)
        length = min((1 + OVERSHOOT) * max(-short, 0.0) / float((slope * unit).sum()), LONGEST[norm])
        way = unit * np.float32(max(length, LEAST / float(np.abs(unit).max())))
        x = np.clip(x + way, 0, 1)
        found = judged(predictor, label, image, as_bytes(x)[None])[0]
    if found.found and found.pixels:
        change = x - image.astype(np.float32) / 255
        found = smallest(predictor, found, lambda part: part * change)
    yield Progress(steps + 1, steps + 1, found)
