"""Reading a run from the disk as the views show it: network, curves, moments, recipe, images. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from app.core.history import History
from app.core.in_view import DataInView, NetworkInView
from app.core.own_networks import layers_of, preset_of
from app.core.recipe import Recipe
from app.core.resume import require_same_images
from app.core.run_in_view import RunInView
from app.core.runs import DAMAGED, Run, RunStore
from app.core.runs.moments import Moments
from app.core.split import Split
from app.core.timeline import Moment
from nncore.data import open_dataset, open_test
from nncore.data.catalogue import title_of
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DataError, WeightsError
from nncore.files import is_file
from nncore.network import Network
from nncore.training.batches import Batches
from nncore.training.checkpoint import FORMAT
from nncore.training.config import TrainConfig
from nncore.training.position import grouped
from nncore.weights import load_weights, network_from, read_tensors


def is_kept(store: RunStore, run: Run) -> bool:
    """Whether there is a network of the run to look at."""
    return is_file(store.weights_of(run)) or is_file(store.checkpoint_of(run))


def read_run(store: RunStore, run: Run) -> tuple[RunInView, Moment]:
    """A run without its held-out images, and its best moment, or where there is none its last.

    Raises WeightsError where none of its weights can be read, and DigitLabError where the table of runs cannot.
    """
    damage: list[str] = []
    network, moments, why_no_more = _read_weights(store, run, damage)
    if run.is_read_only:
        why_no_more = f"{run.name} lies in a folder that is read-only, so it cannot be trained further; branch off a new run."
    best = moments[0]
    history = read_history(store, run, best.step, run.val_accuracy)
    found = RunInView(network_in_view(network, run), run, recipe_of(run), history, why_no_more=why_no_more)
    for moment in (*moments, *stored_moments(store, run, network, damage.append)):
        found.timeline.add(moment)
    found.damage = " ".join(damage)
    return found, found.timeline[found.timeline.nearest(best.step)]


def stored_moments(store: RunStore, run: Run, network: Network, warn: Callable[[str], None]) -> Iterator[Moment]:
    """The moments of a run on the disk, in order; `network` is one like its own. `warn` is told of the first that is damaged."""
    stored = Moments(store.moments_of(run))
    stored.warn = warn
    for step in stored.steps():
        if (moment := stored.load(step, network)) is not None:
            yield moment


def read_history(store: RunStore, run: Run, best_step: int, best_accuracy: float | None) -> History:
    """The curves of a run, with what happened on the way. DigitLabError where the table of runs cannot be read."""
    history = History.of_rows(store.metrics(run, "train"), store.metrics(run, "validation"), best_step, best_accuracy)
    for rows, found in ((history.full, [row[:1] for row in store.metrics(run, "full")]), (history.rates, store.rates(run))):
        if found:
            rows.extend(*np.array(found, np.float64).T)
    history.marks = store.marks(run)
    history.add_layer_states(store.layer_states(run))
    return history


def network_in_view(network: Network, run: Run) -> NetworkInView:
    """The network of a run, named after it."""
    return NetworkInView.of(network, run.network, f"run {run.name}", run=run.name)


def recipe_of(run: Run) -> Recipe | None:
    """What the run was trained by; None where the table of runs does not tell, or this version does not know the network."""
    try:
        return known_recipe(run)
    except ConfigError:
        return None


def known_recipe(run: Run) -> Recipe:
    """What the run was trained by. ConfigError where this version does not know its network or its settings."""
    preset_of(run)
    return Recipe(run.network, TrainConfig.from_dict(run.config), run.image_limit or None, layers_of(run))


def best_network(store: RunStore, run: Run) -> Network:
    """The network of a run with its best weights: those of its weights file, or where there is none of its checkpoint.

    Raises WeightsError where neither can be read.
    """
    if is_file(store.weights_of(run)):
        return load_weights(store.weights_of(run))[0]
    if not is_file(store.checkpoint_of(run)):
        raise WeightsError(f"{run.name} has no weights yet; they are written when its training ends.")
    network, moments = _read_checkpoint(store, run)
    network.load_state_dict(moments[0].state)
    return network


def images_of(split: Split, run: Run, in_view: DataInView | None = None) -> Dataset:
    """The images of a split of the run's data, which is taken from `in_view` where that is the same, and else opened.

    Raises a DigitLabError where the data is not here, no longer holds the images of then, or has no such split.
    """
    config, title = TrainConfig.from_dict(run.config), title_of(run.data)
    at_hand = in_view if in_view is not None and in_view.spec == run.data else None
    opened = at_hand.train if at_hand else open_dataset(run.data)
    data = opened.limit(run.image_limit or None, config.seed)
    require_same_images(run, data, run.data)
    if split is Split.TEST:
        return replace(_test_images(title, opened, at_hand.test if at_hand else open_test(run.data, opened)), name=title)
    batches = Batches(data, config)
    return replace(batches.validation_data if split is Split.HELD_OUT else batches.train_data, name=title)


def _test_images(title: str, train: Dataset, test: Dataset | None) -> Dataset:
    """The test part of the data with this title. DataError where there is none that belongs to the training part."""
    if test is None or not len(test):
        raise DataError(f"{title} has no test part; the held-out images are those that the network has not learned from.")
    if tuple(test.class_names) != tuple(train.class_names):
        raise DataError(f"The test part of {title} has other classes than its training part, so nothing can be counted on it.")
    return test


def _read_weights(store: RunStore, run: Run, damage: list[str]) -> tuple[Network, list[Moment], str]:
    """The network of a run; its moments, the best first; and why it cannot be trained further, or nothing where it can.

    A checkpoint that cannot be read is said in `damage`.
    """
    moments, network, why_no_more = [], None, ""
    if is_file(store.weights_of(run)):
        network, info = load_weights(store.weights_of(run))
        moments.append(Moment(int(info.get("step") or 0), network.state_dict(), info.get("val_accuracy")))
    if run.status == DAMAGED:
        why_no_more = f"What the table of runs says of {run.name} is damaged, so it cannot be trained further."
    if is_file(store.checkpoint_of(run)):
        try:
            network, further = _read_checkpoint(store, run)
            moments.extend(further)
        except WeightsError as error:
            if network is None:
                raise
            damage.append(str(error))
            why_no_more = why_no_more or str(error)
    else:
        why_no_more = why_no_more or f"{run.name} has no checkpoint to go on from; Start trains a new run."
    if network is None:
        raise WeightsError(f"Nothing of {run.name} is kept on the disk but its curves; train a new run.")
    return network, moments, why_no_more


def _read_checkpoint(store: RunStore, run: Run) -> tuple[Network, list[Moment]]:
    """The network of a run's checkpoint, and its moments: the best, where there is one, and the last.

    Raises WeightsError where the file is damaged.
    """
    path = store.checkpoint_of(run)
    arrays, metadata = read_tensors(path, FORMAT)
    groups = grouped(arrays, ("network", "optimizer", "best"))
    network = network_from(path, metadata.get("architecture"), groups["network"])
    last = Moment(_step(metadata.get("position")), network.state_dict())
    if not groups["best"]:
        return network, [last]
    best = network_from(path, metadata.get("architecture"), groups["best"])
    info = metadata.get("best")
    accuracy = info.get("val_accuracy") if isinstance(info, Mapping) else None
    return network, [Moment(_step(info), best.state_dict(), accuracy if isinstance(accuracy, float) else None), last]


def _step(found: object) -> int:
    """The step that a part of a checkpoint's metadata names. WeightsError where it names none."""
    step = found.get("step") if isinstance(found, Mapping) else None
    if not isinstance(step, int) or isinstance(step, bool) or step < 0:
        raise WeightsError("The checkpoint does not say after which step it was written, so it cannot be gone on from.")
    return step
