"""Steering a training in the window: settings changed on the way, and numbers of steps."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from app.panels.train.form import LIVE_TIP, LOCKED_TIP
from app.timebar import FURTHER
from app.training import Status
from app.widgets.amount import AmountDialog
from app.window import Window
from nncore.errors import ConfigError
from nncore.training.control import CHANGEABLE
from tests.app.test_window import train, use_few_images


def paused(qtbot, window: Window) -> None:
    """Begin a training of many steps, and pause it."""
    window.lab.state.recipe.set(window.lab.state.recipe.value.with_network("two-layer"))
    use_few_images(window, 600, 10_000)
    window.show_panel("train")
    window.lab.state.change_recipe(optimizer="momentum", batch_size=50, schedule="steps", milestones=(), epoch_decay=1.0)
    training = window.lab.training
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: training.status is Status.TRAINING, timeout=30_000)
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: training.status is Status.PAUSED, timeout=30_000)


def stopped(qtbot, window: Window) -> None:
    window._actions["stop"].trigger()
    qtbot.waitUntil(lambda: window.lab.training.status is Status.IDLE, timeout=30_000)


def test_fields_that_can_be_changed_act_at_once_and_say_so(window, qtbot):
    paused(qtbot, window)
    form, trainer = window.panel.recipe, window.lab.training.session.trainer
    for name, field in form.fields.items():
        assert field.isEnabled() == (name in (*CHANGEABLE, "augmentation"))
        if name in CHANGEABLE:
            assert LIVE_TIP in field.toolTip()
    assert LOCKED_TIP in form.fields["optimizer"].toolTip() and LOCKED_TIP in form.preset.toolTip()
    values = {"learning_rate": 0.004, "momentum": 0.25, "weight_decay": 0.002}
    for name, value in values.items():
        form.fields[name].setValue(value)
    size, step = form.fields["batch_size"], trainer.step
    size.selectAll()
    QTest.keyClicks(size, "128")
    qtbot.wait(50)
    assert trainer.settings.value("batch_size") == 50, "it is still being typed"
    QTest.keyClick(size, Qt.Key.Key_Return)
    values["batch_size"] = 128
    qtbot.waitUntil(lambda: {name: trainer.settings.value(name) for name in CHANGEABLE} == values, timeout=10_000)
    stopped(qtbot, window)
    assert trainer.step == step
    run = window.lab.store.list()[0]
    assert [(mark.kind, mark.value) for mark in window.lab.store.marks(run)] == [*values.items()]
    assert LOCKED_TIP not in form.fields["optimizer"].toolTip()


def test_a_number_that_is_being_typed_counts_when_the_training_goes_on(window, qtbot):
    paused(qtbot, window)
    size, trainer = window.panel.recipe.fields["batch_size"], window.lab.training.session.trainer
    size.setFocus()
    size.selectAll()
    QTest.keyClicks(size, "64")
    window._actions["step"].trigger()
    qtbot.waitUntil(lambda: trainer.settings.value("batch_size") == 64, timeout=10_000)
    stopped(qtbot, window)


def test_a_change_that_is_refused_is_told_and_the_form_shows_what_holds(window, qtbot, monkeypatch):
    paused(qtbot, window)
    training, problems = window.lab.training, []
    training.problem.connect(problems.append)

    def full(*_, **__):
        raise ConfigError("A plan for 99 images at once does not fit into memory; take fewer.")

    with monkeypatch.context() as patch:
        patch.setattr("nncore.training.trainer.Plan", full)
        window.panel.recipe.fields["batch_size"].setValue(99)
        qtbot.waitUntil(lambda: bool(problems), timeout=10_000)
    assert problems[0].message.startswith("A plan for 99 images") and not problems[0].details
    assert window.panel.notice.isVisible() and window.panel.recipe.fields["batch_size"].value() == 50
    assert training.status is Status.PAUSED
    stopped(qtbot, window)


def test_a_key_takes_one_step_of_a_paused_training(window, qtbot):
    paused(qtbot, window)
    training = window.lab.training
    trainer = training.session.trainer
    begun = trainer.step
    for taken in (1, 2, 3):
        assert window._actions["step"].isEnabled()
        QTest.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
        qtbot.waitUntil(lambda until=begun + taken: training.last.step == until, timeout=10_000)
        qtbot.waitUntil(lambda: training.status is Status.PAUSED, timeout=10_000)
        assert trainer.step == begun + taken
    stopped(qtbot, window)


def test_steps_and_epochs_more_go_on_with_the_run_in_view(window, qtbot):
    assert not window._actions["step"].isEnabled() and "came without its training" in window._actions["step"].toolTip()
    use_few_images(window, 400, 1)
    train(qtbot, window)
    training = window.lab.training
    total = training.session.trainer.total_steps
    window._actions["step"].trigger()
    qtbot.waitUntil(lambda: training.status is Status.PAUSED, timeout=30_000)
    assert training.session.trainer.step == total + 1 and training.session.trainer.total_steps == 2 * total
    window._actions["more_5"].trigger()
    with qtbot.waitSignal(training.ended, timeout=60_000):
        window._actions["toggle"].trigger()
    assert training.session.trainer.step == 7 * total and len(window.lab.store.list()) == 1


def test_steps_asked_for_while_it_trains_end_in_a_pause(window, qtbot):
    use_few_images(window, 3000, 1000)
    training = window.lab.training
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: training.status is Status.TRAINING, timeout=30_000)
    assert not window._actions["step"].isEnabled() and window._actions["steps_100"].isEnabled()
    window.lab.training.take_steps(2)
    qtbot.waitUntil(lambda: training.status is Status.PAUSED, timeout=30_000)
    stopped(qtbot, window)


def test_what_is_changed_while_the_training_is_made_ready_counts(window, qtbot):
    use_few_images(window, 400, 30)  # so long that it has not ended before the window hears of its start
    training = window.lab.training
    window._actions["toggle"].trigger()
    assert training.status is Status.STARTING
    training.change("learning_rate", 0.0003)
    with qtbot.waitSignal(training.ended, timeout=60_000):
        pass
    assert [(mark.kind, mark.value) for mark in window.lab.store.marks(training.session.run)] == [("learning_rate", 0.0003)]


@pytest.mark.parametrize(("unit", "steps"), [("epochs", None), ("steps", 3)])
def test_the_menu_beside_one_epoch_more_offers_other_amounts(window, qtbot, monkeypatch, unit, steps):
    use_few_images(window, 400, 1)
    train(qtbot, window)
    button, training = window.time_bar._further, window.lab.training
    assert button.menu().actions() == [window._actions[name] for name in FURTHER]
    assert button.isEnabled() and button.accessibleName() and button.toolTip()
    total = training.session.trainer.total_steps

    def choose(dialog: AmountDialog) -> int:
        dialog.unit.setCurrentText(unit)
        dialog.number.setValue(3)
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(AmountDialog, "exec", choose)
    window._actions["more_other"].trigger()
    until = total + steps if steps else 4 * total
    qtbot.waitUntil(lambda: training.session.trainer.step == until, timeout=60_000)
    qtbot.waitUntil(lambda: training.status is (Status.PAUSED if steps else Status.IDLE), timeout=30_000)
    assert window._actions["more"].isEnabled() and len(window.lab.store.list()) == 1
