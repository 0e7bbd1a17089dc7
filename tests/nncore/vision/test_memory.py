"""What is remembered of a drawing while it grows."""

from __future__ import annotations

import numpy as np

from benchmarks.drawn_pages import written
from nncore.arrays import Array
from nncore.vision import Memory, see_drawing
from nncore.vision import memory as memory_module
from nncore.vision.centring import centre_digit


def sheet(text: str, count: int) -> Array:
    """A drawing of the first `count` digits of the text, each where it stands in the whole."""
    ink, boxes = written([text], seed=3)
    end = boxes[count - 1][0] + boxes[count - 1][2] + 2
    drawing = np.round(255 * ink).astype(np.uint8)[..., None]
    drawing[:, end:] = 0
    return drawing


def guess(images: Array) -> Array:
    """Probabilities that depend on the images and nothing else."""
    scores = images.reshape(len(images), -1)[:, :780].reshape(len(images), 10, 78).sum(axis=2) + 1.0
    return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)


def test_a_drawing_is_seen_the_same_with_a_memory_and_finished_digits_are_not_centred_again(monkeypatch):
    centred = []

    def watched(ink: Array) -> Array:
        centred.append(ink.shape)
        return centre_digit(ink)

    monkeypatch.setattr(memory_module, "centre_digit", watched)
    memory = Memory(guess)
    for count in (1, 2, 3, 4, 4):
        drawing = sheet("3805", count)
        plain, remembered = see_drawing(drawing, guess), see_drawing(drawing, memory)
        assert [each.box for each in plain.digits] == [each.box for each in remembered.digits]
        assert all(np.array_equal(a.image, b.image) for a, b in zip(plain.digits, remembered.digits, strict=True))
    before = len(centred)
    see_drawing(sheet("3805", 4), memory)
    assert before and len(centred) == before


def test_a_memory_asks_nothing_twice_and_forgets_the_oldest(monkeypatch):
    asked = []
    memory = Memory(lambda images: asked.append(len(images)) or guess(images))
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28, 1), np.uint8)
    np.testing.assert_array_equal(memory(images[:4]), guess(images[:4]))
    np.testing.assert_array_equal(memory(images[[5, 2, 4, 0]]), guess(images[[5, 2, 4, 0]]))
    assert asked == [4, 2]
    monkeypatch.setattr(memory_module, "MOST_ANSWERS", 6)
    np.testing.assert_array_equal(memory(255 - images), guess(255 - images))
    monkeypatch.setattr(memory_module, "MOST_BYTES", 3 * 4 * 100)
    inks = [np.full((10, 10), value, np.float32) for value in np.linspace(0.5, 1, 20)]
    for ink in inks:
        memory.centre(ink)
    assert len(memory._images) <= 3
    upper, tall, wide = np.ones((10, 10), np.float32), np.ones((5, 20), np.float32), np.ones((20, 5), np.float32)
    upper[5:] = 0
    for ink in (upper, np.ones_like(upper), tall, wide):
        np.testing.assert_array_equal(memory.centre(ink), centre_digit(ink))


def test_the_bar_that_a_five_begins_with_is_not_tried_in_parts():
    asked = []
    bar = np.zeros((100, 200, 1), np.uint8)
    bar[40:60, 40:160] = 255
    see_drawing(bar, lambda images: asked.append(len(images)) or guess(images))
    assert sum(asked) <= 1, "each movement of the pen would try dozens of parts"


def test_the_classifier_is_asked_only_about_what_may_be_a_digit_of_the_cheapest_way():
    asked = []
    strokes = np.zeros((100, 330, 1), np.uint8)
    for left in range(20, 300, 60):
        strokes[20:80, left : left + 10] = strokes[20:80, left + 24 : left + 34] = 255  # pairs that may be one digit or two

    def sure(images: Array) -> Array:
        asked.append(len(images))
        return np.eye(10, dtype=np.float32)[np.full(len(images), 1)]

    assert len(see_drawing(strokes, sure).digits) == 10
    assert sum(asked) == 3 * 10, "each as it stands and slanted both ways, and none of the pairs"
