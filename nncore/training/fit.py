"""Whether a network, its data and a config make a training."""

from __future__ import annotations

import math

from nncore.arrays import shape_text
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DataError
from nncore.layers import BatchNorm
from nncore.losses import check_class_weights
from nncore.network import Network
from nncore.prediction import as_input
from nncore.training.config import SETTINGS, TrainConfig
from nncore.training.parts import check_named, is_frozen
from nncore.training.position import LARGEST_TOTAL


def check_fit(network: Network, data: Dataset) -> None:
    """Raise ConfigError or DataError unless `network` can learn from `data`."""
    if len(network.output_shape) != 1:
        raise ConfigError(
            f"The network ends in an image of {shape_text(network.output_shape)}, not in one score a class; "
            "let it end with Flatten and Linear."
        )
    if network.output_shape[0] < len(data.class_names):
        raise ConfigError(f"The network tells {network.output_shape[0]} classes apart, but the data has {len(data.class_names)}.")
    if len(data) < 2:
        raise DataError(f"{data.name} holds {len(data)} images; training needs at least two.")
    if not data.is_labelled:
        raise DataError(f"{data.name} has no labels to learn from; choose data that says what its images show.")
    as_input(data.images[:1], network.input_shape)


def check_settings(network: Network, config: TrainConfig) -> None:
    """Raise ConfigError where `config` names layers that `network` does not have, freezes all, or has other class weights."""
    parameters = network.parameters()
    for name, named in (("freeze", config.freeze), ("rates", [part for part, _ in config.rates])):
        check_named(SETTINGS[name].title, named, parameters)
    if config.freeze and all(is_frozen(parameter, config.freeze) for parameter in parameters):
        raise ConfigError("Every layer with weights is frozen, so nothing would be learnt; leave one out.")
    weights = config.class_weights
    if isinstance(weights, tuple) and not SETTINGS["class_weights"].unused_because(config):
        check_class_weights(weights, network.output_shape[0])


def check_batches(network: Network, count: int, batch_size: int, what: str = "an epoch") -> None:
    """Raise ConfigError where a step of the `count` images of `what` would be too small for batch norm."""
    last = (count - 1) % batch_size + 1
    for layer in network.layers:
        if isinstance(layer, BatchNorm) and last * math.prod(layer.input_shape[:-1]) < 2:
            raise ConfigError(
                f"{layer.name} needs at least two images a step, but the last step of {what} of {count:,} images would have "
                f"one; take another batch size than {batch_size:,}."
            )


def checked_total(steps: int) -> int:
    """`steps`. Raises ConfigError where they are more than a training can have."""
    if steps > LARGEST_TOTAL:
        raise ConfigError(f"A training of {steps:,} steps would never end; take fewer epochs (at most {LARGEST_TOTAL:,} steps).")
    return steps
