"""Going on with a run by its name alone: its data, its settings, its last checkpoint."""

from __future__ import annotations

from app.core.own_networks import preset_of
from app.core.runs import DAMAGED, Run, RunStore
from app.core.session import TrainingSession
from nncore.data import open_dataset, open_test
from nncore.data.checksums import content_sum
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DataError, WeightsError
from nncore.files import is_file, shown
from nncore.training.checkpoint import load_checkpoint
from nncore.training.config import TrainConfig
from nncore.training.trainer import Trainer


def resume(
    store: RunStore,
    name: str,
    *,
    data_spec: str | None = None,
    image_limit: int | None = None,
    epochs: int | None = None,
    checkpoint_every: int | None = None,
    device: str = "cpu",
) -> TrainingSession:
    """The training of the run called `name`, ready to go on from its last checkpoint, or from the start where it has none.

    `data_spec` says where its data lies now (None: where it lay), `epochs` how many epochs it shall have in all.
    `image_limit` is only for runs of earlier versions, which did not keep it. Raises a DigitLabError where the run is being
    trained, where its data is not here or holds other images than then, or where its checkpoint is damaged.
    """
    run = store.get(name)
    if run.status == DAMAGED:
        raise ConfigError(f"What the table of runs says of {run.name} is damaged; it cannot be resumed.")
    store.hold(run)
    try:
        config = TrainConfig.from_dict(run.config)
        spec = data_spec or run.data
        data = open_dataset(spec).limit(run.image_limit or image_limit, config.seed)
        require_same_images(run, data, spec)
        trainer = _trainer(store, run, data, config, epochs, device)
        return TrainingSession(trainer, store, run, open_test(spec, data), checkpoint_every or run.checkpoint_every)
    except BaseException:
        store.release(run)
        raise


def require_same_images(run: Run, data: Dataset, spec: str) -> None:
    """Raise DataError where `data`, which was opened from `spec`, is not what the run was trained on."""
    if run.checksum is not None and content_sum(data) != run.checksum:
        raise DataError(
            f"{shown(spec)} does not hold the images that the run {run.name} was trained on; name a place that does with "
            f"digitlab train --resume {run.name} --data, or begin a new run."
        )


def _trainer(store: RunStore, run: Run, data: Dataset, config: TrainConfig, epochs: int | None, device: str) -> Trainer:
    """The trainer as it was at the last checkpoint, or at the start, with as many epochs to train as are asked for."""
    path = store.checkpoint_of(run)
    if is_file(path):
        trainer = load_checkpoint(path, data, device)
        if trainer.config != config:
            raise WeightsError(f"{shown(path)} belongs to another training than the run {run.name}; it cannot be resumed from it.")
    elif run.parent is not None:
        raise WeightsError(f"The weights that {run.name} began with are not kept; begin a new run from {run.parent} again.")
    else:
        network = preset_of(run).build(config.seed, data.image_shape, config.initializer)
        trainer = Trainer(network, data, config, device)
    if epochs is not None:
        place = trainer.batches.epochs.place(trainer.step)
        begun = place.epoch + (place.taken > 0)
        if epochs < max(1, begun):
            raise ConfigError(f"--epochs counts the epochs of the whole run, of which {begun} have begun; give a larger number.")
        trainer.set_epochs(epochs)
    return trainer
