"""The drawing of the learning rate in the form of the recipe."""

from __future__ import annotations

import time

import numpy as np
import pytest

from app.core.in_view import DataInView
from app.core.recipe import Recipe
from app.panels.train.form import RecipeForm
from app.theme import theme
from app.widgets.schedule_plot import HEIGHT, ROW, SchedulePlot
from nncore.data import synthetic
from nncore.training.values import number_text


@pytest.fixture
def plot(window, qtbot) -> SchedulePlot:
    made = SchedulePlot(number_text)
    qtbot.addWidget(made)
    made.resize(240, HEIGHT)
    return made


def accent(plot: SchedulePlot) -> np.ndarray:
    """Where the line has been drawn: bool (height, width)."""
    image = plot.grab().toImage().convertToFormat(plot.grab().toImage().Format.Format_RGB888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()]
    wanted = [int(theme().colors.accent[at : at + 2], 16) for at in (1, 3, 5)]
    return (np.abs(pixels.reshape(image.height(), image.width(), 3).astype(int) - wanted) < 60).all(axis=2)


def test_the_line_is_as_high_as_the_rate(plot):
    plot.set_rates(np.arange(100), np.where(np.arange(100) < 50, 0.01, 0.005))
    line = accent(plot)
    left, right = (int(np.flatnonzero(line[:, column]).mean()) for column in (30, 200))
    full = HEIGHT - 2 * ROW - 4
    assert left == pytest.approx(HEIGHT - ROW - 2 - full, abs=1.5) and right == pytest.approx(HEIGHT - ROW - 2 - full / 2, abs=1.5)


def test_it_says_what_it_shows(plot):
    plot.set_rates(np.array([0, 50, 99]), np.array([0.001, 0.01, 0.0002]))
    assert plot.accessibleDescription() == "0.001 at step 0, then 0.01 at step 50, then 0.0002 at step 99"
    plot.set_rates(np.array([0, 50, 99]), np.full(3, 0.001))
    assert plot.accessibleDescription() == "0.001 at every step up to 99"
    plot.set_rates(np.zeros(0, np.int64), np.zeros(0))
    assert plot.accessibleDescription() == "nothing to draw yet" and not accent(plot).any()
    plot.set_rates(np.array([0]), np.array([0.5]))
    assert accent(plot).any(), "a training of one step"


def test_it_follows_the_recipe_at_once(lab, qtbot):
    lab.state.recipe.set(Recipe.of("mnist-cnn"))
    form = RecipeForm(lab)
    qtbot.addWidget(form)
    lab.state.data.set(None)
    assert form.drawing.accessibleDescription() == "nothing to draw yet"
    lab.state.data.set(DataInView("synthetic", synthetic("train", 600), None))
    lab.state.change_recipe(schedule="constant")
    assert form.drawing.accessibleDescription() == "0.001 at every step up to 47"
    form.fields["schedule"].setCurrentText("one-cycle")
    assert "then 0.0009992 at step 14" in form.drawing.accessibleDescription()
    began = time.thread_time()  # not what others on the machine take
    lab.state.change_recipe(epochs=1_000_000)
    assert time.thread_time() - began < 1 and len(form.drawing.points()) <= 300
