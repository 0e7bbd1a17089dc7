"""What the pieces of a word say of each other: a letter that looks like a digit is none among letters."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.recognition import Answer, Digit, Found, Verdict, detected, lines_of

WORD, SPACE = 4, 30
"""Pixels between two letters of a word, and between two words."""
NONE, DIGIT = Verdict.NO_DIGIT, Verdict.UNSURE


def read(text: str, likeness: dict[str, float]) -> list[Digit]:
    """A line of pieces, each 20×40 pixels, that the detector takes for digits with those probabilities, else for none."""
    found, left = [], 0
    for sign in text:
        if sign == " ":
            left += SPACE - WORD
            continue
        found.append(Found((left, 0, 20, 40), np.full((28, 28, 1), 255, np.uint8)))
        left += 20 + WORD
    given = np.array([likeness.get(sign, 0.01) for sign in text if sign != " "], np.float32)
    five = Answer.of(np.eye(10, dtype=np.float32)[5])
    return [
        Digit(each.box, each.image, five, each.line, each.digit_probability, each.strangers)
        for each in detected(found, lambda images: given)
    ]


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("HOUSE", [NONE] * 5),
        ("A4", [NONE, DIGIT]),
        ("x = 4", [NONE, NONE, DIGIT]),
        ("HOUSE 4", [NONE] * 5 + [DIGIT]),
        ("4444A", [Verdict.SURE] * 4 + [NONE]),
    ],
)
def test_a_letter_like_a_digit_is_none_among_letters(text, verdicts):
    digits = read(text, {"O": 0.95, "S": 0.95, "4": 0.99})
    assert [digit.verdict for digit in digits] == verdicts
    assert lines_of(digits) == (["5" * sum(each is not NONE for each in verdicts)] if set(verdicts) != {NONE} else [])


def test_lines_are_words_of_their_own():
    found = [Found((24 * n, 50 * line, 20, 40), np.full((28, 28, 1), 255, np.uint8), line) for line in (0, 1) for n in range(4)]
    likely = detected(found, lambda images: np.array([0.01] * 3 + [0.9] + [0.99] * 4, np.float32))
    assert [each.digit_probability > 0.5 for each in likely] == [False] * 4 + [True] * 4
