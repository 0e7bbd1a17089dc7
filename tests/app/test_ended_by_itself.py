"""A training that ends by itself, as the command line and the window tell it, and what the run keeps."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from app.cli import main
from app.core.runs import RunStore
from app.core.session import Job
from models.presets import preset
from nncore.data import synthetic
from nncore.training.config import TrainConfig
from nncore.weights import load_weights

CONFIG = TrainConfig(batch_size=16, epochs=30, validate_every=1000, seed=4)


def job(**changes: object) -> Job:
    return Job(preset("two-layer"), "synthetic", synthetic("train", 360), None, replace(CONFIG, **changes), "one")


# The window


def test_the_window_tells_why_a_training_has_ended(window, qtbot):
    lab, said = window.lab, []
    lab.said.connect(said.append)
    lab.state.recipe.set(lab.state.recipe.value.with_network("two-layer").with_limit(400))
    lab.state.change_recipe(epochs=40, batch_size=20, learning_rate=0.3, target_accuracy=0.3)
    with qtbot.waitSignal(lab.training.ended, timeout=60_000):
        window._actions["toggle"].trigger()
    assert said[-1].startswith("The held-out accuracy has reached ")
    lab.state.change_recipe(epochs=1, target_accuracy=0.0)
    with qtbot.waitSignal(lab.training.ended, timeout=60_000):
        window._actions["toggle"].trigger()
    assert said[-1] == "", "it is not said of the next one"


# The command line

TRAIN = ("train", "--model", "two-layer", "--data", "synthetic", "--limit", "360", "--run", "one", "--device", "cpu")


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", "0.01"), ("momentum", "0.01"), ("adam", "0.001")])
def test_the_command_line_tells_a_divergence_in_one_line(isolated, capsys, optimizer, rate):
    assert main([*TRAIN, "--lr", "99", "--optimizer", optimizer, "--json"]) == 2
    out, told = capsys.readouterr()
    path = isolated / "runs" / "one" / "weights.safetensors"
    assert told.count("\n") == 1 and "Traceback" not in told
    assert "; start again with a smaller learning rate, such as 0.0" in told
    assert told.endswith(f"The weights of step 0 are kept. The option is `--lr {rate}`. Weights: {path}\n")
    assert all(json.loads(line)["event"] == "epoch_end" for line in out.splitlines())
    (run,) = RunStore().list()
    network, info = load_weights(path)
    first = preset("two-layer").build(0, (28, 28, 1)).state_dict()
    assert run.status == "failed" and run.steps <= 200 and info["step"] == 0
    assert all(np.array_equal(value, first[name]) for name, value in network.state_dict().items())


def test_the_command_line_tells_why_it_has_ended(isolated, capsys):
    assert main([*TRAIN, "--epochs", "40", "--batch-size", "16", "--lr", "0.3", "--target-accuracy", "0.5", "--json"]) == 0
    *_, end = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert end["event"] == "finished" and end["val_accuracy"] >= 0.5 and end["step"] < 760
    assert end["reason"].startswith("The held-out accuracy has reached ")
    assert main(["train", "--resume", "one", "--epochs", "45"]) == 0
    told = capsys.readouterr().out
    assert "Finished run one after" in told and "epoch 45:" in told and "target" not in told
    assert RunStore().get("one").status == "finished"


@pytest.mark.usefixtures("single_steps")
def test_a_run_whose_last_step_has_a_checkpoint_already_goes_on_when_it_is_asked_to(isolated, capsys):
    """The checkpoint of the end knows that the target has been reached."""
    options = ("--batch-size", "16", "--lr", "0.3", "--target-accuracy", "0.5", "--checkpoint-every", "1")
    assert main([*TRAIN, "--epochs", "40", *options]) == 0
    ended = RunStore().get("one").steps
    epochs = str(-(-ended // 19) + 2)
    assert main(["train", "--resume", "one", "--epochs", epochs]) == 0
    assert RunStore().get("one").steps == 19 * int(epochs)


def test_without_a_reason_none_is_told(isolated, capsys):
    assert main([*TRAIN, "--epochs", "1", "--json"]) == 0
    *_, end = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert end["event"] == "finished" and "reason" not in end


@pytest.mark.parametrize("model", ["two-layer", "mnist-cnn"])
def test_weights_that_are_no_numbers_are_not_what_the_run_keeps(isolated, capsys, model):
    options = ("--model", model, "--data", "synthetic", "--limit", "50", "--run", "one", "--lr", "1e30", "--optimizer", "sgd")
    assert main(["train", *options, "--batch-size", "8"]) == 2
    assert "is no longer a number" in capsys.readouterr().err
    network, info = load_weights(isolated / "runs" / "one" / "weights.safetensors")
    assert info["step"] == 0 and all(np.isfinite(value).all() for value in network.state_dict().values())


# The window


def test_the_window_tells_a_divergence(lab, qtbot):
    problems = []
    lab.problem.connect(problems.append)
    lab.training.start(job(learning_rate=99.0, optimizer="adam"))
    qtbot.waitUntil(lambda: bool(problems) and not lab.training.is_active, timeout=100_000)
    assert "start again with a smaller learning rate, such as 0.001. The weights of step 0 are kept." in problems[0].message
    assert lab.training.last.step <= 200 and lab.store.list()[0].status == "failed"
    network, _ = load_weights(lab.training.result.weights)
    assert all(np.isfinite(value).all() for value in network.state_dict().values())


def test_the_window_ends_with_the_target_and_goes_on_only_when_it_is_asked_to(lab, qtbot):
    lab.training.start(job(target_accuracy=0.5))
    with qtbot.waitSignal(lab.training.ended, timeout=100_000):
        pass
    reached = lab.training.last.step
    assert lab.training.end_reason.startswith("The held-out accuracy has reached ") and reached < 19 * 30
    qtbot.wait(50)
    assert not lab.training.is_active
    with qtbot.waitSignal(lab.training.ended, timeout=100_000):
        lab.training.go_on()
    assert lab.training.last.step == reached + 19 and lab.training.end_reason == ""
