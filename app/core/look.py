"""What the network of a moment makes of the probe. Every view draws what is computed here. Qt-free."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from app.core import engine
from app.core.edits import NO_EDITS, Edits
from app.core.in_view import NetworkInView
from app.core.probe import Kind, Probe
from app.core.reading import looked_at
from app.core.timeline import Moment
from models.shipped import (
    DEFAULT_PICTURE_NETWORK,
    PARTING_NETWORK,
    digit_detector,
    open_detector,
    open_weights,
    picture_classifier,
)
from nncore.arrays import Array, Shape
from nncore.errors import ConfigError
from nncore.explain.layers import layer_outputs
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.recognition import Detector, Digit, Seen, answered, see, whole
from nncore.vision import Classifier, Memory, Recall, Stage

LAYERS = "layers"

EXPLANATIONS: Mapping[str, Callable[[Predictor, Array], Any]] = {LAYERS: layer_outputs}
"""What can be asked for besides the answer, by name: a function of (predictor, image uint8 (height, width, channels))."""


@dataclass(frozen=True, eq=False)
class Question:
    """A network, the moment whose weights it has, and the probe. `wanted` names the EXPLANATIONS that are asked for."""

    network: NetworkInView
    moment: Moment
    probe: Probe
    wanted: frozenset[str] = frozenset()
    chosen: int | None = None
    """Which of the things on the probe is looked at, as in `looked_at`."""
    edits: Edits = NO_EDITS
    """What is changed in the weights of `moment`. In the question of a Look they are changed already."""


@dataclass(frozen=True, eq=False)
class Look:
    """The answer to a Question."""

    question: Question
    digits: tuple[Digit, ...] = ()
    """What was found on the probe, with the network's answers; each verdict says whether it is a digit. Empty for a blank probe,
    and where `error` is set."""
    stages: tuple[Stage, ...] = ()
    """How the probe became what the network sees."""
    results: Mapping[str, Any] = field(default_factory=dict)
    """The result of each EXPLANATION that was wanted, by its name, for the digit that is chosen. Empty without a digit."""
    error: ConfigError | None = None
    """Set where the network takes no images of this kind."""
    seconds: float = 0.0
    """What answering the question has taken; finding the digits is part of it only in the first look at a probe."""

    @cached_property
    def digit(self) -> Digit | None:
        """The digit on the probe that is chosen, or None."""
        return looked_at(self.digits, self.question.chosen)


class Looker:
    """Answers Questions. It keeps the network and the prepared probe for the next question, which mostly changes only one."""

    def __init__(self) -> None:
        self._architecture: Mapping[str, Any] | None = None
        self._predictor: Predictor | None = None
        self._moment: Moment | None = None
        """The moment whose weights the predictor has."""
        self._predict: Recall | None = None
        """What the predictor says with those."""
        self._probe: Probe | None = None
        self._prepared_for: Predictor | None = None
        self._seen = Seen()
        self._seconds = 0.0
        """What the first look at that has taken."""
        self._memory: Memory | None = None
        """Of the digits of a drawing, which stay as they are while the next one is drawn."""
        self._detect: Recall | None = None
        self._last_edited: tuple[Moment, Edits, Moment] | None = None
        """A moment, and what edits made of it: the same object for the same two, as all who compare moments expect."""

    def warm_up(self) -> None:
        """Load the libraries that preparing a picture needs, so that the first stroke is not answered late."""
        sheet = np.zeros((112, 112, 1), np.uint8)
        sheet[30:80, 50:60] = 255
        for drawn in (False, True):
            see(sheet, (28, 28, 1), drawn, picture_classifier(), digit_detector())
        if engine.is_ready():  # otherwise the readable path answers, in a few milliseconds more
            for network in (*(open_weights(name)[0] for name in (DEFAULT_PICTURE_NETWORK, PARTING_NETWORK)), open_detector()):
                Predictor(network).prepare()

    def look(self, question: Question) -> Look:
        """Answer a question. Raises KeyError for a name that is none of EXPLANATIONS."""
        began = time.perf_counter()
        question = self._edited(question)
        predictor, before, is_another = self._predictor_for(question), self._seen, question.probe is not self._probe
        try:
            seen = self._see(question.probe, predictor)
        except ConfigError as error:
            return Look(question, error=error)
        assert self._predict is not None, "made with the predictor"
        digits = tuple(answered(self._predict, seen.found))
        seconds = time.perf_counter() - began
        if is_another:  # of a stroke that has ended what its last movement took is told: nothing was left to do
            seconds = self._seconds = self._seconds if seen is before and seen.found else seconds
        chosen = looked_at(digits, question.chosen)
        results = {name: EXPLANATIONS[name](predictor, chosen.image) for name in question.wanted} if chosen else {}
        return Look(question, digits, seen.stages, results, seconds=seconds)

    def _predictor_for(self, question: Question) -> Predictor:
        if self._predictor is None or self._architecture is not question.network.architecture:
            self._predictor = Predictor(Network.from_config(question.network.architecture))
            self._architecture = question.network.architecture
            self._moment = None
        if self._moment is not question.moment:
            self._predictor.network.load_state_dict(question.moment.state)
            self._moment, self._predict = question.moment, Recall(self._predictor.predict)
        return self._predictor

    def _edited(self, question: Question) -> Question:
        """The question with weights that are edited."""
        if not question.edits:
            self._last_edited = None
            return question
        if self._last_edited is None or self._last_edited[:2] != (question.moment, question.edits):
            edited = question.edits.applied(Network.from_config(question.network.architecture), question.moment)
            self._last_edited = question.moment, question.edits, edited
        return replace(question, moment=self._last_edited[2])

    def _see(self, probe: Probe, predictor: Predictor) -> Seen:
        if predictor is not self._prepared_for or not _is_seen_as(probe, self._probe):
            self._memory, self._detect = self._memory or Memory(picture_classifier()), self._detect or Recall(digit_detector())
            self._seen = see_probe(probe, predictor.network.input_shape, self._memory, self._detect)
            self._prepared_for = predictor
        self._probe = probe
        return self._seen


def _is_seen_as(probe: Probe, other: Probe | None) -> bool:
    """Whether a probe is seen as another one, so that nothing needs to be prepared: a drawing when its stroke has ended."""
    if other is None or probe is other or probe.picture is None or other.picture is None:
        return probe is other
    return probe.kind is other.kind is Kind.DRAWING and np.array_equal(probe.picture, other.picture)


def see_probe(probe: Probe, input_shape: Shape, classify: Classifier | None = None, detect: Detector | None = None) -> Seen:
    """The probe as a network of that input shape sees it. Images of a dataset are taken as they are, others are prepared, with
    the help of `classify` and `detect`, or of the shipped networks.

    Whether an image of a dataset is a digit is not asked: the dataset says what it is, and some are of letters or clothes.

    Raises ConfigError where pictures cannot be shown to such a network.
    """
    if probe.picture is None:
        return Seen()
    if probe.kind is Kind.DATASET and probe.picture.size == math.prod(input_shape):
        return whole(probe.picture, probe.picture)
    return see(probe.picture, input_shape, probe.kind is Kind.DRAWING, classify or picture_classifier(), detect or digit_detector())
