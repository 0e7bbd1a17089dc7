"""Cost: what a layer or a network takes, told from shapes alone, before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import Shape
from nncore.errors import ConfigError

LARGEST_NETWORK = 200_000_000
"""Parameters that a network may have (800 MB of float32), so that a slip in a size does not take all memory."""
MOST_VALUES = 2**26
"""Values that all layers together may make of one example (256 MB of float32, and as much again for sums on the way): fifty times
what the largest preset makes."""
MOST_MULTIPLY_ADDS = 2_000_000_000
"""Multiply-adds that one example may take: about a second on one core without vector instructions."""
LARGEST_WINDOW = 65_536
"""Places that a convolution's or a pool's window may have (256×256): the readable path visits them one at a time."""
MOST_LAYERS = 1000
"""Layers that a network may have; the deepest that were ever of use had about as many."""


@dataclass(frozen=True)
class Cost:
    """What one example costs: learnt numbers, values made on the way (padding and work areas included), multiply-adds."""

    parameters: int = 0
    values: int = 0
    multiply_adds: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.values + other.values, self.multiply_adds + other.multiply_adds)

    def check(self, layer: str) -> None:
        """Raise ConfigError, naming the layer at which the sum of costs has become too large to be meant."""
        for count, most, what in (
            (self.parameters, LARGEST_NETWORK, "parameters"),
            (self.values, MOST_VALUES, "values for each example"),
            (self.multiply_adds, MOST_MULTIPLY_ADDS, "multiply-adds for each example"),
        ):
            if count > most:
                raise ConfigError(f"This network has over {most:,} {what} up to {layer}; make a layer smaller.")


def check_window(kernel_size: Shape) -> None:
    """Raise ConfigError where a window of `kernel_size` has too many places."""
    if kernel_size[0] * kernel_size[1] > LARGEST_WINDOW:
        raise ConfigError(f"kernel_size may have at most {LARGEST_WINDOW:,} places, not {kernel_size[0]:,}×{kernel_size[1]:,}.")
