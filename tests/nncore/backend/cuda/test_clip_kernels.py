"""The kernels that clip gradients, each by itself on the host device, and a step that is taken in passes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from kernel import run, threads, values

THREADS = 256


@pytest.mark.parametrize("blocks", [1, 3, 64])
@pytest.mark.parametrize("size", [1, 255, 256, 1000, 40_000])
def test_the_squares_of_a_gradient(size: int, blocks: int) -> None:
    gradient = np.random.default_rng(size).normal(size=size).astype(np.float32)
    partial = values(np.full(blocks + 1, 1234), np.float32)
    arguments = {"gradient": values(gradient, np.float32), "partial": partial, "size": size}
    run("gradient_squares", ((blocks, 1, 1), (THREADS, 1, 1)), arguments, (THREADS,))
    parts = [sum(gradient[block * THREADS + t :: blocks * THREADS] @ gradient[block * THREADS + t :: blocks * THREADS]
                 for t in range(THREADS)) for block in range(blocks)]  # fmt: skip
    np.testing.assert_allclose(partial.buffer[:blocks], parts, rtol=1e-5)
    assert partial.buffer[blocks] == 1234, "it wrote behind its partial sums"


@pytest.mark.parametrize("max_norm", [0.5, 4.0, 5.0, 6.0])
@pytest.mark.parametrize("size", [1, 256, 700])
def test_copies_are_made_shorter(size: int, max_norm: float) -> None:
    """The norm is 5: the partial sums of its square are 9 and 16."""
    given = np.random.default_rng(size).normal(size=size + 3).astype(np.float32)
    copies = values(given, np.float32)
    arguments = {"copies": copies, "partial": values([9, 16], np.float32), "max_norm": max_norm, "parts": 2, "size": size}
    run("clip_copies", threads(size), arguments)
    np.testing.assert_allclose(copies.buffer[:size], given[:size] * min(1, max_norm / (5 + 1e-6)), rtol=1e-6)
    np.testing.assert_array_equal(copies.buffer[size:], given[size:])
    if max_norm > 5:
        np.testing.assert_array_equal(copies.buffer, given)


def test_a_gradient_of_zeros_stays_one() -> None:
    copies = values(np.zeros(3), np.float32)
    run("clip_copies", threads(3), {"copies": copies, "partial": values([0], np.float32), "max_norm": 0.1, "parts": 1, "size": 3})
    assert not copies.buffer.any()


def test_a_gradient_as_short_as_the_smallest_norm_is_halved() -> None:
    """The norm and what is added to it are both 10⁻⁶."""
    copies = values([1e-6], np.float32)
    arguments = {"copies": copies, "partial": values([1e-12], np.float32), "max_norm": 1e-6, "parts": 1, "size": 1}
    run("clip_copies", threads(1), arguments)
    assert copies.buffer[0] == pytest.approx(5e-7)


def test_a_norm_that_is_no_number_shows_in_every_copy() -> None:
    copies = values(np.ones(3), np.float32)
    partial = values([math.nan], np.float32)
    run("clip_copies", threads(3), {"copies": copies, "partial": partial, "max_norm": 0.1, "parts": 1, "size": 3})
    assert np.isnan(copies.buffer).all()
