"""Checkpoints: a training on disk, from which it goes on as if it had never been interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nncore.arrays import Array
from nncore.data.dataset import Dataset
from nncore.errors import DataError, DigitLabError, WeightsError
from nncore.network import Network
from nncore.training.config import TrainConfig
from nncore.training.position import grouped
from nncore.training.trainer import Trainer
from nncore.weights import network_from, read_tensors, write_tensors

FORMAT = "digitlab-checkpoint/1"


def save_checkpoint(path: Path, trainer: Trainer) -> None:
    """Write network, config, and the trainer's state. DigitLabError where that fails."""
    arrays, rest = trainer.state_dict()
    write_tensors(path, arrays, format=FORMAT, architecture=trainer.network.config(), config=trainer.config.as_dict(), **rest)


def load_checkpoint(path: Path, data: Dataset, device: str = "cpu") -> Trainer:
    """The training that `path` holds, on the same `data`, ready to go on. WeightsError where file or data do not fit."""
    arrays, metadata = read_tensors(path, FORMAT)
    try:
        network = _network(path, arrays, metadata)
        trainer = Trainer(network, data, TrainConfig.from_dict(metadata.get("config", {})), device)
        trainer.load_state_dict(arrays, metadata)
    except DataError:  # the data is of no use to any training
        raise
    except DigitLabError as error:
        raise WeightsError(f"{path} cannot be gone on from: {error}") from error
    return trainer


def _network(path: Path, arrays: dict[str, Array], metadata: dict[str, Any]) -> Network:
    """The network that the file describes, whatever is wrong with the description."""
    try:
        return network_from(path, metadata.get("architecture"), grouped(arrays, ("network", "optimizer", "best"))["network"])
    except (TypeError, ValueError, KeyError, ArithmeticError, AttributeError, MemoryError) as error:
        raise WeightsError("it does not describe a network.") from error
