"""Data: how fast datasets open, how fast images are varied beside the training that wants them, how smoothly the gallery scrolls.

    python -m benchmarks data [--rounds 5] [--extra] [--out FILE]

MNIST and SVHN are opened where DIGITLAB_DATA has them; SVHN's test part is brought to its published 26,032 images by repeating
those at hand. --extra also writes a file as large as SVHN's `extra` (531,131 images; 1.6 GB of disk for a minute) and opens it.
Each opening is a process of its own, so that its memory can be told; times are of opening alone, the files being in the
system's cache.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from benchmarks.cases import mnist_cnn
from benchmarks.report import machine, write
from nncore.backend.threads import cores
from nncore.data import open_dataset, synthetic, synthetic_street
from nncore.data.augment import AUGMENTATIONS
from nncore.errors import DataError
from nncore.network import Network
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd
from nncore.training.trainer import Trainer

PUBLISHED_TEST, PUBLISHED_EXTRA = 26_032, 531_131
WANTED = {"open mnist, train": 0.5, "open mnist, test": 0.5, "open svhn, test part": 2.0, "gallery, worst frame": 0.05}
"""Most seconds that are allowed, where that is fixed."""
LEAST = 20_000
"""Images of 28×28 that are to be varied a second."""
OPEN = """
import json, sys, time
from pathlib import Path
from nncore.data import open_dataset

def peak():
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), None)

before, start = peak(), time.perf_counter()
data = open_dataset(sys.argv[1], sys.argv[2])
seconds = time.perf_counter() - start
grown = None if before is None else (peak() - before) / data.images.nbytes
print(json.dumps({"seconds": seconds, "images": len(data), "memory": grown}))
"""
"""Opens a dataset and tells how long that took, and how many times its images' bytes the process grew by (on Linux)."""


def opening(name: str, split: str, rounds: int) -> dict[str, Any]:
    """What OPEN tells of a dataset, the seconds being the median of the rounds."""
    found = []
    for _ in range(rounds):
        answer = subprocess.run([sys.executable, "-c", OPEN, name, split], capture_output=True, text=True, check=True)
        found.append(json.loads(answer.stdout))
    return found[0] | {"seconds": statistics.median(each["seconds"] for each in found)}


@contextmanager
def svhn_of_size(count: int, split: str) -> Iterator[str]:
    """A folder with an SVHN file of that many images, made of those at hand, or of drawn ones."""
    try:
        source = open_dataset("svhn")
    except DataError:
        source = synthetic_street("train", 2000)
    with tempfile.TemporaryDirectory() as folder:
        chosen = np.arange(count) % len(source)
        labels = np.where(source.labels == 0, 10, source.labels)[chosen, None].astype(np.uint8)
        variables = {"X": source.images[chosen].transpose(1, 2, 3, 0), "y": labels}
        savemat(Path(folder) / f"{split}_32x32.mat", variables, do_compression=True)
        yield folder


def rate(act: Callable[[], int], seconds: float = 0.5) -> float:
    """Images a second of `act`, which says how many it has done."""
    act()
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        done += act()
    return done / (time.perf_counter() - start)


def augmenting(rounds: int) -> dict[str, float]:
    """Images varied a second, on all cores."""
    found = {}
    for data in (synthetic("train", 2000), synthetic_street("train", 2000)):
        images = np.concatenate([data.images] * 2)
        for name in ("light", "strong"):
            rng = np.random.default_rng(0)
            rates = [rate(lambda n=name, i=images, r=rng: len(AUGMENTATIONS[n](i, r))) for _ in range(rounds)]
            found[f"vary {'×'.join(map(str, images.shape[1:]))}, {name}"] = statistics.median(rates)
    return found


def training(rounds: int) -> dict[str, float]:
    """Images trained on a second, with and without augmentation, in alternating rounds."""
    data = synthetic("train", 10_000)
    rates: dict[str, list[float]] = {name: [] for name in AUGMENTATIONS}
    for _ in range(rounds):
        for name, augmentation in AUGMENTATIONS.items():
            config = TrainConfig(epochs=2, batch_size=128, augmentation=augmentation, validation=0.05)
            trainer = Trainer(Network(mnist_cnn(), (28, 28, 1)), data, config)
            rates[name].append([event.examples_per_second for event in trainer.events() if isinstance(event, EpochEnd)][-1])
    return {f"train mnist-cnn, batch 128, augmentation {name}": statistics.median(each) for name, each in rates.items()}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks data", description="Measure opening, augmenting and scrolling.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--extra", action="store_true", help="also open as many images as SVHN's extra part has")
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/<machine>-data.json)")
    options = parser.parse_args(arguments)
    print(f"{machine()}, {cores()} cores")
    opened: dict[str, dict[str, Any]] = {}
    for name, split in (("mnist", "train"), ("mnist", "test")):
        try:
            open_dataset(name, split)
        except DataError as error:
            print(error)
        else:
            opened[f"open mnist, {split}"] = opening(name, split, options.rounds)
    with svhn_of_size(PUBLISHED_TEST, "test") as folder:
        opened["open svhn, test part"] = opening(folder, "test", options.rounds)
    if options.extra:
        with svhn_of_size(PUBLISHED_EXTRA, "extra") as folder:
            opened["open svhn, extra part"] = opening(folder, "extra", 1)
    for what, each in opened.items():
        memory = "" if each["memory"] is None else f", memory grew by {each['memory']:.2f} times their bytes"
        words = f"{each['seconds']:8.2f} s   {each['images']:,} images{memory}"
        print(f"{what:52}{words}{_verdict(what, each['seconds'])}")
    rates = augmenting(options.rounds) | training(options.rounds)
    for what, each_rate in rates.items():
        short = what.startswith("vary 28×28") and each_rate < LEAST
        print(f"{what:52}{each_rate:8,.0f} images/s{'   slower than is wanted' if short else ''}", flush=True)
    from benchmarks.gallery import scrolling  # here, because it needs Qt

    frames = scrolling()
    for what, seconds in frames.items():
        print(f"{what:52}{seconds * 1000:8.1f} ms{_verdict(what, seconds)}")
    write("data", {"open": opened, "images_per_second": rates, "frames_seconds": frames}, options.out)
    return 0


def _verdict(what: str, seconds: float) -> str:
    return "   slower than is wanted" if seconds > WANTED.get(what, float("inf")) else ""
