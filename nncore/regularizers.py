"""Regularizers: terms added to the loss that keep the weights small."""

from __future__ import annotations

from collections.abc import Mapping

from nncore.checks import decay_rate
from nncore.parameter import Parameter


class L2:
    """R = ½ λ Σ θ² over all weights (not biases), added to the loss; dR/dθ = λ θ, added to their gradients.

    A step of plain SGD on R is the weight decay of the same λ; with Adam the two also agree, since weight decay is added to the
    gradient. With AdamW, whose decay is another, they do not. Raises ConfigError where λ is negative.
    """

    def __init__(self, strength: float) -> None:
        self.strength = decay_rate(strength, "The strength of L2")

    def penalty(self, parameters: Mapping[str, Parameter]) -> float:
        """R for the present weights."""
        total = sum(float((parameter.data * parameter.data).sum()) for parameter in self._weights(parameters))
        return 0.5 * self.strength * total

    def add_gradient(self, parameters: Mapping[str, Parameter]) -> None:
        """Add dR/dθ to the gradient of every weight."""
        for parameter in self._weights(parameters):
            parameter.grad = parameter.grad + self.strength * parameter.data

    def apply_as_decay(self, parameters: Mapping[str, Parameter]) -> None:
        """Leave R to the optimizer: add λ to the `weight_decay` of every weight, once, before training."""
        for parameter in self._weights(parameters):
            parameter.weight_decay += self.strength

    @staticmethod
    def _weights(parameters: Mapping[str, Parameter]) -> list[Parameter]:
        """Arrays of two axes and more; biases, and batch norm's scales, have one and are left alone."""
        return [parameter for parameter in parameters.values() if parameter.data.ndim > 1]
