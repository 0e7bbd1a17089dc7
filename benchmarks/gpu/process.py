"""One side of the race, in a process of its own: `python -m benchmarks.gpu.process nncore|torch DEVICE tf32|fp32`.

It says first what it is, or why it cannot run. Then it reads lines of JSON and answers each with one: see `Answers`. What goes
wrong in one of them is told as `failed`, with a traceback on standard error.
"""

from __future__ import annotations

import gc
import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks.cases import GPU_NETWORKS, Trained
from benchmarks.gpu.given import Side, Stretch, answers_a_second, rate, take_steps
from nncore.arrays import Array
from nncore.errors import DigitLabError
from nncore.training.meters import Pace

FIRST = 3
"""Steps whose losses are told, to see that both sides do the same: few, since Adam makes whole steps of what rounding leaves."""


class Answers:
    """Keeps what it has made for one network at one batch size, so that the rounds measure nothing else than steps."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._kept: dict[Any, Any] = {}
        self._of: tuple[str, str, int] | None = None

    def answer(self, wish: dict[str, Any]) -> dict[str, Any]:
        """`train`: examples a second, steps of a stretch, and the losses of the very first steps. `answer`: images a second.
        `to_99`: see ours.py.
        """
        trained = next(trained for trained in GPU_NETWORKS if trained.name == wish["network"])
        if wish["do"] == "to_99":
            self._forget()
            return self._to_99(trained, wish)
        of = wish["do"], wish["network"], wish["batch"]
        if of != self._of:
            self._forget()
            self._of = of
        return self._train(trained, wish) if wish["do"] == "train" else self._answer(trained, wish)

    def _train(self, trained: Trained, wish: dict[str, Any]) -> dict[str, Any]:
        key = wish["variant"], wish["layout"]
        if key not in self._kept:
            stretch = self.side.learner(trained, wish["batch"], *key, wish["images"])
            first = take_steps(stretch, FIRST).tolist()
            pace = Pace()
            rate(stretch, pace, wish["seconds"] / 2)
            self._kept[key] = stretch, pace, first
        kept: tuple[Stretch, Pace, list[float]] = self._kept[key]
        stretch, pace, first = kept
        return {"rate": rate(stretch, pace, wish["seconds"]) * wish["batch"], "steps": pace.steps, "first_losses": first}

    def _answer(self, trained: Trained, wish: dict[str, Any]) -> dict[str, Any]:
        key = wish["variant"], wish["layout"]
        if key not in self._kept:
            self._kept[key] = self.side.answerer(trained, wish["batch"], *key)
            answers_a_second(self._kept[key], wish["seconds"] / 2)
        answer: Callable[[], Array] = self._kept[key]
        return {"rate": answers_a_second(answer, wish["seconds"]) * wish["batch"], "first_losses": answer()[0].tolist()}

    def _to_99(self, trained: Trained, wish: dict[str, Any]) -> dict[str, Any]:
        from benchmarks.gpu.ours import TO_99, Nncore

        assert isinstance(self.side, Nncore)
        return self.side.to_99(trained, replace(TO_99, **wish.get("config", {})), wish.get("limit"))

    def _forget(self) -> None:
        """Give memory back, on the GPU too."""
        self._kept.clear()
        gc.collect()
        if torch := getattr(self.side, "torch", None):
            torch.compiler.reset()
            torch.cuda.empty_cache()


def make(name: str, device: str, precision: str) -> Side:
    """The side called `name`. Raises DeviceError where it cannot run."""
    if name == "nncore":
        from benchmarks.gpu.ours import Nncore

        return Nncore(device)
    from benchmarks.gpu.theirs import Torch

    return Torch("cpu" if device == "cuda-host" else device, precision == "tf32")


def main() -> int:
    try:
        side = make(*sys.argv[1:4])
        print(json.dumps(side.describe()), flush=True)
        answers = Answers(side)
        for line in sys.stdin:
            try:
                answer = answers.answer(json.loads(line))
            except Exception as error:  # of one case: a compiler that is missing, memory that is full
                traceback.print_exc()
                answer = {"failed": f"{type(error).__name__}: {error}".split("\n")[0]}
            print(json.dumps(answer), flush=True)
    except DigitLabError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
