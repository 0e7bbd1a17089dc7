"""The user's own networks: kept by name, found by the command line, trained, and never believed before they are checked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.cli import main
from app.core import own_networks
from app.core.in_view import DataInView
from app.core.last_time import keep_recipe, kept_recipe
from app.core.layer_list import LayerList
from app.core.recipe import Recipe
from app.core.repeat import command_of
from app.core.report.facts import gather
from app.core.resume import resume
from app.core.runs import INTERRUPTED, RunStore
from app.core.session import TrainingSession
from app.core.settings import Settings
from app.core.stored_run import read_run
from models.presets import DEFAULT, PRESETS
from nncore.data import open_dataset
from nncore.errors import ConfigError, DigitLabError
from nncore.paths import networks_folder
from nncore.training.events import Progress
from nncore.weights import load_weights
from tests.app.command import few_digits

TINY = LayerList.from_config(
    {
        "input_shape": [28, 28, 1],
        "layers": [
            {"type": "Conv2d", "out_channels": 3, "kernel_size": 3, "stride": 2},
            {"type": "ReLU"},
            {"type": "Flatten"},
            {"type": "Linear", "out_features": 10},
        ],
    }
)

SOUND = json.dumps({"format": own_networks.FORMAT, **TINY.as_config()}).encode()


def recipe(**changed: object) -> Recipe:
    usual = {"epochs": 2, "batch_size": 16, "seed": 4, "milestones": ()} | changed
    return Recipe.of("tiny", TINY).with_settings(**usual).with_limit(120)


def leave_at(session: TrainingSession, step: int) -> None:
    events = session.events()
    for event in events:
        if isinstance(event, Progress) and event.step == step:
            events.close()


def test_a_network_is_kept_and_comes_back():
    own_networks.keep("tiny", TINY)
    assert own_networks.read("tiny") == TINY
    assert own_networks.read_all() == ({"tiny": TINY}, [])
    own_networks.keep("tiny", TINY.change(0, out_channels=5))
    assert own_networks.read("tiny").layers[0]["out_channels"] == 5
    own_networks.delete("tiny")
    assert own_networks.read_all() == ({}, [])
    with pytest.raises(ConfigError, match="tiny any more"):
        own_networks.read("tiny")


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "x" * 61, "Mnist-CNN", " a", "a ", "a\n", None])
def test_names_that_a_network_cannot_have(name):
    with pytest.raises(ConfigError):
        own_networks.keep(name, TINY)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "digitlab-network/2"},
        {"more": 1},
        {"layers": []},
        {"layers": {}},
        {"layers": [{"type": "Flatten"}] * 1001},
        {"layers": [{"type": "Linear", "out_features": 10}]},
        {"layers": [{"type": "Flatten"}, {"type": "Linear", "out_features": 10_000_000}]},
        {"layers": [{"type": "Conv2d", "out_channels": 3, "kernel_size": 9_999_999}]},
        {"layers": [{"type": "__import__"}]},
        {"layers": [{"type": "Flatten", "name": "x"}]},
        {"input_shape": [28, 28, 10**12]},
        {"input_shape": "28"},
        {"input_shape": [True, 28, 1]},
    ],
)
def test_files_that_describe_no_network_are_refused(tmp_path, change):
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"format": own_networks.FORMAT, **TINY.as_config()} | change))
    with pytest.raises(ConfigError, match=r"net\.json cannot be used"):
        own_networks.read_file(path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b"[]", b"[" * 100_000, SOUND + b" " * 2**20, b'{"format": NaN}', b'{"layers": 1, "layers": 2}']
)
def test_files_that_are_no_json_are_refused_and_the_others_are_there(content):
    own_networks.keep("tiny", TINY)
    (networks_folder() / "bad.json").write_bytes(content)
    (networks_folder() / "mlp.json").write_bytes((networks_folder() / "tiny.json").read_bytes())
    (networks_folder() / "folder.json").mkdir()
    found, damage = own_networks.read_all()
    assert list(found) == ["tiny"] and len(damage) == 2, "the file of a preset's name is none either"


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=9), part, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, 3),
    name=st.sampled_from(
        ["type", "out_channels", "kernel_size", "stride", "padding", "out_features", "initializer", "weight_decay"]
    ),
    value=PLAIN,
)
def test_any_value_in_a_file_is_checked(tmp_path, place, name, value):
    config = TINY.as_config()
    config["layers"][place][name] = value
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"format": own_networks.FORMAT, **config}))
    try:
        found = own_networks.read_file(path)
    except ConfigError:
        return
    assert found.lines()[-1].output_shape is not None, "what is taken can be built"


def test_a_recipe_names_a_network_that_is_kept():
    own_networks.keep("tiny", TINY)
    assert Recipe.from_dict(recipe().as_dict()) == recipe()
    assert recipe().preset.training == PRESETS[DEFAULT].training
    own_networks.delete("tiny")
    with pytest.raises(ConfigError, match="no network called tiny any more"):
        Recipe.from_dict(recipe().as_dict())


def test_a_recipe_of_a_network_that_is_gone_is_told_and_the_usual_one_is_there(tmp_path):
    kept = Settings(tmp_path)
    own_networks.keep("tiny", TINY)
    keep_recipe(kept, recipe())
    assert kept_recipe(Settings(tmp_path)) == recipe()
    own_networks.delete("tiny")
    found = Settings(tmp_path)
    assert kept_recipe(found) is None and "no network called tiny any more" in found.damage[0]


def test_a_network_takes_images_of_any_size_that_its_layers_can_work_on():
    preset = recipe().preset
    assert preset.fits((28, 28, 1)) and preset.fits((32, 32, 3)) and not preset.fits((2, 2, 1))
    assert preset.build(0, (32, 32, 3)).input_shape == (32, 32, 3)
    vectors = Recipe.of("flat", LayerList.from_config({"input_shape": [784], "layers": [{"type": "Linear", "out_features": 10}]}))
    assert vectors.preset.fits((28, 28, 1)) and not vectors.preset.fits((32, 32, 3))


def begun(store: RunStore, name: str, **changed: object) -> TrainingSession:
    job = recipe(**changed).job(DataInView("synthetic", open_dataset("synthetic"), None))
    assert job.preset.is_own
    return replace(job, run_name=name).begin(store)


@pytest.mark.usefixtures("single_steps")
@pytest.mark.parametrize("has_checkpoint", [True, False])
def test_a_run_goes_on_after_its_network_has_been_deleted(has_checkpoint):
    store = RunStore()
    for _ in begun(store, "straight").events():
        pass
    own_networks.keep("tiny", TINY)
    session = begun(store, "left")
    leave_at(session, 5)
    own_networks.delete("tiny")
    if not has_checkpoint:
        store.checkpoint_of(session.run).unlink()
    for _ in resume(store, "left").events():
        pass
    ends = [load_weights(store.weights_of(store.get(name)))[0].state_dict() for name in ("straight", "left")]
    assert all(np.array_equal(ends[0][name], ends[1][name]) for name in ends[0])
    assert store.get("left").status == "finished" and store.get("left").layers["layers"][0]["out_channels"] == 3


@pytest.mark.usefixtures("single_steps")
def test_a_run_is_shown_branched_and_reported_after_its_network_has_been_changed():
    store = RunStore()
    own_networks.keep("tiny", TINY)
    for _ in begun(store, "first").events():
        pass
    run = store.get("first")
    assert "--model tiny" in command_of(run)
    own_networks.keep("tiny", TINY.change(0, out_channels=8))
    view, moment = read_run(store, run)
    assert view.recipe == recipe(), "with the layers of then"
    assert gather(store, run, with_data=False).network.parameter_count == view.network.parameter_count
    with pytest.raises(ConfigError, match="changed or deleted"):
        command_of(run)
    job = view.recipe.job(DataInView("synthetic", open_dataset("synthetic"), None))
    session = replace(job, weights=moment.state, parent=("first", moment.step)).begin(store)
    assert session.run.layers == run.layers and session.run.parent == "first"
    store.release(session.run)


def test_a_run_whose_layers_are_damaged_is_told_in_a_sentence():
    store = RunStore()
    session = begun(store, "left")
    store.release(session.run)
    store.update(session.run, layers={"input_shape": [28, 28, 1], "layers": [{"type": "Linear", "out_features": 10}]})
    with pytest.raises(DigitLabError):
        resume(store, "left")
    assert gather(store, store.get("left"), with_data=False).network is None


def test_the_command_line_trains_a_network_by_name_and_by_file(tmp_path, capsys):
    own_networks.keep("tiny", TINY)
    options = ["--data", "synthetic", "--limit", "60", "--epochs", "1"]
    assert main(["train", "--model", "tiny", *options]) == 0
    path = tmp_path / "other.json"
    path.write_bytes((networks_folder() / "tiny.json").read_bytes())
    assert main(["train", "--model", str(path), *options]) == 0
    assert main(["info"]) == 0
    assert "own networks: tiny" in capsys.readouterr().out
    assert [run.network for run in RunStore().list()] == ["other", "tiny"]
    assert main(["train", "--model", "none", *options]) == 2
    error = capsys.readouterr().err
    assert "'none'" in error and "your own are tiny" in error


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_run_that_was_killed_goes_on_after_its_network_has_been_deleted(isolated):
    own_networks.keep("tiny", TINY)
    command = [sys.executable, "-m", "app", "train", "--device", "reference", "--model", "tiny", "--data", few_digits()]
    process = subprocess.Popen(
        [*command, "--epochs", "500", "--run", "killed", "--checkpoint-every", "20"], cwd=Path(__file__).parents[2], env=os.environ
    )
    store = RunStore()
    try:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and process.poll() is None:
            # Curves are written before each checkpoint: those up to the second say that the first is there.
            if any(run.name == "killed" and len(store.metrics(run, "train")) >= 40 for run in store.list()):
                break
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    own_networks.delete("tiny")
    run = store.get("killed")
    assert run.status == INTERRUPTED and run.layers is not None
    session = resume(store, "killed")
    step = session.trainer.step
    assert step >= 20
    happening = session.events()
    assert any(isinstance(event, Progress) and event.step > step for event in happening)
    happening.close()
