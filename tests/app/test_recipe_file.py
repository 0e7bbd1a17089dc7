"""Recipes as TOML files: a run is repeated from one bit for bit, and what is none is refused in one sentence."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from app.core.recipe_file import KEYS, LARGEST_RECIPE, read_recipe, recipe_text
from app.core.runs import RunStore
from app.core.runs.marks import Mark
from models.presets import PRESETS
from nncore.data import synthetic
from nncore.data.augment import Augmentation
from nncore.errors import ConfigError, DataError
from nncore.training.config import SETTINGS, TrainConfig
from nncore.weights import load_weights

PLACE = 'a "place"\\with\tsigns\u2028 and é 😀'


@pytest.fixture
def few(tmp_path) -> Path:
    data = synthetic("train", 80)
    path = tmp_path / "few.npz"
    np.savez(path, x_train=data.images, y_train=data.labels, x_test=data.images[:20], y_test=data.labels[:20])
    return path


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "r.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_run_is_repeated_from_its_recipe_bit_for_bit(tmp_path, few):
    options = ["--epochs", "2", "--batch-size", "16", "--schedule", "exponential", "--warmup", "3", "--seed", "9", "--limit", "60"]
    changes = ["--initializer", "xavier_uniform", "--loss", "hinge", "--augment", "shift=1.5,noise=3", "--lr", "3.3e-3"]
    assert main(["train", "--model", "mlp", "--data", str(few), "--run", "first", *options, *changes]) == 0
    recipe = tmp_path / "first.toml"
    assert main(["runs", "recipe", "first", "--output", str(recipe)]) == 0
    assert main(["train", "--recipe", str(recipe), "--run", "second"]) == 0
    store = RunStore()
    first, second = (store.get(name) for name in ("first", "second"))
    assert (first.config, first.image_limit, first.checksum) == (second.config, second.image_limit, second.checksum)
    weights = [load_weights(store.weights_of(run))[0].state_dict() for run in (first, second)]
    assert weights[0].keys() == weights[1].keys() and all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_options_win_over_the_recipe_and_the_recipe_over_the_preset(tmp_path, few):
    lines = "network = 'two-layer'", f"data = '{few}'", "name = 'called'", "limit = 50", "template = 'published'"
    recipe = written(tmp_path, "\n".join((*lines, "epochs = 1", "batch_size = 10")))
    assert main(["train", "--recipe", str(recipe), "--batch-size", "5", "--limit", "40"]) == 0
    run = RunStore().get("called")
    assert (run.network, run.image_limit) == ("two-layer", 40)
    assert TrainConfig.from_dict(run.config) == replace(PRESETS["two-layer"].training, epochs=1, batch_size=5)


@pytest.mark.parametrize("network", PRESETS)
def test_what_is_written_of_a_run_is_read_back_whole(tmp_path, network):
    store = RunStore(tmp_path / "runs")
    changed = TrainConfig(
        learning_rate=3.3e-7, betas=(0.8, 0.9999), schedule="steps", milestones=(5, 1000), validation=500, max_minutes=1e20 / 1e18,
        augmentation=Augmentation(shift=1.25, noise=3), seed=2**63 - 1, warmup=7, loss="hinge", initializer="zeros",
        class_weights=(1.0, 0.5), freeze=("conv1", "linear1.bias"), rates=(("conv2", 0.1), ("linear1.weight", 2.5)),
    )  # fmt: skip
    for config in (PRESETS[network].training, changed):
        run = store.create(None, network, PLACE, config.as_dict(), image_limit=77)
        found = read_recipe(written(tmp_path, recipe_text(run)))
        assert (found.network, found.data, found.limit, found.name) == (network, PLACE, 77, None)
        assert found.settings.keys() == SETTINGS.keys() and TrainConfig(**found.settings) == config


def test_what_no_recipe_repeats_is_said(tmp_path):
    store = RunStore(tmp_path / "runs")
    run = store.create("r", "mlp", "mnist", TrainConfig().as_dict())
    text = recipe_text(run, [Mark(40, "learning_rate", 0.5), Mark(50, "continued")])
    assert "# Not repeated: learning_rate was set to 0.5 after step 40.\n" in text and "50" not in text.partition("network")[0]
    assert tomllib.loads(text)["learning_rate"] == 0.001
    with pytest.raises(ConfigError, match="so no recipe repeats the run"):
        recipe_text(store.create(None, "unknown", "mnist", {}))
    with pytest.raises(ConfigError, match="began with weights of r, which no recipe gives it"):
        recipe_text(store.create(None, "mlp", "mnist", TrainConfig().as_dict(), parent="r", parent_step=3))


@pytest.mark.parametrize(
    ("text", "words"),
    {
        "epoch = 3": "has the key 'epoch', which no recipe has; there are network, data, ",
        "[settings]\nepochs = 3": "has the key 'settings'",
        "epochs = 0": "epochs must be a whole number from 1 to 1,000,000, not 0.",
        "epochs = '3'": "epochs must be a whole number",
        "learning_rate = nan": "learning_rate must be a number above 0, not nan.",
        "learning_rate = 1979-05-27": "learning_rate must be a number above 0",
        "betas = [0.9]": "betas must be 2 numbers",
        "milestones = [[1]]": "milestones must be whole numbers of steps",
        "freeze = 'conv1'": "freeze must be names of layers or of their parameters",
        "rates = {conv1 = 0}": "rates must be names of layers or of their parameters, each once and with a number above 0",
        "class_weights = 'even'": "class_weights must be none, balanced, or a number",
        "schedule = 'up'": "schedule must be one of constant, steps, exponential, cosine, one-cycle, not 'up'.",
        "augmentation = 'odd'": "augmentation: There is no augmentation",
        "augmentation = {twist = 1}": "augmentation: ",
        "augmentation = 3": "augmentation must be the name of an augmentation",
        "network = 'none'": "network: There is no network preset called 'none'; there are mnist-cnn, ",
        "template = 3": "template must be one of recommended, published, not 3.",
        "limit = 0": "limit must be a whole number from 1",
        "limit = true": "limit must be a whole number from 1",
        "name = '../x'": "name: A run cannot be called",
        "name = 3": "name: A run cannot be called",
        "data = 3": "data must be the name of a dataset or a path, not 3.",
        "data = ''": "data must be the name of a dataset or a path, not ''.",
        "epochs = ": "is no recipe in TOML: ",
        "epochs = 1\nepochs = 2": "is no recipe in TOML: ",
        f"epochs = {'9' * 5000}": "",
        f"epochs = {'[' * 5000}": "is no recipe in TOML: ",
        "\udcff": "is no recipe in TOML: ",
        "#" * (LARGEST_RECIPE + 1): "is larger than any recipe (100 kB)",
    }.items(),
)
def test_what_is_no_recipe_is_refused_in_one_sentence(tmp_path, capsys, text, words):
    path = tmp_path / "r.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as refusal:
        read_recipe(path)
    assert "r.toml" in str(refusal.value) and words in str(refusal.value)
    assert main(["train", "--recipe", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "Traceback" not in said
    if "which no recipe has" in words:
        assert all(name in str(refusal.value) for name in (*KEYS, *SETTINGS))


def test_the_mark_that_some_editors_begin_a_file_with_is_no_part_of_it(tmp_path):
    assert read_recipe(written(tmp_path, "\ufeffepochs = 4\r\n")).settings == {"epochs": 4}


def test_a_recipe_that_is_not_there_and_one_for_a_run_that_goes_on(tmp_path, capsys):
    with pytest.raises(DataError, match="cannot be read"):
        read_recipe(tmp_path / "none.toml")
    RunStore().create("r", "mlp", "mnist", TrainConfig().as_dict())
    assert main(["train", "--resume", "r", "--recipe", str(tmp_path / "none.toml")]) == 2
    assert "leave --recipe out" in capsys.readouterr().err
