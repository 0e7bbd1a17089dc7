"""Inspect's page of a weight tells the step by the rule of the run: AdamW, Nesterov's momentum, a rate of its own, frozen."""

from __future__ import annotations

import pytest

from app.core.recipe import Recipe
from app.core.run_in_view import RunInView
from app.panels.inspect.backwards import next_step
from app.panels.inspect.inspected import Weight
from app.panels.inspect.weight_page import step_lines
from app.widgets.sections import number
from nncore.explain.weight_step import BackwardPass, WeightStep
from tests.app.test_inspect_network import cnn, image

__all__ = ["cnn", "image"]
LATER = Weight("linear2.weight", (5, 3))


@pytest.fixture
def taken(lab, cnn, image):
    """The step that a run with these settings would take with a weight, and the weight's gradient."""

    def take(weight: Weight = LATER, **settings) -> tuple[WeightStep, float, BackwardPass]:
        passed = BackwardPass.of(cnn, image, 3)
        recipe = Recipe.of("mnist-cnn").with_settings(learning_rate=0.01, **settings)
        step = next_step(lab, RunInView(lab.state.network.value, recipe=recipe), passed, weight, 0, 0.0).step
        return step, float(passed.gradients[weight.parameter][weight.index]), passed

    return take


def test_a_frozen_weight_is_said_to_be_frozen_and_the_others_are_clipped_without_it(taken, cnn):
    frozen = Weight("conv1.weight", (1, 2, 0, 3))
    step, _, _ = taken(frozen, freeze=("conv1",))
    lines = step_lines(step)
    assert "frozen" in lines[0].words and lines[-1].value == number(float(cnn.state_dict()["conv1.weight"][1, 2, 0, 3]))
    step, _, passed = taken(freeze=("conv1", "linear1"), clip_norm=0.01)
    named = [name for name in passed.gradients if name.partition(".")[0] in ("conv1", "linear1")]
    assert step.clip == pytest.approx(0.01 / passed.norm(named), rel=1e-3) and passed.norm(named) < passed.norm()


def test_adamw_takes_the_decay_from_the_weight_and_not_through_the_averages(taken):
    step, gradient, _ = taken(optimizer="adamw", weight_decay=0.2, rates=(("linear2", 0.5),))
    change = -0.005 * gradient / (abs(gradient) + 1e-8) - 0.005 * 0.2 * step.weight
    assert (step.rule, step.lr) == ("adamw", 0.005) and step.change == pytest.approx(change, rel=1e-5)
    pull, last = (next(line for line in step_lines(step) if line.words.startswith(start)) for start in ("p = ", "Δw = "))
    assert "0.005 · 0.200 · " in pull.words and pull.value == number(0.005 * 0.2 * step.weight)
    assert last.words.endswith(" − p") and last.value == number(change)
    assert not any(line.words.startswith("g =") for line in step_lines(step))


def test_nesterov_looks_ahead(taken):
    step, gradient, _ = taken(optimizer="nesterov", momentum=0.8)
    assert gradient and step.change == pytest.approx(-0.01 * (gradient + 0.8 * gradient))
    assert any("0.8 · v)" in line.words for line in step_lines(step))
