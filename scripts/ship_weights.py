"""Trains a network that ships, once for each seed, and writes its weights, its card and a page about it to models/weights.

    DIGITLAB_DATA=… python scripts/ship_weights.py digitlab-mnist --seeds 0 1 2

Data and settings are those of `models/recipes.py`. Where a recipe has teachers these are trained first; it may learn what they
answer, and go on where the first of them ended. What is shipped is chosen by training images that are held out: whether the last
weights or one of their running averages, of which seed, and the temperature of the answers. Test images are only looked at
afterwards. A training that is interrupted goes on from its last epoch.

mnist-cnn is not among them: it ships from `digitlab train`, by the command in its card.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from app.core.calibration import calibration
from models.presets import preset
from models.recipes import RECIPES, Recipe
from models.shipped import WEIGHTS
from nncore.calibration import fit_temperature, fold_temperature
from nncore.data import open_dataset
from nncore.data.dataset import Dataset
from nncore.errors import DigitLabError
from nncore.metrics import Evaluation
from nncore.network import Network
from nncore.paths import cache_folder, data_folder
from nncore.prediction import Predictor
from nncore.training.averaging import WeightAverage
from nncore.training.checkpoint import load_checkpoint, save_checkpoint
from nncore.training.distillation import with_answers
from nncore.training.events import EpochEnd, Failed, Finished, Progress
from nncore.training.trainer import Trainer
from nncore.weights import load_weights, read_tensors, save_weights, write_tensors

ROOT = Path(__file__).parents[1]
LOOK_EVERY = 10
"""The averages take the weights of every tenth step."""
DECAYS = {"average": 0.98, "long average": 0.995}
"""A half of the first is of the last 340 steps, of the second of the last 1,380."""
AVERAGE = "digitlab-average/1"
LAST = "last.safetensors"
"""The weights after the last step; a training that has left them is complete."""


@dataclass(frozen=True)
class Trained:
    """What a training has led to."""

    seed: int
    weights: str
    """Which of its weights: "last", or one of DECAYS."""
    network: Network
    """With its temperature folded in."""
    temperature: float
    held_out: Evaluation
    test: Evaluation
    error_before: float
    """Expected calibration error on the test images without the temperature."""


def trained_by(name: str, recipe: Recipe, seed: int, work: Path) -> Path:
    """The folder below `work` with a recipe's weights. What is not there yet is trained: its teachers first, then itself."""
    folder = work / f"{name}-{seed}"
    if not (folder / LAST).is_file():
        data, held_out = recipe.datasets()
        teachers = [
            load_weights(trained_by(f"{name}-teacher{number}", teacher, each, work) / LAST)[0]
            for number, teacher in enumerate(recipe.teachers, 1)
            for each in recipe.teacher_seeds or (seed,)
        ]
        begin = recipe.build(seed)
        if recipe.goes_on:
            first = trained_by(f"{name}-teacher1", recipe.teachers[0], seed, work)
            begin.load_state_dict(load_weights(first / LAST)[0].state_dict())
        if teachers and recipe.taught:
            data = with_answers(data, teachers, recipe.taught)
        train(name, recipe, begin, seed, data, held_out, folder)
    return folder


def train(name: str, recipe: Recipe, network: Network, seed: int, data: Dataset, held_out: Dataset, folder: Path) -> None:
    """Train `network` to the end, or go on where its training was interrupted; leaves a file for each of DECAYS in `folder`, and
    LAST, which is written after these.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, kept = folder / "checkpoint.safetensors", {name: folder / f"{name} so far.safetensors" for name in DECAYS}
    if checkpoint.is_file() and all(path.is_file() for path in kept.values()):
        trainer = load_checkpoint(checkpoint, data)
        averages = {name: WeightAverage(decay, read_tensors(kept[name], AVERAGE)[0]) for name, decay in DECAYS.items()}
    else:
        trainer = Trainer(network, data, replace(recipe.config, seed=seed))
        averages = {name: WeightAverage(decay) for name, decay in DECAYS.items()}
    trainer.checkpoint_every = LOOK_EVERY  # a stretch of steps ends at each multiple, however quick the machine is
    for event in trainer.events():
        match event:
            case Progress() if event.step % LOOK_EVERY == 0:
                for average in averages.values():
                    average.look(trainer.network)
            case EpochEnd():
                for each, average in averages.items():
                    write_tensors(kept[each], average.state, format=AVERAGE)
                save_checkpoint(checkpoint, trainer)
                right = Predictor(trainer.network).evaluate(held_out).accuracy
                print(f"{time.strftime('%X')} {name} seed {seed}: epoch {event.epoch}, held out {right:.2%}", flush=True)
            case Failed():
                raise SystemExit(event.reason)
            case Finished():
                last = trainer.network.state_dict()
                for each, average in averages.items():
                    trainer.network.load_state_dict(average.state)
                    save_weights(folder / f"{each}.safetensors", trainer.network)
                trainer.network.load_state_dict(last)
                save_weights(folder / LAST, trainer.network)


def chosen(seed: int, held_out: Dataset, test: Dataset, folder: Path) -> Trained:
    """The best of a training's weights by their loss on held-out images, with a temperature fitted to these."""
    found: list[Trained] = []
    for weights in ("last", *DECAYS):
        network = load_weights(folder / f"{weights}.safetensors")[0]
        before = calibration(Predictor(network).evaluate(test)).error
        temperature = fit_temperature(Predictor(network).log_probabilities(held_out.images), held_out.labels)
        fold_temperature(network, temperature)
        seen = Predictor(network)
        found.append(Trained(seed, weights, network, temperature, seen.evaluate(held_out), seen.evaluate(test), before))
    return min(found, key=lambda each: each.held_out.loss)


def in_the_wild(weights: Path) -> dict[str, Any]:
    """What `python -m benchmarks wild` finds with these weights; nothing where the pictures are not here."""
    if not (data_folder() / "wild").is_dir():
        return {}
    with tempfile.TemporaryDirectory() as scratch:
        figures = Path(scratch) / "wild.json"
        command = [sys.executable, "-m", "benchmarks", "wild", "--no-page", "--weights", str(weights), "--out", str(figures)]
        subprocess.run(command, check=True, cwd=ROOT)
        found = json.loads(figures.read_text("utf-8"))
    return {
        part: {"share": found[part]["share"], "sources": found[part]["sources"]} for part in ("single", "lines") if part in found
    }


def card_of(recipe: Recipe, best: Trained, all_of_them: Sequence[Trained]) -> dict[str, Any]:
    """What is known of the network that ships, as plain data."""
    accuracies = [each.test.accuracy for each in all_of_them]
    return {
        "preset": recipe.preset,
        "data": recipe.data,
        "mixed_in": recipe.mixed_in,
        "held_out": recipe.held_out,
        **lineage(recipe),
        "seed": best.seed,
        "weights": best.weights,
        "epochs": recipe.config.epochs,
        "config": replace(recipe.config, seed=best.seed).as_dict(),
        "val_accuracy": best.held_out.accuracy,
        "test_accuracy": best.test.accuracy,
        "test_accuracies": {str(each.seed): each.test.accuracy for each in all_of_them},
        "test_mean": statistics.mean(accuracies),
        "test_spread": statistics.stdev(accuracies) if len(accuracies) > 1 else None,
        "temperature": best.temperature,
        "calibration_error_before": best.error_before,
        "calibration_error": calibration(best.test).error,
        "limits": recipe.limits,
        "input_shape": list(best.network.input_shape),
        "parameters": best.network.parameter_count,
        "date": date.today().isoformat(),
        "command": f"python scripts/ship_weights.py {recipe.preset} --seeds {' '.join(str(each.seed) for each in all_of_them)}",
    }


def lineage(recipe: Recipe) -> dict[str, Any]:
    """Which trainings come before a recipe's own, and what it has of them, as plain data."""
    return {
        "teachers": [
            {
                "epochs": each.config.epochs,
                "augmentation": each.config.as_dict()["augmentation"],
                "mixed_in": each.mixed_in,
                "parameters": each.build(0).parameter_count,
                **lineage(each),
            }
            for each in recipe.teachers
        ],
        "teacher_seeds": list(recipe.teacher_seeds),
        "taught": recipe.taught,
        "goes_on": recipe.goes_on,
    }


def page_of(name: str, card: dict[str, Any]) -> str:
    """The card as a page to read (Markdown)."""
    seeds = ", ".join(f"{accuracy:.2%} (seed {seed})" for seed, accuracy in card["test_accuracies"].items())
    spread = "one seed, so no spread is known" if card["test_spread"] is None else f"standard deviation {card['test_spread']:.2%}"
    settings = ", ".join(f"{key} {value}" for key, value in card["config"].items() if key in SHOWN)
    input_shape = "×".join(map(str, card["input_shape"]))
    lines = [
        f"# {name}",
        "",
        f"{preset(card['preset']).description} {card['parameters']:,} parameters, input {input_shape}.",
        "",
        f"- **Data.** The training images of {card['data']}, of which {card['held_out']:,} are held out. "
        f"Mixed in: {card['mixed_in']}.",
        f"- **Training.** {settings}; augmentation {varied(card['config'])}. Shipped are the {card['weights']} weights of seed "
        f"{card['seed']}, those with the smallest loss on the images held out.",
        *taught(card),
        f"- **Test images of {card['data']}.** {card['test_accuracy']:.2%}. All seeds: {seeds}; mean {card['test_mean']:.2%}, "
        f"{spread}.",
        f"- **Calibration.** Expected calibration error on the test images {card['calibration_error_before']:.2%} before and "
        f"{card['calibration_error']:.2%} after scaling by the temperature {card['temperature']:.3f}, which was fitted to the "
        "images held out and is part of the last layer's weights.",
    ]
    if wild := card.get("wild"):
        right = "; ".join(
            f"{part}: {found['share']:.2%} ({sum(right for right, _ in found['sources'].values())} of "
            f"{sum(count for _, count in found['sources'].values())})"
            for part, found in wild.items()
        )
        lines.append(f"- **Pictures that people brought**, never trained on (single digits as a mean over sources): {right}.")
    lines += [f"- **Limits.** {card['limits']}", f"- **Made** on {card['date']} by `{card['command']}`.", ""]
    return "\n".join(lines)


def taught(card: dict[str, Any]) -> list[str]:
    """What a network has of trainings before its own, as lines of its page, the last training first; none where there are none."""
    if not card["teachers"]:
        return []
    each = "; ".join(
        f"{teacher['parameters']:,} parameters, {teacher['epochs']} epochs, augmentation {varied(teacher)}, mixed in "
        f"{teacher['mixed_in']}"
        for teacher in card["teachers"]
    )
    seeds = f"by the seeds {', '.join(map(str, card['teacher_seeds']))}" if card["teacher_seeds"] else "by the same seed"
    if card["taught"]:
        begun = " Its weights began as those of the first, by its own seed." if card["goes_on"] else ""
        line = (
            f"- **Teachers.** {card['taught']:.0%} of what it learned of an image was what these networks answer on average, each "
            f"trained {seeds} on the same training images: {each}.{begun}"
        )
    else:
        line = f"- **Before that** it was trained {seeds} on the same training images: {each}."
    return [line, *(line for teacher in card["teachers"] for line in taught(teacher))]


SHOWN = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule", "weight_decay", "label_smoothing")


def varied(config: dict[str, Any]) -> str:
    """The augmentation in words."""
    return ", ".join(f"{name} {value:g}" for name, value in config["augmentation"].items() if value) or "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--work", type=Path, default=cache_folder() / "shipping", help="where trainings are kept meanwhile")
    arguments = parser.parse_args()
    name, recipe = arguments.name, RECIPES[arguments.name]
    try:
        _, held_out = recipe.datasets()
        test = open_dataset(recipe.data, "test")
        trained: list[Trained] = []
        for seed in arguments.seeds:
            folder = trained_by(name, recipe, seed, arguments.work)
            trained.append(chosen(seed, held_out, test, folder))
            print(f"{name} seed {seed}: held out {trained[-1].held_out.accuracy:.2%}, test {trained[-1].test.accuracy:.2%}")
    except DigitLabError as error:
        raise SystemExit(str(error)) from error
    best = min(trained, key=lambda each: each.held_out.loss)
    card, weights = card_of(recipe, best, trained), WEIGHTS / f"{name}.safetensors"
    save_weights(weights, best.network, {"network": name} | card)
    if best.network.input_shape == (28, 28, 1) and (wild := in_the_wild(weights)):
        card["wild"] = wild
    (WEIGHTS / f"{name}.json").write_text(json.dumps(card, indent=2) + "\n", "utf-8")
    (WEIGHTS / f"{name}.md").write_text(page_of(name, card), "utf-8")
    print(page_of(name, card))


if __name__ == "__main__":
    main()
