"""Watch: whether a network or its optimizer has been changed since a plan was recorded."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from nncore.errors import ConfigError
from nncore.losses import Loss
from nncore.network import Network
from nncore.optimizers import Optimizer

ONLY_NUMBERS = {"p", "momentum", "eps", "weight_decay"}
"""Settings of layers that may change at any time: kernels are told them anew."""

ONLY_AT_FIRST = {"initializer", "bias"}
"""Settings that no longer matter once a network has been built."""


class Watch:
    """Remembers the numbers and layers that a record was made from. Asking it takes about a microsecond."""

    def __init__(self, network: Network, optimizer: Optimizer | None, loss: Loss | None) -> None:
        self._network = network
        self._layers = list(network.layers)
        self._settings: list[tuple[Any, attrgetter[Any]]] = []
        self._structure: list[tuple[Any, attrgetter[Any]]] = []
        for layer in self._layers:
            if names := [name for name in layer.settings if name not in ONLY_AT_FIRST]:
                self._settings.append((layer, attrgetter(*names)))
            if names := [name for name in names if name not in ONLY_NUMBERS]:
                self._structure.append((layer, attrgetter(*names)))
        if optimizer is not None:
            self._settings.append((optimizer, attrgetter("clip_norm", "rule", "weight_decay")))
        if loss is not None:
            self._settings.append((loss, attrgetter("constants")))
            told = attrgetter("requires_grad", "weight_decay", "lr_mult")
            self._settings += [(parameter, told) for parameter in network.parameters().values()]
        self._were, self._structure_was = _values(self._settings), _values(self._structure)

    def has_changed(self) -> bool:
        """Whether numbers have changed that must be recorded anew.

        Raises ConfigError where layers have been exchanged or reshaped, which no plan can follow.
        """
        if self._network.layers == self._layers and _values(self._settings) == self._were:
            return False
        if self._network.layers != self._layers or _values(self._structure) != self._structure_was:
            raise ConfigError("The network's layers have been changed since it was built; build a new Network of them.")
        return True


def _values(settings: list[tuple[Any, attrgetter[Any]]]) -> list[Any]:
    return [get(holder) for holder, get in settings]
