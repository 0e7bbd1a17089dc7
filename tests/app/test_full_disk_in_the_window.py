"""A disk that is full while the window trains: the user hears of it at once, once, and can keep what was learned."""

from __future__ import annotations

import pytest

from app.errors import Problem
from app.training import Status
from app.window import Window
from tests.app.test_faults import full_disk


@pytest.fixture
def told(window) -> list[tuple[Status, Problem]]:
    """The problems that the window was told of, each with what the training did then."""
    found: list[tuple[Status, Problem]] = []
    window.lab.problem.connect(lambda problem: found.append((window.lab.training.status, problem)))
    return found


def begin(window: Window, qtbot, epochs: int) -> None:
    """Start a training of steps that are looked at often, and wait for its first step."""
    window.show_panel("train")
    state = window.lab.state
    state.recipe.set(state.recipe.value.with_network("two-layer").with_limit(400))
    state.change_recipe(epochs=epochs, batch_size=20, validate_every=2)
    with qtbot.waitSignal(window.lab.training.first_step, timeout=60_000):
        window._actions["toggle"].trigger()


def test_it_is_told_once_while_there_is_time_to_make_room(window, qtbot, told):
    begin(window, qtbot, 1000)
    training = window.lab.training
    with full_disk():
        qtbot.waitUntil(lambda: bool(told), timeout=30_000)
        qtbot.waitUntil(lambda: training.last.epoch > 5, timeout=30_000)
    window._actions["stop"].trigger()
    qtbot.waitUntil(lambda: not training.is_active, timeout=30_000)
    assert len(told) == 1
    status, problem = told[0]
    assert status is Status.TRAINING and "The training goes on" in problem.message and not problem.details
    assert window.panel.notice.isVisible() and window.panel.notice.problem is problem
    assert window.lab.store.get("two-layer-1").status == "stopped" and training.result is not None


def test_weights_that_cannot_be_written_at_the_end_are_kept_by_one_epoch_more(window, qtbot, told):
    begin(window, qtbot, 10)
    training, store = window.lab.training, window.lab.store
    with full_disk():
        qtbot.waitUntil(lambda: not training.is_active, timeout=60_000)
        assert training.result is None
        status, problem = told[-1]
        assert status is Status.IDLE and "What two-layer-1 has learned is in this window" in problem.message
        steps = training.session.trainer.step
        assert window.lab.state.run.value.history.last_step == steps, "the curves have every step"
    with qtbot.waitSignal(training.ended, timeout=60_000):
        window._actions["more"].trigger()
    run = store.get("two-layer-1")
    assert run.status == "finished" and run.steps > steps and store.weights_of(run).exists()
    assert [row[0] for row in store.metrics(run, "train")] == list(range(1, run.steps + 1))
