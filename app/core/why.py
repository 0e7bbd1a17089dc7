"""Why a network answers as it does: which pixels of a digit count, by one of several methods. Qt-free."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.core import engine
from app.core.look import Look
from app.core.why_checks import Found, check_of, in_brief, random_in_brief
from nncore.arrays import Array
from nncore.errors import ConfigError
from nncore.explain.attribution import Attribution
from nncore.explain.grad_cam import grad_cam
from nncore.explain.gradients import gradient, gradient_times_input
from nncore.explain.integrated_gradients import integrated_gradients, integrated_gradients_in_parts
from nncore.explain.occlusion import occlusion, occlusion_in_parts
from nncore.explain.progress import Progress, result_of
from nncore.explain.sanity import SEEDS, Check, check_unlike, with_random_weights
from nncore.explain.smooth_grad import smooth_grad, smooth_grad_in_parts
from nncore.explain.target import Target
from nncore.network import Network
from nncore.prediction import Predictor


@dataclass(frozen=True)
class Method:
    """A way to tell which pixels count."""

    name: str
    find: Callable[[Predictor, Array, Target], Found]
    is_quick: bool
    """Whether it is worth computing for every moment of a training and every stroke of a drawing."""
    is_signed: bool
    """Whether its values lie on both sides of zero."""
    unit: str
    """What its values are counted in."""
    notion: str
    """What it does, for somebody who has never heard of it."""
    meaning: str
    """What its colours mean; `{what}` stands for the target."""
    asks_often: bool = False
    """Whether it takes hundreds of answers, so that the compiled network is worth being loaded."""
    in_parts: Callable[[Predictor, Array, Target], Generator[Progress[Any]]] | None = None
    """What `find` does, step by step; None where it is done at once."""

    def steps(self, predictor: Predictor, image: Array, target: Target) -> Generator[Progress[Any]]:
        """Find it, telling how far that is; the last Progress has what `find` returns."""
        if self.in_parts is None:
            yield Progress(1, 1, self.find(predictor, image, target))
        else:
            yield from self.in_parts(predictor, image, target)


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            "Gradient", gradient, True, True, "logits for full brightness",
            "Gradient: how the answer would change if a pixel became a little brighter. Of a pixel that matters already it may be "
            "zero.",
            "Orange: brighter here raises {what}; blue: it lowers it.",
        ),
        Method(
            "Gradient × input", gradient_times_input, True, True, "logits",
            "Gradient × input: the gradient times the pixel's own brightness. It is what each pixel would add if the network only "
            "added up its pixels; black pixels add nothing.",
            "Orange light speaks for {what}, blue light against it.",
        ),
        Method(
            "Integrated gradients", integrated_gradients, False, True, "logits",
            "Integrated gradients: the gradient, summed while the picture is faded in from black. All pixels together add up to "
            "how much the picture has changed the answer.",
            "Orange light raised {what}, blue light lowered it.",
            in_parts=integrated_gradients_in_parts,
        ),
        Method(
            "SmoothGrad", smooth_grad, False, True, "logits for full brightness",
            "SmoothGrad: the mean gradient of 32 noisy copies of the picture, so that what flickers from pixel to pixel cancels.",
            "Orange: brighter around here raises {what}; blue: it lowers it.",
            in_parts=smooth_grad_in_parts,
        ),
        Method(
            "Grad-CAM", grad_cam, True, False, "logits",
            "Grad-CAM: which places of the last convolution's feature maps raise the answer, laid over the picture. It is coarse, "
            "since those maps are small.",
            "Bright: places whose features raised {what}.",
        ),
        Method(
            "Occlusion", occlusion, False, True, "logits",
            "Occlusion: a black patch of 5×5 pixels is moved over the picture, and each time the network answers anew. No formula, "
            "only answers.",
            "Covering what is orange lowers {what}; covering blue raises it.",
            asks_often=True, in_parts=occlusion_in_parts,
        ),
    )
}  # fmt: skip
"""By name, the simplest first."""
DEFAULT = "Gradient × input"
RUNNER_UP = -1
"""As what to compare with: the likeliest other class."""


@dataclass(frozen=True)
class WhyQuestion:
    """Which pixels of a look's digit count, by a method of METHODS."""

    look: Look
    """One with a digit."""
    method: Method
    label: int | None = None
    """The class that is asked for; None: the network's answer."""
    against: int | None = None
    """The class that it is compared with, or RUNNER_UP; None: with none."""
    with_random: bool = False
    """Whether the same is asked of a network with random weights."""

    @property
    def image(self) -> Array:
        """The digit, uint8 (height, width, channels)."""
        assert self.look.digit is not None, "asked only of looks with a digit"
        return self.look.digit.image

    @property
    def target(self) -> Target:
        """The number of the answer that is asked about. A class is compared with itself by nobody: then it stands alone."""
        assert self.look.digit is not None, "asked only of looks with a digit"
        answer = self.look.digit.answer
        label = answer.digit if self.label is None else self.label
        against = self.against
        if against == RUNNER_UP:
            first, second = answer.likeliest
            against = second if first == label else first
        return Target(label, None if against == label else against)

    @property
    def is_quick(self) -> bool:
        """Whether it is worth answering for every moment of a training and every stroke of a drawing."""
        return self.method.is_quick and not self.with_random

    @property
    def what(self) -> str:
        """The target in words: `“5”`, `“4” over “9”`."""
        return in_words(self.target)


@dataclass(frozen=True, eq=False)
class Why:
    """The answer to a WhyQuestion."""

    question: WhyQuestion
    found: Found | None = None
    """None where `error` is set."""
    check: Check | None = None
    """The check that the method can be held to; None where there is none."""
    random: Array | None = None
    """float32 (height, width): the map of the same layers with random weights, where that was asked for."""
    random_check: Check | None = None
    """How alike such maps are, where that was asked for."""
    error: str = ""
    """Why there is no map, as a sentence."""
    used: float = 0.0
    """Seconds of processor time."""

    @property
    def map(self) -> Array:
        """float32 (height, width)"""
        assert self.found is not None, "there is a map"
        return self.found.map

    @property
    def checked(self) -> str:
        """How its checks came out, in a few words: that of random weights where it was asked for."""
        if self.random_check is not None:
            return random_in_brief(self.random_check)
        return "" if self.check is None or self.found is None else in_brief(self.check, self.found)


def in_words(target: Target) -> str:
    """A target in words: `“5”`, `“4” over “9”`."""
    return f"“{target.label}”" if target.against is None else f"“{target.label}” over “{target.against}”"


class Explainer:
    """Answers WhyQuestions. It keeps the network for the next one. For one thread at a time."""

    def __init__(self) -> None:
        self._architecture: Mapping[str, Any] | None = None
        self._predictor: Predictor | None = None

    def answer(self, question: WhyQuestion) -> Why:
        """Answer a question; what the method cannot do is said in the answer."""
        return result_of(self.steps(question))

    def steps(self, question: WhyQuestion) -> Generator[Progress[Why]]:
        """Answer a question, telling how many passes through the network are done, of how many at most."""
        began, predictor, random, alike = time.thread_time(), self.predictor(question.look), None, None
        compiles = question.method.asks_often and engine.is_ready()  # else the readable path answers, much later
        if compiles:
            predictor.prepare()
        runs = 1 + len(SEEDS) if question.with_random else 1
        try:
            found = yield from _run(predictor, question, 0, runs)
        except ConfigError as error:
            yield Progress(1, 1, Why(question, error=str(error), used=time.thread_time() - began))
            return
        check = check_of(predictor, question.image, found, _by_light(question, found))
        if question.with_random:
            others = []
            for number, seed in enumerate(SEEDS, 1):
                random_one = with_random_weights(predictor, seed)
                if compiles:
                    random_one.prepare()
                other = yield from _run(random_one, question, number, runs)
                others.append(other.map)
            random, alike = others[0], check_unlike(found.map, others)
        yield Progress(1, 1, Why(question, found, check, random, alike, used=time.thread_time() - began))

    def predictor(self, look: Look) -> Predictor:
        """The network of a look with the weights of its moment. It is changed by the next call."""
        architecture = look.question.network.architecture
        if self._predictor is None or self._architecture is not architecture:
            self._predictor, self._architecture = Predictor(Network.from_config(architecture)), architecture
        self._predictor.network.load_state_dict(look.question.moment.state)
        return self._predictor


def _by_light(question: WhyQuestion, found: Found) -> Array | None:
    """The gradient times the image, where the method is about either."""
    if isinstance(found, Attribution) and question.method.find is gradient_times_input:
        return found.values
    if isinstance(found, Attribution) and question.method.find is gradient:
        return found.values * (question.image / np.float32(255))
    return None


def _run(predictor: Predictor, question: WhyQuestion, number: int, runs: int) -> Generator[Progress[Why], None, Any]:
    """What the method finds, one of several runs that take about the same time; tells how far all of them are."""
    for told in question.method.steps(predictor, question.image, question.target):
        if told.result is not None:
            return told.result
        yield Progress(number * told.total + told.done, runs * told.total)
    raise AssertionError("a method ends with what it has found")
