"""LiveSettings: the settings of a training that can be changed while it runs, as they are now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nncore.errors import ConfigError, WeightsError
from nncore.network import Network
from nncore.optimizers import SGD, Optimizer
from nncore.schedulers import Scheduler
from nncore.training.batches import Batches
from nncore.training.config import SETTINGS, TrainConfig
from nncore.training.control import checked_change
from nncore.training.course import Course
from nncore.training.epochs import Epochs
from nncore.training.fit import check_batches


class LiveSettings:
    """Changes the parts of a training; its config stays as it was. `value` tells what holds."""

    def __init__(
        self, config: TrainConfig, network: Network, optimizer: Optimizer, scheduler: Scheduler, batches: Batches, course: Course
    ) -> None:
        self._config, self._network, self._batches, self._course = config, network, batches, course
        self._optimizer, self._scheduler = optimizer, scheduler

    def value(self, setting: str) -> float:
        """Of a setting, one of CHANGEABLE, what the next step is taken with; of one without effect, what the config says."""
        if SETTINGS[setting].unused_because(self._config):
            return float(getattr(self._config, setting))
        holders = {"learning_rate": (self._optimizer, "lr"), "batch_size": (self._batches.epochs, "batch_size")}
        return getattr(*holders.get(setting, (self._optimizer, setting)))

    def change(self, setting: str, value: float, step: int, make_plan: Callable[[], object]) -> None:
        """Use another value from the step after `step` steps on; `make_plan` makes sure that the device can compute such steps.

        ConfigError, and nothing is changed, where the value makes no sense or would have no effect; also what `make_plan` raises.
        """
        value = checked_change(setting, value)
        if reason := SETTINGS[setting].unused_because(self._config):
            belongs = reason.removeprefix("Not used now: ")
            raise ConfigError(f"{SETTINGS[setting].title} has no effect on this training: {belongs}")
        match setting:
            case "learning_rate":
                self._scheduler.set_lr(value)
            case "batch_size":
                self._change_batch_size(int(value), step, make_plan)
            case _:
                self._set(setting, value)

    def _set(self, setting: str, value: float) -> None:
        if setting == "momentum" and isinstance(self._optimizer, SGD):
            self._optimizer.set_momentum(value)
        else:
            setattr(self._optimizer, setting, value)

    def _change_batch_size(self, size: int, step: int, make_plan: Callable[[], object]) -> None:
        before = self._batches.epochs
        if size == before.batch_size:
            return
        after = before.changed(step, size)
        check_batches(self._network, before.count, size)
        check_batches(self._network, before.count - before.place(step).taken, size, "the rest of this epoch,")
        self._course.check(after)
        self._batches.epochs = after
        try:
            make_plan()
        finally:
            self._batches.epochs = before
        self._course.regroup(step, after)

    def changed(self) -> dict[str, float]:
        """Momentum and weight decay, as far as they are not those of the config."""
        values = {name: self.value(name) for name in ("momentum", "weight_decay")}
        return {name: value for name, value in values.items() if value != getattr(self._config, name)}

    def load(self, settings: Mapping[str, float], batch_sizes: Sequence[tuple[int, int]]) -> None:
        """Take over what a saved training has been given on the way: what `changed` returned, and the changes of its Epochs.

        WeightsError where it cannot have had them.
        """
        epochs = Epochs(len(self._batches.train_data), self._config.batch_size, batch_sizes)
        try:
            check_batches(self._network, epochs.count, epochs.batch_size)
        except ConfigError as error:
            raise WeightsError(f"It has a batch size that is not possible: {error}") from error
        for name in settings:
            if reason := SETTINGS[name].unused_because(self._config):
                raise WeightsError(
                    f"It has another {SETTINGS[name].title.lower()} than its config, which has no use for any: {reason}"
                )
        for name in ("momentum", "weight_decay"):
            if not SETTINGS[name].unused_because(self._config):
                self._set(name, settings.get(name, getattr(self._config, name)))
        self._batches.epochs = epochs
