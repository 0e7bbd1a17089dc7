"""Trains the network that tells digits from everything else, and writes its weights and card.

    pip install -e '.[ship]'
    DIGITLAB_DATA=… python -m scripts.ship_detector --seed 0

Three kinds of images are kept apart. It learns from MNIST's training digits, drawn and typed digits, and letters, icons, doodles,
sketches, digits with strokes too many, noise and pieces of photographs (`scripts/marks/examples.py`). Others
(`scripts/marks/held_out.py`: further digits of MNIST's training images, other fonts, icons, photographs, and sketches of other
things) choose its weights, the last or their running average, and where the line between digits and everything else lies. The test
is `python -m benchmarks doubt`, whose pictures, like MNIST's test images and those of `wild`, have no say. At the end it prints
what becomes of each kind of held-out images, also together with the network that reads pictures. Images of all kinds are made at
random, from the seed: `--times` makes more of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from models.shipped import DEFAULT_PICTURE_NETWORK, DETECTOR, WEIGHTS, open_weights
from nncore.arrays import Array
from nncore.backend.threads import cores
from nncore.data import Dataset
from nncore.data.augment import augmentation
from nncore.data.dataset import DIGITS
from nncore.layers import BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.recognition import DIGIT_FROM, NO_DIGIT_BELOW, SURE
from nncore.training.averaging import WeightAverage
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Failed, Progress
from nncore.training.trainer import Trainer
from nncore.weights import save_weights
from scripts.marks import held_out
from scripts.marks.examples import LEARNED, OTHER, Block, examples, together

AUGMENTATION = "shift=1,rotate=5,scale=0.05,shear=4,elastic=0.3,thickness=0.2"
"""Little of everything: a digit may be turned, but what has been turned far is none."""
REFUSED = 0.015
"""Of the held-out digits that are read surely, the share, as a mean over their kinds, that may lie below DIGIT_FROM: it settles
where the line is. Digits that are not read surely (four pixels, blots) are refused anyway, so they have no say."""
LOOK_EVERY, DECAY = 10, 0.98
"""The average takes the weights of every tenth step, and a half of it is of the last 340 steps."""
HELD_OUT_SEED = 1000
"""Added to the seed, so that drawn digits and doodles are others, too."""

Kinds = dict[str, Array]
"""Images by their kind, uint8 (N, 28, 28, 1), or numbers (N) for each image"""


def layers() -> list[Layer]:
    """Ten classes of digits and one of everything else: knowing the digits apart makes it surer of what is none."""
    return [
        Conv2d(20, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2),
        Conv2d(40, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2),
        Conv2d(64, 3, padding=1), BatchNorm(), ReLU(),
        Conv2d(64, 3), BatchNorm(), ReLU(),
        Flatten(), Linear(64), ReLU(), Dropout(0.3), Linear(11),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--times", type=int, default=1, help="how many times as many images of each kind to learn from")
    parser.add_argument("--work", type=Path, help="a folder that keeps the images, so that a run that is interrupted goes on")
    arguments = parser.parse_args()
    if arguments.work:
        arguments.work.mkdir(parents=True, exist_ok=True)
    seed, work = arguments.seed, arguments.work
    counts = {make: arguments.times * count for make, count in LEARNED.items()}
    images, labels = together(examples(counts, seed, cores(), work))
    digits, others = (
        _by_kind(counts, examples(counts, seed + HELD_OUT_SEED, cores(), work)) for counts in (held_out.DIGITS, held_out.OTHERS)
    )
    read_surely = {name: each[_confidence(each) >= SURE] for name, each in digits.items()}
    data = Dataset(images, labels, "digits and what is none", "made by scripts/marks", (*DIGITS, "none"))
    print(f"{len(data):,} images to learn from, {np.mean(labels != OTHER):.0%} of them digits")
    trained = train(data, arguments.epochs, seed)
    weights = min(trained, key=lambda each: _surely(others, draw_the_line(trained[each], read_surely)))
    network = trained[weights]
    shares = report(network, digits, others)
    card = {
        "purpose": "tells digits from everything else; it reads no digits",
        "data": "MNIST's training digits, drawn and typed digits; letters, icons, sketches, noise, photographs (scripts/marks)",
        "images": len(data),
        "seed": seed,
        "epochs": arguments.epochs,
        "weights": weights,
        "held_out": shares,
        "limits": "letters that many hands write like digits (O, l, S, Z, B, g, q) count as digits; grey images of 28×28 only",
        "input_shape": [28, 28, 1],
        "parameters": network.parameter_count,
        "date": date.today().isoformat(),
        "command": f"python -m scripts.ship_detector --seed {seed} --epochs {arguments.epochs} --times {arguments.times}",
    }
    save_weights(WEIGHTS / f"{DETECTOR}.safetensors", network, {"network": DETECTOR} | card)
    (WEIGHTS / f"{DETECTOR}.json").write_text(json.dumps(card, indent=2) + "\n", "utf-8")


def train(data: Dataset, epochs: int, seed: int) -> dict[str, Network]:
    """The network with its "last" weights and with their "average"."""
    config = TrainConfig(
        epochs=epochs,
        batch_size=128,
        learning_rate=0.004,
        schedule="one-cycle",
        label_smoothing=0.02,
        validation=500,
        augmentation=augmentation(AUGMENTATION),
        seed=seed,
    )
    trainer, average = Trainer(Network(layers(), (28, 28, 1), seed), data, config), WeightAverage(DECAY)
    trainer.checkpoint_every = LOOK_EVERY  # a stretch of steps ends at each multiple, however quick the machine is
    for event in trainer.events():
        match event:
            case Progress() if event.step % LOOK_EVERY == 0:
                average.look(trainer.network)
            case EpochEnd():
                accuracies = f"{event.train_accuracy:.2%} of the images learned from, {event.val_accuracy:.2%} of 500 others"
                print(f"epoch {event.epoch}: {accuracies}, {event.seconds:.0f} s", flush=True)
            case Failed():
                raise SystemExit(event.reason)
    averaged = Network(layers(), (28, 28, 1), seed)
    averaged.load_state_dict(average.state)
    return {"last": trainer.network, "average": averaged}


def draw_the_line(network: Network, digits: Kinds) -> Network:
    """The network, moved along its answer "none" so that REFUSED of the digits, a mean over kinds, lie below DIGIT_FROM."""
    odds = [_log_odds(network, images) for images in digits.values()]
    low, high = -20.0, 20.0
    for _ in range(40):
        line = (low + high) / 2
        low, high = (low, line) if np.mean([np.mean(each < line) for each in odds]) > REFUSED else (line, high)
    last = network.layers[-1]
    assert isinstance(last, Linear)
    last.bias.data[OTHER] += np.float32(low - np.log(DIGIT_FROM / (1 - DIGIT_FROM)))
    return network


def _log_odds(network: Network, images: Array) -> Array:
    """The logarithm of how much likelier each is a digit than none, float64 (N)."""
    scores = Predictor(network).log_probabilities(images).astype(np.float64)
    return np.logaddexp.reduce(scores[:, :OTHER], axis=1) - scores[:, OTHER]


@cache
def _reader() -> Predictor:
    return Predictor(open_weights(DEFAULT_PICTURE_NETWORK)[0])


def _confidence(images: Array) -> Array:
    """How sure the network that reads pictures is of each, float32 (N)."""
    return np.asarray(_reader().predict(images).max(axis=1))


def _surely(kinds: Kinds, network: Network) -> float:
    """The share of the images, a mean over kinds, that count as digits."""
    return float(np.mean([np.mean(1 - Predictor(network).predict(images)[:, OTHER] >= DIGIT_FROM) for images in kinds.values()]))


def report(network: Network, digits: Kinds, others: Kinds) -> dict[str, dict[str, float]]:
    """Prints, and gives back, what share of each kind is called none, and what is surely a digit, for the detector and for both."""
    detector = Predictor(network)
    shares: dict[str, dict[str, float]] = {}
    for name, images in (digits | others).items():
        likely = 1 - detector.predict(images)[:, OTHER]
        read = _confidence(images) >= SURE
        shares[name] = {
            "called_none": float(np.mean(likely < NO_DIGIT_BELOW)),
            "digit": float(np.mean(likely >= DIGIT_FROM)),
            "surely_read": float(np.mean(read & (likely >= DIGIT_FROM))),
        }
        print(f"{name:28}" + "".join(f"{what.replace('_', ' '):>15} {share:7.2%}" for what, share in shares[name].items()))
    for name, kinds in (("digits", digits), ("others", others)):
        mean = {what: float(np.mean([shares[kind][what] for kind in kinds])) for what in ("called_none", "digit", "surely_read")}
        print(
            f"{name + ', mean of kinds':28}" + "".join(f"{what.replace('_', ' '):>15} {share:7.2%}" for what, share in mean.items())
        )
        shares[f"{name}, mean"] = mean
    return shares


def _by_kind(makers: Iterable[object], blocks: list[Block]) -> Kinds:
    names = [getattr(make, "__name__", "").replace("_", " ") for make in makers]
    return {name: images for name, (images, _) in zip(names, blocks, strict=True)}


if __name__ == "__main__":
    main()
