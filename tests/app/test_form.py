"""The recipe's form follows from the settings' descriptions."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDoubleSpinBox, QLabel, QLineEdit, QSpinBox

from app.core.recipe import Recipe
from app.panels.train.form import RecipeForm
from app.panels.train.panel import LEFT
from models.presets import PRESETS
from nncore.errors import ConfigError
from nncore.training.config import SETTINGS, TrainConfig, setting, settings_of
from nncore.training.values import Choice, Number, Whole


@dataclass(frozen=True)
class Extended(TrainConfig):
    """A TrainConfig with settings that no form has ever heard of."""

    heating: int = setting(0, "Heating", Whole(0, 1000), "Steps in which it becomes warm.", everyday=True)
    clipping: float = setting(1.0, "Clipping", Number(0, 10), "The longest gradient.", used_by=("optimizer", "sgd"))
    sampling: str = setting("even", "Sampling", Choice(("even", "odd")), "Which images come first.")


@pytest.fixture
def form(lab, qtbot) -> RecipeForm:
    lab.state.recipe.set(Recipe("mnist-cnn", Extended(schedule="steps")))
    made = RecipeForm(lab, settings_of(Extended))
    qtbot.addWidget(made)
    made.setFixedWidth(LEFT)
    made.resize(LEFT, 500)
    made.show()
    return made


def test_a_new_setting_appears_in_the_form_and_edits_the_recipe(form, lab):
    titles = {found.text() for found in form.findChildren(QLabel)}
    assert {each.title for each in settings_of(Extended).values()} <= titles
    form.fields["heating"].setValue(70)
    form.fields["sampling"].setCurrentText("odd")
    assert (lab.state.recipe.value.config.heating, lab.state.recipe.value.config.sampling) == (70, "odd")
    lab.state.change_recipe(heating=5)
    assert form.fields["heating"].value() == 5


def test_no_field_is_cut_off(form, qtbot):
    form._more.click()
    qtbot.wait(20)
    qtbot.waitUntil(lambda: form._scroll.widget().width() <= form._scroll.viewport().width())


def test_the_wheel_changes_no_field_by_the_way(form, lab):
    before = lab.state.recipe.value
    for name in ("optimizer", "batch_size", "learning_rate"):
        field = form.fields[name]
        at = QPointF(field.rect().center())
        nothing = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        turn = QWheelEvent(at, field.mapToGlobal(at), QPoint(), QPoint(0, -120), *nothing, Qt.ScrollPhase.NoScrollPhase, False)
        QApplication.sendEvent(field, turn)
        assert not turn.isAccepted(), "it is the form's"
    assert lab.state.recipe.value is before


def test_every_setting_has_a_field_of_its_kind(form):
    assert form.fields.keys() == {*SETTINGS, "heating", "clipping", "sampling"}
    kinds = {"epochs": QSpinBox, "learning_rate": QDoubleSpinBox, "optimizer": QComboBox, "milestones": QLineEdit}
    for name, kind in kinds.items():
        assert isinstance(form.fields[name], kind), name


def test_the_settings_of_few_stand_behind_a_button(form):
    rare = [name for name, each in settings_of(Extended).items() if not each.everyday]
    assert "weight_decay" in rare and form.fields["heating"].isVisible()
    assert not any(form.fields[name].isVisible() for name in rare)
    form._more.click()
    assert all(form.fields[name].isVisible() for name in rare)


def test_a_setting_that_is_not_used_is_disabled_and_says_why(form, lab):
    assert not form.fields["clipping"].isEnabled() and "adam is chosen" in form.fields["clipping"].toolTip()
    assert not form.fields["momentum"].isEnabled() and form.fields["betas"].isEnabled()
    assert form.fields["milestones"].isEnabled() and not form.fields["epoch_decay"].isEnabled()
    lab.state.change_recipe(optimizer="sgd", schedule="exponential")
    assert form.fields["clipping"].isEnabled() and "chosen" not in form.fields["clipping"].toolTip()
    assert not form.fields["betas"].isEnabled() and not form.fields["milestones"].isEnabled()
    assert form.fields["epoch_decay"].isEnabled()


def test_a_list_is_typed_as_on_the_command_line(form, lab, qtbot):
    form._more.click()
    field = form.fields["milestones"]
    field.selectAll()
    QTest.keyClicks(field, "10, 20,300")
    field.editingFinished.emit()
    assert lab.state.recipe.value.config.milestones == (10, 20, 300)
    with qtbot.waitSignal(lab.problem) as told:
        field.selectAll()
        QTest.keyClicks(field, "20, 10")
        field.editingFinished.emit()
    assert "rising order" in told.args[0].message
    assert lab.state.recipe.value.config.milestones == (10, 20, 300) and field.text() == "10, 20, 300", "what was there stays"


def test_held_out_images_may_be_a_number(form, lab):
    lab.state.change_recipe(validation=500)
    assert form.fields["validation"].text() == "500 images"
    form.fields["validation"].setValue(800)
    assert lab.state.recipe.value.config.validation == 800
    lab.state.change_recipe(validation=0.25)
    assert form.fields["validation"].text() == "25.0 %"


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_comes_back_from_what_is_kept(name):
    recipe = Recipe.of(name).with_settings(epochs=7, seed=3).with_limit(100)
    assert Recipe.from_dict(recipe.as_dict()) == recipe
    assert recipe.as_dict()["settings"].keys() == {"epochs", "seed", "warmup"}


@pytest.mark.parametrize("kept", [{}, {"network": "mlp"}, {"network": "mlp", "settings": {"x": 1}}, {"network": 1, "settings": {}}])
def test_what_is_no_recipe_is_refused(kept):
    with pytest.raises(ConfigError):
        Recipe.from_dict(kept)
