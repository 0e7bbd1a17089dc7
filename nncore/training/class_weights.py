"""Class weights: how much the images of each class count in the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from nncore.arrays import Array
from nncore.training.values import Kind, Number, listed, number_text

ClassWeights: TypeAlias = str | tuple[float, ...]
"""`none`, `balanced`, or a weight for each class."""

NONE, BALANCED = NAMES = ("none", "balanced")
WEIGHT = Number(1e-4, 1e4)


@dataclass(frozen=True)
class Weighted(Kind):
    """ClassWeights."""

    metavar = "HOW"
    words = "none, balanced, or a number from 0.0001 to 10,000 for each class, such as 1,2.5,1"

    def check(self, title: str, value: Any) -> ClassWeights:
        if isinstance(value, str) and value in NAMES:
            return str(value)
        if not isinstance(value, list | tuple) or not value or not all(WEIGHT.holds(weight) for weight in value):
            raise self.refusal(title, value)
        return tuple(float(weight) for weight in value)

    def parse(self, title: str, text: str) -> ClassWeights:
        if text.strip() in NAMES:
            return text.strip()
        try:
            return self.check(title, [float(part) for part in text.split(",")])
        except ValueError:  # also ConfigError
            raise self.refusal(title, text) from None

    def show(self, value: Any) -> str:
        return value if isinstance(value, str) else listed(number_text(weight) for weight in value)


def balanced(counts: Array) -> tuple[float, ...]:
    """N / (K · count) for each class, where N is the sum of `counts`, int (classes), and K how many classes have images.

    Then all classes count alike, however many images each has, and an image counts 1 on average; 1 for a class without images.
    What scikit-learn calls balanced (King and Zeng 2001).
    """
    present = np.maximum(np.count_nonzero(counts), 1)
    return tuple(float(counts.sum() / (present * count)) if count else 1.0 for count in counts)


def weights_of(chosen: ClassWeights, counts: Array | None) -> tuple[float, ...]:
    """A weight for each class; none where all count alike, or where balanced weights have no counts to follow from."""
    if isinstance(chosen, tuple):
        return chosen
    return balanced(counts) if chosen == BALANCED and counts is not None else ()
