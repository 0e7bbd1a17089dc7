"""One run in view: whatever a person does, every view tells of the same run at the same moment."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel

from app.window import Window
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.training.events import EpochEnd, Event, Progress, Started
from nncore.training.trainer import Trainer


@pytest.fixture
def stop_at(monkeypatch) -> dict[str, int]:
    """Under `step`: the step after which each training stops. Until it is set there is none."""
    wanted: dict[str, int] = {}
    events = Trainer.events

    def watched(trainer: Trainer) -> Iterator[Event]:
        for event in events(trainer):
            if isinstance(event, Started | EpochEnd):
                trainer.pace.steps = 1  # so that the next stretch is one step
            if isinstance(event, Progress) and event.step == wanted.get("step"):
                trainer.control.stop()
            yield event

    monkeypatch.setattr(Trainer, "events", watched)
    return wanted


def recipe(window: Window, network: str, rate: float, images: int = 400) -> None:
    state = window.lab.state
    state.recipe.set(state.recipe.value.with_network(network).with_limit(images))
    state.change_recipe(epochs=2, batch_size=20, learning_rate=rate, validation=0.25)


def train(window: Window, qtbot, action: str = "toggle") -> None:
    """Train until the training ends by itself."""
    with qtbot.waitSignal(window.lab.training.ended, timeout=90_000):
        window._actions[action].trigger()


def look_at(window: Window, qtbot, name: str) -> None:
    """Choose a run in the Runs panel, and go to the Train panel when it is there."""
    window.show_panel("runs")
    table = window.panel.table
    (row,) = (row for row in range(table.rowCount()) if table.item(row, 0).text() == name)
    table.selectRow(row)
    window.panel._look.click()
    qtbot.waitUntil(lambda: window.lab.state.run.value.name == name, timeout=10_000)
    window.show_panel("train")


def words(widget) -> str:
    return " ".join(part.text() for part in widget.findChildren(QLabel))


def every_view_tells(window: Window, qtbot, run_name: str, step: int) -> None:
    """Read run and moment from the widgets of the window, with the Train panel in sight."""
    state, panel = window.lab.state, window.panel
    run = window.lab.store.get(run_name)
    confusion, cards = panel.mistakes._confusion, panel.mistakes
    at = f"STEP {step:,}"
    qtbot.waitUntil(lambda: at in cards.confusion_card.title.text() and not confusion.is_faded, timeout=20_000)
    assert f"run {run_name}" in window.top_bar._network._words
    assert window.time_bar._step.words == f"{step:,} / {run.steps:,}" and window.time_bar._figures.words.startswith(run_name)
    assert window._actions["more"].text() == f"+1 epoch of {run_name}" and window._actions["more"].isEnabled()
    # curves
    for curves in (panel.curves.loss, panel.curves.accuracy):
        assert curves.cursor_step == (step if run.steps else None)
        assert [len(values) for values in curves._data["training"]] == [run.steps] * 2
    assert [tuple(row) for row in zip(*panel.curves.loss._data["training"], strict=True)] == [
        (at_step, loss) for at_step, loss, _ in window.lab.store.metrics(run, "train")
    ]
    assert not run.val_accuracy or f"{run.val_accuracy * 100:.2f} %" in panel.curves.best.text()
    # recipe and layers
    form = panel.recipe
    assert form.preset.name == run.network and form.limit.value() == run.image_limit
    assert form.fields["learning_rate"].value() == run.config["learning_rate"]
    layers = words(panel._layers)
    assert all(line.description in layers for line in state.network.value.summary)
    # confusion and mistakes are those of the moment's weights
    network = Network.from_config(state.network.value.architecture)
    network.load_state_dict(state.moment.value.state)
    found = Predictor(network).evaluate(state.run.value.held_out)
    assert np.array_equal(confusion.counts, found.confusion) and at in cards.mistakes_card.title.text()
    assert len(cards.grid) == min(200, len(found.mistakes()))
    # the answer
    qtbot.waitUntil(lambda: window.probe.look is not None and window.probe.look.question.moment.step == step, timeout=10_000)
    assert window.probe.look.question.network.source == f"run {run_name}"
    assert state.moment.value.step == step and state.run.value.is_of(run)


def test_the_story_of_two_runs(make_window, qtbot, stop_at):
    window = make_window()
    window.show_panel("train")
    steps = 15  # an epoch of 400 images, 100 of them held out, 20 at a time
    recipe(window, "mlp", 0.02)
    stop_at["step"] = steps + 1  # so that the best moment, at the epoch's end, is another than the last
    train(window, qtbot)
    assert window.lab.training.session.trainer.steps_per_epoch == steps
    every_view_tells(window, qtbot, "mlp-1", steps + 1)

    recipe(window, "two-layer", 0.01)
    stop_at["step"] = 1
    train(window, qtbot)
    every_view_tells(window, qtbot, "two-layer-1", 1)

    look_at(window, qtbot, "mlp-1")
    every_view_tells(window, qtbot, "mlp-1", steps)

    slider = window.time_bar.slider
    middle = (slider.maximum() + 1) // 2
    slider.setValue(middle)
    moment = window.lab.state.timeline[middle]
    assert moment.step != steps, "another moment than the one before"
    every_view_tells(window, qtbot, "mlp-1", moment.step)

    del stop_at["step"]
    train(window, qtbot, "more")
    assert {run.name: run.steps for run in window.lab.store.list()} == {"mlp-1": 3 * steps, "two-layer-1": 1}
    every_view_tells(window, qtbot, "mlp-1", 3 * steps)
    window.close()

    again = make_window()
    qtbot.waitUntil(lambda: again.lab.state.run.value.name == "mlp-1", timeout=10_000)
    assert again.panel_name == "train"
    every_view_tells(again, qtbot, "mlp-1", 3 * steps)
