"""From a picture to its digits: what the drawing sheet, the probe and `digitlab predict` have in common. Qt-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from nncore.arrays import Array, Shape, shape_text
from nncore.errors import ConfigError
from nncore.prediction import Predictor
from nncore.vision import Box, Classifier, Stage, fit_colour, see_digit, see_drawing, see_page

SURE = 0.8
"""Probability from which an answer counts as sure."""


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


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture as a network sees it."""

    found: tuple[Found, ...] = ()
    """The digits in it, in reading order; empty where there is nothing on the picture."""
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

    @property
    def confidence(self) -> float:
        """The probability of the digit, 0 to 1."""
        return float(self.probabilities.max())

    @property
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

    @property
    def verdict(self) -> Verdict:
        """How far the answer can be trusted."""
        return Verdict.SURE if self.answer.confidence >= SURE else Verdict.UNSURE


def see(picture: Array, input_shape: Shape, drawn: bool = False, classify: Classifier | None = None) -> Seen:
    """`picture`, uint8 (height, width, 1 or 3) of any size, as networks of that input shape want their images.

    `drawn` says that it is a drawing on our own sheet: ink on nothing else. `classify` decides what belongs to which digit, so
    it should be a good network whatever network is asked in the end; without it the picture is taken to hold one digit.

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
    return Seen(tuple(Found(each.box, each.image, each.line) for each in sight.digits), tuple(sight.stages))


def whole(image: Array, picture: Array) -> Seen:
    """A picture that is one digit from edge to edge, which the network takes as `image`."""
    height, width = picture.shape[:2]
    return Seen((Found((0, 0, width, height), image),))


def answered(predictor: Predictor, found: Sequence[Found]) -> list[Digit]:
    """What the predictor's network says of digits that were found, in their order."""
    if not found:
        return []
    probabilities = predictor.predict(np.stack([each.image for each in found]))
    return [Digit(each.box, each.image, Answer.of(row), each.line) for each, row in zip(found, probabilities, strict=True)]


def recognise(predictor: Predictor, picture: Array, drawn: bool = False, classify: Classifier | None = None) -> list[Digit]:
    """The digits in a picture, uint8 (height, width, 1 or 3) of any size, and what the predictor's network says of each.

    The list is in reading order, and empty where there is nothing on the picture. `drawn` and `classify` as in `see`.
    Raises ConfigError where the network takes no pictures.
    """
    return answered(predictor, see(picture, predictor.network.input_shape, drawn, classify).found)


def lines_of(digits: Sequence[Digit]) -> list[str]:
    """The digits of a picture as text, a line each."""
    lines = [""] * (max((digit.line for digit in digits), default=-1) + 1)
    for digit in digits:
        lines[digit.line] += str(digit.answer.digit)
    return lines
