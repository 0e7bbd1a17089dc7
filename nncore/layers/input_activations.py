"""Activations whose gradient follows from their input: leaky ReLU, GELU and SiLU. They have no parameters."""

from __future__ import annotations

import importlib
import math

import numpy as np

from nncore.arrays import Array, array_module
from nncore.checks import real_number, shown
from nncore.errors import ConfigError
from nncore.layers.activations import Activation, sigmoid

APPROXIMATIONS = ("none", "tanh")
"""How GELU finds Φ: exactly, or by a tanh."""
CUBIC = 0.044715
"""Of x³ in GELU's approximation by a tanh."""


class InputActivation(Activation):
    """y = f(x), dL/dx = dL/dy · f′(x): `of` and `slope` are all that one consists of."""

    def of(self, x: Array) -> Array:
        """f(x), of the shape of x."""
        raise TypeError(f"{type(self).__name__} defines no function")

    def slope(self, x: Array) -> Array:
        """f′(x), of the shape of x."""
        raise TypeError(f"{type(self).__name__} defines no slope")

    def forward(self, x: Array) -> Array:
        self._x = x
        return self.of(x)

    def backward(self, grad: Array) -> Array:
        return grad * self.slope(self._x)


class LeakyReLU(InputActivation):
    """y = x where x > 0, else negative_slope · x; dL/dx = dL/dy or negative_slope · dL/dy (Maas et al. 2013).

    Unlike ReLU it lets a gradient through on both sides, so that no unit is lost for good.
    """

    kind, kernel, settings = "leakyrelu", "leaky_relu", ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = real_number(negative_slope, "negative_slope", "of at least 0", lambda number: number >= 0)

    def kernel_numbers(self) -> dict[str, float]:
        return {"negative_slope": self.negative_slope}

    def of(self, x: Array) -> Array:
        return array_module(x).where(x > 0, x, x * x.dtype.type(self.negative_slope))

    def slope(self, x: Array) -> Array:
        return array_module(x).where(x > 0, x.dtype.type(1), x.dtype.type(self.negative_slope))

    def describe(self) -> str:
        return f"leaky relu {self.negative_slope:g}"


class GELU(InputActivation):
    """y = x Φ(x), Φ being the standard normal's distribution: (1 + erf(x / √2)) / 2. dL/dx = dL/dy · (Φ(x) + x φ(x)).

    With `approximate="tanh"`, as in PyTorch, Φ(x) = (1 + tanh u) / 2 with u = √(2/π) (x + 0.044715 x³), which differs by less than
    0.0005. Hendrycks and Gimpel 2016, arXiv 1606.08415.
    """

    kind, kernel, settings = "gelu", "gelu", ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in APPROXIMATIONS:
            raise ConfigError(f"approximate must be {' or '.join(APPROXIMATIONS)}, not {shown(approximate)}.")
        self.approximate = approximate

    def kernel_numbers(self) -> dict[str, float]:
        return {"by_tanh": int(self.approximate == "tanh")}

    def of(self, x: Array) -> Array:
        half = x.dtype.type(0.5)
        return half * x * (1 + (self._tanh(x) if self.approximate == "tanh" else erf(x * x.dtype.type(math.sqrt(0.5)))))

    def slope(self, x: Array) -> Array:
        number = x.dtype.type
        if self.approximate == "tanh":
            t, slope_of_u = self._tanh(x), number(math.sqrt(2 / math.pi)) * (1 + number(3 * CUBIC) * x * x)
            return number(0.5) * (1 + t + x * (1 - t * t) * slope_of_u)
        density = number(1 / math.sqrt(2 * math.pi)) * array_module(x).exp(number(-0.5) * x * x)
        return number(0.5) * (1 + erf(x * number(math.sqrt(0.5)))) + x * density

    @staticmethod
    def _tanh(x: Array) -> Array:
        number = x.dtype.type
        return array_module(x).tanh(number(math.sqrt(2 / math.pi)) * (x + number(CUBIC) * x * x * x))

    def describe(self) -> str:
        return "gelu" if self.approximate == "none" else "gelu by tanh"


class SiLU(InputActivation):
    """y = x σ(x), also called swish, with σ(x) = 1 / (1 + exp(−x)); dL/dx = dL/dy · σ(x) (1 + x (1 − σ(x)))."""

    kind, kernel = "silu", "silu"

    def of(self, x: Array) -> Array:
        return x * sigmoid(x)

    def slope(self, x: Array) -> Array:
        share = sigmoid(x)
        return share * (1 + x * (1 - share))


def erf(x: Array) -> Array:
    """The error function 2/√π ∫₀ˣ exp(−t²) dt, of the shape and dtype of x."""
    library = "scipy.special" if array_module(x) is np else "cupyx.scipy.special"
    return importlib.import_module(library).erf(x)  # here, because it takes time to load
