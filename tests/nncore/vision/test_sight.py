"""From a picture to the digit that the network sees: placed as in MNIST whatever the colours, the size, the light, the dirt."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nncore.data.synthetic import synthetic
from nncore.vision import centre_digit, fit_colour, ink_map, see_digit
from nncore.vision.centring import stroke_width
from nncore.vision.light import otsu

DIGITS = synthetic("test", 250, seed=2)


def drawn(digit: int = 3, size: int = 160, canvas: tuple[int, int] = (240, 320), at: tuple[int, int] = (30, 90)) -> np.ndarray:
    """The ink of a digit, 0 to 1, somewhere on a large canvas."""
    image = DIGITS.images[np.flatnonzero(DIGITS.labels == digit)[0], ..., 0]
    large = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)) / 255
    ink = np.zeros(canvas)
    ink[at[0] : at[0] + size, at[1] : at[1] + size] = np.clip((large - 0.3) / 0.4, 0, 1)
    return ink


def on_paper(ink: np.ndarray, paper: tuple[int, ...], pen: tuple[int, ...], light: np.ndarray | float = 1.0) -> np.ndarray:
    picture = (np.array(paper) * (1 - ink[..., None]) + np.array(pen) * ink[..., None]) * np.broadcast_to(light, ink.shape)[
        ..., None
    ]
    return np.clip(picture, 0, 255).astype(np.uint8)


def alike(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.corrcoef(first.ravel().astype(float), second.ravel().astype(float))[0, 1])


PLAIN = see_digit(on_paper(drawn(), (255,), (0,))).image
SLOPE = np.linspace(1, 0.35, 320)[None, :] * np.linspace(1, 0.9, 240)[:, None]
NOISE = np.random.default_rng(0).normal(0, 6, (240, 320, 1))


@pytest.mark.parametrize(
    ("paper", "pen", "light"),
    [
        ((0,), (255,), 1.0),
        ((230, 228, 220), (20, 40, 160), 1.0),
        ((230, 228, 220), (170, 170, 170), 1.0),
        ((120, 190, 120), (205, 140, 120), 1.0),
        ((235, 230, 220), (40, 40, 50), SLOPE),
        ((40, 60, 50), (230, 230, 220), SLOPE),
    ],
    ids=["inverted", "blue pen", "pencil", "red on green", "uneven light", "blackboard"],
)
def test_colours_and_light_do_not_matter(paper: tuple[int, ...], pen: tuple[int, ...], light: np.ndarray | float) -> None:
    picture = on_paper(drawn(), paper, pen, light)
    noisy = np.clip(picture + NOISE, 0, 255).astype(np.uint8)
    assert alike(see_digit(picture).image, PLAIN) > 0.97
    assert alike(see_digit(noisy).image, PLAIN) > 0.88


@pytest.mark.parametrize("size", [30, 60, 220])
@pytest.mark.parametrize("at", [(0, 0), (10, 95)])
def test_size_and_place_do_not_matter(size: int, at: tuple[int, int]) -> None:
    seen = see_digit(on_paper(drawn(size=size, at=at), (255,), (0,))).image
    assert alike(seen, PLAIN) > 0.9


def test_mnists_own_digits_stay_nearly_as_they_are() -> None:
    likeness = [alike(see_digit(image).image, image) for image in DIGITS.images[:100]]
    assert np.median(likeness) > 0.97


def test_specks_frames_bars_and_ruled_lines_go() -> None:
    ink = drawn()
    frame, specks, ruled, bar = ink.copy(), ink.copy(), ink.copy(), ink.copy()
    frame[[0, 1, 2, -3, -2, -1]] = frame[:, [0, 1, 2, -3, -2, -1]] = 1
    specks[np.arange(5, 235, 25)[:, None] + np.arange(2), 10:12] = 1
    ruled[20::40] = np.maximum(ruled[20::40], 0.5)
    bar[:20] = 0.8
    for name, dirty in (("frame", frame), ("specks", specks), ("ruled", ruled), ("bar", bar)):
        assert alike(see_digit(on_paper(dirty, (250,), (10,))).image, PLAIN) > 0.9, name


def test_a_detached_stroke_of_a_digit_stays() -> None:
    ink = np.zeros((100, 100))
    ink[30:80, 40:46] = 1
    ink[20:26, 50:75] = 1
    image = see_digit(on_paper(ink, (255,), (0,))).image
    assert image[5:8, 14:].max() > 100


@pytest.mark.parametrize(
    "picture",
    [
        np.full((280, 280, 1), 255, np.uint8),
        np.zeros((280, 280, 1), np.uint8),
        np.full((1, 1, 3), 7, np.uint8),
        np.full((1, 500, 1), 200, np.uint8),
        np.full((500, 2, 3), 200, np.uint8),
        np.random.default_rng(0).normal(200, 4, (90, 120, 3)).astype(np.uint8),
        np.broadcast_to(np.linspace(80, 220, 200).astype(np.uint8)[None, :, None], (150, 200, 1)),
    ],
    ids=["white", "black", "pixel", "row", "columns", "noise", "slope"],
)
def test_a_blank_picture_is_blank(picture: np.ndarray) -> None:
    sight = see_digit(picture)
    assert sight.blank and not sight.image.any() and sight.image.shape == (28, 28, 1)


@pytest.mark.parametrize("shape", [(1, 2, 1), (2, 1, 3), (3, 3, 1), (28, 28, 3), (7, 900, 1), (900, 5, 3)])
def test_no_picture_is_too_odd(shape: tuple[int, ...]) -> None:
    for seed in range(5):
        picture = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        sight = see_digit(picture)
        assert sight.image.shape == (28, 28, 1) and sight.image.dtype == np.uint8 and sight.blank == (not sight.image.any())


def test_stages_show_what_happened() -> None:
    sight = see_digit(on_paper(drawn(), (230, 228, 220), (20, 40, 160)))
    titles = [title for title, *_ in sight.stages]
    assert titles[0] == "Picture" and titles[-1] == "Centred" and len(set(titles)) == len(titles) >= 5
    assert all(picture.dtype == np.uint8 and picture.ndim == 3 for _, picture, _ in sight.stages)


def test_the_ink_balances_in_the_middle_within_twenty_pixels() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        ink = np.zeros((60, 80))
        points = rng.integers(5, 50, (4, 2))
        for row, column in points:
            ink[row : row + 8, column : column + 5] = 1
        image = centre_digit(ink.astype(np.float32)).astype(float)
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        assert max(np.ptp(rows), np.ptp(columns)) == 19
        for axis, span in ((1, rows), (0, columns)):
            balance = image.sum(axis=axis) @ np.arange(28) / image.sum()
            assert abs(balance - 14) <= 0.5 + 1e-6 or span[0] == 0 or span[-1] == 27


@pytest.mark.parametrize(("pen", "limit"), [("thin", "THINNEST"), ("thick", "THICKEST")])
def test_thin_and_thick_pens_are_mended(monkeypatch: pytest.MonkeyPatch, pen: str, limit: str) -> None:
    rows, columns = np.indices((200, 200)) - 100
    radius = np.hypot(rows, columns)
    ink = (np.abs(radius - 70) < {"thin": 2, "thick": 22}[pen]).astype(np.float32)
    mended = stroke_width(centre_digit(ink) / 255)
    monkeypatch.setattr(f"nncore.vision.centring.{limit}", {"thin": 0, "thick": 99}[pen])
    plain = stroke_width(centre_digit(ink) / 255)
    assert mended > 1.4 * plain if pen == "thin" else mended < 0.8 * plain


def test_ink_map_is_between_zero_and_one() -> None:
    ink = ink_map(on_paper(drawn(), (200, 200, 200), (10, 10, 10)))
    assert ink.dtype == np.float32 and ink.min() == 0 and ink.max() == 1
    assert alike(ink, drawn()) > 0.97
    large = ink_map(np.full((700, 1400, 1), 200, np.uint8))
    assert large.shape == (320, 640) and not large.any()


def test_otsu_parts_two_groups() -> None:
    values = np.concatenate([np.full(900, 40.0), np.full(100, 200.0)])
    assert 40 < otsu(values) < 200
    assert otsu(np.full(10, 7.0)) == 7


def test_fit_colour() -> None:
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, :, 0] = 200
    for shape in ((32, 32, 3), (32, 32, 1), (28, 20, 3)):
        fitted = fit_colour(picture, shape)
        assert fitted.shape == shape and fitted.dtype == np.uint8
    assert (fit_colour(picture, (32, 32, 3)) == (200, 0, 0)).all()
    assert (fit_colour(picture, (32, 32, 1)) == 60).all()
    same = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fit_colour(same, (32, 32, 3)), same)
    np.testing.assert_array_equal(fit_colour(same[..., :1], (32, 32, 3)), np.repeat(same[..., :1], 3, axis=2))
