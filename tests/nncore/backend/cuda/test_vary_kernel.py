"""The augmentation's kernel against the formula in NumPy, and against the CPU's kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kernel import run, threads, values

from nncore.arrays import Array
from nncore.backend.cpu.warp import vary_quickly
from nncore.backend.variations import NOISE, Variations
from nncore.data.augment import AUGMENTATIONS, LIMITS, Augmentation, noise_table, splines, vary

SIZES = ((3, 28, 28, 1), (2, 32, 32, 3), (2, 7, 12, 2), (2, 1, 9, 1), (2, 9, 1, 3), (3, 1, 1, 1), (2, 2, 2, 1))
HARD = Augmentation(**LIMITS)
"""All settings at their limits: most pixels look beyond the edge."""
LATE = 1
"""Images behind those that shall be varied."""


def by_kernel(images: Array, variations: Variations) -> Array:
    """What the kernel makes of the images, which it may not write beyond."""
    count, rows, cols, channels = images.shape
    size = rows * cols * channels
    out = values(np.full((count + LATE) * size, 123), np.uint8)
    arguments = {name: values(value, value.dtype) for name, value in vars(variations).items()}
    arguments |= {"images": values(images, np.uint8), "out": out, "table": values(noise_table(), np.float32)}
    arguments |= {"by_row": values(splines(rows), np.float32), "by_column": values(splines(cols), np.float32)}
    sizes = {"rows": rows, "cols": cols, "C": channels, "count": count}
    run("vary", threads((count + LATE) * rows * cols), arguments | sizes)
    assert (out.buffer[count * size :] == 123).all()
    return out.buffer[: count * size].reshape(images.shape)


def check(images: Array, variations: Variations) -> None:
    """The formula to one grey level, where a value lies on the edge between two; the CPU's kernel but for single such values."""
    found = by_kernel(images, variations)
    assert np.abs(found.astype(int) - vary(images, variations)).max(initial=0) <= 1
    rows, cols = images.shape[1:3]
    quick = vary_quickly(images, variations, splines(rows), splines(cols), noise_table())
    apart = np.abs(found.astype(int) - quick)
    assert apart.max(initial=0) <= 1 and (apart > 0).sum() <= 1 + images.size // 1000


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("augmentation", (AUGMENTATIONS["light"], AUGMENTATIONS["strong"], HARD), ids=("light", "strong", "hard"))
def test_variations_are_the_formulas(shape: tuple[int, ...], augmentation: Augmentation) -> None:
    rng = np.random.default_rng(shape[1])
    images = rng.integers(0, 256, shape, np.uint8)
    check(images, augmentation.draw(len(images), rng))


@pytest.mark.parametrize("setting", LIMITS)
def test_each_setting_by_itself(setting: str) -> None:
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (3, 9, 11, 2), np.uint8)
    check(images, Augmentation(**{setting: LIMITS[setting]}).draw(len(images), rng))


def test_images_that_are_not_varied_stay() -> None:
    rng = np.random.default_rng(4)
    images = rng.integers(0, 256, (2, 8, 9, 3), np.uint8)
    np.testing.assert_array_equal(by_kernel(images, Augmentation().draw(2, rng)), images)


def test_noise_goes_on_at_the_beginning_of_the_table() -> None:
    rng = np.random.default_rng(5)
    images = np.full((2, 6, 5, 1), 128, np.uint8)
    drawn = Augmentation(noise=64).draw(2, rng)
    check(images, replace(drawn, noise_from=np.int32([NOISE - 7, 0])))


def test_no_images() -> None:
    rng = np.random.default_rng(6)
    images = np.zeros((0, 4, 5, 1), np.uint8)
    assert by_kernel(images, HARD.draw(0, rng)).shape == images.shape
