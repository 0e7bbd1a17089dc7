"""From a picture to an answer: what the drawing sheet, the probe and `digitlab predict` have in common. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, Shape, shape_text
from nncore.errors import ConfigError
from nncore.prediction import Predictor
from nncore.vision import fit_colour, see_digit, see_drawing


@dataclass(frozen=True)
class Seen:
    """A picture as a network sees it."""

    image: Array | None
    """uint8 (height, width, channels); None where there is nothing on the picture"""
    stages: tuple[tuple[str, Array], ...] = ()
    """How the picture became that image: a title and uint8 pixels a stage."""


@dataclass(frozen=True)
class Answer:
    """What a network says of one picture. `digit` is None where the picture is blank."""

    digit: int | None
    probabilities: Array
    """float32 (classes); all zero where the picture is blank"""

    @classmethod
    def of(cls, probabilities: Array) -> Answer:
        return cls(int(probabilities.argmax()), probabilities)

    @classmethod
    def blank(cls, classes: int) -> Answer:
        return cls(None, np.zeros(classes, np.float32))

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())


def see(picture: Array, input_shape: Shape, drawn: bool = False) -> Seen:
    """`picture`, uint8 (height, width, 1 or 3) of any size, as networks of that input shape want their images.

    `drawn` says that it is a drawing on our own sheet: ink on nothing else.

    Networks for grey images get the digit cropped, scaled and centred as in MNIST, those for colour the whole picture.
    Raises ConfigError for networks that take neither.
    """
    if len(input_shape) == 3 and input_shape[2] == 3:
        return Seen(fit_colour(picture, input_shape))
    if input_shape not in ((28, 28, 1), (784,)):
        raise ConfigError(
            f"This network takes {shape_text(input_shape)}; pictures can be shown to networks for 28×28×1 or for colour images."
        )
    sight = see_drawing(picture) if drawn else see_digit(picture)
    return Seen(None if sight.blank else sight.image, tuple(sight.stages))


def recognise(predictor: Predictor, picture: Array) -> Answer:
    """What the predictor's network says of a picture of any size."""
    network = predictor.network
    image = see(picture, network.input_shape).image
    return Answer.blank(network.output_shape[0]) if image is None else Answer.of(predictor.predict(image[None])[0])
