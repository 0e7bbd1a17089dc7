"""A network learns digits of an odd hand, and remembers the others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from app.core import teaching_in_turn
from app.core.resume import resume
from app.core.runs import RunStore
from app.core.split import Split
from app.core.stored_run import images_of
from app.core.teaching import Pupil, _config, prepare, read_own
from app.core.teaching_figures import Figure, Taught
from app.core.teaching_in_turn import held_out_in_turn, parts
from benchmarks.odd_digits import STYLES
from models.presets import preset
from models.shipped import open_weights
from nncore.data.dataset import Dataset
from nncore.data.mixed import mixed
from nncore.errors import ConfigError, DataError
from nncore.network import Network
from nncore.prediction import Predictor


def style(name: str, count: int = 20, seed: int = 1) -> Dataset:
    """Digits of one of the odd hands."""
    (found,) = (each for each in STYLES if each.name == name)
    return found.draw(count, seed)


def keep(folder: Path, data: Dataset) -> None:
    """Keep digits as the window does, one file each."""
    for number, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / str(label) / f"20261130-1200{number:02}-000000.png")


def pupil(network: Network, name: str = "mnist-cnn") -> Pupil:
    return Pupil(name, network.config(), network.state_dict(), name)


def shipped() -> Pupil:
    return pupil(open_weights("mnist-cnn")[0])


@pytest.fixture
def few_steps(monkeypatch):
    """Lessons of a few steps."""
    monkeypatch.setattr("app.core.teaching.STEPS", 20)


def test_digits_of_an_odd_hand_are_read_after_one_lesson_and_the_others_as_before(isolated, capsys, monkeypatch):
    """Another hand, beside the real MNIST, is in test_teaching_mnist.py."""
    monkeypatch.setattr(teaching_in_turn, "LONGEST", 0.0)  # one part is left out, and no more
    keep(isolated / "my_digits", style("mirrored"))
    assert main(["teach", "--weights", "mnist-cnn", "--json", "--device", "cpu"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["own"]["before"] <= 0.5 and said["own"]["after"] == 1.0
    assert said["others"]["data"] == "Drawn digits" and said["others"]["after"] > said["others"]["before"] - 0.003
    assert said["held_out_in_turn"]["count"] == 5 and said["held_out_in_turn"]["after"] >= said["held_out_in_turn"]["before"]

    store = RunStore()
    run = store.get("my handwriting")
    assert (run.parent, run.steps, run.status, run.test_accuracy) == ("mnist-cnn", 300, "finished", said["others"]["after"])
    assert run.notes.startswith("yours ") and "held out in turn (5 of 20)" in run.notes
    keep(isolated / "my_digits", style("crossed 0s"))  # what is kept later changes nothing of the run
    assert len(images_of(Split.HELD_OUT, run)) > 1000
    session = resume(store, run.name)
    more = style("mirrored", 40, 2)
    assert session.trainer.total_steps == 300
    assert Predictor(session.trainer.network).check_accuracy(more) > 0.7, "others of that hand are read, too"
    store.release(run)


@pytest.mark.usefixtures("few_steps")
def test_a_lesson_takes_the_data_of_the_run_and_holds_out_what_the_run_has_held_out(isolated, capsys):
    keep(isolated / "my_digits", style("mirrored"))
    data = ["--data", "synthetic", "--limit", "1000"]
    begin = ["--model", "fully-connected", *data, "--epochs", "1", "--seed", "5", "--run", "first"]
    assert main(["train", *begin]) == 0 and main(["teach", "--run", "first", "--name", "second"]) == 0
    store = RunStore()
    first, second = store.get("first"), store.get("second")
    assert second.data.endswith("+synthetic") and second.image_limit == 1000 and second.network == "fully-connected"
    assert np.array_equal(images_of(Split.HELD_OUT, first).images, images_of(Split.HELD_OUT, second).images)
    assert "yours" in capsys.readouterr().out

    network = preset("fully-connected").build()
    again = prepare(store, Pupil("fully-connected", network.config(), network.state_dict(), "second", 4, second), read_own())
    assert second.data == again.job.data_spec and again.job.run_name == "my handwriting"
    assert not again.is_new.any() and not list(held_out_in_turn(again, Taught(Figure(1, 1), Figure(1, 1), "", 20), 0.0))


def test_a_network_that_is_no_preset_is_taught_as_it_is(isolated):
    network = open_weights("mnist-cnn")[0]
    layers = [*network.config()["layers"], {"type": "ReLU"}, {"type": "Linear", "out_features": 12}]
    other = Network.from_config({**network.config(), "layers": layers})
    lesson = prepare(RunStore(), pupil(other), style("mirrored"))
    assert lesson.job.preset.is_own and lesson.job.preset.build().config() == other.config()
    assert not prepare(RunStore(), pupil(network), style("mirrored")).job.preset.is_own


def test_a_step_of_one_image_which_batch_norm_cannot_learn_from_is_avoided():
    others = Dataset(np.zeros((17_000, 1, 1, 1), np.uint8), np.arange(17_000) % 10, "others")
    for count in range(5, 140):
        digits = Dataset(np.ones((count, 1, 1, 1), np.uint8), np.zeros(count, np.int64), "my_digits")
        config, _, held = _config(None, others, count)
        learned, held_out = mixed(digits, others).split(held, config.seed)
        assert len(held_out) == held and len(learned) % config.batch_size != 1, count


def test_each_digit_is_left_out_once_with_its_kind_spread_over_the_parts():
    labels = np.array([3, 3, 3, 3, 7, 7, 7, 7, 1, 2])
    found = parts(labels)
    assert sorted(np.concatenate(found)) == list(range(10)) and max(map(len, found)) <= 3
    assert all(sorted(labels[part])[-1] == 7 and 3 in labels[part] for part in found)


def few(count: int) -> Dataset:
    return style("mirrored", count)


def contradicting() -> Dataset:
    data = few(6)
    labels = data.labels.copy()
    labels[5] = 8
    images = data.images.copy()
    images[5] = images[2]
    return Dataset(images, labels, "my_digits")


@pytest.mark.parametrize(
    ("network", "digits", "error", "words"),
    [
        (shipped, lambda: few(4), DataError, "5 digits of your own are needed, and there are 4"),
        (shipped, lambda: few(1), DataError, "there is 1"),
        (shipped, contradicting, DataError, "kept as a 2 and as a 8"),
        (lambda: pupil(preset("svhn-mlp").build()), lambda: few(6), ConfigError, "takes 32×32×3"),
    ],
)
def test_what_cannot_be_taught_is_told_in_words(network, digits, error, words):
    with pytest.raises(error, match=words):
        prepare(RunStore(), network(), digits())


def test_without_a_digit_of_ones_own_the_command_says_how_one_comes_about(capsys):
    assert main(["teach"]) == 2
    assert "press the right digit" in capsys.readouterr().err
    assert RunStore().list() == []


def test_figures_in_words():
    taught = Taught(Figure(0.78, 1), Figure(0.9971, 0.9966), "MNIST", 23)
    assert taught.own_words() == "yours 78 → 100 %" and taught.others_words() == "MNIST 99.71 → 99.66 %" and not taught.is_worse
    assert not Taught(Figure(0, 1), Figure(0.9971, 0.9941), "MNIST", 23).is_worse, "0.3 points are allowed"
    fallen = Taught(Figure(0, 1), Figure(0.9971, 0.992), "MNIST", 23, Figure(0.605, 0.9), 10)
    assert fallen.is_worse and fallen.fall() == "MNIST: down from 99.71 to 99.20 %"
    assert fallen.held_out_words() == "held out in turn (10 of 23) 60.5 → 90 %"
