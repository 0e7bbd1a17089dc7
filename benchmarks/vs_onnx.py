"""Answers of nncore beside ONNX Runtime's and PyTorch's: one image and many, with one thread and with one a core.

    python -m benchmarks onnx [--only TEXT] [--rounds 7] [--seconds 0.3] [--out FILE]

The network is exported by nncore itself. Each side is a process of its own for each number of threads, idle while the others run,
in alternating rounds. nncore is given bytes and converts them; the others get float32, laid out as they want it. ONNX Runtime takes
all images at once, or some at a time; PyTorch has its two memory layouts; the better one of a round counts, "its best" is also that
of any number of threads. A ratio is the median of the rounds' ratios. Needs ONNX Runtime; PyTorch is left out where it is not
installed (`make bench` installs both).
"""

from __future__ import annotations

import argparse
import statistics
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, Case
from benchmarks.contender import PART
from benchmarks.report import machine, write
from benchmarks.vs_torch import LAYOUTS, Contender, contenders
from nncore.backend.threads import cores

FORMS = {"nncore": ("",), "onnx": ("whole", "parts"), "torch": LAYOUTS}
"""How each side can be asked."""

Rates = dict[tuple[str, int], list[float]]
"""Images a second in each round, by side and number of threads."""


def installed(package: str) -> str | None:
    """Its version, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def measure(case: Case, sides: dict[tuple[str, int], Contender], rounds: int, seconds: float) -> Rates:
    """All rounds of one case, the best form of each."""
    found: Rates = {side: [] for side in sides}
    for _ in range(rounds):
        for (name, threads), contender in sides.items():
            forms = [form for form in FORMS[name] if form != "parts" or case.batch > PART]
            found[name, threads].append(max(contender.run(case.name, form, seconds) for form in forms))
    return found


def compare(case: Case, found: Rates) -> list[dict[str, Any]]:
    """A row for each number of threads: nncore's with that number beside the others' with the same, and with any."""
    rows = []
    for threads in sorted({threads for _, threads in found}):
        ours, row = found["nncore", threads], {"case": case.name, "threads": threads}
        row["images_per_second"] = {name: round(statistics.median(found[name, n]), 1) for name, n in found if n == threads}
        for name in ("onnx", "torch"):
            by_threads = [rates for (side, _), rates in found.items() if side == name]
            if by_threads:
                row[f"ratio_to_{name}"] = _ratio(ours, found[name, threads])
                row[f"ratio_to_{name}_at_its_best"] = _ratio(ours, [max(rates) for rates in zip(*by_threads, strict=True)])
        rows.append(row | {"rounds": {name: found[name, n] for name, n in found if n == threads}})
    return rows


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 2)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks onnx", description="Measure answers beside ONNX Runtime's.")
    parser.add_argument("--only", default="", help="only the cases whose name holds this text")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a round of one side")
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/<machine>-onnx.json)")
    options = parser.parse_args(arguments)
    versions = {package: installed(package) for package in ("onnx", "onnxruntime", "torch")}
    if not (versions["onnx"] and versions["onnxruntime"]):
        print("Skipped: ONNX Runtime is not installed; `make bench` installs it, or: python -m pip install onnx onnxruntime")
        return 0
    names = ["nncore", "onnx", *(["torch"] if versions["torch"] else [])]
    places = [(name, threads) for threads in sorted({1, cores()}) for name in names]
    print(f"{machine()}, {cores()} cores, ONNX Runtime {versions['onnxruntime']}, PyTorch {versions['torch'] or 'not installed'}")
    heads = ("nncore", "ONNX Runtime", "PyTorch", "÷ ONNX", "÷ its best", "÷ PyTorch")
    print(f"{'images/s':28}{'threads':>8}" + "".join(f"{head:>13}" for head in heads))
    results = []
    with contenders(*places) as found:
        sides = dict(zip(places, found, strict=True))
        for case in CASES:
            if case.of_onnx is not None and options.only in case.name:
                rows = compare(case, measure(case, sides, options.rounds, options.seconds))
                results += rows
                for row in rows:
                    _print(case, row)
    write("onnx", {"versions": versions, "results": results}, options.out)
    return 0


def _print(case: Case, row: dict[str, Any]) -> None:
    speed = row["images_per_second"]
    short = row["threads"] == cores() and row["ratio_to_onnx_at_its_best"] < (case.of_onnx or 0)
    speeds = [f"{speed[name]:,.0f}" if name in speed else "–" for name in FORMS]
    ratios = [
        f"{row[name]:.2f}" if name in row else "–" for name in ("ratio_to_onnx", "ratio_to_onnx_at_its_best", "ratio_to_torch")
    ]
    figures = "".join(f"{figure:>13}" for figure in speeds + ratios)
    print(f"{case.name:28}{row['threads']:8}{figures}{'   below what is wanted' if short else ''}", flush=True)
