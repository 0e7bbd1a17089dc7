"""What a step of training costs as it is recorded for a GPU; none is needed: `python -m benchmarks launches`.

    python -m benchmarks launches [--only TEXT] [--batch 32,128,512,2048] [--json | --markdown]

Each kernel that a step launches, with its purpose, blocks and threads, the bytes that it must read and write, its operations,
and the least time that a GPU needs for them: the longer of what its memory and what its arithmetic need. A kernel of a CUDA
graph takes some 2.5 µs in any case; the second sum of a step counts that, too. All of it is calculated, nothing measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.cases import GPU_NETWORKS, Trained
from benchmarks.costs import Cost, cost
from benchmarks.options import counts, networks
from benchmarks.purposes import purposes
from nncore.backend.cuda.sources import kernels
from nncore.errors import DigitLabError
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.plan import Plan

BATCHES = (32, 128, 512, 2048)


@dataclass(frozen=True)
class Gpu:
    """What a GPU can do at most."""

    name: str
    bandwidth: float
    """Bytes a second."""
    arithmetic: float
    """Operations a second, FP32."""
    node: float = 2.5e-6
    """Seconds that a kernel of a CUDA graph takes in any case."""

    def least(self, cost: Cost) -> float:
        """Seconds that a kernel takes at least."""
        return max((cost.read + cost.written) / self.bandwidth, cost.operations / self.arithmetic)


GPUS = (Gpu("H100", 3.0e12, 60e12), Gpu("GTX 1660 Ti", 288e9, 5.4e12))


@dataclass(frozen=True)
class Row:
    """One launch of a step."""

    kernel: str
    purpose: str
    blocks: tuple[int, int, int]
    threads: int
    """Of a block."""
    read: int
    """Bytes."""
    written: int
    """Bytes."""
    operations: int
    least_seconds: dict[str, float]
    """By the GPU's name."""


def rows_of(trained: Trained, batch: int) -> list[Row]:
    """The launches of a training step, in their order. DeviceError where the kernels cannot be compiled for the CPU."""
    network = Network(trained.layers(), trained.input_shape)
    optimizer = trained.rule(network.parameters())
    plan = Plan(network, (batch, *trained.input_shape), CrossEntropyLoss(), optimizer, device="cuda-host")
    program: Any = plan._program
    launches = program.launches("train", batch)
    rows = []
    for launch, purpose in zip(launches, purposes(launches, program.record), strict=True):
        name, needs = kernels()[launch.kernel].expression(launch.instance).removeprefix("kernels::"), cost(launch, program.record)
        least = {gpu.name: gpu.least(needs) for gpu in GPUS}
        rows.append(Row(name, purpose, launch.grid, launch.block[0] * launch.block[1] * launch.block[2], *needs, least))
    return rows


def sums(rows: list[Row]) -> dict[str, Any]:
    """A step as a whole: its bytes and operations, and by GPU the least seconds of its work alone, and with its nodes."""
    return {
        "launches": len(rows),
        "bytes": sum(row.read + row.written for row in rows),
        "operations": sum(row.operations for row in rows),
        "least_seconds": {
            gpu.name: {
                "work": sum(row.least_seconds[gpu.name] for row in rows),
                "with_nodes": sum(max(row.least_seconds[gpu.name], gpu.node) for row in rows),
            }
            for gpu in GPUS
        },
    }


HEADINGS = ("kernel", "what it does", "blocks", "threads", "KB read", "KB written", "MFLOP", *(f"{gpu.name}, µs" for gpu in GPUS))


def cells(row: Row) -> list[str]:
    """A row of the table, as text."""
    least = [f"{1e6 * row.least_seconds[gpu.name]:,.2f}" for gpu in GPUS]
    blocks = "×".join(str(size) for size in row.blocks).removesuffix("×1").removesuffix("×1")
    sizes = [f"{row.read / 1e3:,.0f}", f"{row.written / 1e3:,.0f}", f"{row.operations / 1e6:,.2f}"]
    return [row.kernel, row.purpose, blocks, str(row.threads), *sizes, *least]


def summary(name: str, batch: int, found: dict[str, Any]) -> list[str]:
    """The same of a step as a whole: network, batch, launches, MB, MFLOP, and by GPU work alone and with nodes."""
    times = [f"{1e6 * times['work']:,.1f} · {1e6 * times['with_nodes']:,.0f}" for times in found["least_seconds"].values()]
    return [name, str(batch), str(found["launches"]), f"{found['bytes'] / 1e6:,.1f}", f"{found['operations'] / 1e6:,.0f}", *times]


SUMMARY = ("network", "batch", "launches", "MB", "MFLOP", *(f"{gpu.name}, µs: work · with nodes" for gpu in GPUS))


def markdown(headings: tuple[str, ...], lines: list[list[str]]) -> str:
    """A table of Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (list(headings), ["---"] * len(headings), *lines))


def plain(headings: tuple[str, ...], lines: list[list[str]]) -> str:
    """A table of columns as wide as their widest cell; numbers to the right."""
    table = [list(headings), *lines]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    left = [not lines or not column[-1].replace(",", "").replace(".", "").isdigit() for column in zip(*table, strict=True)]
    padded = [[c.ljust(w) if to_left else c.rjust(w) for c, w, to_left in zip(line, widths, left, strict=True)] for line in table]
    return "\n".join("  ".join(line).rstrip() for line in padded)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks launches", description="What a step costs as recorded for a GPU.")
    parser.add_argument(
        "--only", dest="networks", type=networks, default=GPU_NETWORKS, help="only the networks whose name holds this text"
    )
    parser.add_argument("--batch", type=counts, default=BATCHES, help="batch sizes, separated by commas")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="everything, as JSON")
    form.add_argument("--markdown", action="store_true", help="the tables in Markdown")
    options = parser.parse_args(arguments)
    try:
        steps = [(t.name, batch, rows_of(t, batch)) for t in options.networks for batch in options.batch]
    except DigitLabError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        found = [
            sums(rows) | {"network": name, "batch": batch, "rows": [asdict(row) for row in rows]} for name, batch, rows in steps
        ]
        print(json.dumps(found, indent=1))
        return 0
    table = markdown if options.markdown else plain
    for name, batch, rows in steps:
        print(f"{name}, batch {batch}: {len(rows)} launches\n")
        print(table(HEADINGS, [cells(row) for row in rows]) + "\n")
    print(table(SUMMARY, [summary(name, batch, sums(rows)) for name, batch, rows in steps]))
    return 0
