"""WeightAverage: a running mean of a network's numbers, which often reads new images better than the last ones do."""

from __future__ import annotations

from collections.abc import Mapping

from nncore.arrays import Array
from nncore.network import Network


class WeightAverage:
    """a ← d a + (1 − d) w after every look at weights w, the exponential moving average (Polyak and Juditsky 1992).

    Batch norm's running statistics are averaged like weights. The first look is the first average.
    """

    def __init__(self, decay: float, state: Mapping[str, Array] | None = None) -> None:
        """`state` is that of an average that goes on."""
        self.decay = decay
        self.state: dict[str, Array] = {name: value.copy() for name, value in (state or {}).items()}
        """The average, as `Network.state_dict` gives weights; empty before the first look."""

    def look(self, network: Network) -> None:
        """Take the present weights into the average."""
        now = network.state_dict()
        if not self.state:
            self.state = now
            return
        for name, average in self.state.items():
            average += (now[name] - average) * average.dtype.type(1 - self.decay)
