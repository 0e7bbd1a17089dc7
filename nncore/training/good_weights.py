"""GoodWeights: copies of a network's weights from before a training went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from nncore.arrays import Array, beside
from nncore.network import Network

FEWEST_STEPS = 50
"""A copy is made at most every so many steps."""
SHARE_OF_STEPS = 10
"""Later it is made after a tenth of the steps taken so far, where that is more."""


class Copy(NamedTuple):
    """A network's weights after `step` steps."""

    step: int
    state: dict[str, Array]

    @contextmanager
    def within(self, network: Network) -> Iterator[None]:
        """Let `network` have these weights for a while, and then its own again, even where those are no numbers."""
        own = network.state_dict()
        network.load_state_dict(self.state)
        try:
            yield
        finally:
            for name, holder in (network.parameters() | network.buffers()).items():
                holder.data[...] = beside(own[name], holder.data)


class GoodWeights:
    """Keeps two copies at most: the last one, and the one before it, in case the last one is bad already."""

    def __init__(self) -> None:
        self._last: Copy | None = None
        self._before: Copy | None = None

    def offer(self, network: Network, step: int) -> None:
        """Copy the weights that `network` has after `step` steps, where the last copy is old enough. Call it while all is well."""
        if self._last is None or step - self._last.step >= max(FEWEST_STEPS, step // SHARE_OF_STEPS):
            self._before, self._last = self._last, Copy(step, network.state_dict())

    def until(self, calm_step: int) -> Copy | None:
        """The newest weights with which a loss was still good, `calm_step` being the last step with such a loss.

        The loss of a step tells of the weights before it. None where there are no such weights.
        """
        for copy in (self._last, self._before):
            if copy is not None and copy.step < calm_step:
                return copy
        return None
