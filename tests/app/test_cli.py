"""The command line: what it prints, and that mistakes are one line and status 2."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from nncore.data import synthetic
from tests.app.command import digitlab, few_digits, lines, program


def test_train_evaluate_and_the_table_of_runs(isolated, tmp_path):
    out = tmp_path / "w.safetensors"
    options = ("--data", "synthetic", "--limit", 300, "--epochs", 2, "--seed", 3, "--run", "one", "--out", out, "--json")
    first, second, finished = lines(program("train", *options))
    fields = {
        "event",
        "epoch",
        "step",
        "train_loss",
        "train_accuracy",
        "val_loss",
        "val_accuracy",
        "examples_per_second",
        "seconds",
    }
    assert first.keys() == second.keys() == fields
    assert (first["event"], first["epoch"], second["epoch"], first["step"]) == ("epoch_end", 1, 2, 8)
    assert second["train_loss"] < first["train_loss"] and second["seconds"] > first["seconds"] > 0
    assert finished["event"] == "finished" and finished["run"] == "one" and finished["weights"] == str(out)
    (found,) = lines(digitlab("evaluate", "--weights", out, "--data", "synthetic", "--json"))
    assert found["accuracy"] == pytest.approx(finished["test_accuracy"], abs=1e-9)
    assert found["count"] == 2000 == np.sum(found["confusion"]) and len(found["per_class"]) == 10
    assert set(found["per_class"][0]) == {"digit", "precision", "recall"}
    (run,) = lines(digitlab("runs", "list", "--json"))
    assert run["name"] == "one" and run["status"] == "finished" and run["test_accuracy"] == finished["test_accuracy"]


def test_the_same_seed_gives_the_same_training():
    options = ("train", "--data", few_digits(), "--limit", 120, "--epochs", 1, "--seed", 7, "--json")
    (a, _), (b, _) = lines(program(*options)), lines(digitlab(*options))
    assert a["train_loss"] == b["train_loss"] and a["val_loss"] == b["val_loss"]


def test_a_training_is_resumed_exactly():
    common = ("--data", "synthetic", "--limit", 200, "--seed", 1, "--json")
    straight = lines(digitlab("train", *common, "--epochs", 2, "--run", "straight"))
    lines(digitlab("train", *common, "--epochs", 1, "--run", "broken", "--checkpoint-every", 1))
    resumed = lines(digitlab("train", *common, "--epochs", 2, "--resume", "broken"))
    assert resumed[0]["epoch"] == 2 and resumed[0]["train_loss"] == straight[1]["train_loss"]
    assert resumed[-1]["test_accuracy"] == straight[-1]["test_accuracy"]


def test_predict_answers_a_kaggle_table(tmp_path):
    digits = synthetic("test", 40, seed=9)
    table = tmp_path / "test.csv"
    rows = ["pixel" + ",pixel".join(map(str, range(784))), *(",".join(map(str, image.ravel())) for image in digits.images)]
    table.write_text("\n".join(rows))
    printed = digitlab("predict", "--kaggle", table).stdout
    written = digitlab("predict", "--kaggle", table, "--csv", tmp_path / "submission.csv")
    assert (tmp_path / "submission.csv").read_text() == printed and written.stdout == "" and "40 answers" in written.stderr
    heading, *answers = printed.split()
    assert heading == "ImageId,Label" and [int(row.split(",")[0]) for row in answers] == list(range(1, 41))
    right = sum(int(row.split(",")[1]) == label for row, label in zip(answers, digits.labels, strict=True))
    assert right > 28
    (shown,) = lines(digitlab("data", "info", table, "--split", "train", "--json"))
    assert shown["splits"]["train"]["unlabelled"] == shown["count"] == 40
    refused = digitlab("evaluate", "--data", table, "--split", "train")
    assert refused.returncode == 2 and "no labels" in refused.stderr


def test_predict_reads_pictures_and_reports_the_bad_ones(tmp_path):
    data = synthetic("test", 30)
    good, white = tmp_path / "good.png", tmp_path / "paper.png"
    index = int(np.flatnonzero(data.labels == 0)[0])
    Image.fromarray(data.images[index, ..., 0]).resize((140, 140)).save(good)
    Image.new("RGB", (50, 50), "white").save(white)
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    answered, blank = lines(digitlab("predict", "--single", "--json", good, white))
    assert answered.keys() == {"image", "digit", "confidence", "probabilities", "sure", "likeliest", "no_digits"}
    assert answered["image"] == str(good)
    assert answered["digit"] == int(np.argmax(answered["probabilities"])) == 0
    assert sum(answered["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert blank["digit"] is None and blank["confidence"] == 0
    done = digitlab("predict", "--single", "--json", bad, good)
    assert done.returncode == 2 and str(bad) in done.stderr and len(done.stderr.splitlines()) == 1
    assert json.loads(done.stdout)["image"] == str(good), "the others are read all the same"


def test_without_single_a_picture_is_a_list_of_digits(tmp_path):
    data = synthetic("test", 30)
    good, white = tmp_path / "good.png", tmp_path / "paper.png"
    Image.fromarray(data.images[int(np.flatnonzero(data.labels == 0)[0]), ..., 0]).resize((140, 120)).save(good)
    Image.new("RGB", (50, 50), "white").save(white)
    answered, blank = lines(digitlab("predict", "--json", good, white))
    (found,) = answered.pop("digits")
    assert answered == {"image": str(good), "lines": ["0"], "no_digits": 0}
    x, y, width, height = found.pop("box")
    assert 0 < x < x + width < 140 and 0 < y < y + height < 120, "where the ink lies, not the whole picture"
    assert found.pop("confidence") > 0.1 and found.pop("likeliest")[0] == 0
    assert found.pop("sure") in (True, False) and found == {"digit": 0, "line": 0}
    assert blank == {"image": str(white), "lines": [], "digits": [], "no_digits": 0}
    assert digitlab("predict", good).stdout.startswith(f"{good}: 0 (")


def test_one_is_not_called_many_and_thousands_are_parted(tmp_path):
    data = synthetic("test", 1)
    np.savez(tmp_path / "one.npz", x_train=data.images, y_train=data.labels)
    assert "train part: 1 image of" in digitlab("data", "info", tmp_path / "one.npz").stdout
    assert "of 1,200 images right" in digitlab("evaluate", "--data", "synthetic", "--limit", 1200).stdout
    assert "of 1 image right" in digitlab("evaluate", "--data", "synthetic", "--limit", 1).stdout


def test_info_and_data_need_no_qt():
    (found,) = lines(digitlab("info", "--json"))
    assert found["packages"]["numpy"] == np.__version__ and "mnist-cnn" in found["weights"]
    names = {entry["name"] for entry in lines(digitlab("data", "list", "--json"))}
    assert {"mnist", "svhn", "synthetic"} <= names
    (shown,) = lines(digitlab("data", "info", "synthetic", "--json"))
    assert shown["shape"] == [28, 28, 1] and sum(shown["classes"].values()) == shown["count"] == 12_000
    assert shown["splits"]["train"]["count"] == 10_000 and list(shown["classes"]) == list("0123456789")
    code = "import sys; from app.cli import main; main(['info']); print('PySide6' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "--model", "nonsense"), "mnist-cnn"),
        (("train", "--data", "mnist"), "mnist"),
        (("train", "--data", "synthetic", "--epochs", "0"), "epochs"),
        (("train", "--data", "synthetic", "--epochs", "many"), "--epochs"),
        (("train", "--data", "synthetic", "--lr", "-1"), "Learning rate"),
        (("train", "--data", "synthetic", "--lr", "nan"), "Learning rate"),
        (("train", "--data", "synthetic", "--batch-size", "0"), "--batch-size"),
        (("train", "--data", "synthetic", "--limit", "0"), "limit"),
        (("train", "--data", "synthetic", "--seed", "-1"), "seed"),
        (("train", "--data", "/nowhere/at/all"), "/nowhere/at/all"),
        (("train", "--data", "synthetic", "--run", "../out"), "../out"),
        (("train", "--data", "synthetic", "--resume", "nothing"), "nothing"),
        (("train", "--data", "synthetic-street", "--limit", "50"), "32×32×3"),
        (("train", "--data", "synthetic", "--limit", "50", "--lr", "1e30", "--optimizer", "sgd"), "smaller learning rate"),
        (("evaluate", "--weights", "/nowhere.safetensors"), "nowhere"),
        (("evaluate", "--data", "mnist"), "mnist"),
        (("predict", "--single", "/nowhere.png"), "/nowhere.png"),
        (("predict", "/nowhere.png"), "/nowhere.png"),
        (("predict",), "--kaggle"),
        (("predict", "--csv", "out.csv"), "--kaggle"),
        (("predict", "--kaggle", "/nowhere.csv"), "/nowhere.csv"),
        (("train", "--data", "synthetic", "--augment", "wild"), "light"),
        (("train", "--data", "synthetic", "--augment", "shift=99"), "shift"),
        (("train", "--data", "synthetic", "--validation", "2.5"), "validation"),
        (("train", "--data", "synthetic", "--limit", "50", "--validation", "50"), "50 of 50"),
        (("runs", "show", "nothing"), "nothing"),
        (("nonsense",), "nonsense"),
        (("train", "--nonsense"), "--nonsense"),
        (("train", "--modle", "mnist-cnn"), "did you mean --model?"),
        (("data", "list", "--jsno"), "did you mean --json?"),
        (("runs", "show"), "RUN"),
        (("runs", "rename", "nothing", "something"), "nothing"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_status_2(capsys, arguments, words):
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert_one_line(printed.out, printed.err, words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "--nonsense"), "--nonsense"),
        (("runs", "show", "nothing"), "nothing"),
        (
            ("train", "--device", "reference", "--data", "few", "--limit", "50", "--lr", "1e30", "--optimizer", "sgd"),
            "smaller learning rate",
        ),
    ],
    ids=["options", "before work", "in the middle of work"],
)
def test_a_mistake_ends_the_program(arguments, words):
    """As above, with all that a process of its own prints until it has ended."""
    few_digits()
    done = program(*arguments)
    assert done.returncode == 2, done
    assert_one_line(done.stdout, done.stderr, words)


def assert_one_line(out: str, error: str, words: str) -> None:
    assert out == "" and len(error.splitlines()) == 1 and words in error
    assert "Traceback" not in error and error.startswith("digitlab")


def test_weights_that_are_no_weights_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"x" * 1000)
    done = digitlab("evaluate", "--weights", path, "--data", "synthetic")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and str(path) in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")
@pytest.mark.parametrize("display", ["", ":4711"])
def test_without_a_screen_the_window_says_so_in_one_line(display):
    done = program(DISPLAY=display, WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "screen" in done.stderr and "digitlab train" in done.stderr


def test_a_third_of_an_epoch_of_mnist(real_mnist):
    few = ("--data", "mnist", "--limit", 20_000)
    *_, finished = lines(digitlab("train", "--model", "mnist-cnn", *few, "--epochs", 1, "--seed", 0, "--json"))
    assert finished["test_accuracy"] >= 0.955


def test_a_test_part_with_other_classes_does_not_cost_the_training(tmp_path):
    data = synthetic("train", 120, seed=2)
    path = tmp_path / "more.npz"
    np.savez(path, x_train=data.images, y_train=data.labels, x_test=data.images[:24], y_test=np.arange(24) % 12)
    *_, finished = lines(digitlab("train", "--data", path, "--epochs", 1, "--json"))
    assert finished["event"] == "finished" and finished["test_accuracy"] is None
    refused = digitlab("evaluate", "--data", path)
    assert refused.returncode == 2 and "the class 11" in refused.stderr and refused.stderr.count("\n") == 1


def test_a_resumed_run_takes_no_other_settings(tmp_path):
    options = ("--data", "synthetic", "--limit", 100, "--epochs", 1)
    digitlab("train", *options, "--run", "r", "--checkpoint-every", 1)
    refused = digitlab("train", *options, "--resume", "r", "--augment", "light")
    assert refused.returncode == 2 and "--augment" in refused.stderr
    assert digitlab("train", *options, "--resume", "r").returncode == 0


def test_a_lone_test_table_is_counted_once(tmp_path):
    digits = synthetic("test", 5)
    rows = [",".join(map(str, [label, *image.ravel()])) for image, label in zip(digits.images, digits.labels, strict=True)]
    (tmp_path / "test.csv").write_text("\n".join(rows))
    (shown,) = lines(digitlab("data", "info", tmp_path / "test.csv", "--json"))
    assert shown["count"] == 5 and list(shown["splits"]) == ["train"] and set(shown["classes"]) == set("0123456789")
