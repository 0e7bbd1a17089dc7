"""From a picture to its digits: what the drawing sheet, the probe and `digitlab predict` have in common. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from nncore.arrays import Array, Shape, shape_text
from nncore.errors import ConfigError
from nncore.prediction import Predictor
from nncore.vision import Box, Classifier, Stage, fit_colour, see_digit, see_drawing, see_page

SURE = 0.8
"""Probability from which an answer counts as sure."""
NO_DIGIT_BELOW, DIGIT_FROM = 0.1, 0.7
"""Below the first probability of being a digit at all something counts as none; up to the second no answer to it is sure.

Of the detector's held-out images, whose digits are harder than most (worn, of odd hands), 0.5 % lie below the first and another
1.7 % below the second; of non-digits 92 % and another 6 %. The second was lowered after a look at what `benchmarks/doubt.py` finds,
so these are a little better than those of pictures that nobody has looked at."""
MOST_STRANGERS = 1 / 3
"""Where more of a picture than this share is not surely a digit, nothing on it is: the o of a word is a 0 by itself."""
LETTERS = 3
"""A word of which at least so many pieces, and more than half, are rather none than digits is one of letters. No piece of it is a
digit, since letters that look like digits stand among others: HOUSE is not 0 5. Fewer say too little of their neighbours: A4 and
x = 5 may hold digits."""
WORD_GAP, WIDE_GAP, LETTER_GAPS = 0.25, 0.8, 2.5
"""Between two words of a line the gap is at least the first, as a share of the pieces' height, and either the second or so many
times the median of the line's gaps."""
BAR, MOST_BARS, ONLY = 5, 4, 0.9
"""Width of an upright bar in pixels of 28, and up to how many of them are surely digits where they are this share of all: more are
a fence, bricks, a bar code."""
DIGITS = 10

Detector: TypeAlias = Callable[[Array], Array]
"""From uint8 images (N, 28, 28, 1), as networks for grey images take them, to the probability of each that it is a digit at all,
whichever: float32 (N)."""


class Verdict(Enum):
    """How far an answer can be trusted."""

    SURE = "sure"
    UNSURE = "not sure"
    NO_DIGIT = "no digit"


@dataclass(frozen=True, eq=False)
class Found:
    """A digit that was found in a picture, before any network has seen it."""

    box: Box
    """Where in the picture it lies: (x, y, width, height) in the picture's pixels."""
    image: Array
    """uint8 (height, width, channels): the digit as the network takes it."""
    line: int = 0
    """The line it stands in, from 0."""
    digit_probability: float = 1.0
    """The probability that it is a digit at all; 1 where no detector was asked."""
    strangers: float = 0.0
    """The share of what was found in the picture that is not surely a digit."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture as a network sees it."""

    found: tuple[Found, ...] = ()
    """The digits in it, in reading order, and what may be none; empty where there is nothing on the picture."""
    stages: tuple[Stage, ...] = ()
    """How the picture became those images."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network says of one image."""

    digit: int
    probabilities: Array
    """float32 (classes)"""

    @classmethod
    def of(cls, probabilities: Array) -> Answer:
        """The most probable class of float32 (classes)."""
        return cls(int(probabilities.argmax()), probabilities)

    @cached_property
    def confidence(self) -> float:
        """The probability of the digit, 0 to 1."""
        return float(self.probabilities.max())

    @cached_property
    def likeliest(self) -> tuple[int, int]:
        """The two most probable digits, the most probable first."""
        first, second = np.argsort(-self.probabilities, kind="stable")[:2]
        return int(first), int(second)


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit of a picture: where it lies, what the network saw, and what it says."""

    box: Box
    """(x, y, width, height) in the picture's pixels."""
    image: Array
    """uint8 (height, width, channels)"""
    answer: Answer
    line: int = 0
    """The line it stands in, from 0."""
    digit_probability: float = 1.0
    """The probability that it is a digit at all; 1 where no detector was asked."""
    strangers: float = 0.0
    """The share of what was found in the picture that is not surely a digit."""

    @cached_property
    def verdict(self) -> Verdict:
        """How far the answer can be trusted."""
        if self.digit_probability < NO_DIGIT_BELOW:
            return Verdict.NO_DIGIT
        sure = self.answer.confidence >= SURE and self.digit_probability >= DIGIT_FROM and self.strangers <= MOST_STRANGERS
        return Verdict.SURE if sure else Verdict.UNSURE


def see(
    picture: Array,
    input_shape: Shape,
    drawn: bool = False,
    classify: Classifier | None = None,
    detect: Detector | None = None,
) -> Seen:
    """`picture`, uint8 (height, width, 1 or 3) of any size, as networks of that input shape want their images.

    `drawn` says that it is a drawing on our own sheet: ink on nothing else. `classify` decides what belongs to which digit, so
    it should be a good network whatever network is asked in the end; without it the picture is taken to hold one digit.
    `detect` tells what is no digit; without it everything that is found counts as one, as it does for networks for colour.

    Networks for grey images get the digits cropped, scaled and centred as in MNIST, those for colour the whole picture.
    Raises ConfigError for networks that take neither.
    """
    if len(input_shape) == 3 and input_shape[2] == 3:
        return whole(fit_colour(picture, input_shape), picture)
    if input_shape not in ((28, 28, 1), (784,)):
        raise ConfigError(
            f"This network takes {shape_text(input_shape)}; pictures can be shown to networks for 28×28×1 or for colour images."
        )
    sight = see_drawing(picture, classify) if drawn else see_digit(picture) if classify is None else see_page(picture, classify)
    found = tuple(Found(each.box, each.image, each.line) for each in sight.digits)
    if not detect or not found:
        return Seen(found, tuple(sight.stages))
    found = detected(found, detect)
    none = sum(each.digit_probability < NO_DIGIT_BELOW for each in found)
    if none and len(found) > 1:
        *before, last = sight.stages
        words = f"{last.words} A second network takes {none} of them for no digit{'s' if none > 1 else ''}."
        return Seen(found, (*before, last._replace(words=words)))
    return Seen(found, tuple(sight.stages))


def detected(found: Sequence[Found], detect: Detector) -> tuple[Found, ...]:
    """What was found in one picture, uint8 (28, 28, 1) each and at least one, with what the detector says of it."""
    images = np.stack([each.image for each in found])
    probabilities = np.array(detect(images))
    for word in _words(found):
        letters = int((probabilities[word] < DIGIT_FROM).sum())
        if letters >= LETTERS and 2 * letters > len(word):
            probabilities[word] = 0.0
    strangers = 1.0 if _are_bars(images) else float((probabilities < DIGIT_FROM).mean())
    return tuple(
        replace(each, digit_probability=probability, strangers=strangers)
        for each, probability in zip(found, probabilities.tolist(), strict=True)
    )


def _words(found: Sequence[Found]) -> list[list[int]]:
    """Which pieces of a line stand close to each other, as their places in `found`."""
    words = []
    for line in sorted({each.line for each in found}):
        order = sorted((n for n, each in enumerate(found) if each.line == line), key=lambda n: found[n].box[0])
        height = float(np.median([found[n].box[3] for n in order]))
        gaps = [found[right].box[0] - found[left].box[0] - found[left].box[2] for left, right in pairwise(order)]
        usual = LETTER_GAPS * float(np.median(gaps)) if gaps else 0.0
        words.append(order[:1])
        for right, gap in zip(order[1:], gaps, strict=True):
            if gap >= max(WORD_GAP * height, min(WIDE_GAP * height, usual)):
                words.append([])
            words[-1].append(right)
    return words


def whole(image: Array, picture: Array) -> Seen:
    """A picture that is one digit from edge to edge, which the network takes as `image`."""
    height, width = picture.shape[:2]
    return Seen((Found((0, 0, width, height), image),))


def _are_bars(images: Array) -> bool:
    """Whether uint8 images (N, 28, 28, 1) are upright bars, too many of them, and hardly anything else."""
    return len(images) > MOST_BARS and float(((images > 127).any(axis=(1, 3)).sum(axis=1) <= BAR).mean()) >= ONLY


def answered(predict: Callable[[Array], Array], found: Sequence[Found]) -> list[Digit]:
    """What a network says of what was found, in its order, also of what is no digit: its verdict says so.

    `predict` gives the network's probabilities, float32 (N, classes), for uint8 images (N, height, width, channels).

    To a network that tells other classes apart than ten digits it does not matter what is a digit.
    """
    if not found:
        return []
    probabilities = predict(np.stack([each.image for each in found]))
    knows_digits = probabilities.shape[1] == DIGITS
    return [
        Digit(
            each.box,
            each.image,
            Answer.of(row),
            each.line,
            each.digit_probability if knows_digits else 1.0,
            each.strangers if knows_digits else 0.0,
        )
        for each, row in zip(found, probabilities, strict=True)
    ]


def recognise(
    predictor: Predictor,
    picture: Array,
    drawn: bool = False,
    classify: Classifier | None = None,
    detect: Detector | None = None,
) -> list[Digit]:
    """The digits in a picture, uint8 (height, width, 1 or 3) of any size, and what the predictor's network says of each.

    The list is in reading order, and empty where there is nothing on the picture. `drawn`, `classify` and `detect` as in `see`;
    what is no digit is in the list, too, and its verdict says so. Raises ConfigError where the network takes no pictures.
    """
    return answered(predictor.predict, see(picture, predictor.network.input_shape, drawn, classify, detect).found)


def digits_of(digits: Sequence[Digit]) -> list[Digit]:
    """Those that are digits, surely or not; a line in which there is none does not count as one."""
    kept = [digit for digit in digits if digit.verdict is not Verdict.NO_DIGIT]
    numbers = {line: number for number, line in enumerate(sorted({digit.line for digit in kept}))}
    return [replace(digit, line=numbers[digit.line]) for digit in kept]


def lines_of(digits: Sequence[Digit]) -> list[str]:
    """The digits of a picture as text, a line each; what is no digit is left out, and what is not sure is its likeliest digit."""
    kept = digits_of(digits)
    lines = [""] * (max((digit.line for digit in kept), default=-1) + 1)
    for digit in kept:
        lines[digit.line] += str(digit.answer.digit)
    return lines


def foremost(digits: Sequence[Digit]) -> Digit | None:
    """The one to look at closely: the first digit, or where there is none, the first of what was found; None for nothing."""
    return next((digit for digit in digits if digit.verdict is not Verdict.NO_DIGIT), digits[0] if digits else None)
