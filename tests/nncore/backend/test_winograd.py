"""Winograd's filtering on the CPU: its matrices are exact, and its kernels find what the reference backend finds in float64.

A trial's tolerance is a share of the largest value. Sums of up to some thousand products in float32, in another order than the
formula's and of transformed numbers, are off by up to 2e-6; a wrong edge, channel or position, by a hundredth or more.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import trials
from trial import Recording, Trial, check, record, run

from nncore.backend.contract import Window
from nncore.backend.cpu.winograd import recording
from nncore.backend.cpu.winograd.matrices import FORMS, INPUT, Form, N
from nncore.backend.cpu.winograd.rule import form_of
from nncore.layers import Conv2d, Flatten, Linear, ReLU
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.plan import Plan

TOLERANCE = 5e-6


@pytest.fixture(autouse=True)
def every_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have recorders take every shape that the kernels can do, also where it does not pay."""
    forms = {(form.r, form.r): number for number, form in enumerate(FORMS)}
    monkeypatch.setattr(recording, "form_of", lambda window, *shape: forms.get(window.size) if window.stride == (1, 1) else None)


def by_tiles(trial: Trial, **changes: Any) -> Trial:
    return trial.with_(exact=False, tolerance=TOLERANCE, **changes)


def operations(trial: Trial) -> set[str]:
    return {row.operation for row in record(trial, "cpu")[0].record.rows}  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"F({form.m}×{form.m}, {form.r}×{form.r})")
def test_the_matrices_are_exact(form: Form) -> None:
    """In fractions Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A is the convolution itself."""
    rng = np.random.default_rng(0)
    d, g = (rng.integers(-9, 10, (side, side)).astype(object) * Fraction(1) for side in (N, form.r))
    A, G, B = (np.array(matrix, object) for matrix in (form.output, form.weight, INPUT))
    y = A @ ((G @ g @ G.T) * (B @ d @ B.T)) @ A.T
    assert y.tolist() == [[(d[i : i + form.r, j : j + form.r] * g).sum() for j in range(form.m)] for i in range(form.m)]


def geometries(count: int) -> list[tuple[int, int, int, int, int, int, int]]:
    """(rows, cols, inputs, outputs, kernel, padding, batch), drawn at random, each giving at least two outputs a side."""
    rng, found = np.random.default_rng(7), []
    while len(found) < count:
        rows, cols = rng.integers(1, 34, 2).tolist()
        C, O = rng.integers(1, 71, 2).tolist()
        r, padding, batch = int(rng.choice((3, 5))), int(rng.integers(4)), int(rng.integers(1, 18))
        if min(rows, cols) + 2 * padding > r and rows * cols * C * O * batch < 5e6:
            found.append((rows, cols, C, O, r, padding, batch))
    return found


GEOMETRIES = [
    (1, 1, 1, 1, 3, 3, 1),  # a pixel in nothing but padding
    (33, 33, 1, 1, 3, 0, 1),  # tiles end with the image
    (6, 6, 8, 8, 3, 0, 2),  # one tile
    (7, 6, 16, 8, 3, 0, 17),  # a row beyond it
    (9, 11, 70, 70, 3, 3, 2),  # more padding than the gradient's convolution can have
    (5, 5, 8, 16, 5, 0, 3),  # a single output
    (33, 9, 17, 9, 5, 3, 1),
    *geometries(14),
]


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_convolution(geometry: tuple[int, int, int, int, int, int, int]) -> None:
    rows, cols, C, O, r, padding, batch = geometry
    common = {"x": (rows, cols, C), "outputs": O, "window": trials.square(r), "padding": (padding, padding), "count": batch}
    forward, back = (by_tiles(trial(**common, relu=True)) for trial in (trials.conv, trials.conv_backward))  # type: ignore[arg-type]
    assert "winograd_conv2d" in operations(forward)
    assert {"winograd_weight_gradient", "winograd_conv2d"} <= operations(back)
    check(forward, "cpu")
    check(back, "cpu")
    check(by_tiles(back, replicas=2, spare=3), "cpu")


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(("r", "rows", "cols", "C", "O"), [(3, 14, 14, 16, 32), (3, 7, 9, 9, 17), (5, 11, 8, 8, 12)])
def test_convolution_with_pool(r: int, rows: int, cols: int, C: int, O: int, relu: bool) -> None:
    """Winners may differ where two values are nearly equal, which moves a few gradients; a wrong winner everywhere moves all."""
    values = trials.real_numbers(5, rows, cols, C)
    trial = by_tiles(trials.conv_pool((rows, cols, C), O, trials.square(r), (1, 1), relu, count=5, values=values))
    assert "winograd_conv2d" in operations(trial)
    ours, expected = run(trial, "cpu"), run(trial, "reference")
    np.testing.assert_allclose(ours["output 0"], expected["output 0"], rtol=0, atol=TOLERANCE * np.abs(expected["output 0"]).max())
    for name in ("output 1", "gradient"):
        assert np.linalg.norm(ours[name] - expected[name]) <= 0.1 * np.linalg.norm(expected[name]), name


@pytest.mark.parametrize("r", [3, 5])
@pytest.mark.parametrize("neighbour", [np.nan, 1e30])
def test_an_image_is_not_touched_by_its_neighbours(r: int, neighbour: float) -> None:
    """Tiles reach beyond the edge of an image, where in memory another one lies."""
    values = trials.real_numbers(3, 7, 9, 9)
    values[[0, 2]] = neighbour
    common = {"parameters": trials.weights_of(r, r, 9, 17)}

    def build(images: np.ndarray) -> Any:
        def recorded(recording: Recording) -> None:
            x = recording.given(images, (1, 1))
            rows, cols = trials.output_size((7, 9, 9), trials.square(r), (1, 1))
            recording.record.conv2d(x, recording.weights, trials.square(r), recording.wanted((rows, cols, 17)), True)

        return recorded

    among, alone = (
        run(by_tiles(Trial(build(images), **common, count=len(images))), "cpu")["output 0"] for images in (values, values[1:2])
    )
    assert np.isfinite(alone).all()
    np.testing.assert_array_equal(among[1], alone[0])


def test_answers_do_not_depend_on_batch_and_slices() -> None:
    network = Network([Conv2d(16, 3, padding=1), ReLU(), Conv2d(24, 5), ReLU(), Flatten(), Linear(3)], (9, 12, 8))
    images = np.random.default_rng(0).standard_normal((7, 9, 12, 8)).astype(np.float32)
    whole = Plan(network, (7, 9, 12, 8), replicas=1).forward(images)
    for batch, replicas in ((7, 3), (7, 2), (3, 1)):
        np.testing.assert_array_equal(Plan(network, (batch, 9, 12, 8), replicas=replicas).forward(images), whole)


def test_an_exact_plan_takes_every_product() -> None:
    network = Network([Conv2d(16, 3, padding=1), ReLU(), Conv2d(24, 3), Flatten(), Linear(3)], (9, 12, 8))
    rng = np.random.default_rng(0)
    images, labels = rng.standard_normal((4, 9, 12, 8)).astype(np.float32), rng.integers(3, size=4)
    found = {}
    for exact in (False, True):
        plan = Plan(network, (4, 9, 12, 8), CrossEntropyLoss(), exact=exact)
        recorded = {row.operation for row in plan._program._record.rows}  # type: ignore[attr-defined]
        assert any("winograd" in name for name in recorded) is not exact
        plan.gradients(images, labels)
        found[exact] = plan.last_gradient()
    for name, gradient in found[True].items():
        np.testing.assert_allclose(found[False][name], gradient, rtol=0, atol=1e-5 * np.abs(gradient).max(), err_msg=name)


def test_where_it_pays() -> None:
    three, five = trials.square(3), trials.square(5)
    assert form_of(three, 16, 32, 14, 14, 196) == 0 and form_of(five, 16, 32, 20, 20, 400) == 1
    assert form_of(three, 32, 16, 6, 6, 16) is None  # the input's gradient from 4×4 pixels
    for window, C, O, rows, cols in (
        (trials.square(3, 2), 16, 32, 14, 14),  # two outputs side by side share too little
        (Window((3, 5), (1, 1)), 16, 32, 14, 14),
        (trials.square(7), 16, 32, 14, 14),
        (three, 1, 32, 14, 14),  # most lanes idle
        (three, 16, 4, 14, 14),
        (three, 16, 32, 2, 2),  # less than a tile
        (three, 16, 32, 4, 2000),  # rows of tiles beyond the caches
        (three, 512, 512, 14, 14),  # weights beyond the caches
    ):
        assert form_of(window, C, O, rows, cols, rows * cols) is None, (window, C, O, rows, cols)
