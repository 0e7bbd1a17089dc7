"""Ways out that the window offers: of a run that was cut off, and of a training that has diverged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.core.cut_off import newest_cut_off
from app.core.runs import RunStore
from app.core.session import Job
from app.window import Window
from models.presets import preset
from nncore.data import open_dataset
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Event, Progress
from nncore.training.trainer import Trainer
from tests.app.test_run_in_view import recipe, train


def cut_off(store: RunStore, name: str, after: int = 7) -> list[tuple[int, float, float]]:
    """Train a run of 20 steps and cut it off; the curves that a run that was not cut off has."""
    data = open_dataset("synthetic").limit(120, 3)
    config = TrainConfig(epochs=2, batch_size=10, validation=20, seed=3)

    def begun(as_name: str):
        return Job(preset("two-layer"), "synthetic", data, None, config, as_name, 120).begin(store)

    straight = begun(f"{name} straight")
    for _ in straight.events():
        pass
    curves = store.metrics(straight.run, "train")
    session = begun(name)
    session.trainer.checkpoint_every = 1  # an event a step
    happening = session.events()
    for event in happening:
        if isinstance(event, Progress) and event.step >= after:
            break
    happening.close()
    assert store.get(name).status == "interrupted"
    return curves


def button(window: Window, words: str) -> QPushButton:
    (found,) = (each for each in window.panel.notice.findChildren(QPushButton) if each.text().startswith(words))
    return found


def test_a_run_that_was_cut_off_is_offered_at_the_next_start_and_goes_on(isolated, make_window, qtbot):
    curves = cut_off(RunStore(), "cut")
    window = make_window()
    notice, lab = window.panel.notice, window.lab
    qtbot.waitUntil(lambda: notice.isVisible(), timeout=10_000)
    assert "cut was cut off" in notice.message.text() and "step 7 of 20" in notice.message.text()
    with qtbot.waitSignal(lab.training.ended, timeout=60_000):
        QTest.mouseClick(button(window, "Continue from step 7"), Qt.MouseButton.LeftButton)
    assert not notice.isVisible() and lab.state.run.value.name == "cut"
    assert lab.store.metrics(lab.store.get("cut"), "train") == curves


def test_it_is_offered_once(isolated, make_window, qtbot):
    cut_off(RunStore(), "cut")
    window = make_window()
    qtbot.waitUntil(lambda: window.panel.notice.isVisible(), timeout=10_000)
    window.panel.notice.dismiss()
    window.close()
    offered = []
    again = make_window()
    again.lab.offers.offered.connect(offered.append)
    with qtbot.waitSignal(again.lab.library.changed, timeout=10_000, raising=False):
        pass
    qtbot.wait(300)
    assert not offered and not again.panel.notice.isVisible()


def test_what_is_offered_is_the_newest_run_and_can_go_on(isolated):
    store = RunStore()
    assert newest_cut_off(store) is None
    cut_off(store, "cut")
    found = newest_cut_off(store)
    assert found is not None and (found.run.name, found.step, found.total_steps) == ("cut", 7, 20)
    path = store.checkpoint_of(found.run)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert newest_cut_off(store) is None
    path.write_bytes(whole)
    store.update(store.get("cut straight"), status="finished")  # somebody has worked on another run since
    assert newest_cut_off(store) is None


@pytest.fixture
def diverged(window, qtbot) -> Window:
    window.show_panel("train")
    recipe(window, "mlp", 99.0)
    train(window, qtbot)
    qtbot.waitUntil(lambda: window.panel.notice.isVisible(), timeout=5_000)
    return window


def test_a_training_that_has_diverged_offers_a_smaller_rate(diverged, qtbot):
    lab = diverged.lab
    assert lab.store.get("mlp-1").status == "failed"
    assert all(np.isfinite(value).all() for value in lab.state.moment.value.state.values()), (
        "no view shows weights that are no numbers"
    )
    with qtbot.waitSignal(lab.training.ended, timeout=60_000):
        QTest.mouseClick(button(diverged, "Start again with"), Qt.MouseButton.LeftButton)
    run = lab.store.get("mlp-2")
    assert run.status == "finished" and 0 < run.config["learning_rate"] < 1
    assert not diverged.panel.notice.isVisible()


def test_a_training_that_diverges_on_the_way_offers_its_last_good_weights(window, qtbot, monkeypatch):
    events = Trainer.events

    def spoilt(trainer: Trainer) -> Iterator[Event]:
        for event in events(trainer):
            if isinstance(event, EpochEnd):
                trainer.scheduler.set_lr(1e6)
            yield event

    monkeypatch.setattr(Trainer, "events", spoilt)
    window.show_panel("train")
    recipe(window, "mlp", 0.01)
    lab = window.lab
    train(window, qtbot)
    qtbot.waitUntil(lambda: window.panel.notice.isVisible(), timeout=5_000)
    best = lab.training.session.trainer.best
    assert best is not None
    QTest.mouseClick(button(window, f"Show step {best.step:,}"), Qt.MouseButton.LeftButton)
    moment = lab.state.moment.value
    assert moment.step == best.step and all(np.isfinite(value).all() for value in moment.state.values())
