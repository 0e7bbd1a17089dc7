"""Split: a part of the data of a run. Qt-free."""

from __future__ import annotations

from enum import Enum


class Split(Enum):
    """The images that a training holds out, those of the data's test part, and those that the network learned from."""

    HELD_OUT = "held-out"
    TEST = "test"
    TRAINING = "training"
