"""The race itself: who takes part, in which order, and what is made of the rounds."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import Trained
from benchmarks.gpu.theirs import LAYOUTS
from nncore.errors import DeviceError
from nncore.layers import Conv2d

ALIKE = {"fp32": (1e-4, 2e-2), "tf32": (1e-2, 5e-2)}
"""How far the very first loss, and those after it, may lie apart on the two sides, as a share of the largest: where a gradient is
next to nothing, Adam makes a whole step of what rounding leaves.
"""


class CaseError(Exception):
    """One side could not do what it was asked for, and is there for the next case."""


class Process:
    """The other end of a `benchmarks.gpu.process`. Raises DeviceError, in one sentence, where that cannot run."""

    def __init__(self, side: str, device: str, precision: str) -> None:
        self._name = f"{side}, {precision}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.gpu.process", side, device, precision],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ), cwd=Path(__file__).parents[2],
        )  # fmt: skip
        try:
            self.described = self._read()
        except BaseException:
            self.close()
            raise

    def ask(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Its answer. Raises CaseError where it could not give one."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise DeviceError(f"The process of {self._name} ended before it had answered; what it said is above.")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise DeviceError(answer["error"])
        if "failed" in answer:
            raise CaseError(answer["failed"])
        return answer


@dataclass(frozen=True, eq=False)
class Entry:
    """One that takes part: nncore, or a variant of PyTorch's at a precision."""

    name: str
    process: Process
    variant: str = ""
    precision: str = "fp32"


@contextmanager
def entries(device: str, variants: Sequence[str]) -> Iterator[list[Entry]]:
    """nncore first, then PyTorch's variants: a process for each side, and one for each precision that there is."""
    processes: list[Process] = []
    try:
        processes.append(Process("nncore", device, "fp32"))
        found = [Entry("nncore", processes[0])]
        for precision in ("fp32", "tf32") if device != "cuda-host" else ("fp32",):
            processes.append(Process("torch", device, precision))
            suffix = ", TF32" if precision == "tf32" else ""
            found += [Entry(f"{variant}{suffix}", processes[-1], variant, precision) for variant in variants]
        yield found
    finally:
        for process in processes:
            process.close()


def layouts_of(trained: Trained) -> tuple[str, ...]:
    """The memory layouts that make a difference."""
    return LAYOUTS if any(isinstance(layer, Conv2d) for layer in trained.layers()) else LAYOUTS[:1]


def race(
    taking_part: Sequence[Entry], do: str, trained: Trained, batch: int, rounds: int, seconds: float, images: int
) -> dict[str, Any]:
    """All rounds of one case, every other one in the opposite order; PyTorch in the layout that won a trial before them.

    Who fails is out, and said to be under `failed`; without nncore there is nothing else.
    """

    def ask(entry: Entry, layout: str) -> dict[str, Any]:
        wish = {"do": do, "network": trained.name, "batch": batch, "variant": entry.variant, "layout": layout}
        return entry.process.ask(wish | {"seconds": seconds, "images": images})

    case, failed = {"do": do, "network": trained.name, "batch": batch}, dict[str, str]()
    trials: dict[str, dict[str, dict[str, Any]]] = {}
    for entry in taking_part:
        with _out_where_it_fails(entry, failed):
            tried = layouts_of(trained) if entry.variant else ("",)
            trials[entry.name] = {layout: ask(entry, layout) for layout in tried}
    best = {name: max(of_layouts, key=lambda layout, o=of_layouts: o[layout]["rate"]) for name, of_layouts in trials.items()}
    found: dict[str, list[float]] = {name: [] for name in trials}
    steps: dict[str, int | None] = {}
    for number in range(rounds):
        for entry in taking_part if number % 2 == 0 else reversed(taking_part):
            if entry.name not in failed:
                with _out_where_it_fails(entry, failed):
                    answer = ask(entry, best[entry.name])
                    found[entry.name].append(answer["rate"])
                    steps[entry.name] = answer.get("steps")
    if "nncore" in failed:
        return case | {"failed": failed}
    whole = {name: rates for name, rates in found.items() if name not in failed}
    return case | {
        "per_second": {name: statistics.median(rates) for name, rates in whole.items()},
        "ratios": {name: _ratio(found["nncore"], rates) for name, rates in whole.items() if name != "nncore"},
        "layouts": best,
        "trials": {name: {layout: each["rate"] for layout, each in of.items()} for name, of in trials.items()},
        "steps_a_stretch": steps,
        "alike": _alike([entry for entry in taking_part if entry.name in trials], trials),
        "first": {name: {layout: each["first_losses"] for layout, each in of.items()} for name, of in trials.items()},
        "failed": failed,
        "rounds": found,
    }


@contextmanager
def _out_where_it_fails(entry: Entry, failed: dict[str, str]) -> Iterator[None]:
    try:
        yield
    except CaseError as error:
        failed[entry.name] = str(error)


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios: neighbouring rounds see the same weather."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def _alike(taking_part: Sequence[Entry], trials: dict[str, dict[str, dict[str, Any]]]) -> dict[str, bool]:
    """Whether each of PyTorch's variants, in every layout, begins with nncore's losses (or answers): whether they do the same."""
    ours = trials["nncore"][""]["first_losses"]
    largest = max(map(abs, ours))

    def near(theirs: list[float], first: float, later: float) -> bool:
        apart = [abs(a - b) / largest for a, b in zip(ours, theirs, strict=True)]
        return apart[0] <= first and max(apart) <= later

    return {
        entry.name: all(near(each["first_losses"], *ALIKE[entry.precision]) for each in trials[entry.name].values())
        for entry in taking_part
        if entry.variant
    }
