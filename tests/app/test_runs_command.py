"""`digitlab runs` on the command line: finding runs, showing, tagging, noting, deleting and exporting them."""

from __future__ import annotations

import csv
import io
import json
import math
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from app.cli import build_parser, main
from app.commands.settings import settings_given
from app.core.repeat import command_of
from app.core.runs import RunStore
from models.presets import PRESETS
from nncore.data.augment import Augmentation
from nncore.errors import ConfigError
from nncore.training.config import TrainConfig


@pytest.fixture
def store(isolated) -> RunStore:
    """Four runs, made in this order."""
    store = RunStore()
    settings = TrainConfig(epochs=2).as_dict()
    for name, network, data, accuracy, steps in (
        ("alpha", "mnist-cnn", "mnist", 0.98, 300),
        ("beta", "svhn-lenet", "svhn", 0.30, 200),
        ("gamma", "mnist-cnn", "synthetic", None, 0),
        ("Delta", "mlp", "mnist", 0.95, 900),
    ):
        run = store.create(name, network, data, settings)
        store.update(run, status="finished", val_accuracy=accuracy, steps=steps)
    store.tag(store.get("alpha"), ["best", "Class demo"])
    store.tag(store.get("beta"), ["best"])
    store.note(store.get("beta"), "lernt wenig\nzweite Zeile")
    return store


def printed(capsys, *arguments: str) -> str:
    assert main(["runs", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def names(capsys, *arguments: str) -> list[str]:
    return [json.loads(line)["name"] for line in printed(capsys, "list", "--json", *arguments).splitlines()]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("date", ["Delta", "gamma", "beta", "alpha"]),
        ("name", ["alpha", "beta", "Delta", "gamma"]),
        ("accuracy", ["alpha", "Delta", "beta", "gamma"]),
        ("steps", ["Delta", "alpha", "beta", "gamma"]),
        ("network", ["Delta", "gamma", "alpha", "beta"]),
    ],
)
def test_runs_are_sorted(store, capsys, order, expected):
    assert names(capsys, "--sort", order) == expected


def test_runs_without_the_value_come_last_both_ways_round(store, capsys):
    assert names(capsys, "--sort", "accuracy", "--reverse") == ["beta", "Delta", "alpha", "gamma"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--search", "ALPHA"], ["alpha"]),
        (["--search", "mnist"], ["Delta", "gamma", "alpha"]),
        (["--search", "mnist cnn best"], ["alpha"]),
        (["--search", "zweite"], ["beta"]),
        (["--search", "class demo"], ["alpha"]),
        (["--tag", "best"], ["beta", "alpha"]),
        (["--tag", "best", "--tag", "class demo"], ["alpha"]),
        (["--network", "mnist-cnn"], ["gamma", "alpha"]),
        (["--network", "mnist-cnn", "--network", "mlp"], ["Delta", "gamma", "alpha"]),
        (["--data", "mnist"], ["Delta", "alpha"]),
        (["--data", "MNIST", "--network", "mlp"], ["Delta"]),
        (["--data", "mnist", "--tag", "best", "--search", "alp"], ["alpha"]),
    ],
)
def test_runs_are_found(store, capsys, arguments, expected):
    assert names(capsys, *arguments) == expected


@pytest.mark.parametrize("arguments", [["--search", "nowhere"], ["--tag", "bes"], ["--data", "svhn", "--network", "mlp"]])
def test_where_no_run_fits_that_is_said_beside_the_output(store, capsys, arguments):
    assert main(["runs", "list", *arguments]) == 0
    assert capsys.readouterr() == ("", "No run fits; `digitlab runs list` shows all.\n")


def test_where_there_are_no_runs_that_is_said_on_a_terminal_alone(capsys, monkeypatch):
    assert main(["runs", "list", "--json"]) == 0
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("app.commands.runs.console", Console(stderr=True, force_terminal=True))
    assert main(["runs", "list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert out == "" and "no runs yet" in err


def test_a_run_that_was_trained_on_a_folder_is_found_by_its_path(store, capsys, tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    store.create("folder", "mlp", str(tmp_path / "digits"), {})
    monkeypatch.chdir(tmp_path)
    assert names(capsys, "--data", "digits") == names(capsys, "--data", str(tmp_path / "digits")) == ["folder"]


def test_tags_and_notes_are_listed_shown_and_changed(store, capsys):
    assert "best, Class demo" not in printed(capsys, "list", "--search", "beta")
    assert "Class demo, best" in printed(capsys, "list", "--search", "alpha")
    assert printed(capsys, "tag", "gamma", "new", "two words") == ""
    assert printed(capsys, "tag", "gamma", "new", "--remove") == ""
    assert store.get("gamma").tags == ("two words",)
    assert printed(capsys, "note", "beta") == "lernt wenig\nzweite Zeile\n"
    assert printed(capsys, "note", "gamma", "a <note>") == ""
    assert store.get("gamma").notes == "a <note>"
    assert printed(capsys, "note", "beta", "") == "" and printed(capsys, "note", "beta") == ""


def test_all_of_a_run_is_shown(store, capsys):
    shown = printed(capsys, "show", "alpha")
    for words in ("mnist-cnn", "98.00 %", "Class demo, best", "Learning rate", "0.001", "digitlab train --data mnist", "300"):
        assert words in shown
    found = json.loads(printed(capsys, "show", "alpha", "--json"))
    assert found["tags"] == ["Class demo", "best"] and found["command"].startswith("digitlab train")
    assert "zweite Zeile" in printed(capsys, "show", "beta")


def test_a_run_whose_settings_are_of_another_version_is_shown_all_the_same(store, capsys):
    store.create("strange", "unknown-net", "mnist", {"epochs": 1, "from the future": [1, 2]})
    shown = printed(capsys, "show", "strange")
    assert "from the future" in shown and "none repeats it" in shown


def test_several_runs_are_deleted_after_one_question(store, capsys, monkeypatch):
    def answer(text: str) -> None:
        stream = io.StringIO(text)
        stream.isatty = lambda: True
        monkeypatch.setattr(sys, "stdin", stream)
        assert main(["runs", "delete", "alpha", "beta", "alpha"]) == 0
        assert "2 runs" in capsys.readouterr().err

    for no in ("n\n", "\n", ""):
        answer(no)
        assert len(store.list()) == 4
    answer("y\n")
    assert [run.name for run in store.list()] == ["Delta", "gamma"]
    assert printed(capsys, "delete", "Delta", "gamma", "--yes") == "" and store.list() == []


def test_nothing_is_deleted_where_one_name_is_wrong_or_nobody_can_be_asked(store, capsys, monkeypatch):
    assert main(["runs", "delete", "alpha", "nothing", "--yes"]) == 2
    assert "nothing" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["runs", "delete", "alpha"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert len(store.list()) == 4


def test_a_closed_standard_input_is_nobody_to_ask(store):
    code = "import os, sys; os.close(0); from app.cli import main; sys.exit(main(['runs', 'delete', 'alpha']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "--yes" in done.stderr and done.stderr.count("\n") == 1
    assert len(store.list()) == 4


@pytest.fixture
def curves(store) -> RunStore:
    run = store.get("alpha")
    store.add_metrics(run, [("train", 1, 2.5, 0.1), ("train", 2, math.inf, 0.2), ("validation", 2, 2.25, 0.5)])
    return store


def test_curves_are_exported_as_csv(curves, capsys):
    rows = list(csv.reader(io.StringIO(printed(capsys, "export", "alpha", "beta"))))
    assert rows == [
        ["run", "curve", "step", "loss", "accuracy"],
        ["alpha", "train", "1", "2.5", "0.1"],
        ["alpha", "train", "2", "inf", "0.2"],
        ["alpha", "validation", "2", "2.25", "0.5"],
    ]


def test_settings_are_exported_as_csv(curves, capsys, tmp_path):
    out = tmp_path / "settings.csv"
    assert printed(capsys, "export", "alpha", "beta", "--table", "settings", "--out", str(out)) == ""
    rows = [tuple(row) for row in csv.reader(io.StringIO(out.read_text()))]
    assert rows[0] == ("run", "name", "value")
    for row in (
        ("alpha", "epochs", "2"),
        ("alpha", "tags", '["Class demo", "best"]'),
        ("beta", "notes", "lernt wenig\nzweite Zeile"),
        ("beta", "val_accuracy", "0.3"),
    ):
        assert row in rows


def test_everything_is_exported_as_json(curves, capsys, tmp_path):
    out = tmp_path / "all.JSON"
    assert printed(capsys, "export", "beta", "alpha", "--out", str(out)) == ""
    beta, alpha = json.loads(out.read_text())
    assert (alpha["name"], alpha["config"]["epochs"], alpha["tags"]) == ("alpha", 2, ["Class demo", "best"])
    assert alpha["curves"]["train"] == {"step": [1, 2], "loss": [2.5, None], "accuracy": [0.1, 0.2]}
    assert beta["curves"]["validation"] == {"step": [], "loss": [], "accuracy": []}
    assert json.loads(printed(capsys, "export", "alpha", "--format", "json")) == [alpha]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "--sort", "luck"), "accuracy"),
        (("tag", "nothing", "a"), "nothing"),
        (("tag", "alpha", "a,b"), "comma"),
        (("tag", "alpha"), "TAG"),
        (("note", "nothing", "text"), "nothing"),
        (("note", "alpha", "x" * 10_001), "10,000"),
        (("delete",), "RUN"),
        (("export", "alpha", "nothing"), "nothing"),
        (("export", "alpha", "--format", "json", "--table", "curves"), "--table"),
        (("export", "alpha", "--out", "/nowhere/at/all/a.csv"), "/nowhere"),
        (("report",), "RUN"),
        (("report", "nothing"), "nothing"),
        (("report", "alpha", "beta", "--data", "mnist"), "--data"),
        (("report", "alpha", "--data", "/nowhere/at/all"), "/nowhere"),
        (("report", "alpha", "--pfd"), "did you mean --pdf?"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(store, capsys, monkeypatch, tmp_path, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in the way").write_text("")
    arguments = [argument.replace("/nowhere", str(tmp_path / "in the way")) for argument in arguments]
    assert main(["runs", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and words.replace("/nowhere", "in the way") in err


@pytest.mark.parametrize("network", PRESETS)
def test_the_command_of_a_run_gives_its_very_settings(store, network):
    usual = PRESETS[network].training
    for config in (
        usual,
        TrainConfig(
            epochs=7, batch_size=48, optimizer="momentum", learning_rate=3.3e-7, momentum=0.95, betas=(0.8, 0.9999),
            schedule="cosine", milestones=(5, 1000), gamma=0.3, weight_decay=1e-5, validation=500, validate_every=7, seed=99,
            augmentation=Augmentation(shift=1.25, noise=3),
        ),
    ):  # fmt: skip
        run = store.create(None, network, "/a folder/with 'quotes' & more", config.as_dict(), image_limit=77)
        words = shlex.split(command_of(run))
        assert words[0] == "digitlab"
        arguments = build_parser().parse_args(words[1:])
        given = {**usual.as_dict(), **settings_given(arguments)}
        assert TrainConfig.from_dict(given) == config
        assert (arguments.data, arguments.limit) == ("/a folder/with 'quotes' & more", 77)
        assert (arguments.model or "mnist-cnn") == network


def test_a_run_of_an_unknown_network_has_no_command(store):
    with pytest.raises(ConfigError, match="no command"):
        command_of(store.create(None, "unknown", "mnist", {}))


def test_the_newest_run_comes_first_whatever_its_clock_said(store, capsys):
    store.update(store.get("Delta"), created=(datetime.now(UTC) - timedelta(days=9)).isoformat())
    assert names(capsys)[0] == "Delta"
