"""A new run that begins with the very first weights of the run in view."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.core.actions import ACTIONS
from app.core.runs.moments import Moments
from app.help import HelpDialog
from app.widgets.card import label
from app.window import Window
from nncore.arrays import Array
from tests.app.test_branch import network_at
from tests.app.test_run_in_view import every_view_tells, look_at, recipe, train


def weights_at(window: Window, name: str, step: int) -> dict[str, Array]:
    return network_at(window.lab.store, name, step).state_dict()


def are_the_same(one: dict[str, Array], other: dict[str, Array]) -> bool:
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


def press(window: Window, qtbot) -> None:
    """Start over by the button in the time bar, and wait for the end of the training."""
    with qtbot.waitSignal(window.lab.training.ended, timeout=90_000):
        QTest.mouseClick(window.time_bar._buttons["start_over"], Qt.MouseButton.LeftButton)


def test_the_story_of_three_runs_with_the_same_first_weights(make_window, qtbot):
    window = make_window()
    window.show_panel("train")
    recipe(window, "mlp", 0.02)
    train(window, qtbot)
    bar, fields = window.time_bar, window.panel.recipe.fields
    bar.slider.setValue(bar.slider.maximum() // 2)
    middle = window.lab.state.moment.value.step
    assert 0 < middle < 30, "from any moment"
    button = bar._buttons["start_over"]
    assert button.isEnabled() and "the very first weights of mlp-1" in button.toolTip() and "Ctrl+Shift+B" in button.toolTip()
    fields["learning_rate"].setValue(0.05)
    fields["seed"].setValue(8)  # other first weights, were they drawn anew
    press(window, qtbot)

    run = window.lab.store.get("mlp-2")
    assert (run.parent, run.parent_step, run.steps, run.status) == ("mlp-1", 0, 30, "finished")
    assert (run.config["learning_rate"], run.config["seed"]) == (0.05, 8)
    first = weights_at(window, "mlp-1", 0)
    assert are_the_same(weights_at(window, "mlp-2", 0), first)
    assert not are_the_same(weights_at(window, "mlp-2", 30), weights_at(window, "mlp-1", 30)), "it has learned by other settings"
    every_view_tells(window, qtbot, "mlp-2", window.lab.state.moment.value.step)

    # A run that began in the middle of another has the weights of that moment as its first ones.
    look_at(window, qtbot, "mlp-1")
    bar.slider.setValue(window.lab.state.timeline.nearest(middle))
    middle = window.lab.state.moment.value.step
    train(window, qtbot, "branch")
    assert window.lab.store.get("mlp-3").parent_step == middle
    press(window, qtbot)
    run = window.lab.store.get("mlp-4")
    assert (run.parent, run.parent_step) == ("mlp-3", 0)
    assert are_the_same(weights_at(window, "mlp-4", 0), weights_at(window, "mlp-1", middle))


def test_it_is_disabled_with_the_reason_where_the_first_weights_are_not_there(window, qtbot):
    action, button = window._actions["start_over"], window.time_bar._buttons["start_over"]
    assert window.lab.state.run.value.run is None, "the network that ships"
    window.lab.state.recipe.set(window.lab.state.recipe.value.with_network("mnist-cnn"))
    assert not action.isEnabled() and not button.isEnabled()
    assert button.toolTip() == action.toolTip() and "its first weights are not known" in action.toolTip()

    window.show_panel("train")
    recipe(window, "mlp", 0.02)
    train(window, qtbot)
    assert action.isEnabled()
    window.lab.state.recipe.set(window.lab.state.recipe.value.with_network("two-layer"))
    assert not button.isEnabled() and "The recipe is for two-layer" in button.toolTip()
    recipe(window, "two-layer", 0.02)
    train(window, qtbot)
    Moments(window.lab.store.moments_of(window.lab.store.get("mlp-1")))._path(0).unlink()
    look_at(window, qtbot, "mlp-1")
    recipe(window, "mlp", 0.02)
    assert not button.isEnabled() and "The first weights of mlp-1 are not kept" in button.toolTip()
    window.lab.branching.start_over()
    assert not window.lab.training.is_active


def test_its_key_is_free_and_told_in_the_help(window):
    keys = [key for spec in ACTIONS for key in spec.keys]
    assert keys.count("Ctrl+Shift+B") == 1
    dialog = HelpDialog(window, [])
    assert "Ctrl+Shift+B" in [found.text() for found in dialog.findChildren(type(label("")))]
