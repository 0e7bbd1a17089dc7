"""nncore beside PyTorch: the same networks, batches and data, in alternating rounds; a table, and JSON with all figures.

    python -m benchmarks torch [--only TEXT] [--rounds 7] [--seconds 0.5] [--out FILE]

Each side is a process of its own with as many threads as there are cores, idle while the other runs. "of peak" is the share of the
same round's sgemm speed, counting every product that the network's definition asks for; skipping the zeros behind a pool
can bring it past 100 %. A ratio is the median
of the rounds' ratios, since a shared machine's speed drifts by half while neighbouring rounds see the same weather. PyTorch
runs eager in both memory layouts; "best" is the better of the two in the same round. Needs PyTorch (`make bench`).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, Case
from benchmarks.report import machine, write
from nncore.backend.threads import cores
from nncore.layers import Conv2d, Linear
from nncore.network import Network

LAYOUTS = ("default", "channels_last")


class Contender:
    """The other end of a `benchmarks.contender` process."""

    def __init__(self, side: str, cores: int) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": str(cores)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.contender", side, str(cores)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=Path(__file__).parent.parent,
        )  # fmt: skip

    def run(self, case: str, layout: str, seconds: float) -> float:
        """Examples a second in one round."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"case": case, "layout": layout, "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"The other side ended while measuring {case}.")
        return float(json.loads(answer)["rate"])

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def contenders(*sides: tuple[str, int]) -> Iterator[list[Contender]]:
    """A process for each (side, number of threads)."""
    found = [Contender(*side) for side in sides]
    try:
        yield found
    finally:
        for contender in found:
            contender.close()


def flops(case: Case) -> int:
    """Floating point operations of one example, if nothing is skipped: two a weight a position, three times that in training."""
    layers = Network(case.layers(), case.input_shape).layers
    products = 0
    for layer in layers:
        if isinstance(layer, Conv2d):
            products += layer.weight.data.size * layer.output_shape[0] * layer.output_shape[1]
        elif isinstance(layer, Linear):
            products += layer.weight.data.size
    return 2 * products * (3 if case.train else 1)


def measure(case: Case, ours: Contender, theirs: Contender, rounds: int, seconds: float) -> dict[str, Any]:
    """All rounds of one case."""
    found: dict[str, list[float]] = {"nncore": [], **{layout: [] for layout in LAYOUTS}}
    shares, work = [], flops(case)
    for _ in range(rounds):
        found["nncore"].append(ours.run(case.name, "", seconds))
        for layout in LAYOUTS:
            found[layout].append(theirs.run(case.name, layout, seconds))
        shares.append(found["nncore"][-1] * work / (ours.run("peak", "", 0) * 1e9))
    to_default = [a / b for a, b in zip(found["nncore"], found["default"], strict=True)]
    best = [max(pair) for pair in zip(found["default"], found["channels_last"], strict=True)]
    to_best = [a / b for a, b in zip(found["nncore"], best, strict=True)]
    return {
        "case": case.name,
        "examples_per_second": {name: round(statistics.median(rates), 1) for name, rates in found.items()},
        "ratio_to_default": round(statistics.median(to_default), 2),
        "ratio_to_best": round(statistics.median(to_best), 2),
        "wanted": {"default": case.of_default, "best": case.of_best},
        "share_of_sgemm_peak": round(statistics.median(shares), 3),
        "rounds": found,
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks torch", description="Measure nncore beside PyTorch.")
    parser.add_argument("--only", default="", help="only the cases whose name holds this text")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a round")
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/<machine>.json)")
    options = parser.parse_args(arguments)
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed; run `make bench`, which installs it.", file=sys.stderr)
        return 2
    results = []
    with contenders(("nncore", cores()), ("torch", cores())) as (ours, theirs):
        peak = ours.run("peak", "", 0)
        print(f"{machine()}, {cores()} cores, sgemm {peak:.0f} GFLOP/s, PyTorch {torch.__version__}")
        print(
            f"{'examples/s (or images/s)':28}{'nncore':>9}{'default':>9}{'ch.last':>9}{'÷ default':>11}{'÷ best':>8}{'of peak':>9}"
        )
        for case in CASES:
            if options.only in case.name:
                result = measure(case, ours, theirs, options.rounds, options.seconds)
                results.append(result)
                _print(case, result)
    write("", {"sgemm_gflops": round(peak, 1), "torch": torch.__version__, "results": results}, options.out)
    return 0


def _print(case: Case, result: dict[str, Any]) -> None:
    speed = result["examples_per_second"]
    short = result["ratio_to_best"] < case.of_best or (case.of_default and result["ratio_to_default"] < case.of_default)
    print(
        f"{case.name:28}{speed['nncore']:11,.0f}{speed['default']:11,.0f}{speed['channels_last']:11,.0f}"
        f"{result['ratio_to_default']:11.2f}{result['ratio_to_best']:11.2f}{result['share_of_sgemm_peak']:11.0%}"
        f"{'   below what is wanted' if short else ''}",
        flush=True,
    )
