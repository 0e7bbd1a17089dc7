"""Settings of single layers: which are frozen, and which have a learning rate of their own."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from nncore.errors import ConfigError
from nncore.parameter import Parameter
from nncore.training.values import Kind, Number, listed, number_text

Rates: TypeAlias = tuple[tuple[str, float], ...]
"""Names of layers or parameters, each with what the learning rate is multiplied by for it."""

NAME = re.compile(r"[a-z][a-z0-9_]*[0-9](\.[a-z][a-z0-9_]*)*")
"""A layer's name, which ends in its number, or a parameter's, which begins with its layer's: conv1, conv1.bias."""
FACTOR = Number(0, math.inf, above=True)


@dataclass(frozen=True)
class PartNames(Kind):
    """Names of layers, or of single parameters, each once; there may be none."""

    metavar = "NAME,NAME,..."
    words = "names of layers or of their parameters, each once, such as conv1 or conv1.bias"

    def check(self, title: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not _are_names(value):
            raise self.refusal(title, value)
        return tuple(value)

    def parse(self, title: str, text: str) -> tuple[str, ...]:
        try:
            return self.check(title, [part.strip() for part in text.split(",") if text.strip()])
        except ConfigError:
            raise self.refusal(title, text) from None

    def show(self, value: Any) -> str:
        return listed(value) or "none"


@dataclass(frozen=True)
class PartRates(Kind):
    """Names of layers, or of single parameters, each once and with a number above 0; there may be none."""

    metavar = "NAME=X,..."
    words = "names of layers or of their parameters, each once and with a number above 0, such as conv1=0.1"

    def check(self, title: str, value: Any) -> Rates:
        pairs = list(value.items()) if isinstance(value, Mapping) else value
        if not isinstance(pairs, list | tuple) or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
            raise self.refusal(title, value)
        if not _are_names([name for name, _ in pairs]) or not all(FACTOR.holds(factor) for _, factor in pairs):
            raise self.refusal(title, value)
        return tuple((name, float(factor)) for name, factor in pairs)

    def parse(self, title: str, text: str) -> Rates:
        pairs = [part.partition("=") for part in text.split(",") if text.strip()]
        try:
            return self.check(title, [(name.strip(), float(factor)) for name, _, factor in pairs])
        except ValueError:  # also ConfigError
            raise self.refusal(title, text) from None

    def show(self, value: Any) -> str:
        return listed(f"{name} × {number_text(factor)}" for name, factor in value) or "none"


def _are_names(found: Sequence[Any]) -> bool:
    return all(isinstance(name, str) and NAME.fullmatch(name) for name in found) and len(set(found)) == len(found)


def is_part(parameter: str, name: str) -> bool:
    """Whether the parameter of this full name is the one called `name`, or belongs to the layer of that name."""
    return parameter == name or parameter.startswith(f"{name}.")


def is_frozen(parameter: str, freeze: Iterable[str]) -> bool:
    """Whether the parameter of this full name is one of those that `freeze` names."""
    return any(is_part(parameter, name) for name in freeze)


def assign(parameters: Mapping[str, Parameter], freeze: Sequence[str], rates: Rates) -> None:
    """Freeze the parameters that `freeze` names, and no others; give those that `rates` names their factor, all others 1.

    Of a layer's factor and that of one of its parameters, this parameter's counts.
    """
    for full, parameter in parameters.items():
        parameter.requires_grad = not is_frozen(full, freeze)
        named = [(len(name), factor) for name, factor in rates if is_part(full, name)]
        parameter.lr_mult = max(named)[1] if named else 1.0


def check_named(title: str, names: Iterable[str], parameters: Iterable[str]) -> None:
    """Raise ConfigError, naming `title`, where one of `names` is no part of a network with these parameters."""
    known = list(parameters)
    for name in names:
        if not any(is_part(parameter, name) for parameter in known):
            layers = listed(dict.fromkeys(parameter.rpartition(".")[0] for parameter in known))
            raise ConfigError(f"{title} name {name}, but the layers of this network that have weights are {layers}.")
