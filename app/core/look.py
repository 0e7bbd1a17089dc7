"""Looking at the probe through the network of a moment: the one computation behind every view. Qt-free."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.core import engine
from app.core.in_view import NetworkInView
from app.core.probe import Kind, Probe
from app.core.timeline import Moment
from models.shipped import DEFAULT_PICTURE_NETWORK, open_weights
from nncore.arrays import Array, Shape
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.recognition import Answer, Seen, see


@dataclass(frozen=True, eq=False)
class Question:
    """What should be looked at, and whether the layers' outputs are wanted too."""

    network: NetworkInView
    moment: Moment
    probe: Probe
    layers: bool


@dataclass(frozen=True, eq=False)
class Look:
    """What there was to see."""

    question: Question
    seen: Seen
    """The probe as the network sees it."""
    answer: Answer
    layers: tuple[tuple[str, Array], ...] = ()
    """The output of each layer by name, without the batch axis, where asked for."""


class Looker:
    """Looks, keeping the network and the prepared probe from one question to the next, since mostly only one changes."""

    def __init__(self) -> None:
        self._architecture: Mapping[str, Any] | None = None
        self._predictor: Predictor | None = None
        self._probe: Probe | None = None
        self._prepared_for: Predictor | None = None
        self._seen = Seen(None)

    def warm_up(self) -> None:
        """Load what the preparation of pictures needs, so that the first stroke is answered as fast as every later one."""
        sheet = np.zeros((112, 112, 1), np.uint8)
        sheet[30:80, 50:60] = 255
        see(sheet, (28, 28, 1))
        see(sheet, (28, 28, 1), drawn=True)
        if engine.is_ready():  # otherwise the readable path answers, in a millisecond more
            Predictor(open_weights(DEFAULT_PICTURE_NETWORK)[0]).prepare()

    def look(self, question: Question) -> Look:
        """Answer a question. Raises ConfigError where the probe cannot be shown to this network."""
        predictor = self._predictor_for(question)
        seen = self._see(question.probe, predictor)
        if seen.image is None:
            return Look(question, seen, Answer.blank(predictor.network.output_shape[0]))
        if not question.layers:
            return Look(question, seen, Answer.of(predictor.predict(seen.image[None])[0]))
        probabilities, outputs = predictor.look(seen.image[None])
        return Look(question, seen, Answer.of(probabilities[0]), tuple((name, values[0]) for name, values in outputs.items()))

    def _predictor_for(self, question: Question) -> Predictor:
        if self._predictor is None or self._architecture is not question.network.architecture:
            self._predictor = Predictor(Network.from_config(question.network.architecture))
            self._architecture = question.network.architecture
        self._predictor.network.load_state_dict(question.moment.state)
        return self._predictor

    def _see(self, probe: Probe, predictor: Predictor) -> Seen:
        if probe is not self._probe or predictor is not self._prepared_for:
            self._seen = see_probe(probe, predictor.network.input_shape)
            self._probe, self._prepared_for = probe, predictor
        return self._seen


def see_probe(probe: Probe, input_shape: Shape) -> Seen:
    """The probe as a network of that input shape sees it: an image of a dataset as it is, any other picture prepared."""
    if probe.picture is None:
        return Seen(None)
    if probe.kind is Kind.DATASET and probe.picture.size == math.prod(input_shape):
        return Seen(probe.picture)
    return see(probe.picture, input_shape, probe.kind is Kind.DRAWING)
