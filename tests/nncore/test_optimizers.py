"""Optimizers and losses bring the names and numbers of their compiled rules, and refuse saved states that make no sense."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from nncore.errors import ConfigError, WeightsError
from nncore.losses import CrossEntropyLoss, HingeLoss, Loss, ProbabilityCrossEntropyLoss
from nncore.optimizers import OPTIMIZERS, SGD, Adam, Optimizer
from nncore.parameter import Parameter
from nncore.training.config import TrainConfig


def parameters() -> dict[str, Parameter]:
    return {"w": Parameter(np.arange(6, dtype=np.float32).reshape(2, 3)), "b": Parameter(np.ones(3, np.float32))}


def test_rules_and_their_numbers():
    assert (SGD({}, 0.1).rule, SGD({}, 0.1).rates(0.3, 7)) == ("sgd", (0.3,))
    assert (SGD({}, 0.1, 0.9).rule, SGD({}, 0.1, 0.9).rates(0.3, 7)) == ("momentum", (0.3, 0.9))
    adam = Adam({}, betas=(0.8, 0.99), eps=1e-4)
    assert adam.rule == "adam"
    lr, first, second, eps, rest, rest_of_second, unbias = adam.rates(0.3, 2)
    assert (first, second, eps) == (0.8, 0.99, 1e-4) and (rest, rest_of_second) == pytest.approx((0.2, 0.01))
    assert (lr, unbias) == pytest.approx((0.3 / (1 - 0.64), 1 / (1 - 0.9801)))
    assert all(np.isfinite(adam.rates(0.3, step)).all() for step in (1, 10**6, 2**53))


def test_the_numbers_are_those_of_the_formula():
    """The rates of a step, put into the formula by hand, give what the optimizer's own step gives."""
    rule = Adam(parameters(), 0.1, (0.7, 0.9), 1e-3)
    theta, mean, square = rule.parameters["w"].data.astype(float), 0.0, 0.0
    for step in range(1, 6):
        for parameter in rule.parameters.values():
            parameter.grad = np.full_like(parameter.data, step)
        rule.step()
        lr, first, second, eps, rest, rest_of_second, unbias = rule.rates(0.1, step)
        mean, square = first * mean + rest * step, second * square + rest_of_second * step * step
        theta -= lr * mean / (np.sqrt(square * unbias) + eps)
    np.testing.assert_allclose(rule.parameters["w"].data, theta, rtol=1e-5)


def test_losses_bring_their_kernels():
    assert (CrossEntropyLoss.kernel, CrossEntropyLoss(0.1).constants) == ("cross_entropy", (0.1,))
    assert (ProbabilityCrossEntropyLoss.kernel, ProbabilityCrossEntropyLoss().constants) == ("probability", ())
    assert (HingeLoss.kernel, HingeLoss(0.5).constants) == ("hinge", (0.5,))
    assert Loss.kernel == "" and Loss().constants == ()


def test_a_subclass_has_no_kernel_unless_it_names_one():
    class Damped(SGD):
        def move(self, values, grad, moments, decay, *rates):
            super().move(values, grad, moments, decay, *rates)
            values *= 0.9

    class Clipped(Adam):
        pass

    class Named(Adam):
        rule = "adam"

    class Smoothed(CrossEntropyLoss):
        def forward(self, scores, labels):
            return 2 * super().forward(scores, labels)

    class Scaled(HingeLoss):
        kernel = "hinge"

    assert Damped({}, 0.1, 0.9).rule == "" and Clipped({}).rule == "" and Named({}).rule == "adam"
    assert Smoothed.kernel == "" and Smoothed().kernel == "" and Scaled.kernel == "hinge"
    assert SGD({}, 0.1, 0.9).rule == "momentum" and CrossEntropyLoss.kernel == "cross_entropy", (
        "what they derive from keeps its own"
    )


def test_every_optimizer_is_made_from_a_config():
    config = SimpleNamespace(learning_rate=0.2, momentum=0.8, betas=(0.5, 0.6), weight_decay=0.01)
    made = {name: make(parameters(), config) for name, make in OPTIMIZERS.items()}
    assert [rule.rule for rule in made.values()] == list(made) == ["sgd", "momentum", "nesterov", "adam", "adamw"]
    assert all(rule.lr == 0.2 and rule.weight_decay == 0.01 for rule in made.values())
    assert made["sgd"].slots == () and made["momentum"].momentum == 0.8 and made["adam"].betas == (0.5, 0.6)
    assert made["nesterov"].momentum == 0.8 and made["adamw"].betas == (0.5, 0.6)
    for name, make in OPTIMIZERS.items():
        config = TrainConfig(optimizer=name)
        ours, theirs = make(parameters(), config), config.build_optimizer(parameters())
        assert type(ours) is type(theirs) and ours.rates(0.1, 3) == theirs.rates(0.1, 3) and ours.slots == theirs.slots


def trained() -> Optimizer:
    rule = Adam(parameters())
    for parameter in rule.parameters.values():
        parameter.grad = np.ones_like(parameter.data)
    rule.step()
    return rule


BAD_STATES = {
    "steps": [np.array(-1), np.array(1.5), np.array([1]), np.array(np.nan), np.array(2**60), 3],
    "mean.w": [np.full((2, 3), 1e300), np.full((2, 3), 1j), np.zeros((3, 2)), None],
    "square.b": [np.full(3, -1e-3), np.full(3, np.inf), np.full(3, "1")],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD_STATES.items() for value in values])
def test_a_saved_state_that_makes_no_sense_changes_nothing(name, value):
    saved, rule = trained().state_dict(), Adam(parameters())
    with pytest.raises(WeightsError, match="optimizer state"):
        rule.load_state_dict(saved | {name: value})
    assert rule.steps == 0 and not any(array.any() for values in rule.moments.values() for array in values.values())
    rule.load_state_dict(saved)
    assert rule.steps == 1 and rule.moments["mean"]["b"].all()


@pytest.mark.parametrize("what", [None, [np.ones(3)], {"w": np.ones(3)}, [Parameter(np.ones(3))]])
def test_what_are_no_parameters_by_name(what):
    with pytest.raises(ConfigError, match=r"network\.parameters"):
        SGD(what, 0.1)
