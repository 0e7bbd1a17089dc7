"""The shortest training that reads 99 % of MNIST's test digits, over several seeds.

    python -m benchmarks shortest [--seeds 5] [--recipe FILE] [--model NAME] [any setting, as digitlab train takes it]

For each seed: the share of the test digits that the network reads right after its last step, and how long the training took,
looks at held-out digits included; data and kernels are there before. The recipe, unless another one is named, is the shortest that
was found: shortest.toml, see docs/performance.md.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from statistics import mean

from app.commands.settings import add_settings, settings_given
from app.core import own_networks
from app.core.recipe_file import read_recipe
from benchmarks.options import count
from benchmarks.report import machine, write
from models.presets import DEFAULT, Preset
from nncore.backend.threads import cores
from nncore.data import open_dataset
from nncore.data.dataset import Dataset
from nncore.prediction import Predictor
from nncore.training.config import TrainConfig
from nncore.training.trainer import Trainer

WANTED, WANTED_SECONDS = 0.99, 2.0
RECIPE = Path(__file__).with_name("shortest.toml")


def trained(preset: Preset, config: TrainConfig, data: Dataset, test: Dataset) -> dict[str, float]:
    """The figures of one training."""
    trainer = Trainer(preset.build(config.seed, data.image_shape, config.initializer), data, config)
    trainer.plan()
    trainer.validation.on_sample()  # loads the kernels that answer
    began, processor = time.perf_counter(), time.process_time()
    for _ in trainer.events():
        pass
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    accuracy = Predictor(trainer.network).evaluate(test).accuracy
    return {"seed": config.seed, "accuracy": accuracy, "seconds": seconds, "processor seconds": processor}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks shortest", description="Train MNIST to 99 % as soon as possible.")
    parser.add_argument("--seeds", type=count, default=5, help="trainings, with the seeds 0, 1, … (default 5)")
    parser.add_argument("--recipe", type=Path, default=RECIPE, metavar="FILE", help=f"the recipe (default {RECIPE.name})")
    parser.add_argument("--model", help="another network than the recipe's: a preset, one of your own, or its file")
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/<machine>-shortest.json)")
    add_settings(parser)
    options = parser.parse_args(arguments)
    recipe = read_recipe(options.recipe)
    preset = own_networks.find(options.model or recipe.network or DEFAULT)
    config = replace(preset.training, **recipe.settings | settings_given(options))
    data, test = open_dataset("mnist"), open_dataset("mnist", "test")
    print(f"{machine()}, {cores()} cores; {preset.name}, {len(test):,} test digits")
    found = []
    for seed in range(options.seeds):
        found.append(trained(preset, replace(config, seed=seed), data, test))
        print(_line(f"seed {seed}", found[-1]), flush=True)
    means = {name: mean(each[name] for each in found) for name in ("accuracy", "seconds", "processor seconds")}
    short = [
        *(["below 99 %"] if means["accuracy"] < WANTED else []),
        *(["too slow"] if means["seconds"] > WANTED_SECONDS else []),
    ]
    print(_line("mean", means) + (f"   {', '.join(short)}" if short else ""))
    write("shortest", {"model": preset.name, "config": config.as_dict(), "trainings": found, "means": means}, options.out)
    return 0


def _line(name: str, found: dict[str, float]) -> str:
    return (
        f"{name:8} {100 * found['accuracy']:.2f} %   {found['seconds']:5.2f} s ({found['processor seconds']:.2f} s of processors)"
    )
