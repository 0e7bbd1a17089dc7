"""What a report tells of one run, gathered from the table of runs, the run's weights and its data, as far as they are there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.core.own_networks import preset_of
from app.core.runs import Run, RunStore
from app.core.runs.marks import Mark
from nncore.arrays import Array, Shape
from nncore.data import open_dataset, open_test
from nncore.data.catalogue import title_of
from nncore.data.checksums import content_sum
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DataError, DigitLabError, WeightsError
from nncore.files import is_file, shown
from nncore.losses import Loss
from nncore.metrics import Evaluation
from nncore.network import Network
from nncore.prediction import Predictor, can_evaluate
from nncore.training.batches import Batches
from nncore.training.config import SETTINGS, TrainConfig
from nncore.training.values import is_whole
from nncore.weights import load_weights

Curve = tuple[Array, Array, Array]
"""Steps, losses and accuracies, float64 (N) each."""


@dataclass(frozen=True, eq=False)
class DataFacts:
    """The images that a run was trained on, and those that its network was measured on for the report."""

    train: Dataset
    """All that the training was given, held-out images included."""
    held_out: Dataset | None
    """The part of them that the network never learned from; None where the settings that say which are not known."""
    test: Dataset | None
    measured_part: str = ""
    """What `measured` is: `test` or `held-out`."""
    measured: Dataset | None = None
    evaluation: Evaluation | None = None
    """The answers on `measured`; both are None where nothing could be measured."""

    @property
    def learnt(self) -> int:
        """How many images the network learned from."""
        return len(self.train) - (0 if self.held_out is None else len(self.held_out))


@dataclass(frozen=True, eq=False)
class RunFacts:
    """All that is known of a run. What is missing is None, and a sentence says why."""

    run: Run
    data_title: str
    config: TrainConfig | None
    no_config: str
    network: Network | None
    is_trained: bool
    """Whether the network has the run's weights; otherwise it is only built as the run's was."""
    no_weights: str
    training: Curve
    validation: Curve
    data: DataFacts | None
    no_data: str
    no_evaluation: str
    changes: tuple[Mark, ...]
    """Settings that were changed while it was trained, in their order."""
    best_step: int | None
    """The step of the weights, where the file tells it."""
    weights_size: int
    """Bytes of the weights file; 0 where there is none."""


def gather(store: RunStore, run: Run, data_spec: str | None = None, *, with_data: bool = True) -> RunFacts:
    """What is known of `run`. `data_spec` says where its data lies now (None: where it lay); without `with_data` none is opened.

    Raises DataError where `data_spec` is given and does not hold the run's images. Everything else that is missing is told.
    """
    config, no_config = _config(run)
    network, best_step, no_weights = _network(store, run)
    is_trained = not no_weights
    data, no_data, no_evaluation = None, "", ""
    if with_data:
        try:
            data = _data(run, config, data_spec or run.data)
        except (DigitLabError, MemoryError) as error:
            if data_spec is not None:
                raise
            reason = str(error) or "There is not enough memory for it."
            no_data = f"The data cannot be opened, so what needs it is left out: {reason}"
    if data is not None:
        loss = None if config is None else config.build_held_out_loss()
        data, no_evaluation = _measured(run, data, network if is_trained else None, loss)
    weights = store.weights_of(run)
    return RunFacts(
        run=run,
        data_title=title_of(run.data),
        config=config,
        no_config=no_config,
        network=network,
        is_trained=is_trained,
        no_weights=no_weights,
        training=_curve(store, run, "train"),
        validation=_curve(store, run, "validation"),
        data=data,
        no_data=no_data,
        no_evaluation=no_evaluation or no_weights or no_data,
        changes=tuple(mark for mark in store.marks(run) if mark.kind in SETTINGS and mark.value is not None),
        best_step=best_step,
        weights_size=weights.stat().st_size if is_file(weights) else 0,
    )


def _config(run: Run) -> tuple[TrainConfig | None, str]:
    try:
        return TrainConfig.from_dict(run.config), ""
    except (ConfigError, TypeError) as error:
        return None, f"The settings of this run cannot be read: {error}"


def _network(store: RunStore, run: Run) -> tuple[Network | None, int | None, str]:
    """The run's network, the step of its weights, and why it has none, which is empty where it has."""
    if not is_file(store.weights_of(run)):
        reason = "This run has no weights yet; they are written when the training ends."
    else:
        try:
            network, info = load_weights(store.weights_of(run))
        except WeightsError as error:
            reason = str(error)
        else:
            step = info.get("step")
            return network, step if is_whole(step) and 0 < step <= run.steps else None, ""
    try:
        return preset_of(run).build(), None, reason
    except ConfigError:  # a network that this version does not know
        return None, None, reason


def _data(run: Run, config: TrainConfig | None, spec: str) -> DataFacts:
    """The run's images. DataError where others lie there now."""
    seed = 0 if config is None else config.seed
    train = open_dataset(spec).limit(run.image_limit, seed)
    if run.checksum is not None and content_sum(train) != run.checksum:
        raise DataError(
            f"{shown(spec)} does not hold the images that the run {run.name} was trained on; name a place that does with --data."
        )
    held_out = None if config is None else Batches(train, config).validation_data
    return DataFacts(train, held_out, open_test(spec, train))


def _measured(run: Run, data: DataFacts, network: Network | None, loss: Loss | None) -> tuple[DataFacts, str]:
    """The data with the network's answers on the test part, or on the held-out part where there is none; and why there are none."""
    if network is None:
        return data, ""
    for part, images in (("test", data.test), ("held-out", data.held_out)):
        if images is not None and can_evaluate(network, images):
            found = Predictor(network).evaluate(images, loss)
            return replace(data, measured_part=part, measured=images, evaluation=found), ""
    return data, f"No part of {title_of(run.data)} fits the network: it takes other images, or knows other classes."


def _curve(store: RunStore, run: Run, kind: str) -> Curve:
    rows = np.array(store.metrics(run, kind), np.float64).reshape(-1, 3)
    steps, losses, accuracies = rows[rows[:, 0] >= 0].T
    return steps, losses, accuracies


def image_shape_of(facts: RunFacts) -> Shape | None:
    """The shape (height, width, channels) of the images that the network takes, where that is known."""
    if facts.data is not None:
        return facts.data.train.image_shape
    shape = None if facts.network is None else facts.network.input_shape
    return shape if shape is not None and len(shape) == 3 else None
