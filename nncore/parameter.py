"""Parameter and Buffer: the arrays that belong to a layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nncore.arrays import Array, Shape, array_module, shape_text
from nncore.checks import shown
from nncore.errors import WeightsError


class Parameter:
    """An array that training changes (`data`), and the gradient of the loss with respect to it (`grad`), of the same shape.

    `weight_decay` is λ of this parameter's own penalty ½ λ ‖θ‖², besides the optimizer's: see `Optimizer`.
    `requires_grad` False: it is frozen, as in PyTorch. No step changes it or its running averages, its gradient counts as zero,
    and a plan does not go further back than the first layer that learns. `lr_mult` is what the learning rate is multiplied by
    for it. All three may be set between any two steps; steps are counted for all parameters together, also while one is frozen.
    """

    def __init__(self, data: Array, weight_decay: float = 0.0) -> None:
        self.data = data
        self.grad = array_module(data).zeros_like(data)
        self.weight_decay = weight_decay
        self.requires_grad = True
        self.lr_mult = 1.0

    @property
    def shape(self) -> Shape:
        return self.data.shape


class Buffer:
    """An array (`data`) that belongs to a layer and is saved with it, but has no gradient: running statistics.

    `least` is the smallest value that makes sense in it: 0 for a variance.
    """

    def __init__(self, data: Array, least: float = -math.inf) -> None:
        self.data = data
        self.least = least

    @property
    def shape(self) -> Shape:
        return self.data.shape


def check_saved(name: str, saved: Any, present: Array, least: float = -math.inf) -> None:
    """Raise WeightsError unless `saved` can take the place of `present`, the array called `name`.

    It must be an array of real numbers of the same shape, each finite in the present array's dtype and at least `least`.
    """
    if not hasattr(saved, "dtype") or getattr(saved, "shape", None) != present.shape:
        found = shape_text(saved.shape) if hasattr(saved, "shape") else shown(saved)
        raise WeightsError(f"The weights' {name} is {found}, but this network's is {shape_text(present.shape)}.")
    if saved.dtype.kind not in "fiu":
        raise WeightsError(f"The weights' {name} holds {saved.dtype}, not real numbers; the file is of no use.")
    if saved.size == 0:
        return
    low, high = float(saved.min()), float(saved.max())
    if not -math.inf < low <= high < math.inf:
        raise WeightsError(f"The weights' {name} holds values that are not numbers; the file is of no use.")
    if present.dtype.kind == "f" and max(-low, high) > float(np.finfo(present.dtype).max):
        raise WeightsError(f"The weights' {name} holds values too large for {present.dtype}; the file is of no use.")
    if low < least:
        raise WeightsError(f"The weights' {name} holds values below {least:g}, which it cannot; the file is of no use.")
