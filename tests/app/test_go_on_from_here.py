"""Going on with a run from a moment in its middle, and playing its moments."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.resume import resume
from app.core.runs import RunStore
from app.core.runs.marks import CONTINUED
from app.core.runs.moments import Moments
from app.core.session import Job
from app.core.stored_run import read_run
from app.window import Window
from models.presets import preset
from nncore.data import open_dataset
from nncore.training.config import TrainConfig
from nncore.training.events import Changed, Progress, Started
from tests.app.test_run_in_view import every_view_tells, recipe, train


@pytest.fixture
def answers(monkeypatch) -> list[str]:
    """The questions that were asked. The first is answered with no, all others with yes."""
    asked: list[str] = []

    def confirmed(parent, title, question, verb, otherwise) -> bool:
        asked.append(question)
        return len(asked) > 1

    monkeypatch.setattr("app.window_actions.confirmed", confirmed)
    return asked


@pytest.fixture
def trained(make_window, qtbot) -> Window:
    """A window with a run `two-layer-1` of 30 steps, trained without averages, from the disk, at the moment of step 10."""
    first = make_window()
    first.show_panel("train")
    recipe(first, "two-layer", 0.05)
    first.lab.state.change_recipe(optimizer="sgd")
    train(first, qtbot)
    first.close()
    window = opened_again(make_window, qtbot)
    show(window, 10)
    return window


def opened_again(make_window, qtbot) -> Window:
    """The window after the next start, with the run and its held-out images there."""
    window = make_window()
    state = window.lab.state
    qtbot.waitUntil(lambda: state.run.value is not None and state.run.value.held_out is not None, timeout=20_000)
    return window


def show(window: Window, step: int) -> None:
    timeline = window.lab.state.timeline
    window.time_bar.slider.setValue(timeline.nearest(step))
    assert window.lab.state.moment.value.step == step


def test_a_run_goes_on_from_its_middle_and_what_came_later_is_given_up(trained, make_window, qtbot, answers):
    lab, store = trained.lab, trained.lab.store
    run = store.get("two-layer-1")
    curves, end = store.metrics(run, "train"), lab.state.timeline[-1].state
    action = trained._actions["continue_here"]
    assert action.isEnabled() and "two-layer-1 from step 10 on" in action.toolTip()
    action.trigger()
    assert "11 to 30" in answers[0] and not lab.training.is_active and store.metrics(run, "train") == curves, "left as it is"

    train(trained, qtbot, "continue_here")
    assert len(store.list()) == 1 and store.metrics(run, "train") == curves, "without averages the same steps follow"
    assert all(np.array_equal(lab.state.timeline[-1].state[name], end[name]) for name in end)
    every_view_tells(trained, qtbot, "two-layer-1", 30)
    assert not action.isEnabled() and "end of the run" in action.toolTip()

    show(trained, 10)
    trained.close()
    again = opened_again(make_window, qtbot)
    every_view_tells(again, qtbot, "two-layer-1", 10)
    train(again, qtbot, "continue_here")  # from the disk
    every_view_tells(again, qtbot, "two-layer-1", 30)
    assert store.metrics(store.get("two-layer-1"), "train") == curves


def test_a_run_that_went_back_and_is_stopped_keeps_nothing_of_its_later_steps(trained, make_window, qtbot, answers, stop_at):
    lab, store = trained.lab, trained.lab.store
    answers.append("")
    stop_at["step"] = 11
    train(trained, qtbot, "continue_here")
    run = store.get("two-layer-1")
    assert run.steps == 11 and run.status == "stopped"
    assert store.metrics(run, "train")[-1][0] == run.steps
    assert Moments(store.moments_of(run)).steps()[-1] == run.steps
    assert lab.state.run.value.history.last_step == run.steps == lab.state.timeline[-1].step
    every_view_tells(trained, qtbot, "two-layer-1", run.steps)
    trained.close()
    again = opened_again(make_window, qtbot)
    assert again.lab.state.timeline[-1].step == run.steps, "no weights of a later step are left"


def test_a_run_that_went_back_and_is_cut_off_at_once_is_one_of_that_step(tmp_path):
    store, data = RunStore(tmp_path / "runs"), open_dataset("synthetic").limit(120, 3)
    config = TrainConfig(epochs=2, batch_size=10, seed=3, validate_every=5)
    session = Job(preset("two-layer"), "synthetic", data, None, config, "one", 120).begin(store)
    for _ in session.events():
        pass
    network = session.trainer.network
    moment = Moments(store.moments_of(session.run)).load(5, network)
    rows = store.metrics(session.run, "train")
    session.go_back(moment)
    happening = session.events()
    assert isinstance(next(happening), Started)
    assert store.metrics(session.run, "train") == rows[:5] and not store.weights_of(session.run).exists()
    happening.close()

    run = store.get("one")
    assert (run.status, run.steps, run.val_accuracy, run.test_accuracy) == ("interrupted", 5, None, None)
    view, shown = read_run(store, run)
    assert shown.step == 5 == view.timeline[-1].step == view.history.last_step
    assert all(np.array_equal(shown.state[name], moment.state[name]) for name in moment.state)
    for _ in resume(store, "one").events():
        pass
    assert [row[0] for row in store.metrics(store.get("one"), "train")] == [row[0] for row in rows]


def test_a_setting_that_was_changed_later_is_told_where_the_run_goes_on(tmp_path):
    store, data = RunStore(tmp_path / "runs"), open_dataset("synthetic").limit(120, 3)
    config = TrainConfig(epochs=2, batch_size=10, seed=3, validate_every=5, optimizer="momentum", learning_rate=0.01)
    session = Job(preset("two-layer"), "synthetic", data, None, config, "one", 120).begin(store)
    session.trainer.checkpoint_every = 1  # an event a step
    for event in session.events():
        if isinstance(event, Progress) and event.step in (3, 12):
            session.trainer.control.change("momentum" if event.step == 12 else "weight_decay", 0.5)
    network = session.trainer.network
    session.go_back(Moments(store.moments_of(session.run)).load(5, network))
    told = [event for event in session.events() if isinstance(event, Changed)]
    assert told == [Changed(5, "momentum", 0.5)]
    assert store.marks(session.run) == [(3, "weight_decay", 0.5), (5, CONTINUED, None), (5, "momentum", 0.5)]


def test_the_moments_are_played_to_the_end(trained, qtbot):
    state, play = trained.lab.state, trained._actions["play"]
    steps = []
    state.moment.subscribe(lambda moment: steps.append(moment.step), now=False)
    play.trigger()
    assert trained.lab.playing.is_on and play.text() == "Stop playing"
    qtbot.waitUntil(lambda: not trained.lab.playing.is_on, timeout=20_000)
    timeline = state.timeline
    assert steps == [timeline[at].step for at in range(timeline.nearest(10) + 1, len(timeline))] and len(steps) > 2
    every_view_tells(trained, qtbot, "two-layer-1", 30)

    del steps[:]
    play.trigger()
    assert steps == [0], "at the end it begins again"
    trained._actions["later"].trigger()
    assert not trained.lab.playing.is_on, "whoever chooses a moment ends the film"
