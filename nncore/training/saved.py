"""The state of a training: what its trainer writes into a checkpoint, and takes over from one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from nncore.arrays import Array
from nncore.errors import WeightsError
from nncore.network import Network
from nncore.optimizers import Optimizer
from nncore.schedulers import Scheduler
from nncore.training.batches import Batches
from nncore.training.best import Best
from nncore.training.live import LiveSettings
from nncore.training.loss_watch import LossWatch
from nncore.training.meters import Meters
from nncore.training.position import Position, check_like, grouped
from nncore.training.schedules import Cycles
from nncore.training.stops import Stops


class Training(Protocol):
    """The parts of a trainer that have a state."""

    network: Network
    optimizer: Optimizer
    scheduler: Scheduler
    batches: Batches
    settings: LiveSettings
    meters: Meters
    watch: LossWatch
    stops: Stops
    best: Best | None
    step: int
    total_steps: int
    optimizer_began: int


def state_of(training: Training) -> tuple[dict[str, Array], dict[str, Any]]:
    """What `Trainer.state_dict` returns: arrays by name, and the rest as JSON can hold it."""
    groups = {"network": training.network.state_dict(), "optimizer": training.optimizer.state_dict()}
    if training.best:
        groups["best"] = training.best.state
    position = {
        "step": training.step,
        "total_steps": training.total_steps,
        "base_lr": training.scheduler.base_lr,
        "optimizer_began": training.optimizer_began,
        "train_count": len(training.batches.train_data),
        "random": training.network.random_state(),
        "watch": training.watch.state_dict(),
        "stops": training.stops.state_dict(),
        "settings": training.settings.changed(),
        "batch_sizes": training.batches.epochs.changes,
    }
    if isinstance(training.scheduler, Cycles):
        position["cycles"] = training.scheduler.cycles
    arrays = {f"{group}/{name}": value for group, values in groups.items() for name, value in values.items()}
    return arrays, {"position": position | training.meters.state_dict(), "best": training.best and training.best.info()}


def load_state(training: Training, arrays: Mapping[str, Array], rest: Mapping[str, Any]) -> None:
    """Give a training what `state_of` returned. WeightsError where it is damaged or belongs to another training."""
    position = Position.of(rest.get("position"), len(training.batches.train_data))
    training.settings.load(position.settings, position.batch_sizes)  # first, since the optimizer's averages follow from them
    groups = grouped(arrays, ("network", "optimizer", "best"))
    check_like(groups["network"], training.network.state_dict(), "weights")
    check_like(groups["optimizer"], training.optimizer.state_dict(), "optimizer's")
    if int(groups["optimizer"]["steps"]) != position.step - position.optimizer_began:
        raise WeightsError("Its optimizer has taken another number of steps than its training.")
    best = Best.restored(rest.get("best"), groups["best"], training.network, position.step)
    training.meters.load_state_dict(rest["position"])
    training.watch.load_state_dict(rest["position"].get("watch"), position.step)
    training.stops.load_state_dict(rest["position"].get("stops"), training.meters.seconds)
    at_end = training.batches.epochs.is_end(position.step) and training.meters.count == len(training.batches.train_data)
    if not at_end and training.meters.count != training.batches.examples(position.step):
        raise WeightsError("The sums of its epoch belong to another step.")
    training.network.load_state_dict(groups["network"])
    training.network.load_random_state(position.random)
    training.optimizer.load_state_dict(groups["optimizer"])
    training.step, training.total_steps, training.best = position.step, position.total_steps, best
    training.optimizer_began = position.optimizer_began
    training.scheduler.base_lr = position.base_lr
    if isinstance(training.scheduler, Cycles):
        first = training.scheduler.cycles[0]._replace(base_lr=position.base_lr)
        training.scheduler.set_cycles([first] if position.cycles is None else position.cycles)
    training.scheduler.jump(training.step)
