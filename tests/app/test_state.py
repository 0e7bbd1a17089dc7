"""The state of the window, without a window."""

from __future__ import annotations

import numpy as np

from app.core.in_view import NetworkInView
from app.core.observable import Observable
from app.core.state import LabState
from app.core.timeline import Moment, Timeline
from models.presets import preset


def moment(step: int, size: int = 4) -> Moment:
    return Moment(step, {"w": np.zeros(size, np.float32)})


def test_an_observable_tells_its_listeners_in_order_until_they_leave():
    value, heard = Observable(1), []
    leave = value.subscribe(lambda v: heard.append(("a", v)))
    value.subscribe(lambda v: heard.append(("b", v)), now=False)
    value.set(2)
    leave()
    value.set(3)
    assert heard == [("a", 1), ("a", 2), ("b", 2), ("b", 3)] and value.value == 3


def test_a_listener_may_leave_while_it_is_told():
    value, heard = Observable(0), []
    leaving = []
    leaving.append(value.subscribe(lambda v: leaving[0](), now=False))
    value.subscribe(heard.append, now=False)
    value.set(1)
    value.set(2)
    assert heard == [1, 2]


def test_a_part_of_a_value_is_told_when_it_is_another():
    value, heard = Observable((1, "a")), []
    value.subscribe_part(lambda pair: pair[1], heard.append)
    for pair in ((2, "a"), (2, "b"), (2, "b"), (3, "a")):
        value.set(pair)
    assert heard == ["a", "b", "a"]


def test_moments_stay_in_order_and_one_a_step():
    timeline = Timeline()
    for step in (30, 10, 20, 10):
        timeline.add(moment(step))
    assert [timeline[i].step for i in range(len(timeline))] == [10, 20, 30]
    assert [timeline.nearest(step) for step in (0, 14, 16, 99)] == [0, 0, 1, 2]


def test_memory_is_bounded_and_both_ends_stay():
    timeline = Timeline(limit_bytes=100 * moment(0, 256).nbytes)
    for step in range(1000):
        timeline.add(moment(step, 256))
        assert len(timeline) <= 100 and timeline[0].step == 0 and timeline[-1].step == step
    gaps = np.diff([timeline[i].step for i in range(len(timeline))])
    assert len(timeline) > 40 and gaps.max() < 200, "what is left is spread over the whole training"


def test_another_network_begins_its_moments_anew():
    state, network = LabState(), preset("mnist-cnn").build()
    seen = []
    state.moment.subscribe(lambda m: seen.append(m and m.step), now=False)
    view = NetworkInView.of(network, "mnist-cnn", "shipped")
    state.show_network(view, moment(5))
    state.timeline.add(moment(9))
    state.show_moment(1)
    state.show_moment(99)
    state.show_moment(-3)
    state.show_network(view, moment(1))
    state.network.subscribe(lambda _: seen.append(("network", state.moment.value.step)), now=False)
    state.show_network(view, moment(2))
    assert seen == [5, 9, 9, 5, 1, ("network", 2), 2] and len(state.timeline) == 1
    assert view.parameter_count == 105_866 and view.input_shape == (28, 28, 1)
