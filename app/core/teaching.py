"""Teaching: a training that goes on from the network in view with the user's own digits among the images that it knows. Qt-free."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.core import own_digits
from app.core.in_view import DataInView
from app.core.runs import Run, RunStore
from app.core.session import Job, TrainingSession
from app.core.teaching_figures import Figure, Taught
from models.presets import PRESETS, Preset, described
from nncore.arrays import Array, Shape, shape_text
from nncore.data import open_dataset, open_test
from nncore.data.augment import AUGMENTATIONS
from nncore.data.catalogue import default_dataset, title_of
from nncore.data.dataset import DIGITS, Dataset
from nncore.data.mixed import Mixed, mixed, repeats
from nncore.data.own import OWN_DIGITS, is_copy, keep_copy, parts_of
from nncore.errors import ConfigError, DataError
from nncore.files import shown
from nncore.network import Network
from nncore.prediction import Predictor, can_evaluate
from nncore.training.config import TrainConfig

LEAST = 5
"""Digits of their own that a user needs."""
STEPS, BATCH = 300, 64
"""Steps of a training, and images a step: seconds, and enough for 20 digits of any style in every network that was tried."""
RATE = 2e-3
"""Learning rate of Adam. With a smaller one a network forgets more: it has no time left to find back to what it knew."""
HELD_OUT = 2000
"""The most images that are held out, so that looking at them takes little of the time."""
GREY = ((28, 28, 1), (784,))
"""What networks take that can learn handwriting: the images that the recogniser makes of it."""
RUN_NAME = "my handwriting"


@dataclass(frozen=True, eq=False)
class Pupil:
    """A network that is to be taught: what is in view, or what a command names."""

    network: str
    """The name of its preset, or of the network where it is none."""
    architecture: Mapping[str, Any]
    """What `Network.config` gives."""
    state: Mapping[str, Array]
    """What `Network.state_dict` gives."""
    name: str
    """What it is called: the name of its run, of shipped weights, or of a file."""
    step: int = 0
    run: Run | None = None
    """Its run, where it has one."""

    def build(self) -> Network:
        """The network with its weights. A new one each time, so that it can be trained."""
        network = Network.from_config(self.architecture)
        network.load_state_dict(self.state)
        return network


@dataclass(frozen=True, eq=False)
class Lesson:
    """All that a network is taught with, and how it did before."""

    pupil: Pupil
    job: Job
    """The training; its data is a Mixed."""
    own: Dataset
    """The user's digits, labelled as the training's data."""
    test: Dataset
    """What is not to be forgotten: images that nothing is learned from."""
    test_title: str
    """What those are called: `MNIST`, or `held-out images of MNIST`."""
    is_new: Array
    """Which of the own digits the network has never learned: bool (N). Only these can be held out in turn."""
    own_answers: Array
    """What the network said of the own digits before: int64 (N)."""
    test_before: float
    note: str = ""
    """What the user should know about the data, as a sentence; empty where all is as usual."""

    def taught(self, session: TrainingSession) -> Taught:
        """How the network does after the training, which has ended with a result."""
        assert session.result is not None, "told by the caller"
        trainer = session.trainer
        network = self.pupil.build()
        network.load_state_dict(trainer.best.state if trainer.best else trainer.network.state_dict())
        predictor = Predictor(network, trainer.device)
        test_after = session.result.test_accuracy
        if test_after is None or session.test_data is not self.test:
            test_after = predictor.check_accuracy(self.test)
        own_before = float((self.own_answers == self.own.labels).mean())
        own = Figure(own_before, predictor.check_accuracy(self.own))
        return Taught(own, Figure(self.test_before, test_after), self.test_title, len(self.own))


def prepare(
    store: RunStore, pupil: Pupil, own: Dataset, at_hand: DataInView | None = None, device: str = "cpu", run_name: str | None = None
) -> Lesson:
    """A lesson for a network with the user's own digits, and how it does before it.

    Data that is `at_hand` is not opened again. Raises ConfigError or DataError, with what to do, where network and digits make no
    lesson, and DigitLabError where the disk refuses.
    """
    check_network(tuple(pupil.architecture["input_shape"]))
    check_own(own)
    others, spec, note = _others(pupil, at_hand)
    config, limit, held = _config(pupil.run, others.train, len(own))
    data = mixed(own, others.train).limit(limit, config.seed)
    assert isinstance(data, Mixed)
    mine = data.subset(slice(len(data) - data.own, None))
    test, title = others.test, title_of(spec)
    predictor = Predictor(pupil.build(), device)
    if test is None or not can_evaluate(predictor.network, test):
        test, title = data.others.split(held, config.seed)[1], f"held-out images of {title}"
    job = Job(
        _preset(pupil),
        f"{keep_copy(own)}+{spec}",
        data,
        test,
        config,
        run_name or _free_name(store),
        limit,
        device,
        pupil.state,
        (pupil.name, pupil.step),
        STEPS,
    )
    answers = predictor.predict(mine.images).argmax(axis=1)
    known = _known(store, pupil.run)
    is_new = np.array([image.tobytes() not in known for image in mine.images])
    return Lesson(pupil, job, mine, test, title, is_new, answers, predictor.check_accuracy(test), note)


def note_on(store: RunStore, run: Run, taught: Taught) -> None:
    """Write the figures into the notes on the lesson's run, unless the user has written some already.

    Raises ConfigError where the run has been deleted, and DigitLabError where the disk refuses.
    """
    if not store.again(run).notes:
        lines = (f"{taught.own_words()} · {taught.others_words()}", taught.held_out_words())
        store.note(run, "\n".join(filter(None, lines)))


def read_own(spec: str = OWN_DIGITS) -> Dataset:
    """The user's own digits, 28×28×1, or those in another folder. DataError where there are none, or one cannot be read."""
    if spec == OWN_DIGITS and not own_digits.files():
        raise DataError("There are no digits of your own yet; where the network is wrong, press the right digit, and it is kept.")
    return open_dataset(spec)


def check_network(input_shape: Shape) -> None:
    """Raise ConfigError where a network that takes images of that shape cannot learn handwriting."""
    if input_shape not in GREY:
        raise ConfigError(
            f"This network takes {shape_text(input_shape)}, and handwriting is learned by networks for 28×28×1; "
            "choose another network in the top bar."
        )


def check_own(own: Dataset) -> None:
    """Raise DataError where there are too few digits or other classes, or the same image is kept under two labels."""
    if tuple(own.class_names) != DIGITS:
        others = [name for name in own.class_names if name not in DIGITS]
        raise DataError(f"Handwriting is learned of the digits 0 to 9; take the folder {shown(others[0])} out of {own.source}.")
    if len(own) < LEAST:
        raise DataError(
            f"{LEAST} digits of your own are needed, and there {'is' if len(own) == 1 else 'are'} {len(own)}; write some more, and "
            "correct what the network reads."
        )
    labels: dict[bytes, int] = {}
    for image, label in zip(own.images, own.labels, strict=True):
        other = labels.setdefault(image.tobytes(), int(label))
        if other != label:
            raise DataError(
                f"The same image is kept as a {other} and as a {label}; delete one of the two, or give it the other label, among "
                "your own digits in the Data panel."
            )


def _others(pupil: Pupil, at_hand: DataInView | None) -> tuple[DataInView, str, str]:
    """What the network has learned from, or what comes nearest to it: the data, its name, and a sentence where it is not the same.

    Raises DataError where there is none that fits.
    """
    learned = _learned_from(pupil.run)
    for spec in dict.fromkeys(filter(None, (learned, _grey_default(), "synthetic"))):
        try:
            if at_hand is not None and at_hand.spec == spec:
                found = at_hand
            else:
                train = open_dataset(spec)
                found = DataInView(spec, train, open_test(spec, train))
        except DataError:
            continue
        if found.train.image_shape == GREY[0] and found.train.is_labelled:
            return found, spec, _note(learned or "mnist", spec)
    raise DataError("There is no data of 28×28×1 to remember the other digits by; get MNIST in the Data panel.")


def _learned_from(run: Run | None) -> str | None:
    """The data that a run was trained on, without digits of the user's own; None where that is not known, or nothing else."""
    if run is None:
        return None
    parts = parts_of(run.data)
    spec = run.data if parts is None else parts[1]
    return None if spec == OWN_DIGITS or is_copy(spec) else spec


def _grey_default() -> str:
    name = default_dataset()
    return "mnist" if name == "mnist" else "synthetic"


def _note(wanted: str, spec: str) -> str:
    """What to say where `spec` takes the place of the data that the network learned from."""
    if spec == wanted:
        return ""
    return f"{title_of(wanted)} is not here, so your digits are mixed with others: {title_of(spec)}."


def _config(run: Run | None, others: Dataset, own: int) -> tuple[TrainConfig, int | None, int]:
    """The settings of the training, how many of the others it takes, and how many of these it holds out.

    Those that the run of the network has held out are held out again, so that what it knew of them before stays what it was.
    """
    kept = TrainConfig() if run is None else TrainConfig.from_dict(run.config)
    limit = None if run is None else run.image_limit
    count = min(len(others), limit or len(others))
    share = kept.validation
    held = min(HELD_OUT, share if isinstance(share, int) else max(1, round(count * share)), max(1, count // 2))
    of_others, of_own = repeats(max(count - held, 1), own)
    learned = of_others * (count - held) + of_own * own
    # Batch norm needs two images a step at least, in the last one too.
    batch = next(size for size in range(BATCH, 2, -1) if learned % size != 1)
    config = TrainConfig(
        epochs=1,
        batch_size=batch,
        learning_rate=RATE,
        schedule="steps",
        milestones=(STEPS * 3 // 5, STEPS * 17 // 20),
        gamma=0.3,
        augmentation=AUGMENTATIONS["light"],
        validation=held,
        validate_every=50,
        seed=kept.seed,
    )
    return config, limit, held


def _preset(pupil: Pupil) -> Preset:
    """The preset that makes the network, or else its layers as a network of the user's own."""
    known = PRESETS.get(pupil.network)
    if known is not None and known.fits(GREY[0]) and known.build(0, GREY[0]).config() == pupil.architecture:
        return known
    return described(pupil.network, pupil.architecture)


def _known(store: RunStore, run: Run | None) -> set[bytes]:
    """The own digits that a run has learned, and those from which it was trained on."""
    known: set[bytes] = set()
    seen: set[str] = set()
    while run is not None and run.name not in seen:
        seen.add(run.name)
        parts = parts_of(run.data)
        name = run.data if parts is None else parts[0]
        with suppress(DataError):  # what is lost cannot be told apart
            if name == OWN_DIGITS or is_copy(name):
                known.update(image.tobytes() for image in open_dataset(name).images)
        try:
            run = None if run.parent is None else store.get(run.parent)
        except ConfigError:  # no run, or one that has been deleted
            run = None
    return known


def _free_name(store: RunStore) -> str:
    """`my handwriting`, or where there is such a run `my handwriting 2`, and so on."""
    taken = {run.name for run in store.list()}
    names = (RUN_NAME, *(f"{RUN_NAME} {number}" for number in range(2, len(taken) + 10_000)))
    return next(name for name in names if name not in taken and not (store.folder / name).exists())


def without(lesson: Lesson, left_out: Array) -> Dataset:
    """The lesson's data without the own digits at the indices `left_out`."""
    data = lesson.job.train_data
    assert isinstance(data, Mixed)
    return mixed(lesson.own.subset(np.setdiff1d(np.arange(data.own), left_out)), data.others)
