"""The kernels of the losses, each by itself on the host device, against nncore/losses.py in float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from kernel import run, values

from nncore.arrays import Array
from nncore.losses import LOSSES, CrossEntropyLoss, Loss, softmax

THREADS = 256
CLOSE = 1e-6
"""Largest difference between float32 and float64, as a share of a loss; absolute for gradients, which are at most 1."""
MARGIN, SMOOTHING = 0.75, 0.2
SMOOTHED = "cross_entropy with smoothing"
NAMES = (*(name for name, loss in LOSSES.items() if not loss.takes_rows and not name.startswith("weighted")), SMOOTHED)
STEP, BATCH = 2, 310
"""The step that is being taken, and how many images each step's row of `order` has room for."""
BEFORE = 9
"""What the clock says of the step to be taken, before: no loss may look at it."""


def loss_of(name: str) -> Loss:
    if name == SMOOTHED:
        return CrossEntropyLoss(SMOOTHING)
    return LOSSES[name](*([MARGIN] if name == "hinge" else []))


def batch(name: str, count: int, classes: int) -> tuple[Array, Array]:
    """Scores (probabilities where the loss takes them) and labels."""
    rng = np.random.default_rng(count + classes)
    scores = 3 * rng.normal(size=(count, classes)).astype(np.float32)
    return softmax(scores) if name == "probability" else scores, rng.integers(classes, size=count)


@dataclass
class Taken:
    """What is left of a step: gradients, results of all steps, the clock."""

    grad: Array
    results: Array
    clock: list[int]

    @property
    def loss(self) -> float:
        return float(self.results[STEP, 0])

    @property
    def right(self) -> int:
        return int(self.results[STEP, 1])


def take(
    name: str,
    scores: Array,
    labels: Array,
    parts: Sequence[int] = (),
    *,
    with_grad: bool = True,
    stopped: int = 0,
    old: float = 1234,
) -> Taken:
    """Take one step in passes of so many images (all in one by default). Labels lie in another order than the images of the step.

    `old` is what the results hold before.
    """
    count, classes = scores.shape
    order = np.full((STEP + 2, BATCH), -1)
    order[STEP, :count] = np.random.default_rng(5).permutation(count)
    given = np.zeros(count, np.int32)
    given[order[STEP, :count]] = labels
    common: dict[str, Any] = {
        "labels": values(given, np.int32),
        "order": values(order, np.int32),
        "clock": values([BEFORE, STEP, stopped], np.int32),
        "results": values(np.full(2 * (STEP + 2), old), np.float32),
        "classes": classes, "batch": BATCH, "total": count,
    }  # fmt: skip
    if name == "hinge":
        common["margin"] = MARGIN
    if name in ("cross_entropy", SMOOTHED):
        common["smoothing"] = SMOOTHING if name == SMOOTHED else 0.0
    grads, first = [], 0
    for number, size in enumerate(parts or [count]):
        assert common["clock"].buffer.tolist() == [BEFORE, STEP, stopped], "a step is counted by its last pass alone"
        z, g = values(scores[first : first + size], np.float32), values(np.full(size * classes + 1, 1234), np.float32)
        last = number + 1 == max(len(parts), 1)
        mine = {"z": z, "g": g if with_grad else None, "first": first, "count": size, "last": last}
        run(name.split()[0], ((1, 1, 1), (THREADS, 1, 1)), common | mine, (THREADS,))
        assert g.buffer[-1] == 1234
        grads.append(g.buffer[:-1].reshape(size, classes))
        first += size
    results = common["results"].buffer.reshape(-1, 2)
    assert (np.delete(results, STEP, axis=0) == old).all(), "another step's results were touched"
    return Taken(np.concatenate(grads), results, common["clock"].buffer.tolist())


def check(name: str, scores: Array, labels: Array, parts: Sequence[int] = ()) -> None:
    """Fail unless loss, right answers, gradient and clock are those of the loss itself."""
    loss, taken = loss_of(name), take(name, scores, labels, parts)
    expected = loss.forward(scores.astype(np.float64), labels)
    assert taken.loss == pytest.approx(expected, rel=CLOSE, abs=CLOSE)
    assert taken.right == (scores.argmax(axis=1) == labels).sum()
    assert taken.clock == [STEP + 1, STEP, 0]
    gradient = loss.backward()
    np.testing.assert_allclose(taken.grad, gradient, rtol=CLOSE, atol=CLOSE / max(len(scores), 1))


@pytest.mark.parametrize("shape", [(1, 1), (1, 10), (7, 3), (32, 10), (BATCH, 2), (255, 3), (0, 5)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_in_one_pass(name: str, shape: tuple[int, int]) -> None:
    check(name, *batch(name, *shape))


@pytest.mark.parametrize("parts", [(3, 3, 1), (1, 6), (7, 0), (0, 7), (1,) * 7], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_in_several_passes(name: str, parts: tuple[int, ...]) -> None:
    check(name, *batch(name, 7, 4), parts)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_gradient_the_results_are_the_same(name: str) -> None:
    scores, labels = batch(name, 9, 4)
    assert take(name, scores, labels, with_grad=False).results.tobytes() == take(name, scores, labels).results.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_batch_has_no_loss_and_counts_as_a_step(name: str) -> None:
    taken = take(name, np.zeros((0, 3), np.float32), np.zeros(0, int))
    assert (taken.loss, taken.right, taken.clock) == (0, 0, [STEP + 1, STEP, 0])


@pytest.mark.parametrize("parts", [(5,), (2, 3), (3, 2), (1, 1, 3)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_a_loss_that_is_not_finite_stops_the_steps(name: str, parts: tuple[int, ...]) -> None:
    scores, labels = batch(name, 5, 3)
    scores[2, labels[2]] = np.nan
    taken = take(name, scores, labels, parts)
    assert np.isnan(taken.loss)
    assert taken.clock == [BEFORE, STEP, 1]


def test_an_infinite_loss_stops_the_steps() -> None:
    scores = np.array([[-np.inf, 0, 0]], np.float32)
    taken = take("cross_entropy", scores, np.array([0]))
    assert (taken.loss, taken.clock) == (np.inf, [BEFORE, STEP, 1])


@pytest.mark.parametrize("name", NAMES)
def test_once_stopped_neither_results_nor_the_count_of_steps_change(name: str) -> None:
    """The step that failed is taken again by what has been asked for already, whatever its loss is then."""
    taken = take(name, *batch(name, 5, 3), (2, 3), stopped=1, old=7)
    assert (taken.results == 7).all()
    assert taken.clock == [BEFORE, STEP, 1]


@pytest.mark.parametrize("name", NAMES)
def test_of_equal_scores_the_first_is_the_answer(name: str) -> None:
    scores = np.full((3, 4), 0.25, np.float32)
    assert [take(name, scores, np.full(3, label)).right for label in range(4)] == [3, 0, 0, 0]


def test_the_answer_where_scores_are_not_numbers() -> None:
    """As on the CPU: a NaN is never larger than what came before, nor anything larger than it."""
    scores = np.array([[np.nan, 9, 1], [1, np.nan, 2], [3, np.nan, 2], [np.nan, np.nan, np.nan]], np.float32)
    labels = np.array([0, 2, 0, 0])
    for row, label in zip(scores, labels, strict=True):
        rights = [take("cross_entropy", row[None], np.array([other])).right for other in range(3)]
        assert rights == [other == label for other in range(3)]


def test_cross_entropy_of_large_scores() -> None:
    """Only their differences matter, and those keep their digits."""
    scores = np.array([[1000, 1001, 999.5], [-2000, -2001, -2000], [60000, 0, -60000]], np.float32)
    for labels in ([0, 0, 0], [1, 1, 0], [2, 2, 0]):
        check("cross_entropy", scores, np.array(labels))
    large = np.array([[3e38, -3e38]], np.float32)
    taken = take("cross_entropy", large, np.array([0]))
    assert (taken.loss, taken.grad.tolist()) == (0, [[0, 0]])


def test_a_probability_has_a_floor() -> None:
    scores = np.array([[1, 0, 0], [0, 1, 0], [0.5, 0.5 - 1e-12, 1e-12], [1 - 2e-12, 1e-12, 2e-12]], np.float32)
    check("probability", scores, np.array([2, 1, 2, 2]))


def test_hinge_at_the_margin_itself_and_beside_it() -> None:
    """A class exactly at the margin costs nothing, and gets no gradient."""
    scores = np.array([[2, 2 - MARGIN, 2 - MARGIN + 0.25, 2 - MARGIN - 0.25]], np.float32)
    check("hinge", scores, np.array([0]))
    taken = take("hinge", scores, np.array([0]))
    assert (taken.loss, taken.grad.tolist()) == (0.25, [[-1, 0, 1, 0]])


def test_a_term_of_hinge_that_is_not_a_number_gets_a_gradient() -> None:
    taken = take("hinge", np.array([[0, np.nan, -9]], np.float32), np.array([0]))
    assert np.isnan(taken.loss)
    assert taken.grad.tolist() == [[-1, 1, 0]]


def test_the_gradient_of_a_class_without_hope_is_none() -> None:
    """exp(−∞) is zero: such a class gets nothing, and the others share what is left."""
    taken = take("cross_entropy", np.array([[0, -np.inf, 0]], np.float32), np.array([0]))
    assert taken.loss == pytest.approx(np.log(2), rel=CLOSE)
    np.testing.assert_allclose(taken.grad, [[-0.5, 0, 0.5]], atol=CLOSE)
