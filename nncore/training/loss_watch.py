"""LossWatch: notices early that a training diverges, from the losses of its steps."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from nncore.errors import WeightsError
from nncore.training.values import is_number, is_whole, number_text

TOO_LARGE = 3.0
"""A loss is too large above so many times what guessing, or the first step, had."""
SPAN = 20
"""Steps over which the share of losses that are too large is averaged (exponentially)."""
DIVERGED, CALM = 0.75, 0.1
"""Shares: from the first on the training has diverged, up to the second it goes well. 28 steps in a row reach the first.

Measured: in ordinary trainings of the presets, and with one-cycle at high learning rates, the share stays below 0.11; it is
largest with batches of one image. With a learning rate of 99 every preset reaches 0.75 within 40 steps, by every optimizer, unless
its loss has become no number before.
"""


class LossWatch:
    """Takes the loss of every step, and says whether the training has diverged.

    It has where a loss is not finite, or where most losses of the last steps are too large. A few large ones are no reason.
    """

    def __init__(self, guessing: float) -> None:
        self.baseline = guessing
        """The larger of the loss of guessing among the classes (`Loss.guessing`) and that of the first step."""
        self.share = 0.0
        """How many of the last losses were too large: a running average from 0 to 1."""
        self.calm_step = 0
        """The last step that went well; 0 where none has."""
        self.calm_loss = math.nan
        """Its loss."""
        self.has_diverged = False
        self.recent: deque[float] = deque(maxlen=SPAN)
        """The losses after `calm_step`, at most the last 20."""
        self._seen = 0

    def add(self, first_step: int, losses: Iterable[float]) -> None:
        """Note the losses of steps in a row, the first of which has the number `first_step`, counted from 1."""
        for step, loss in enumerate(losses, first_step):
            if not self._seen and math.isfinite(loss):
                self.baseline = max(self.baseline, loss)
            self._seen += 1
            is_large = not loss <= TOO_LARGE * self.baseline  # also where it is not a number
            self.share += (is_large - self.share) / SPAN
            self.recent.append(loss)
            if not is_large and self.share <= CALM:
                self.recent.clear()
                self.calm_step, self.calm_loss = step, loss
            if not math.isfinite(loss) or self.share >= DIVERGED:
                self.has_diverged = True

    @property
    def is_calm(self) -> bool:
        """Whether nothing looks like a divergence."""
        return self.share <= CALM and not self.has_diverged

    @property
    def ends_badly(self) -> bool:
        """Whether a training that ends now has diverged, though too few steps were left to be sure: some losses are too large
        since the last step that went well, and most of those since then.
        """
        return self.has_diverged or (self.share > CALM and median(self.recent) > TOO_LARGE * self.baseline)

    def start_over(self) -> None:
        """Forget that the training has diverged: it goes on all the same, and may recover."""
        self.has_diverged, self.share = False, 0.0
        self.recent.clear()

    def go_back(self, step: int) -> None:
        """Note that the training goes on from `step`, which went well: what came later is forgotten."""
        self.start_over()
        self.calm_step, self._seen = min(self.calm_step, step), min(self._seen, step)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps, as JSON can hold it."""
        calm = None if math.isnan(self.calm_loss) else self.calm_loss
        return {
            "baseline": self.baseline, "share": self.share, "calm_step": self.calm_step, "calm_loss": calm, "seen": self._seen,
            "recent": list(self.recent),
        }  # fmt: skip

    def load_state_dict(self, found: Any, step: int) -> None:
        """Take over what `state_dict` returned, of a training at `step`; None, as in files of older programs, changes nothing.

        Raises WeightsError where it makes no sense.
        """
        if found is None:
            return
        values = found if isinstance(found, Mapping) else {}
        baseline, share, at, loss, seen, recent = (
            values.get(name) for name in ("baseline", "share", "calm_step", "calm_loss", "seen", "recent")
        )
        if not (
            is_number(baseline) and baseline > 0 and is_number(share) and 0 <= share <= 1 and (loss is None or is_number(loss))
            and isinstance(recent, list) and len(recent) <= SPAN and all(map(is_number, recent)) and (recent or share <= CALM)
            and is_whole(at) and 0 <= at <= step and is_whole(seen) and 0 <= seen <= step
        ):  # fmt: skip
            raise WeightsError("What it says of the losses of its last steps is missing or makes no sense.")
        self.baseline, self.share, self.calm_step, self._seen = float(baseline), float(share), int(at), int(seen)
        self.calm_loss = math.nan if loss is None else float(loss)
        self.recent = deque(map(float, recent), maxlen=SPAN)


def explain(watch: LossWatch, step: int, kept_step: int | None, rate: float) -> str:
    """What has happened by `step`, what to do (start again with the learning rate `rate`), and which weights are kept."""
    since, was = watch.calm_step, loss_text(watch.calm_loss)
    if not since:
        what = "The loss was no good number from the first step on"
    elif math.isfinite(watch.recent[-1]):
        what = f"The loss has grown to {loss_text(median(watch.recent))} since step {since:,}, where it was {was}"
    else:
        what = f"The loss is no longer a number at step {step:,}; at step {since:,} it was {was}"
    kept = "" if kept_step is None else f" The weights of step {kept_step:,} are kept."
    return f"{what}; start again with a smaller learning rate, such as {number_text(rate)}.{kept}"


def smaller_rate(rate: float, optimizer: str) -> float:
    """A learning rate to try after `rate` was too large: a tenth of it in one digit, and no more than `optimizer` usually takes."""
    return min(float(f"{rate / 10:.0e}"), USUAL_RATES.get(optimizer, 0.01))


USUAL_RATES = {"adam": 0.001, "adamw": 0.001}
"""Learning rates that usually work, by the optimizer's name; 0.01 for any other."""


def loss_text(loss: float) -> str:
    """A loss for people: 2.3, 37, 1,520, more than a million."""
    if loss >= 1e6:
        return "more than a million"
    return f"{loss:,.0f}" if loss >= 100 else f"{loss:.2g}"
