"""Learning rates stay positive and finite, and can be set, after any number of steps of every schedule."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nncore.errors import ConfigError
from nncore.optimizers import SGD
from nncore.parameter import Parameter
from nncore.schedulers import CosineAnnealingLR, ExponentialLR, MultiStepLR, OneCycleLR, Scheduler, StepLR

gammas = st.floats(1e-9, 1e9)
counts = st.integers(1, 10**6)
MAKERS: st.SearchStrategy[Callable[[SGD], Scheduler]] = st.one_of(
    st.just(Scheduler),
    st.builds(lambda size, gamma: lambda o: StepLR(o, size, gamma), counts, gammas),
    st.builds(lambda stones, gamma: lambda o: MultiStepLR(o, sorted(stones), gamma), st.lists(counts, max_size=50), gammas),
    st.builds(lambda gamma, every: lambda o: ExponentialLR(o, gamma, every), gammas, counts),
    st.builds(lambda steps, floor: lambda o: CosineAnnealingLR(o, steps, floor), counts, st.floats(0, 1)),
    st.builds(
        lambda steps, share, first, last: lambda o: OneCycleLR(o, steps, share, first, last),
        *(counts, st.floats(0.01, 0.99), st.floats(1, 1e30), st.floats(1, 1e30)),
    ),
)


def optimizer(lr: float = 0.1) -> SGD:
    return SGD({"w": Parameter(np.ones(3, np.float32))}, lr)


@settings(max_examples=300, deadline=None)
@given(
    make=MAKERS,
    first=st.floats(1e-8, 1e3),
    at=st.one_of(st.integers(0, 2000), st.integers(0, 10**400)),
    lr=st.floats(1e-8, 1e3),
    later=st.integers(0, 10**7),
)
def test_a_rate_can_be_set_at_every_step_of_every_schedule(make, first, at, lr, later):
    rule = optimizer(first)
    scheduler = make(rule)
    scheduler.jump(at)
    assert 0 < rule.lr < math.inf and rule.lr == scheduler.rate(at)
    scheduler.set_lr(lr)
    assert rule.lr == lr and math.isfinite(scheduler.base_lr) and scheduler.base_lr > 0
    scheduler.jump(at)
    assert rule.lr == pytest.approx(lr, rel=1e-9), "it stays what it was set to"
    scheduler.jump(at + later)
    assert 0 < rule.lr < math.inf


@settings(max_examples=100, deadline=None)
@given(make=MAKERS, at=st.integers(0, 10**7), lr=st.floats(min_value=0, exclude_min=True, allow_infinity=False))
def test_any_positive_rate_may_be_set(make, at, lr):
    rule = optimizer()
    scheduler = make(rule)
    scheduler.jump(at)
    scheduler.set_lr(lr)
    for steps in (at, at + 1, 2 * at):
        scheduler.jump(steps)
        assert 0 < rule.lr < math.inf


@pytest.mark.parametrize("lr", [0, -1, math.nan, math.inf, "0.1", None, 1j])
def test_rates_that_are_none(lr):
    scheduler = CosineAnnealingLR(optimizer(), 10)
    with pytest.raises(ConfigError, match="learning rate"):
        scheduler.set_lr(lr)
    assert scheduler.optimizer.lr == 0.1


def test_a_training_past_the_end_of_its_cosine_still_learns():
    rule = optimizer()
    scheduler = CosineAnnealingLR(rule, 10)
    for _ in range(25):
        scheduler.step()
    assert rule.lr == pytest.approx(0.001)
    before = rule.parameters["w"].data.copy()
    rule.parameters["w"].grad = np.ones(3, np.float32)
    rule.step()
    assert (rule.parameters["w"].data < before).all()
    scheduler.set_lr(0.05)
    scheduler.step()
    assert rule.lr == pytest.approx(0.05)


BAD: list[Callable[[], object]] = [
    lambda: StepLR(optimizer(), 2.5),
    lambda: StepLR(optimizer(), 5, math.nan),
    lambda: StepLR(optimizer(), 5, "0.1"),
    lambda: MultiStepLR(optimizer(), 5),
    lambda: MultiStepLR(optimizer(), [1.5]),
    lambda: MultiStepLR(optimizer(), [1], math.inf),
    lambda: ExponentialLR(optimizer(), math.nan),
    lambda: ExponentialLR(optimizer(), 0.9, True),
    lambda: CosineAnnealingLR(optimizer(), 5, math.nan),
    lambda: CosineAnnealingLR(optimizer(), None),
    lambda: OneCycleLR(optimizer(), 10, math.nan),
    lambda: OneCycleLR(optimizer(), 10, div_factor=math.inf),
    lambda: OneCycleLR(optimizer(), 10, final_div_factor=math.nan),
]


@pytest.mark.parametrize("make", BAD, ids=range(len(BAD)))
def test_settings_that_make_no_sense(make):
    with pytest.raises(ConfigError):
        make()
