"""Checks of a map of what decided, as they are shown beside it. Qt-free."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array, to_numpy
from nncore.explain.attribution import Attribution
from nncore.explain.grad_cam import GradCam
from nncore.explain.integrated_gradients import IntegratedGradients
from nncore.explain.networks import as_batch, logits_of
from nncore.explain.occlusion import Occlusion
from nncore.explain.sanity import Check, check_completeness, check_occlusion
from nncore.prediction import Predictor

STEP = 1e-3
"""By which share of its light a picture is dimmed to try a gradient."""
MOST_OFF = 0.05
"""The share by which a gradient may miss what the dimmed picture shows: on the way a ReLU may switch."""
NOTHING = 1e-5
"""Logits that count as no change: what rounding leaves."""

Found = Attribution | GradCam | Occlusion
"""What a method finds."""


def check_of(predictor: Predictor, image: Array, found: Found, by_light: Array | None) -> Check | None:
    """The check that a map can be held to, of its own; None where there is none.

    `by_light` is for gradients: the gradient times the image x in 0..1, (height, width, channels).
    """
    if isinstance(found, IntegratedGradients):
        return check_completeness(found)
    if isinstance(found, Occlusion):
        return check_occlusion(predictor, image, found)
    return None if by_light is None else check_step(predictor, image, found, by_light)


def check_step(predictor: Predictor, image: Array, found: Found, by_light: Array) -> Check:
    """Whether the target of a picture that is a thousandth dimmer is what the gradient says: less by a thousandth of Σ x · dT/dx.

    The value is by how much the two changes differ, as a share of the larger one.
    """
    network = logits_of(predictor.network)
    x = as_batch(network, image[None])
    whole, dimmed = (float(found.target.of(to_numpy(network.forward(each)))[0]) for each in (x, x * np.float32(1 - STEP)))
    real, said = dimmed - whole, -STEP * float(by_light.sum(dtype=np.float64))
    larger = max(abs(real), abs(said))
    off = abs(real - said) / larger if larger > NOTHING else 0.0
    words = f"A picture that is 0.1 % dimmer changes it by {real:+.4f}; the gradient says {said:+.4f}."
    return Check(off <= MOST_OFF, off, MOST_OFF, words)


def in_brief(check: Check, found: Found) -> str:
    """How a check came out, in a few words."""
    mark, share = "✓" if check.passed else "✗", f"{check.value * 100:.2f} %"
    if isinstance(found, IntegratedGradients):
        return f"{mark} adds up, gap {share}"
    return f"{mark} {'passes' if isinstance(found, Occlusion) else 'real step'}: {share} off"


def random_in_brief(check: Check) -> str:
    """How alike the maps of random weights are, in a few words."""
    return f"{'✓' if check.passed else '✗'} alike at random: ρ {check.value:.2f}"
