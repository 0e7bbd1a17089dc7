"""All of a network's numbers in one flat vector, so that an optimizer's step is one loop."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from operator import attrgetter, is_
from weakref import WeakKeyDictionary

import numpy as np

from nncore.arrays import Array, to_numpy
from nncore.backend.vector import ALIGN, SLACK, Part, Vector
from nncore.network import Network
from nncore.optimizers import Optimizer
from nncore.parameter import Buffer, Parameter

_flats: WeakKeyDictionary[Network, Flat] = WeakKeyDictionary()
_lock = threading.Lock()
_data = attrgetter("data")


def flat_of(network: Network) -> Flat:
    """The network's numbers as one vector, made where they are not so already: all plans of a network share it."""
    with _lock:
        flat = _flats.get(network)
        if flat is None or not flat.holds():
            flat = _flats[network] = Flat(network.parameters(), network.buffers())
        return flat


class Flat:
    """Makes every parameter's and buffer's `data` a view of one vector: parameters first, then the buffers.

    The vector lies on the host, whatever the device. Values are kept; who holds on to a former `data` array no longer sees it
    change.
    """

    def __init__(self, parameters: Mapping[str, Parameter], buffers: Mapping[str, Buffer]) -> None:
        self.parts: dict[str, Part] = {}
        reach = self._place(parameters, 0)
        size = self._place(buffers, reach)
        zeros = Part(size, (max((holder.shape[-1] for holder in parameters.values()), default=0),))
        self.vector = Vector(_aligned_zeros(zeros.end + SLACK), self.parts, reach, zeros)
        self._moments: WeakKeyDictionary[Optimizer, dict[str, tuple[Array, dict[str, Array]]]] = WeakKeyDictionary()
        holders: dict[str, Parameter | Buffer] = {**parameters, **buffers}
        for name, holder in holders.items():
            view = self.parts[name].of(self.vector.values)
            view[...] = to_numpy(holder.data)
            holder.data = view
        self._holders, self._views = list(holders.values()), [holder.data for holder in holders.values()]

    def _place(self, holders: Mapping[str, Parameter] | Mapping[str, Buffer], start: int) -> int:
        """Give each a place from `start` on; buffers of one layer follow each other directly where their sizes allow."""
        for name, holder in holders.items():
            self.parts[name] = Part(start, holder.shape)
            size = math.prod(holder.shape)
            start += size if isinstance(holder, Buffer) else -(-size // ALIGN) * ALIGN
        return -(-start // ALIGN) * ALIGN

    def holds(self) -> bool:
        """Whether every parameter and buffer still is the view it was made, and none has been replaced since."""
        return all(map(is_, map(_data, self._holders), self._views))

    def moments_of(self, optimizer: Optimizer) -> list[Array]:
        """The optimizer's running averages as flat vectors, of which its own dictionaries keep views.

        Made where they are not so already: all plans that train by one optimizer share them.
        """
        known = self._moments.get(optimizer, {})
        for slot, values in optimizer.moments.items():
            if slot not in known or any(values[name] is not view for name, view in known[slot][1].items()):
                flat = _aligned_zeros(self.vector.parameters + SLACK)
                views = {name: self.parts[name].of(flat) for name in values}
                for name, view in views.items():
                    view[...] = to_numpy(values[name])
                optimizer.moments[slot] = views
                known[slot] = flat, views
        self._moments[optimizer] = known
        return [known[slot][0] for slot in optimizer.moments]


def _aligned_zeros(size: int) -> Array:
    """float32 zeros that begin at a cache line."""
    memory = np.zeros(size + ALIGN, np.float32)
    start = -(memory.ctypes.data // 4) % ALIGN
    return memory[start : start + size]
