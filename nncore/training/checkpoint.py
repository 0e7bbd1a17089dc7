"""Checkpoints: a training on disk, from which it goes on as if it had never been interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, WeightsError
from nncore.training.config import TrainConfig
from nncore.training.trainer import Best, Trainer
from nncore.weights import network_from, read_tensors, write_tensors

FORMAT = "digitlab-checkpoint/1"


def save_checkpoint(path: Path, trainer: Trainer) -> None:
    """Write all that the rest of the training depends on: weights, optimizer, schedule, position, and the best weights.

    The order of the images needs no place in the file: it follows from the seed and the step.
    """
    groups = {"network": trainer.network.state_dict(), "optimizer": trainer.optimizer.state_dict()}
    if trainer.best:
        groups["best"] = trainer.best.state
    tensors = {f"{group}/{name}": value for group, values in groups.items() for name, value in values.items()}
    best = trainer.best and {
        "step": trainer.best.step,
        "val_accuracy": trainer.best.val_accuracy,
        "val_loss": trainer.best.val_loss,
    }
    position = {
        "step": trainer.step,
        "total_steps": trainer.total_steps,
        "base_lr": trainer.scheduler.base_lr,
        "seconds": trainer.seconds,
        "epoch": trainer.epoch_position(),
        "train_count": len(trainer.train_data),
        "random": trainer.network.random_state(),
    }
    write_tensors(
        path,
        tensors,
        format=FORMAT,
        architecture=trainer.network.config(),
        config=trainer.config.as_dict(),
        position=position,
        best=best,
    )


def load_checkpoint(path: Path, data: Dataset) -> Trainer:
    """The training that `path` holds, on the same `data`, ready to go on. WeightsError where file or data do not fit."""
    tensors, metadata = read_tensors(path, FORMAT)
    groups: dict[str, dict[str, Any]] = {"network": {}, "optimizer": {}, "best": {}}
    try:
        for full_name, value in tensors.items():
            group, name = full_name.split("/", 1)
            groups[group][name] = value
        network = network_from(path, metadata["architecture"], groups["network"])
        trainer = Trainer(network, data, TrainConfig.from_dict(metadata["config"]))
        position, best = metadata["position"], metadata["best"]
        if position["train_count"] != len(trainer.train_data):
            raise WeightsError(
                f"{path} belongs to a training on {position['train_count']:,} images, not {len(trainer.train_data):,}."
            )
        trainer.network.load_random_state(position.get("random", {}))
        trainer.optimizer.load_state_dict(groups["optimizer"])
        trainer.scheduler.base_lr = float(position["base_lr"])
        trainer.scheduler.jump(int(position["step"]))
        trainer.step, trainer.total_steps = int(position["step"]), int(position["total_steps"])
        trainer.restore_epoch(position["seconds"], position["epoch"])
        if best:
            trainer.best = Best(int(best["step"]), float(best["val_accuracy"]), float(best["val_loss"]), groups["best"])
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path} is damaged: part of the checkpoint is missing.") from error
    return trainer
