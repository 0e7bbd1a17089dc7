"""Augmentation: each setting does what it says, and the compiled path does what the formula does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from nncore.backend.cpu.warp import vary_quickly
from nncore.backend.variations import KNOTS, Variations
from nncore.data import synthetic, synthetic_street
from nncore.data.augment import AUGMENTATIONS, LIMITS, Augmentation, augmentation, noise_table, splines, vary
from nncore.errors import ConfigError

DIGITS = synthetic("test", 60, seed=5).images
STREET = synthetic_street("test", 30, seed=5).images


def quickly(images: np.ndarray, variations: Variations) -> np.ndarray:
    return vary_quickly(images, variations, splines(images.shape[1]), splines(images.shape[2]), noise_table())


PATHS = pytest.mark.parametrize("path", [vary, quickly], ids=["formula", "compiled"])


def still(count: int, **changed: np.ndarray) -> Variations:
    """Variations that change nothing but what is given."""
    nothing = Variations(
        np.tile(np.eye(2, dtype=np.float32), (count, 1, 1)),
        np.zeros((count, 2), np.float32),
        np.zeros((count, KNOTS, KNOTS, 2), np.float32),
        np.zeros(count, np.float32),
        np.zeros(count, np.float32),
        np.zeros(count, np.int32),
    )
    return replace(nothing, **{name: np.asarray(value, getattr(nothing, name).dtype) for name, value in changed.items()})


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if name != "none"])
@pytest.mark.parametrize(
    "images",
    [
        DIGITS,
        np.tile(DIGITS, (15, 1, 1, 1)),
        STREET,
        DIGITS[:9, :5, :9],
        DIGITS[:9, :1, :7],
        STREET[:9, :17, :1],
        DIGITS[:1],
        DIGITS[:0],
        STREET[:, ::2, :31],
    ],
    ids=lambda images: "×".join(map(str, images.shape)),
)
def test_the_compiled_path_is_the_formula(name, images, rng):
    variations = AUGMENTATIONS[name].draw(len(images), rng)
    before = images.copy()
    found, expected = quickly(images, variations), vary(images, variations)
    assert found.shape == expected.shape == images.shape and found.dtype == expected.dtype == np.uint8
    apart = np.abs(found.astype(int) - expected)
    # Sums are taken in another order, which now and then rounds to the neighbouring byte.
    assert apart.max(initial=0) <= 1 and (apart > 0).mean() < 1e-3 if apart.size else True
    assert np.array_equal(images, before)


@PATHS
@pytest.mark.parametrize("images", [DIGITS, STREET])
def test_nothing_asked_for_nothing_changed(path, images):
    assert np.array_equal(path(images, still(len(images))), images)
    assert Augmentation()(images, np.random.default_rng(0)) is images


@PATHS
def test_a_shift_moves_by_its_pixels_and_repeats_the_edge(path):
    # A pixel looks 3 to the left and 2 down, so what it shows moves right and up.
    found = path(STREET, still(30, shift=np.tile((-3, 2), (30, 1))))
    assert np.array_equal(found[:, :-2, 3:], STREET[:, 2:, :-3])
    assert (found[:, :, :3] == found[:, :, 3:4]).all() and (found[:, -2:] == found[:, -3:-2]).all()


@PATHS
def test_a_quarter_turn_is_a_quarter_turn(path):
    quarter = np.tile(((0, 1), (-1, 0)), (60, 1, 1))
    assert np.array_equal(path(DIGITS, still(60, linear=quarter)), np.rot90(DIGITS, -1, axes=(1, 2)))


@PATHS
def test_half_a_pixel_is_the_mean_of_two(path):
    found = path(DIGITS, still(60, shift=np.tile((0.5, 0), (60, 1))))
    mean = (DIGITS[:, :, :-1].astype(float) + DIGITS[:, :, 1:]) / 2
    assert np.abs(found[:, :, :-1] - mean).max() <= 0.5


@PATHS
def test_strokes_grow_and_shrink_by_a_pixel_at_their_edges(path):
    cross = ndimage.generate_binary_structure(2, 1)
    grown = np.stack([ndimage.grey_dilation(image[..., 0], footprint=cross, mode="nearest") for image in DIGITS])
    shrunk = np.stack([ndimage.grey_erosion(image[..., 0], footprint=cross, mode="nearest") for image in DIGITS])
    assert np.array_equal(path(DIGITS, still(60, thickness=np.ones(60)))[..., 0], grown)
    assert np.array_equal(path(DIGITS, still(60, thickness=-np.ones(60)))[..., 0], shrunk)
    half = path(DIGITS, still(60, thickness=np.full(60, 0.5)))[..., 0]
    assert np.abs(half - (DIGITS[..., 0].astype(float) + grown) / 2).max() <= 0.5


@PATHS
def test_noise_has_its_strength_and_is_another_for_each_image(path):
    grey = np.full((200, 28, 28, 3), 128, np.uint8)
    found = path(grey, still(200, noise=np.full(200, 10), noise_from=np.arange(200) * 300)).astype(float) - 128
    assert abs(found.mean()) < 0.1 and abs(found.std() - 10) < 0.1
    assert np.abs(np.corrcoef(found[:4].reshape(4, -1)) - np.eye(4)).max() < 0.1


def test_the_elastic_warp_moves_pixels_as_far_as_it_says_and_smoothly(rng):
    control = Augmentation(elastic=1.5).draw(4000, rng).control
    field = np.einsum("yk,nklc,xl->nyxc", splines(28), control, splines(28), optimize=True)
    assert field.std() == pytest.approx(1.5, rel=0.05)
    steps = np.abs(np.diff(field, axis=1))
    assert steps.mean() < 0.35, "neighbours move together"
    assert np.allclose(splines(28).sum(axis=1), 1) and splines(1).shape == (1, KNOTS)


def test_the_warp_of_a_colour_picture_is_the_same_for_each_channel(rng):
    grey = np.repeat(DIGITS, 3, axis=3)
    found = replace(AUGMENTATIONS["strong"], noise=0)(grey, rng)
    assert np.array_equal(found[..., 0], found[..., 1]) and np.array_equal(found[..., 1], found[..., 2])


@pytest.mark.parametrize(
    ("setting", "most", "measure"),
    [
        ("rotate", 20, lambda v: np.degrees(np.arctan2(v.linear[:, 0, 1], v.linear[:, 0, 0]))),
        ("shear", 20, lambda v: np.degrees(np.arctan(-v.linear[:, 0, 1]))),
        ("scale", 0.25, lambda v: 1 / v.linear[:, 0, 0] - 1),
        ("shift", 3, lambda v: v.shift),
        ("thickness", 0.7, lambda v: v.thickness),
        ("noise", 9, lambda v: v.noise),
    ],
)
def test_each_setting_is_drawn_up_to_its_most(rng, setting, most, measure):
    found = measure(Augmentation(**{setting: most}).draw(5000, rng))
    assert found.max() == pytest.approx(most, rel=0.01) and found.max() <= most * 1.0001
    least = {"noise": 0, "scale": 1 / 1.25 - 1}.get(setting, -most)
    assert found.min() == pytest.approx(least, abs=most * 0.01)


def test_the_seed_decides(rng):
    strong = AUGMENTATIONS["strong"]
    first, again, other = (strong(DIGITS, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert all(not np.array_equal(a, b) for a, b in zip(first, DIGITS, strict=True))


def test_augmentations_have_names_and_can_be_written_out():
    assert augmentation("light") is AUGMENTATIONS["light"]
    assert augmentation("shift=2, rotate=10") == Augmentation(shift=2, rotate=10)
    for each in AUGMENTATIONS.values():
        assert Augmentation.from_dict(each.as_dict()) == each
    assert set(LIMITS) == set(Augmentation().as_dict())


@pytest.mark.parametrize("settings", [None, [], 5, "light", {"blur": 1}, {"shift": None}, {"shift": True}])
def test_settings_that_are_none_are_refused(settings):
    with pytest.raises(ConfigError):
        Augmentation.from_dict(settings)


def test_the_kernel_takes_no_variations_of_other_images(rng):
    with pytest.raises(ValueError, match="as many rows"):
        quickly(DIGITS, AUGMENTATIONS["light"].draw(59, rng))
    with pytest.raises(ValueError, match="uint8"):
        quickly(DIGITS.astype(np.float32), still(60))


@pytest.mark.parametrize("text", ["heavy", "shift", "shift=far", "shift=99", "rotate=-1", "scale=nan", "blur=1", ""])
def test_what_makes_no_sense_is_one_sentence(text):
    with pytest.raises(ConfigError) as told:
        augmentation(text)
    assert "\n" not in str(told.value)
