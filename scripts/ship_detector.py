"""Trains the network that tells digits from everything else, and writes its weights and card.

    pip install -e '.[ship]'
    DIGITLAB_DATA=… python -m scripts.ship_detector --seed 0

It learns from MNIST's training digits, drawn digits, and letters, doodles, noise and pieces of photographs that code makes
(`scripts/marks/`); nothing of `wild`, of MNIST's test images, or of the pictures of `python -m benchmarks doubt`. The best weights
are those that did best on held-out images of the same making; what share of these the thresholds refuse is printed at the end.
"""

from __future__ import annotations

import argparse
import json
from datetime import date

import numpy as np

from models.shipped import DETECTOR, WEIGHTS
from nncore.backend.threads import cores
from nncore.data import Dataset
from nncore.data.augment import augmentation
from nncore.data.dataset import DIGITS
from nncore.layers import BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.recognition import DIGIT_FROM, NO_DIGIT_BELOW
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd
from nncore.training.trainer import Trainer
from nncore.weights import save_weights
from scripts.marks.examples import OTHER, examples

AUGMENTATION = "shift=1,rotate=5,scale=0.05,shear=4,elastic=0.3"
"""Little of everything: a digit may be turned, but what has been turned far is none."""


def layers() -> list[Layer]:
    """Ten classes of digits and one of everything else: knowing the digits apart makes it surer of what is none."""
    return [
        Conv2d(16, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2),
        Conv2d(32, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2),
        Conv2d(48, 3, padding=1), BatchNorm(), ReLU(),
        Flatten(), Linear(64), ReLU(), Dropout(0.3), Linear(11),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=9)
    arguments = parser.parse_args()
    images, labels = examples(arguments.seed, cores())
    data = Dataset(images, labels, "digits and what is none", "made by scripts/marks", (*DIGITS, "none"))
    network, card = train(data, arguments.epochs, arguments.seed)
    save_weights(WEIGHTS / f"{DETECTOR}.safetensors", network, {"network": DETECTOR} | card)
    (WEIGHTS / f"{DETECTOR}.json").write_text(json.dumps(card, indent=2) + "\n", "utf-8")


def train(data: Dataset, epochs: int, seed: int) -> tuple[Network, dict[str, object]]:
    """The trained network and its card."""
    config = TrainConfig(
        epochs=epochs,
        batch_size=128,
        learning_rate=0.003,
        schedule="one-cycle",
        validation=0.1,
        augmentation=augmentation(AUGMENTATION),
        seed=seed,
    )
    trainer = Trainer(Network(layers(), (28, 28, 1), seed), data, config)
    for event in trainer.events():
        if isinstance(event, EpochEnd):
            accuracies = f"{event.train_accuracy:.2%} of the training images, {event.val_accuracy:.2%} of the held-out ones"
            print(f"epoch {event.epoch}: {accuracies}, {event.seconds:.0f} s")
    if trainer.best is None:
        raise SystemExit("The training has diverged; nothing is written.")
    trainer.network.load_state_dict(trainer.best.state)
    held_out = trainer.validation_data
    likeness = 1 - Predictor(trainer.network).predict(held_out.images)[:, OTHER]
    digits, others = (likeness[chosen] for chosen in (held_out.labels != OTHER, held_out.labels == OTHER))
    shares = {
        "digits_called_none": float(np.mean(digits < NO_DIGIT_BELOW)),
        "digits_not_sure": float(np.mean((digits >= NO_DIGIT_BELOW) & (digits < DIGIT_FROM))),
        "others_called_none": float(np.mean(others < NO_DIGIT_BELOW)),
        "others_not_sure": float(np.mean((others >= NO_DIGIT_BELOW) & (others < DIGIT_FROM))),
    }
    for name, share in shares.items():
        print(f"{name.replace('_', ' ')}: {share:.2%} of the held-out images")
    card = {
        "purpose": "tells digits from everything else; it reads no digits",
        "data": "MNIST's training digits, drawn digits; letters, doodles, noise and pieces of photographs made by scripts/marks",
        "images": len(data),
        "seed": seed,
        "epochs": epochs,
        "step": trainer.best.step,
        "val_accuracy": trainer.best.val_accuracy,
        "held_out": shares,
        "limits": "letters that many hands write like digits (O, l, S, Z, B, g, q) count as digits; grey images of 28×28 only",
        "input_shape": [28, 28, 1],
        "parameters": trainer.network.parameter_count,
        "date": date.today().isoformat(),
        "command": f"python -m scripts.ship_detector --seed {seed} --epochs {epochs}",
    }
    return trainer.network, card


if __name__ == "__main__":
    main()
