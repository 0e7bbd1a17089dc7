"""`digitlab data`: an overview, downloads from a server on this machine, and local files brought in."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nncore.data.sources import SOURCES
from tests.app.command import digitlab, lines
from tests.nncore.data.server import serving
from tests.nncore.data.test_tables import IMAGES, LABELS, mat_bytes, npz_bytes


def test_an_overview_of_a_file_has_counts_shapes_and_sums(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    path.write_bytes(npz_bytes(x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:2], y_test=LABELS[:2]))
    (shown,) = lines(digitlab("data", "info", path, "--json"))
    assert shown["count"] == 8 and shown["shape"] == [4, 4, 1]
    assert {split: part["count"] for split, part in shown["splits"].items()} == {"train": 6, "test": 2}
    assert shown["splits"]["train"]["classes"]["1"] == 2 and shown["classes"]["1"] == 2
    (file,) = shown["files"]
    assert file == {
        "name": "mine.npz",
        "size": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "published": None,
    }
    (shown,) = lines(digitlab("data", "info", path, "--split", "test", "--json"))
    assert list(shown["splits"]) == ["test"]
    assert "train part: 6 images of 4×4×1" in digitlab("data", "info", path).stdout


def test_the_real_mnist_in_figures(real_mnist: Path) -> None:
    (shown,) = lines(digitlab("data", "info", "mnist", "--json"))
    assert {split: part["count"] for split, part in shown["splits"].items()} == {"train": 60_000, "test": 10_000}
    assert shown["shape"] == [28, 28, 1] and shown["splits"]["train"]["classes"]["5"] == 5421
    assert len(shown["files"]) == 4 and all(file["published"] and len(file["sha256"]) == 64 for file in shown["files"])
    assert "already, as published" in digitlab("data", "get", "mnist").stdout


def test_files_of_svhns_names_are_not_taken_for_the_published_ones(isolated: Path) -> None:
    (isolated / "svhn").mkdir()
    (isolated / "svhn" / "train_32x32.mat").write_bytes(mat_bytes())
    (shown,) = lines(digitlab("data", "info", "svhn", "--json"))
    assert shown["files"][0]["published"] is False
    refused = digitlab("data", "get", "svhn", "--mirror", "http://127.0.0.1:9/")
    assert refused.returncode == 2 and "not what SVHN publishes" in refused.stderr and "--replace" in refused.stderr


def test_getting_from_a_mirror_that_sends_something_else(isolated: Path) -> None:
    files = {file.name: bytes(file.size) for file in SOURCES["mnist"].files}
    with serving(files) as server:
        done = digitlab("data", "get", "mnist", "--mirror", server.mirror("good"), no_proxy="*")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and not done.stdout
    assert "not the published one" in done.stderr and str(isolated / "mnist") in done.stderr
    assert not [path for path in (isolated / "mnist").iterdir() if not path.name.startswith(".")]


def test_getting_the_real_mnist_from_a_mirror_on_this_machine(real_mnist: Path, tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in (real_mnist / "mnist").iterdir()}
    with serving(files) as server:
        address, empty = server.mirror("good"), str(tmp_path / "new")
        done = digitlab("data", "get", "mnist", "--mirror", address, DIGITLAB_DATA=empty, no_proxy="*")
    if hashlib.sha256(files["train-images-idx3-ubyte.gz"]).hexdigest() == SOURCES["mnist"].files[0].sha256:
        assert done.returncode == 0 and len(list((tmp_path / "new" / "mnist").iterdir())) == 4
    else:  # the test machine's copy was packed anew, and so must be refused
        assert done.returncode == 2 and "where the published file has 9,912,422" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_ctrl_c_keeps_what_has_come(isolated: Path, heard_signals: None) -> None:
    with serving({file.name: bytes(file.size) for file in SOURCES["mnist"].files}) as server:
        command = [sys.executable, "-m", "app", "data", "get", "mnist", "--mirror", server.mirror("trickles")]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"no_proxy": "*"}) as going:
            try:
                while not server.asked and going.poll() is None:
                    time.sleep(0.05)
                time.sleep(0.3)
                going.send_signal(signal.SIGINT)
                said = going.communicate(timeout=100)[1]
            finally:
                going.kill()
    assert going.returncode == 130 and "what has come is kept" in said and "Traceback" not in said


def test_importing_gives_a_name(isolated: Path, tmp_path: Path) -> None:
    images = np.kron(IMAGES, np.ones((7, 7), np.uint8))
    path = tmp_path / "mine.npz"
    path.write_bytes(npz_bytes(x_train=np.tile(images, (10, 1, 1)), y_train=np.tile(LABELS, 10)))
    (done,) = lines(digitlab("data", "import", path, "--name", "my own", "--json"))
    assert done == {"event": "finished", "name": "my own", "linked": False}
    listed = {each["name"]: each for each in lines(digitlab("data", "list", "--json"))}
    assert listed["my own"]["here"] and listed["my own"]["folder"] == str(isolated / "my own.npz")
    *_, finished = lines(digitlab("train", "--data", "my own", "--model", "mnist-mlp", "--epochs", 1, "--json"))
    assert finished["event"] == "finished" and finished["test_accuracy"] is None
    again = digitlab("data", "import", path, "--name", "my own")
    assert again.returncode == 2 and json.dumps("my own")[1:-1] in again.stderr
