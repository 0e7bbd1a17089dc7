"""Watch: whether a network or its optimizer has been changed since a plan was recorded."""

from __future__ import annotations

from typing import Any

from nncore.errors import ConfigError
from nncore.network import Network
from nncore.optimizers import Optimizer

ONLY_NUMBERS = {"p", "momentum", "eps", "weight_decay"}
"""Settings of layers that may change at any time: kernels are told them anew."""

ONLY_AT_FIRST = {"initializer"}
"""Settings that no longer matter once a network has been built."""


class Watch:
    """Remembers what a record was made from."""

    def __init__(self, network: Network, optimizer: Optimizer | None) -> None:
        self._network, self._optimizer = network, optimizer
        self._layers = list(network.layers)
        settings = [(layer, name) for layer in self._layers for name in layer.settings if name not in ONLY_AT_FIRST]
        self._numbers = [(layer, name) for layer, name in settings if name in ONLY_NUMBERS]
        self._structure = [(layer, name) for layer, name in settings if name not in ONLY_NUMBERS]
        self._were = _values(self._numbers), _values(self._structure), self._decays()

    def has_changed(self) -> bool:
        """Whether numbers have changed that must be recorded anew.

        Raises ConfigError where layers have been exchanged or reshaped, which no plan can follow.
        """
        numbers, structure, decays = self._were
        same = len(self._layers) == len(self._network.layers) and all(map(_is, self._layers, self._network.layers))
        if not same or _values(self._structure) != structure:
            raise ConfigError("The network's layers have been changed since it was built; build a new Network of them.")
        return _values(self._numbers) != numbers or self._decays() != decays

    def _decays(self) -> list[float]:
        if self._optimizer is None:
            return []
        return [self._optimizer.decay(parameter) for parameter in self._optimizer.parameters.values()]


def _values(settings: list[tuple[Any, str]]) -> list[Any]:
    return [getattr(layer, name) for layer, name in settings]


def _is(a: object, b: object) -> bool:
    return a is b
