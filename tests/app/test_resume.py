"""Going on with a run by its name alone."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from app.core.resume import resume
from app.core.runs import INTERRUPTED, Run, RunStore
from app.core.session import Job, TrainingSession
from app.core.stored_run import read_run
from models.presets import preset
from nncore.data import open_dataset, synthetic
from nncore.data.augment import AUGMENTATIONS
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DataError
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Event, Progress, Started
from nncore.weights import load_weights
from tests.app.command import few_digits


@pytest.fixture
def store(isolated: Path) -> RunStore:
    return RunStore()


def save(path: Path, data: Dataset) -> Path:
    path.parent.mkdir(exist_ok=True)
    np.savez(path, x_train=data.images, y_train=data.labels)
    return path


def curves(store: RunStore, run: Run) -> list[list[tuple[int, float, float]]]:
    return [store.metrics(run, kind) for kind in ("train", "validation")]


def weights(store: RunStore, run: Run) -> dict[str, bytes]:
    network, _ = load_weights(store.weights_of(run))
    return {name: value.tobytes() for name, value in network.state_dict().items()}


pytestmark = pytest.mark.usefixtures("single_steps")


def job(name: str, spec: str = "synthetic", **settings: object) -> Job:
    config = TrainConfig(**{"epochs": 3, "batch_size": 16, "validate_every": 5, "seed": 4} | settings)  # type: ignore[arg-type]
    return Job(preset("two-layer"), spec, open_dataset("synthetic").limit(120, 4), None, config, name, 120)


def run_to_end(session: TrainingSession) -> None:
    for _ in session.events():
        pass


def leave_at(session: TrainingSession, step: int, kind: type[Event] = Progress) -> None:
    """Go away in the middle of a training, as a reader does whose program breaks."""
    events = session.events()
    for event in events:
        if isinstance(event, kind) and event.step == step:  # type: ignore[attr-defined]
            events.close()


@pytest.mark.parametrize("step", [1, 5, 7, 8, 14, 20])
def test_a_training_that_was_left_ends_as_if_it_had_not_been(store: RunStore, step: int) -> None:
    """7 and 14 are the ends of epochs, 5 and 20 the steps of looks at held-out images, which then have not come yet."""
    settings = {"augmentation": AUGMENTATIONS["light"]}
    run_to_end(job("straight", **settings).begin(store))
    session = job("left", **settings).begin(store)
    leave_at(session, step)
    left = store.get("left")
    assert left.status == INTERRUPTED and left.steps == step
    run_to_end(resume(store, "left"))
    straight, left = store.get("straight"), store.get("left")
    assert left.status == "finished" and left.steps == straight.steps == 21
    assert curves(store, left) == curves(store, straight) and len(curves(store, left)[0]) == 21
    assert weights(store, left) == weights(store, straight)


def test_a_run_that_is_cut_off_at_once_can_be_looked_at_and_gone_on_with(store: RunStore) -> None:
    session = job("early").begin(store)
    happening = session.events()
    assert isinstance(next(happening), Started)
    run = store.get("early")
    view, moment = read_run(store, run)
    assert moment.step == 0 and view.why_no_more == "", "as it lies on the disk, before anybody leaves"
    happening.close()
    run_to_end(resume(store, "early"))
    assert store.get("early").status == "finished"


def test_a_run_without_a_checkpoint_begins_anew(store: RunStore) -> None:
    run_to_end(job("straight").begin(store))
    session = job("left").begin(store)
    leave_at(session, 6)
    store.checkpoint_of(session.run).unlink()
    run_to_end(resume(store, "left"))
    assert curves(store, store.get("left")) == curves(store, store.get("straight"))
    assert weights(store, store.get("left")) == weights(store, store.get("straight"))


def test_epochs_are_those_of_the_whole_run(store: RunStore) -> None:
    run_to_end(job("straight", epochs=3).begin(store))
    run_to_end(job("more", epochs=2).begin(store))
    session = resume(store, "more", epochs=3)
    leave_at(session, 14 + 1)
    run_to_end(resume(store, "more"))  # it knows that three are wanted now
    assert weights(store, store.get("more")) == weights(store, store.get("straight"))
    with pytest.raises(ConfigError, match="3 have begun"):
        resume(store, "more", epochs=2)
    RunStore().hold(store.get("more"))  # a refusal keeps nobody out


def test_data_that_has_moved_can_be_named_and_other_data_is_refused(store: RunStore, tmp_path: Path) -> None:
    data = synthetic("train", 120)
    path = save(tmp_path / "here" / "digits.npz", data)
    config = TrainConfig(epochs=2, batch_size=16)
    leave_at(Job(preset("two-layer"), str(path), data, None, config, "r").begin(store), 3)
    moved = tmp_path / "there.npz"
    path.rename(moved)
    with pytest.raises(DataError, match=r"digits\.npz"):
        resume(store, "r")
    other = data.labels.copy()
    other[5] += 1 if other[5] < 9 else -1
    for changed in (Dataset(data.images, other, "d"), Dataset(data.images[::-1].copy(), data.labels, "d"), data.limit(119)):
        save(path, changed)
        with pytest.raises(DataError, match="does not hold the images"):
            resume(store, "r")
    run_to_end(resume(store, "r", data_spec=str(moved)))
    assert store.get("r").status == "finished"


def test_a_run_can_be_resumed_from_any_folder(store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "place" / "digits.npz", synthetic("train", 60))
    monkeypatch.chdir(tmp_path / "place")
    assert main(["train", "--model", "two-layer", "--data", "digits.npz", "--epochs", "1", "--limit", "40", "--run", "r"]) == 0
    monkeypatch.chdir(tmp_path)
    run = store.get("r")
    assert run.data == str(tmp_path / "place" / "digits.npz") and run.image_limit == 40 and run.class_count == 10
    assert run.versions is not None and run.versions["numpy"] == np.__version__
    assert main(["train", "--resume", "r", "--epochs", "2"]) == 0
    assert store.get("r").steps == 2 * run.steps


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--model", "mnist-cnn"),
        ("--limit", "61"),
        ("--seed", "6"),
        ("--lr", "0.5"),
        ("--batch-size", "64"),
        ("--optimizer", "adam"),
        ("--schedule", "cosine"),
        ("--validation", "0.25"),
        ("--augment", "light"),
        ("--run", "other"),
    ],
)
def test_options_that_contradict_the_run_are_refused_by_name(capsys, store, option, value):
    common = ["train", "--model", "two-layer", "--data", "synthetic", "--limit", "60", "--seed", "5", "--optimizer", "sgd"]
    assert main([*common, "--epochs", "1", "--run", "r"]) == 0
    capsys.readouterr()
    assert main(["train", "--resume", "r", option, value]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and option in said
    assert main([*common, "--epochs", "1", "--run", "r", "--resume", "r"]) == 0, "what says the same is no contradiction"


def test_templates_on_the_command_line(capsys, store):
    common = ["train", "--model", "mnist-mlp", "--data", "synthetic", "--limit", "60", "--epochs", "1", "--batch-size", "30"]
    for template, rate in (("published", 1e-4), ("recommended", 1e-3)):
        assert main([*common, "--template", template, "--run", template]) == 0
        config = store.get(template).config
        assert (config["learning_rate"], config["batch_size"], config["epochs"]) == (rate, 30, 1), "options win"
    assert main([*common, "--run", "usual"]) == 0
    assert store.get("usual").config == store.get("recommended").config
    capsys.readouterr()
    assert main(["train", "--resume", "usual", "--template", "published"]) == 2
    said = capsys.readouterr().err
    assert said == "digitlab: The run usual goes on with its own settings; leave --template out, or begin a new run.\n"


DYING = """
import os, signal, sys
from app.core.session import TrainingSession
from nncore.training.events import Progress
before, at = TrainingSession._record, int(sys.argv[1])
def record(self, event):
    before(self, event)
    if isinstance(event, Progress) and event.step >= at:
        os.kill(os.getpid(), signal.SIGKILL)
TrainingSession._record = record
from app.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
@pytest.mark.timeout(600)
def test_a_killed_training_is_resumed_by_its_name_alone(store: RunStore) -> None:
    options = ["train", "--data", few_digits(), "--model", "two-layer", "--epochs", "8", "--seed", "2"]
    options += ["--batch-size", "50", "--checkpoint-every", "7", "--augment", "light"]

    def dying(step: int, *arguments: str) -> int:
        command = [sys.executable, "-c", DYING, str(step), *arguments]
        return subprocess.run(command, stdout=subprocess.DEVNULL, timeout=200, env=os.environ, check=False).returncode

    assert main([*options, "--run", "straight"]) == 0
    places = sorted(np.random.default_rng(11).choice(np.arange(2, 79), 2, replace=False).tolist())
    assert dying(places[0], *options, "--run", "killed") == -signal.SIGKILL
    assert store.get("killed").status == INTERRUPTED
    assert dying(places[1], "train", "--resume", "killed") == -signal.SIGKILL
    assert main(["train", "--resume", "killed"]) == 0
    straight, killed = store.get("straight"), store.get("killed")
    assert killed.status == "finished" and killed.steps == straight.steps == 80
    assert weights(store, killed) == weights(store, straight)
    assert curves(store, killed) == curves(store, straight) and len(curves(store, killed)[0]) == 80


def test_a_run_of_the_first_version_is_resumed_with_what_is_told(store: RunStore) -> None:
    leave_at(job("old").begin(store), 6)
    with sqlite3.connect(store.folder / "runs.sqlite") as database:
        database.execute("UPDATE runs SET checksum = NULL, image_limit = NULL, class_count = NULL, versions = NULL")
    database.close()
    run_to_end(resume(store, "old", image_limit=120))
    assert store.get("old").status == "finished"


def test_an_epoch_end_is_told_once(store: RunStore) -> None:
    leave_at(job("left").begin(store), 7)
    told = [event.step for event in resume(store, "left").events() if isinstance(event, EpochEnd)]
    assert told == [14, 21]
