"""nncore beside PyTorch on a GPU: the same networks, weights, batches and images in alternating rounds; a table, and JSON.

    python -m benchmarks gpu [--device cuda] [--only TEXT] [--batch 32,128,512,2048] [--rounds 5] [--seconds 0.5]
                             [--variants eager,graph,compile] [--parts train,answer,mnist,window] [--out FILE]
    python -m benchmarks gpu --steps 2000 --only mnist-cnn --batch 128      those steps alone, for nsys and ncu

Each side is a process of its own, and PyTorch has one with TF32 and one without; all but one are idle. What is timed of a training:
from the numbers of the images of a stretch of steps, on the host, to their losses there. The images lie on the GPU as uint8 on
both sides; each step gathers its own and scales them. nncore also brings its parameters to the GPU and back with every stretch,
and counts right answers, which PyTorch is spared. A stretch is as long as a trainer asks for: some 30 ms, or to the end of an
epoch of 60,000 images. Of an answer: from uint8 images on the host to scores there. Before the rounds, each variant of PyTorch
runs in both memory layouts, and goes on in the faster one; and its first losses must be nncore's.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.cases import GPU_NETWORKS
from benchmarks.gpu.contest import CaseError, Entry, Process, entries, race
from benchmarks.gpu.given import EVALUATED, IMAGES, take_steps
from benchmarks.gpu.theirs import VARIANTS
from benchmarks.options import count, counts, names, networks
from benchmarks.report import write
from nncore.backend.devices import choose_device
from nncore.errors import DigitLabError

PARTS = ("train", "answer", "mnist", "window")
BATCHES = (32, 128, 512, 2048)
WANTED = {("mnist-cnn", 128): {"eager": 5.0, "graph": 1.5}}
"""The ratios that are to be reached in training, on an H100."""


def arguments_of(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks gpu", description="Measure nncore beside PyTorch on a GPU.")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, …; cuda-host tries the benchmark itself, without a GPU")
    parser.add_argument(
        "--only", dest="networks", type=networks, default=GPU_NETWORKS, help="only the networks whose name holds this text"
    )
    parser.add_argument("--batch", type=counts, default=BATCHES, help="batch sizes of training, separated by commas")
    parser.add_argument("--answers", type=counts, default=(1, EVALUATED), help="how many images are asked for at once")
    parser.add_argument("--rounds", type=count, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a round")
    parser.add_argument("--images", type=count, default=IMAGES, help="images of an epoch")
    parser.add_argument("--variants", type=names(VARIANTS), default=VARIANTS, help=f"of PyTorch: {','.join(VARIANTS)}")
    parser.add_argument("--parts", type=names(PARTS), default=PARTS, help=f"what is measured: {','.join(PARTS)}")
    parser.add_argument("--limit", type=count, help="images of the training on MNIST, to try the benchmark itself")
    parser.add_argument("--steps", type=count, help="take so many steps with nncore, and measure nothing")
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/gpu-<name>.json)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    options = arguments_of(arguments)
    figures: dict[str, Any] = {"results": []}
    try:
        options.device = choose_device(options.device)
        if options.steps is not None:
            return profiled(options)
        with entries(options.device, options.variants) as taking_part:
            measure(options, taking_part, figures)
    except DigitLabError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if figures["results"]:
            _write(figures, options.out)
    return 1 if any("nncore" in found["failed"] for found in figures["results"]) else 0


def _write(figures: dict[str, Any], out: Path | None) -> None:
    """Whatever has been found, also where the rest could not be."""
    gpu = figures["torch"].get("gpu") or figures["nncore"]["device"].split(" · ")[0]
    name = re.sub(r"[^a-z0-9]+", "-", gpu.lower()).strip("-")
    write("", figures, out or Path(__file__).parents[1] / "results" / f"gpu-{name}.json")


def profiled(options: argparse.Namespace) -> int:
    """Take steps of each network at each batch size; nothing else runs on the GPU."""
    from benchmarks.gpu.ours import Nncore

    for trained in options.networks:
        for batch in options.batch:
            stretch = Nncore(options.device).learner(trained, batch, "", "", options.images)
            losses = take_steps(stretch, options.steps)
            print(f"{trained.name}, batch {batch}: {len(losses)} steps, from a loss of {losses[0]:.3f} to {losses[-1]:.3f}")
    return 0


def measure(options: argparse.Namespace, taking_part: Sequence[Entry], figures: dict[str, Any]) -> None:
    """Everything that was asked for, told and added to `figures` as it is found."""
    ours, theirs = taking_part[0].process, taking_part[1].process
    figures |= {"nncore": ours.described, "torch": theirs.described}
    print(f"nncore on {ours.described['device']}; " + ", ".join(f"{key} {value}" for key, value in theirs.described.items()))
    for do, sizes in (("train", options.batch), ("answer", options.answers)):
        if do not in options.parts:
            continue
        _print_head(do, taking_part)
        for trained in options.networks:
            for size in sizes:
                found = race(taking_part, do, trained, size, options.rounds, options.seconds, options.images)
                figures["results"].append(found)
                _print(found, taking_part)
    if "mnist" in options.parts:
        figures["to_99"] = _to_99(options, ours)
    if "window" in options.parts:
        figures["window"] = _window(options)


def _to_99(options: argparse.Namespace, ours: Process) -> list[dict[str, Any]]:
    """The training on MNIST, once a round."""
    less = {"epochs": 1, "validation": options.limit // 4} if options.limit else {}
    wish = {"do": "to_99", "network": "mnist-cnn", "limit": options.limit, "config": less}
    try:
        runs = [ours.ask(wish) for _ in range(options.rounds)]
    except CaseError as error:
        print(f"\nThe training on MNIST failed: {error}")
        return []
    each = sorted(runs, key=lambda run: float(run["seconds"]))
    run = each[len(each) // 2]
    parts = ", ".join(f"{name} {seconds:.3f}" for name, seconds in run["parts"].items())
    print(f"\n{run['data']}, mnist-cnn, {run['epochs']} epochs, batch {run['batch']}; median of {len(each)} runs after warming up:")
    print(f"{run['test_accuracy']:.2%} of the test images are right after {run['seconds']:.3f} s: {parts}")
    return runs


def _window(options: argparse.Namespace) -> dict[str, Any] | None:
    """The window's speed beside the command line's; None where it cannot be measured."""
    from benchmarks import window

    if why_not := window.why_not():
        print(f"The window was not measured: {why_not}.")
        return None
    try:
        return window.measure(options.rounds, max(2.0, options.seconds), "train", options.device)
    except subprocess.CalledProcessError as error:
        print(f"The window could not be measured: {(error.stderr or str(error)).strip().splitlines()[-1]}")
        return None


NAME, CELL = 27, 20
"""Characters of the table's columns."""


def _print_head(do: str, taking_part: Sequence[Entry]) -> None:
    print(f"\n{'examples' if do == 'train' else 'images'} a second, and in brackets how many times as many nncore does")
    what = "training" if do == "train" else "answers"
    print(f"{what:{NAME}}" + "".join(f"{entry.name:>{CELL}}" for entry in taking_part))


def _print(found: dict[str, Any], taking_part: Sequence[Entry]) -> None:
    size = f"{found['batch']:,}"
    asked = f"{size} images" if found["batch"] > 1 else "one image"
    name = f"{found['network']}, {f'batch {size}' if found['do'] == 'train' else asked}"
    cells = (f"{_cell(found, entry.name):>{CELL}}" for entry in taking_part)
    print(f"{name:{NAME}}{''.join(cells)}{_remarks(found)}", flush=True)


def _cell(found: dict[str, Any], name: str) -> str:
    """Speed and ratio of one that takes part; a dash where it failed."""
    speeds, ratios = found.get("per_second", {}), found.get("ratios", {})
    ratio = f" ({ratios[name]:.2f})" if name in ratios else ""
    return f"{speeds[name]:,.0f}{ratio}" if name in speeds else "–"


def _remarks(found: dict[str, Any]) -> str:
    wanted = WANTED.get((found["network"], found["batch"]), {}) if found["do"] == "train" else {}
    short = [name for name, least in wanted.items() if found.get("ratios", {}).get(name, least) < least]
    other = [name for name, alike in found.get("alike", {}).items() if not alike]
    remarks = [f"below what is wanted: {', '.join(short)}"] if short else []
    remarks += [f"NOT THE SAME as nncore: {', '.join(other)}"] if other else []
    remarks += [f"{name} failed: {why}" for name, why in found["failed"].items()]
    return "".join(f"   {remark}" for remark in remarks)
