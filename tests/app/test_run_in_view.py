"""One run in view: whatever a person does, every view tells of the same run at the same moment."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel

from app.core.resume import resume
from app.core.runs import RunStore
from app.core.runs.moments import Moments
from app.window import Window
from nncore.network import Network
from nncore.prediction import Predictor
from tests.app.runs_table import choose


def recipe(window: Window, network: str, rate: float, images: int = 400) -> None:
    state = window.lab.state
    state.recipe.set(state.recipe.value.with_network(network).with_limit(images))
    state.change_recipe(epochs=2, batch_size=20, learning_rate=rate, validation=0.25, validate_every=5)


def train(window: Window, qtbot, action: str = "toggle") -> None:
    """Train until the training ends by itself."""
    with qtbot.waitSignal(window.lab.training.ended, timeout=90_000):
        window._actions[action].trigger()


def look_at(window: Window, qtbot, name: str) -> None:
    """Choose a run in the Runs panel, and go to the Train panel when it is there."""
    choose(qtbot, window, name).buttons.look.click()
    qtbot.waitUntil(lambda: window.lab.state.run.value.name == name, timeout=10_000)
    window.show_panel("train")


def words(widget) -> str:
    return " ".join(part.text() for part in widget.findChildren(QLabel))


def every_view_tells(window: Window, qtbot, run_name: str, step: int) -> None:
    """Read run and moment from the widgets of the window, with the Train panel in sight."""
    state, panel = window.lab.state, window.panel
    run = window.lab.store.get(run_name)
    confusion, cards = panel.mistakes._confusion, panel.mistakes
    qtbot.waitUntil(lambda: confusion.note.startswith(f"step {step:,} · ") and not confusion.is_faded, timeout=20_000)
    assert f"run {run_name}" in window.top_bar._network._words
    assert window.time_bar._step.words == f"{step:,} / {run.steps:,}" and window.time_bar._figures.words.startswith(run_name)
    looks = [accuracy for at_step, _, accuracy in window.lab.store.metrics(run, "validation") if at_step <= step]
    validation = f"{looks[-1] * 100:.2f} %" if looks else ""
    assert validation in window.time_bar._figures.words and validation in panel.curves.at_moment.words
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
    assert np.array_equal(confusion.counts, found.confusion) and f"step {step:,} ·" in cards.which.text()
    assert len(cards.grid) == len(found.mistakes())
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

    curves = window.panel.curves
    curves.loss.zoom(0.3)
    assert curves.accuracy.is_zoomed and curves.accuracy.steps_in_sight == pytest.approx(curves.loss.steps_in_sight, abs=0.5)
    look_at(window, qtbot, "mlp-1")
    every_view_tells(window, qtbot, "mlp-1", steps)
    assert not curves.loss.is_zoomed and not curves.accuracy.is_zoomed, "another run is shown whole"

    timeline = window.lab.state.timeline
    others = [place for place in range(len(timeline)) if timeline[place].step != steps]
    middle = others[len(others) // 2]
    window.time_bar.slider.setValue(middle)
    every_view_tells(window, qtbot, "mlp-1", timeline[middle].step)

    del stop_at["step"]
    train(window, qtbot, "more")
    assert {run.name: run.steps for run in window.lab.store.list()} == {"mlp-1": 3 * steps, "two-layer-1": 1}
    every_view_tells(window, qtbot, "mlp-1", 3 * steps)
    window.close()

    again = make_window()
    qtbot.waitUntil(lambda: again.lab.state.run.value.name == "mlp-1", timeout=10_000)
    assert again.panel_name == "train"
    every_view_tells(again, qtbot, "mlp-1", 3 * steps)


def test_the_moment_comes_back_at_the_next_start(make_window, qtbot, stop_at):
    window = make_window()
    window.show_panel("train")
    recipe(window, "mlp", 0.02)
    stop_at["step"] = 16
    train(window, qtbot)
    assert window.lab.state.moment.value.step == 16 and window.lab.state.run.value.history.best_step == 15
    for shown in (16, 15):
        window.lab.state.show_moment(window.lab.state.timeline.nearest(shown))
        window.lab.state.change_recipe(learning_rate=0.5)  # the next training, not this run
        window.close()
        window = make_window()  # which waits for the network of the last time
        assert window.lab.state.run.value.name == "mlp-1"
        assert window.lab.state.recipe.value.config.learning_rate == 0.5
        window.lab.state.change_recipe(learning_rate=0.02)
        every_view_tells(window, qtbot, "mlp-1", shown)


def test_another_run_is_refused_while_one_is_trained(make_window, qtbot, stop_at):
    window = make_window()
    recipe(window, "mlp", 0.02)
    train(window, qtbot)
    first = window.lab.store.get("mlp-1")
    window.lab.state.change_recipe(epochs=1000)
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: window.lab.training.last is not None and window.lab.training.run.name == "mlp-2", timeout=60_000)
    window.lab.opener.open_run(window.lab.training.run)  # it is in view already
    assert not window.panel.notice.isVisible() and window.lab.state.run.value.name == "mlp-2"
    window.lab.opener.open_run(first)
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=10_000)
    assert "stop it before looking at another" in window.panel.notice.message.text()
    assert window.lab.state.run.value.name == "mlp-2" and window.lab.state.recipe.value.config.epochs == 1000


def test_continue_in_runs_trains_the_selected_run_to_its_planned_end_and_then_one_epoch_more(make_window, qtbot, stop_at):
    window = make_window()
    for name in ("mlp", "two-layer"):
        recipe(window, name, 0.02)
        stop_at["step"] = 1
        train(window, qtbot)
    del stop_at["step"]
    for expected in (30, 45):
        button = choose(qtbot, window, "mlp-1").buttons.go_on
        assert "mlp-1" in button.toolTip()
        with qtbot.waitSignal(window.lab.training.ended, timeout=90_000):
            button.click()
        assert {run.name: run.steps for run in window.lab.store.list()} == {"mlp-1": expected, "two-layer-1": 1}
        assert window.lab.state.run.value.name == "mlp-1" and window.lab.state.recipe.value.network == "mlp"


def test_a_run_that_was_trained_elsewhere_meanwhile_has_all_its_curves(make_window, qtbot, stop_at):
    window = make_window()
    for name in ("mlp", "two-layer"):
        recipe(window, name, 0.02)
        stop_at["step"] = 1
        train(window, qtbot)
    look_at(window, qtbot, "mlp-1")
    del stop_at["step"]
    for _ in resume(RunStore(), "mlp-1").events():
        pass
    train(window, qtbot, "more")
    assert window.lab.state.run.value.history.train.columns()[0].tolist() == list(range(1, 46))
    every_view_tells(window, qtbot, "mlp-1", 45)


def test_what_came_after_the_checkpoint_is_forgotten_when_the_run_goes_on(make_window, qtbot, stop_at):
    window = make_window()
    recipe(window, "mlp", 0.02)
    stop_at["step"] = 16
    train(window, qtbot)
    path = window.lab.store.checkpoint_of(window.lab.store.get("mlp-1"))
    early = path.read_bytes()
    del stop_at["step"]
    train(window, qtbot, "more")
    recipe(window, "two-layer", 0.02)
    train(window, qtbot)
    path.write_bytes(early)  # as where the program was killed before it wrote the next one
    look_at(window, qtbot, "mlp-1")
    assert len(window.lab.state.run.value.history.train) == 45
    stop_at["step"] = 17
    train(window, qtbot, "more")
    run = window.lab.state.run.value
    assert run.history.train.columns()[0].tolist() == list(range(1, 18)) and run.timeline[-1].step == 17
    every_view_tells(window, qtbot, "mlp-1", 17)


def test_why_a_run_cannot_go_on_is_said(make_window, qtbot, stop_at, tmp_path, monkeypatch):
    window = make_window()
    store, state, more = window.lab.store, window.lab.state, window._actions["more"]
    recipe(window, "mlp", 0.02)
    stop_at["step"] = 1
    for _ in range(3):
        train(window, qtbot)
    bare, changed, _last = (store.get(f"mlp-{number}") for number in (1, 2, 3))
    store.checkpoint_of(bare).unlink()
    store.update(changed, checksum="other images")

    window.lab.opener.open_run(bare)
    qtbot.waitUntil(lambda: state.run.value.is_of(bare), timeout=10_000)
    assert not more.isEnabled() and "mlp-1 has no checkpoint to go on from" in more.toolTip()
    button = choose(qtbot, window, "mlp-1").buttons.go_on
    assert not button.isEnabled() and "no checkpoint" in button.toolTip()

    window.lab.opener.open_run(store.get("mlp-2"))
    qtbot.waitUntil(lambda: state.run.value.is_of(changed) and bool(state.run.value.why_no_images), timeout=10_000)
    assert not more.isEnabled() and "does not hold the images" in more.toolTip()
    window.show_panel("train")
    assert "does not hold the images" in window.panel.mistakes.grid._hint and len(window.panel.mistakes.grid) == 0

    monkeypatch.setattr("app.panels.runs.actions.confirmed", lambda *_: True)
    choose(qtbot, window, "mlp-2").buttons.delete.click()
    qtbot.waitUntil(lambda: "has been deleted" in more.toolTip(), timeout=5000)
    assert "mlp-2 has been deleted" in more.toolTip() and not more.isEnabled()


def test_a_run_on_images_of_another_kind_brings_its_data(make_window, qtbot, stop_at):
    window = make_window()
    state = window.lab.state
    window.lab.opener.open_data("synthetic-street")
    qtbot.waitUntil(lambda: state.data.value.spec == "synthetic-street", timeout=20_000)
    recipe(window, "svhn-mlp", 0.01)
    stop_at["step"] = 1
    train(window, qtbot)
    window.lab.opener.open_data("synthetic")
    qtbot.waitUntil(lambda: state.data.value.spec == "synthetic", timeout=20_000)
    assert state.recipe.value.network != "svhn-mlp", "it does not fit these images"
    window.lab.opener.open_run(window.lab.store.get("svhn-mlp-1"))
    qtbot.waitUntil(lambda: state.data.value.spec == "synthetic-street", timeout=20_000)
    assert state.recipe.value.network == "svhn-mlp"


def test_a_run_that_was_cut_off_is_shown_from_its_checkpoint(make_window, qtbot, stop_at):
    window = make_window()
    recipe(window, "mlp", 0.02)
    stop_at["step"] = 16
    train(window, qtbot)
    run = window.lab.store.get("mlp-1")
    window.lab.store.weights_of(run).unlink()  # they are written at the end of a training
    window.close()
    again = make_window()
    qtbot.waitUntil(lambda: again.lab.state.run.value.name == "mlp-1", timeout=10_000)
    assert [moment.step for moment in again.lab.state.timeline][-2:] == [15, 16]
    assert choose(qtbot, again, "mlp-1").buttons.look.isEnabled() and again._actions["more"].isEnabled()


def test_what_is_damaged_of_a_run_is_told_in_one_line(make_window, qtbot):
    window = make_window()
    recipe(window, "mlp", 0.02, images=100)
    train(window, qtbot)
    store = window.lab.store
    run = store.get("mlp-1")
    checkpoint, moment = store.checkpoint_of(run), min(store.moments_of(run).glob("*.safetensors"))
    for path in (checkpoint, moment):
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    window.close()
    again = make_window()
    notice = again.panel.notice
    qtbot.waitUntil(notice.isVisible, timeout=10_000)
    assert (
        "checkpoint.safetensors is damaged" in notice.message.text() and "The moment of step 0 is left out" in notice.message.text()
    )
    assert again.lab.state.run.value.name == "mlp-1" and not again._actions["more"].isEnabled()
    notice.dismiss()
    again.lab.opener.open_run(store.get("mlp-1"))
    qtbot.waitUntil(notice.isVisible, timeout=10_000)


def test_a_run_has_the_same_moments_after_its_training_and_at_the_next_start(make_window, qtbot):
    window = make_window()
    window.show_panel("train")
    recipe(window, "two-layer", 0.01)
    train(window, qtbot)
    lab = window.lab
    written = Moments(lab.store.moments_of(lab.store.get("two-layer-1"))).steps()
    assert len(written) == 7, "a look every 5 steps"
    qtbot.waitUntil(lambda: {moment.step for moment in lab.state.timeline} >= {*written}, timeout=10_000)
    lab.state.show_moment(lab.state.timeline.nearest(10))
    every_view_tells(window, qtbot, "two-layer-1", 10)
