"""Puts deliberate faults into the GPU's kernels, one at a time, and says which test of theirs turns red.

    python -m tests.nncore.backend.cuda.check_faults [FILE.cu …]        all files by default; some minutes each

Each fault is a process of its own, since a kernel that writes where it should not may end it.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
from pathlib import Path
from typing import TypeAlias

import pytest

from nncore.backend.cuda import host
from nncore.backend.cuda.sources import FOLDER
from tests.nncore.backend.cuda import faults, faults_conv_norm, faults_programs

Fault: TypeAlias = tuple[str, str, str]
"""A file, what stands in it, and what instead."""

FAULTS: tuple[Fault, ...] = (*faults.FAULTS, *faults_conv_norm.FAULTS, *faults_programs.FAULTS, *faults_programs.EVERYWHERE)
HERE = "tests/nncore/backend/cuda"
WHOLE = [f"{HERE}/test_runs.py", f"{HERE}/test_passes.py", f"{HERE}/test_sizes.py", "tests/nncore/backend/test_operations.py"]
TESTS = {
    **{file: [f"{HERE}/test_kernels.py"] for file in ("elementwise.cu", "softmax.cu", "dropout.cu", "pooling.cu")},
    "loss.cu": [f"{HERE}/test_loss_kernels.py"],
    "clip.cu": [f"{HERE}/test_clip_kernels.py"],
    "conv.cu": [f"{HERE}/test_conv_kernels.py"],
    "norm.cu": [f"{HERE}/test_norm_kernels.py"],
    "vary.cu": [f"{HERE}/test_vary_kernel.py"],
    "take.cu": [
        "-k",
        "(cuda-host and (take or program or single_steps)) or splits or (behind and take)",
        "tests/nncore/backend/test_programs.py",
        *WHOLE,
    ],
    "product.cu": ["-k", "linear and (cuda-host or behind)", *WHOLE[2:]],
    "pooled.cu": ["-k", "(cuda-host or behind) and (pooled or pooling)", *WHOLE[2:]],
    "update.cu": ["-k", "(cuda-host and (sgd or momentum or adam or single_steps or end or linear)) or splits", *WHOLE[::-1]],
}
"""What pytest is given for a fault in a file: the tests nearest to it."""
PATIENCE = 300
"""Seconds after which a test that does not end counts as red."""


def main(files: list[str]) -> int:
    chosen = [fault for fault in FAULTS if fault[0] in (files or TESTS)]
    missed = 0
    host.FLAGS = (*host.FLAGS, "-w")  # a fault shall show in what is computed, not in a warning
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder  # kernels with faults are no use to anybody later
        for number, fault in enumerate(chosen, 1):
            red = found_by(fault, Path(folder) / "report")
            missed += not red
            file, old, new = (part.strip().replace("\n", " ") for part in fault)
            print(f"| {number} | {file} {kernel_of(fault)} | `{old}` → `{new}` | {red or 'MISSED'} |", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} faults turn a test red")
    return 1 if missed else 0


def kernel_of(fault: Fault) -> str:
    """The kernel that the fault is in: the last that begins before it; empty for what several share."""
    file, old, _ = fault
    before = (FOLDER / file).read_text("utf-8").partition(old)[0]
    begun = re.findall(r"^(?:.*__global__ void (\w+)|.*__device__ .*\()", before, re.MULTILINE)
    return str(begun[-1]) if begun else ""


def found_by(fault: Fault, report: Path) -> str:
    """The test that turns red, or how the process ended; empty where everything stays green."""
    report.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        os._exit(run_tests(fault, report))
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return f"ended by {signal.Signals(os.WTERMSIG(status)).name}"
    code = os.waitstatus_to_exitcode(status)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"pytest could not run for {fault}: {report.read_text('utf-8')}")
    red = re.search(r"^(?:FAILED|ERROR) .*?([\w.]+::[^\n]*?)(?: - .*)?$", report.read_text("utf-8"), re.MULTILINE)
    return red[1] if red else ""


def run_tests(fault: Fault, report: Path) -> int:
    """In a process of its own: run the fault's tests, up to the first that is red, with the fault in the kernel."""
    put_in(fault)
    with report.open("w", encoding="utf-8") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--tb=no", "-rfE", *TESTS[fault[0]]]))


def put_in(fault: Fault) -> None:
    """From here on this process compiles the file with the fault."""
    file, old, new = fault
    sound = host.text
    host._functions.clear()
    host.text = lambda name: sound(name).replace(old, new) if name == file else sound(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
