"""The network in view is exported from the menu, and an ONNX file is opened like weights."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog

import app.exporting
from app.exporting import Exporting
from nncore.exchange import SCRIPT_FILES, load_onnx, save_onnx
from nncore.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU
from nncore.network import Network
from tests.app.test_window import drop


def saved_as(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """What the user answers to each question where to."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(path))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))


def test_the_network_of_the_moment_is_exported_as_onnx_and_opened_again(window, qtbot, tmp_path, monkeypatch):
    pytest.importorskip("onnx", reason="onnx is not installed")
    saved_as(monkeypatch, tmp_path / "mine")
    with qtbot.waitSignal(window.lab.said, timeout=10_000) as said:
        window._actions["export_onnx"].trigger()
    assert said.args == ["Exported mine.onnx."]
    kept = load_onnx(tmp_path / "mine.onnx")[0].state_dict()
    assert np.array_equal(kept["conv1.weight"], window.lab.state.moment.value.state["conv1.weight"])
    saved_as(monkeypatch, tmp_path / "mine.onnx")
    window._actions["open_weights"].trigger()
    qtbot.waitUntil(lambda: window.lab.state.network.value.source == "mine.onnx", timeout=5000)


def test_a_network_that_was_trained_elsewhere_is_dropped_and_looked_at(window, qtbot, tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed")
    network = Network([Conv2d(4, 5), ReLU(), MaxPool2d(2), Flatten(), Linear(10)], (28, 28, 1), seed=3)
    save_onnx(tmp_path / "theirs.onnx", network)
    drop(window, tmp_path / "theirs.onnx")
    qtbot.waitUntil(lambda: window.lab.state.network.value.name == "theirs", timeout=5000)
    assert [line.name for line in window.lab.state.network.value.summary] == ["conv1", "relu1", "pool1", "flatten1", "linear1"]
    (tmp_path / "bad.onnx").write_bytes(b"\0" * 100)
    drop(window, tmp_path / "bad.onnx")
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=5000)
    assert window.panel.notice.message.text() == f"{tmp_path / 'bad.onnx'} is damaged or is no ONNX file."
    assert window.lab.state.network.value.name == "theirs"


def test_without_the_package_for_onnx_the_window_names_it(window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    saved_as(monkeypatch, tmp_path / "mine.onnx")
    window._actions["export_onnx"].trigger()
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=5000)
    assert "needs the package onnx" in window.panel.notice.message.text() and not (tmp_path / "mine.onnx").exists()


def test_scripts_replace_others_only_where_the_user_wants_it(window, qtbot, tmp_path, monkeypatch):
    folder, answers = tmp_path / "code", [False, True]
    folder.mkdir()
    saved_as(monkeypatch, folder)
    asked: list[str] = []

    def answer(parent: object, title: str, question: str, *_: str) -> bool:
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr(app.exporting, "confirmed", answer)
    exporting = Exporting(window, window.lab)
    with qtbot.waitSignal(window.lab.said, timeout=10_000):
        exporting.export_scripts()
    assert sorted(path.name for path in folder.iterdir()) == sorted(SCRIPT_FILES) and not asked
    (folder / SCRIPT_FILES[0]).write_text("my own changes")
    exporting.export_scripts()
    assert (folder / SCRIPT_FILES[0]).read_text() == "my own changes"
    assert asked == [f"code holds {', '.join(SCRIPT_FILES)} already. Replace what is there?"]
    with qtbot.waitSignal(window.lab.said, timeout=10_000):
        exporting.export_scripts()
    assert "import numpy" in (folder / SCRIPT_FILES[0]).read_text("utf-8")
