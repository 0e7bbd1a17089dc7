"""Target: what is to be explained of an answer."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import Array, array_module
from nncore.checks import whole_number
from nncore.errors import ConfigError


@dataclass(frozen=True)
class Target:
    """One number of an answer: the logit z of the class `label`, or z_label − z_against: "why a 4, and not a 9?".

    The difference is the logarithm of how many times likelier the network takes the one than the other.
    """

    label: int
    against: int | None = None

    def check(self, classes: int) -> None:
        """Raise ConfigError unless these are two different classes of so many."""
        whole_number(self.label, "The class to explain", 0, classes - 1)
        if self.against is not None and whole_number(self.against, "The class to compare with", 0, classes - 1) == self.label:
            raise ConfigError(f"Class {self.label} cannot be compared with itself; choose another one.")

    def of(self, logits: Array) -> Array:
        """The target of each row of logits (N, classes): (N)."""
        own = logits[:, self.label]
        return own if self.against is None else own - logits[:, self.against]

    def slope(self, logits: Array) -> Array:
        """The derivative of `of` by logits (N, classes), of their shape: 1 at the class, −1 at the one it is compared with."""
        grad = array_module(logits).zeros_like(logits)
        grad[:, self.label] = 1
        if self.against is not None:
            grad[:, self.against] = -1
        return grad
