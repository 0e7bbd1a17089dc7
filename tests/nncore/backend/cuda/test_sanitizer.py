"""No kernel reads or writes outside of its buffers: AddressSanitizer watches over kernels that g++ compiled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "sanitized.py"


def library(name: str) -> str:
    """Where g++ has one of its libraries; skips, visibly, where it has none."""
    if shutil.which("g++") is None:
        pytest.skip("the GPU's kernels run on the CPU only where g++ is installed")
    path = subprocess.run(["g++", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
    if not Path(path).is_absolute() or not Path(path).exists():
        pytest.skip(f"AddressSanitizer needs {name}, which is not installed")
    return path


def run(*fault: str) -> subprocess.CompletedProcess[str]:
    preload = f"{library('libasan.so')} {library('libstdc++.so')}"
    settings = "detect_leaks=0:detect_stack_use_after_return=0"
    paths = os.pathsep.join(map(str, (SCRIPT.parent, SCRIPT.parents[1], SCRIPT.parents[4])))
    environment = os.environ | {"LD_PRELOAD": preload, "ASAN_OPTIONS": settings, "PYTHONPATH": paths}
    return subprocess.run([sys.executable, SCRIPT, *fault], env=environment, capture_output=True, text=True)


def test_nothing_outside_of_any_buffer() -> None:
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("nothing outside of any buffer\n")


@pytest.mark.parametrize("file", ["pooled.cu", "take.cu"])
def test_a_guard_that_is_missing_is_found(file: str) -> None:
    done = run(file, "if (n >= count) return;", "")
    assert done.returncode != 0
    assert "ERROR: AddressSanitizer" in done.stderr and f"{file}:" in done.stderr
