"""What a training pays for what is done beside its steps: for its record, and for examining its layers.

    python -m benchmarks beside [record|health] [--pairs 5] [--images 20000]

`record`: `mnist-cnn` on MNIST by the bare trainer and by a session, which keeps the table of runs, moments and checkpoints, timed
from the first step to the end. `health`: for each of four networks two trainings by its recipe, one of which does not examine its
layers. Both trainings take some steps in turn, so that both see the same load.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from app.core.runs import RunStore
from app.core.session import Job
from benchmarks.options import count
from models.presets import preset
from nncore.data import open_dataset, synthetic, synthetic_street
from nncore.data.dataset import Dataset
from nncore.errors import DataError
from nncore.training.config import TrainConfig
from nncore.training.events import Event, Examined
from nncore.training.health import Examiner
from nncore.training.trainer import Trainer

NETWORKS = {"mnist-cnn": "mnist", "two-layer": "mnist", "svhn-lenet": "svhn", "digitlab-mnist": "mnist"}
"""Whose layers are examined, and the data."""
TURN = 100
"""Steps that a training takes in a row."""
LONG_TURN = 500
"""The same where a thread of its own writes meanwhile: what it has left to do at the end of a turn falls into the other's."""
RECORD = TrainConfig(epochs=3, batch_size=32)


class NoExaminer(Examiner):
    """Examines nothing."""

    def look(self, *_: object) -> Iterator[Examined]:
        yield from ()


def data_for(spec: str, images: int) -> Dataset:
    """So many images of a dataset, or drawn by code where it is not here."""
    try:
        return open_dataset(spec, "train").limit(images, 0)
    except DataError:
        print(f"{spec} is not here; digits drawn by code stand in for it")
        return synthetic("train", images) if spec == "mnist" else synthetic_street("train", images)


def record(pairs: int, images: int) -> float:
    """The median share of its speed that a training loses by its record."""
    data, kept = data_for("mnist", images), []
    for number in range(pairs):
        with tempfile.TemporaryDirectory() as folder:
            bare = Trainer(preset("mnist-cnn").build(), data, RECORD)
            session = Job(preset("mnist-cnn"), "mnist", data, None, RECORD).begin(RunStore(Path(folder)))
            for each in (bare, session.trainer):
                each.plan()
                each.predictor.prepare()
            events, within = timed(session.trainer.events())
            session.trainer.events = events.__iter__  # type: ignore[method-assign]
            recorded, used = timed(session.events())
            next(recorded)  # Started: the run is entered, its first checkpoint written
            within[0] = used[0] = 0.0
            seconds = alternately((bare, bare.events()), (session.trainer, recorded), steps=LONG_TURN)
        kept.append(seconds[0] / seconds[1])
        print(
            f"pair {number + 1}: bare {seconds[0]:.2f} s, session {seconds[1]:.2f} s: {kept[-1]:.3f}; of its thread's processor "
            f"time the session took {1 - within[0] / used[0]:.1%}; load {load()}",
            flush=True,
        )
    print(f"recording leaves {statistics.median(kept):.3f} of the speed (median of {pairs} pairs)", flush=True)
    return 1 - statistics.median(kept)


def timed(events: Iterator[Event]) -> tuple[Iterator[Event], list[float]]:
    """The events, and how many seconds of the processor their making takes, all in all."""
    within = [0.0]

    def each() -> Iterator[Event]:
        while True:
            began = time.thread_time()
            event = next(events, None)
            within[0] += time.thread_time() - began
            if event is None:
                return
            yield event

    return each(), within


def health(pairs: int, images: int) -> dict[str, float]:
    """For each network the share of a training's time that its examinations take; `pairs` trainings of each kind."""
    found = {}
    for name, spec in NETWORKS.items():
        shares, data = [], data_for(spec, images)
        for _ in range(pairs):
            with_it, without = trainer(name, data), trainer(name, data)
            without._examiner = NoExaminer(without.validation_data, 0)
            clock = Clock(with_it)
            seconds = alternately((with_it, with_it.events()), (without, without.events()), steps=TURN)
            shares.append(seconds[1] / seconds[0])
            print(
                f"{name}: {with_it.step:,} steps with {seconds[0]:.2f} s, without {seconds[1]:.2f} s: {shares[-1]:.3f}; "
                f"{clock.calls} examinations took {clock.seconds / seconds[0]:.2%} of the time; load {load()}",
                flush=True,
            )
        found[name] = statistics.median(shares)
    return found


def trainer(name: str, data: Dataset) -> Trainer:
    """A training by the network's recipe, with its kernels loaded."""
    made = Trainer(preset(name).build(0, data.image_shape), data, preset(name).training)
    made.plan()
    made.predictor.prepare()
    return made


class Clock:
    """Adds up how long a trainer's examinations take."""

    def __init__(self, measured: Trainer) -> None:
        self.seconds, self.calls = 0.0, 0
        examiner, look = measured._examiner, measured._examiner.look

        def timed(*arguments: object) -> Iterator[Examined]:
            began = time.perf_counter()
            found = list(look(*arguments))  # type: ignore[arg-type]
            self.seconds += time.perf_counter() - began
            self.calls += len(found)
            yield from found

        examiner.look = timed  # type: ignore[assignment, method-assign]


def alternately(*sides: tuple[Trainer, Iterator[Event]], steps: int) -> list[float]:
    """Seconds that each training takes, by its trainer and its events; they take so many steps in turn."""
    seconds, ended = [0.0] * len(sides), [False] * len(sides)
    until = steps // 2  # away from the looks
    while not all(ended):
        until += steps
        for which, (trainer, events) in list(enumerate(sides))[:: 1 if until // steps % 2 else -1]:
            began = time.perf_counter()
            while not ended[which] and trainer.step < until:
                ended[which] = next(events, None) is None
            seconds[which] += time.perf_counter() - began
    return seconds


def load() -> str:
    """The machine's load of the last minute."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks beside")
    parser.add_argument("what", nargs="?", choices=("record", "health"), help="one of the two; both unless given")
    parser.add_argument("--pairs", type=count, default=5)
    parser.add_argument("--images", type=count, default=20_000, help="of the training data")
    options = parser.parse_args(arguments)
    if options.what != "health":
        record(options.pairs, options.images)
    if options.what != "record":
        health(options.pairs, options.images)
    return 0
