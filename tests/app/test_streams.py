"""Standard streams that take little or nothing, and names that no file can have: one line each, and status 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.core.runs import RunStore
from nncore.data import synthetic
from tests.app.command import digitlab, program

COMMANDS = (
    ("info",),
    ("data", "list"),
    ("runs", "list"),
    ("data", "info", "synthetic", "--split", "test"),
    ("--help",),
    ("train", "--help"),
)


@pytest.fixture
def runs(isolated: Path) -> RunStore:
    store = RunStore()
    store.create("one", "m", "d", {})
    return store


def assert_one_line(done: subprocess.CompletedProcess[str], words: str = "") -> None:
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr, done.stderr
    assert words in done.stderr and len(done.stderr) < 1000 and done.stderr.rstrip("\n").isprintable()


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_signs_that_an_encoding_lacks_become_others(runs, encoding, command):
    done = digitlab(*command, encoding=encoding)
    assert done.returncode == 0 and done.stderr == "" and done.stdout


def test_a_program_prints_in_the_encoding_that_it_is_told(runs):
    done = program("runs", "show", "one", encoding="cp1252")
    assert done.returncode == 0 and done.stderr == "" and done.stdout
    assert_one_line(program("train", "--data", "/nowhere/Ziffern-βψ", encoding="ascii"), "/nowhere")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("command", [COMMANDS[0], COMMANDS[-1]], ids=" ".join)
def test_a_full_standard_output_is_one_line_to_the_end_of_the_program(runs, command):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        process = [sys.executable, "-m", "app", *command]
        done = subprocess.run(process, stdout=full, stderr=subprocess.PIPE, text=True, timeout=100, check=False)
    assert_one_line(done, "Standard output cannot be written to: No space left")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_full_standard_output_is_one_line(runs, command):
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123
        assert_one_line(digitlab(*command, out=full), "Standard output cannot be written to: No space left")


def closed(redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", "-c", f'exec "$0" -m app "$@" {redirection}', sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="there are other shells there")
def test_closed_streams(runs):
    assert_one_line(closed(">&-", "runs", "list"), "closed")
    assert_one_line(closed("<&- >&-", "train", "--data", "synthetic", "--limit", "50", "--epochs", "1"), "closed")
    for redirection in ("<&-", "2>&-", "<&- 2>&-"):
        done = closed(redirection, "runs", "list")
        assert done.returncode == 0 and done.stderr == "" and "one" in done.stdout
    done = closed("2>&-", "runs", "show", "none")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
    assert [run.name for run in runs.list()] == ["one"], "nothing was written into the database by way of a closed stream"


LONG = "/" + "/".join(["a" * 99] * 50)


@pytest.mark.parametrize("path", ["~nouser/x", LONG, "b" * 5000, "a\nb\x1b[31m"], ids=["nouser", "deep", "long", "control"])
@pytest.mark.parametrize(
    "command",
    [
        ("train", "--data"),
        ("train", "--resume"),
        ("evaluate", "--data", "synthetic", "--limit", "20", "--weights"),
        ("predict",),
        ("predict", "--kaggle"),
        ("data", "info"),
        ("data", "import"),
        ("runs", "show"),
        ("runs", "delete"),
        ("train", "--data", "synthetic", "--limit", "50", "--run"),
        ("train", "--model"),
        ("train", "--augment"),
    ],
    ids=" ".join,
)
def test_paths_and_names_that_cannot_be(capsys, runs, command, path):
    from app.cli import main

    assert main([*command, path]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and said.err.rstrip("\n").isprintable() and len(said.err) < 1000


@pytest.mark.parametrize("path", ["~nouser/x", LONG], ids=["nouser", "deep"])
@pytest.mark.parametrize("command", [("runs", "list"), ("info",), ("train", "--data", "synthetic", "--limit", "50")], ids=" ".join)
def test_a_data_folder_that_cannot_be(monkeypatch, capsys, tmp_path, command, path):
    from app.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGITLAB_DATA", path)
    status = main(command)
    said = capsys.readouterr()
    assert (status, said.err.count("\n")) in ((2, 1), (0, 0)) and len(said.err) < 1000
    assert not (tmp_path / "~nouser").exists()
    if command[0] == "train" or "nouser" in path:
        assert status == 2


def test_answers_go_through_a_file_that_cannot_be_one(tmp_path, capsys, monkeypatch):
    from app.cli import main

    digits = synthetic("test", 2)
    table = tmp_path / "test.csv"
    table.write_text(
        "\n".join(["pixel" + ",pixel".join(map(str, range(784))), *(",".join(map(str, i.ravel())) for i in digits.images)])
    )
    assert main(["predict", "--kaggle", str(table), "--csv", LONG]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and len(said) < 1000 and "Could not write" in said


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_control_characters_in_names_are_not_printed(tmp_path):
    data = synthetic("train", 8)
    folder = tmp_path / "pictures"
    for number, label in enumerate(("red\x1b[31m", "two\nlines")):
        (folder / label).mkdir(parents=True)
        for image in range(2):
            Image.fromarray(data.images[2 * number + image, ..., 0]).save(folder / label / f"{image}.png")
    done = digitlab("data", "info", folder)
    assert done.returncode == 0 and "\x1b" not in done.stdout and "red?[31m" in done.stdout and "two?lines" in done.stdout
    picture = tmp_path / "[bold]\x1b[31m.png"
    Image.fromarray(data.images[0, ..., 0]).save(picture)
    done = digitlab("predict", picture, tmp_path / "not\nthere.png")
    assert done.returncode == 2 and "\x1b" not in done.stdout and done.stdout.count("\n") == 1
    assert "not?there" in done.stderr and done.stderr.count("\n") == 1


def test_signs_of_markup_in_a_name_are_printed_as_they_are(tmp_path):
    digits = synthetic("test", 1)
    table, out = tmp_path / "test.csv", tmp_path / "[red]x[" / "out.csv"
    np.savetxt(table, digits.images.reshape(1, -1), "%d", ",")
    done = digitlab("predict", "--kaggle", table, "--csv", out)
    assert done.returncode == 0 and "1 answer is in" in done.stderr and f"{os.sep}[red]x[{os.sep}out.csv" in done.stderr, (
        done.stderr
    )
