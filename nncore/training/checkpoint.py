"""Checkpoints: a training on disk, from which it goes on as if it had never been interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nncore.data.dataset import Dataset
from nncore.errors import DataError, DigitLabError, WeightsError
from nncore.network import Network
from nncore.training.config import SETTINGS, TrainConfig
from nncore.training.trainer import Trainer
from nncore.weights import read_tensors, write_tensors

FORMAT = "digitlab-checkpoint/1"


def save_checkpoint(path: Path, trainer: Trainer) -> None:
    """Write network, config, and the trainer's state. DigitLabError where that fails."""
    arrays, rest = trainer.state_dict()
    network = {"architecture": trainer.network.config(), "network_seed": trainer.network.seed}
    write_tensors(path, arrays, format=FORMAT, config=trainer.config.as_dict(), **network, **rest)


def load_checkpoint(path: Path, data: Dataset, device: str = "cpu") -> Trainer:
    """The training that `path` holds, on the same `data`, ready to go on. WeightsError where file or data do not fit."""
    arrays, metadata = read_tensors(path, FORMAT)
    try:
        config = TrainConfig.from_dict(metadata.get("config", {}))
        trainer = Trainer(_network(metadata, config), data, config, device)
        trainer.load_state_dict(arrays, metadata)
    except DataError:  # the data is of no use to any training
        raise
    except DigitLabError as error:
        raise WeightsError(f"{path} cannot be gone on from: {error}") from error
    return trainer


def _network(metadata: dict[str, Any], config: TrainConfig) -> Network:
    """The network that the file describes, of the same seed: dropout's draws follow from it.

    Files of older programs do not name it; their networks were built with the training's own.
    """
    seed = SETTINGS["seed"].kind.check("The seed of its network", metadata.get("network_seed", config.seed))
    try:
        with np.errstate(all="ignore"):  # of first weights that the saved ones replace
            return Network.from_config(metadata["architecture"], seed)
    except (TypeError, ValueError, KeyError, ArithmeticError, AttributeError, MemoryError) as error:
        raise WeightsError("It does not describe a network.") from error
