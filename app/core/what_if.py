"""What would make it a 3? The smallest change of a digit that turns the answer, step by step. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

import numpy as np

from app.core.look import Look
from app.core.why import Explainer
from nncore.arrays import Array
from nncore.errors import ConfigError
from nncore.explain.adversarial import adversarial
from nncore.explain.counterfactual import Counterfactual, counterfactual
from nncore.explain.progress import Progress
from nncore.prediction import Predictor

PLAIN, ADVERSARIAL = "plain", "adversarial"


@dataclass(frozen=True)
class ChangeKind:
    """A kind of change."""

    search: Callable[[Predictor, Array, int], Generator[Progress[Counterfactual]]]
    notion: str


KINDS: Mapping[str, ChangeKind] = {
    PLAIN: ChangeKind(
        counterfactual,
        "A plain change is one that people see, too: few pixels, neighbours together, ink added or taken away. It shows what the "
        "network takes for the mark of that digit.",
    ),
    ADVERSARIAL: ChangeKind(
        adversarial,
        "An adversarial change: as small as it can be, spread over all pixels. People still see the old digit; that the answer "
        "turns all the same shows that the network looks at pictures in another way than they do.",
    ),
}
"""By name."""


@dataclass(frozen=True, eq=False)
class WhatIf:
    """A search for a change: as far as it has come, or as it has ended."""

    look: Look
    """Whose digit is changed."""
    label: int
    """What it should become."""
    kind: str
    steps: tuple[Counterfactual, ...]
    """The digit as it is, and as it was after each step; the network has answered each."""
    is_over: bool = False

    def picture(self, step: int) -> Array:
        """The digit after a step, uint8 (height, width, channels)."""
        return self.steps[step].image

    def answer(self, step: int) -> str:
        """The answer to the digit after a step: `5, 99.8 %`."""
        probabilities = self.steps[step].probabilities
        return f"{probabilities.argmax()}, {probabilities.max() * 100:.1f} %"

    def is_about(self, look: Look) -> bool:
        """Whether a look is at the same digit by the same network."""
        if look.question.network is not self.look.question.network or look.digit is None:
            return False
        return np.array_equal(look.digit.image, self.steps[0].original)

    @property
    def words(self) -> str:
        """How far the search has come, in a sentence."""
        last = self.steps[-1]
        height, width = last.image.shape[:2]
        size = f"{last.pixels:,} of {height * width:,} pixels changed, by at most {last.linf * 255:.0f} of 255"
        if not self.is_over:
            return f"Searching: {size} so far."
        if last.found:
            return f"{size}.\nThe network then answers {self.answer(-1)}. The length of the change (L2) is {last.l2:.2f}."
        return f"Not found: {size}, and the network still answers {self.answer(-1)}. Try another class, or the other kind."


def search(look: Look, label: int, kind: str) -> Generator[WhatIf]:
    """Search for a small change of a look's digit that makes the network answer `label`, telling of each step; the last is over.

    Raises ConfigError where the network answers that already.
    """
    assert look.digit is not None, "asked only of looks with a digit"
    if look.digit.answer.digit == label:
        raise ConfigError(f"The network takes it for a {label} already; choose another class.")
    steps: list[Counterfactual] = []
    for progress in KINDS[kind].search(Explainer().predictor(look), look.digit.image, label):
        if progress.result is not None and (not steps or progress.result is not steps[-1]):
            steps.append(progress.result)
        yield WhatIf(look, label, kind, tuple(steps))
    yield WhatIf(look, label, kind, tuple(steps), is_over=True)
