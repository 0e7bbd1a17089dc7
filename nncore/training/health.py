"""Health of layers: how large their gradients and their weights are, and how many units of a ReLU are dead."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from nncore.arrays import Array, to_numpy
from nncore.data.dataset import Dataset
from nncore.errors import DeviceError
from nncore.layers import Layer
from nncore.network import Network
from nncore.plan import Plan
from nncore.prediction import Predictor
from nncore.training.events import Examined, LayerHealth

UNIT_SAMPLE = 100
"""Held-out images of which a unit must be above 0 for one at least not to be called dead. Their forward pass is most of what
examining the layers costs: about two steps of training (docs/performance.md).
"""


def is_due(step: int, every: int) -> bool:
    """Whether layers are examined after `step`, at which held-out images are looked at; otherwise that is done every `every` steps.

    At each of the first seven multiples of `every`, later at four while their number doubles: what matters happens early, and what
    is told of a long training stays short. Before the first of them at every end of an epoch.
    """
    number, rest = divmod(step, every)
    return number % (1 << max(0, number.bit_length() - 3)) == 0 if rest == 0 else number == 0


class Examiner:
    """Examines the layers of a network in training, on some of the images that are `held_out`: which, the seed decides."""

    def __init__(self, held_out: Dataset, seed: int) -> None:
        self._images = held_out.limit(UNIT_SAMPLE, seed).images

    def look(self, step: int, every: int, plan: Plan | None, predictor: Predictor) -> Iterator[Examined]:
        """The state of the layers of the predictor's network after `step`, which `plan` has taken, where `is_due`.

        Told of are layers that have parameters, and ReLUs. Without a plan the gradients are those that the step left in the
        parameters. Both are what the step followed: of its whole batch, clipped where the optimizer clips, without weight decay.
        A unit is dead that is 0 for all of the images, as in use: of a feature map a channel, with all its places; of a vector
        one number. Nothing is changed. Nothing is told where a number is not finite, or the device is lost.
        """
        if not is_due(step, every):
            return
        network = predictor.network
        try:
            with np.errstate(all="ignore"):  # weights may be anything where a training is about to diverge
                gradients = _gradients(network) if plan is None else plan.last_gradient()
                active = predictor.active_units(self._images)
        except DeviceError:
            return  # the next step tells
        layers = [_health(layer, gradients, active) for layer in network.layers]
        known = [health for health in layers if (health.weight_norm, health.dead) != (None, None)]
        if all(math.isfinite(norm) for health in known for norm in (health.gradient_norm, health.weight_norm) if norm is not None):
            yield Examined(step, tuple(known))


def _gradients(network: Network) -> dict[str, Array]:
    return {name: to_numpy(parameter.grad) for name, parameter in network.parameters().items()}


def _health(layer: Layer, gradients: Mapping[str, Array], active: Mapping[str, Array]) -> LayerHealth:
    parameters = dict(layer.parameters())
    return LayerHealth(
        layer.name,
        _norm([gradients[f"{layer.name}.{name}"] for name, parameter in parameters.items() if parameter.requires_grad]),
        _norm([to_numpy(parameter.data) for parameter in parameters.values()]),
        1 - float(active[layer.name].mean()) if layer.name in active else None,
    )


def _norm(arrays: Sequence[Array]) -> float | None:
    """The L2 norm of all values together; None where there is no array.

    Summed in float64 by NumPy itself: the same bits whatever the number of threads and the place in memory.
    """
    if not arrays:
        return None
    return math.sqrt(sum(float(np.square(array, dtype=np.float64).sum()) for array in arrays))
