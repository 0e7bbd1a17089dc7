"""Every kernel through NVIDIA's own compiler: no warnings, and nothing is spilled.

Unless DIGITLAB_ALL_GPUS is set, that is for one kind of GPU, and of the oldest the smallest instances only: compiling takes long.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Sequence
from typing import Any

import pytest

from nncore.backend.cuda.instances import INSTANCES, instances_of
from nncore.backend.cuda.sources import Instance, kernels, text

ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)
"""Compute capabilities times ten, from Turing (GTX 1660) to Blackwell."""
OLDEST, IN_FULL = 75, 90
"""Always compiled for. For the second that is every instance; for others the largest and the smallest of each kernel."""
ALL_GPUS = bool(os.environ.get("DIGITLAB_ALL_GPUS"))
OF_CUPY = ("--device-as-default-execution-space", "-ftz=true")
"""Options that CuPy 14 adds to those that it is given."""
REPORT = re.compile(r"ptxas info .*|(?:ptxas)?[ .]*\d+ bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
"""A line of what --ptxas-options=-v makes the compiler say."""


def test_every_template_has_its_row_and_every_row_its_template() -> None:
    templates = {name: len(kernel.template) for name, kernel in kernels().items() if kernel.template}
    assert {name: len(rows[0]) for name, rows in INSTANCES.items()} == templates
    assert all(len(set(rows)) == len(rows) and len(set(map(len, rows))) == 1 for rows in INSTANCES.values())


@pytest.fixture(scope="module")
def nvrtc() -> Any:
    """CuPy's bindings of the compiler; skips, visibly, where there is none."""
    if importlib.util.find_spec("cupy") is None:
        pytest.skip("CuPy is not installed")
    from nncore.backend.cuda.cupy_import import import_cupy

    compiler = import_cupy().cuda.nvrtc
    try:
        compiler.getVersion()
    except RuntimeError as error:
        pytest.skip(f"CuPy finds no NVRTC: {error}")
    return compiler


def some(instances: Sequence[Instance], architecture: int) -> Sequence[Instance]:
    if architecture == IN_FULL:
        return instances
    if architecture == OLDEST and not ALL_GPUS:
        return instances[-1:]  # which shows whether it has the instructions
    return sorted({instances[0], instances[-1]}, key=str)


@pytest.mark.parametrize("file", sorted({kernel.file for kernel in kernels().values()}))
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_compiles_without_a_warning_and_spills_nothing(nvrtc: Any, architecture: int, file: str) -> None:
    from nncore.backend.cuda.cupy_device import OPTIONS

    if architecture not in (OLDEST, IN_FULL) and not ALL_GPUS:
        pytest.skip(f"sm_{architecture} is compiled for where DIGITLAB_ALL_GPUS is set")
    if architecture not in nvrtc.getSupportedArchs():
        pytest.skip(f"this NVRTC does not know sm_{architecture}")
    program = nvrtc.createProgram(text(file), file, (), ())
    expressions = [
        kernel.expression(instance)
        for kernel in kernels().values()
        if kernel.file == file
        for instance in some(instances_of(kernel.name), architecture)
    ]
    for expression in expressions:
        nvrtc.addNameExpression(program, expression)
    options = (*OPTIONS, *OF_CUPY, "--ptxas-options=-v", f"-arch=sm_{architecture}")
    try:
        nvrtc.compileProgram(program, options)
    except nvrtc.NVRTCError:
        pytest.fail(nvrtc.getProgramLog(program))
    reports = [REPORT.fullmatch(line) for line in nvrtc.getProgramLog(program).rstrip("\0").splitlines() if line.strip()]
    assert None not in reports, nvrtc.getProgramLog(program)
    spilled = [int(number) for report in reports if report for number in report.groups() if number is not None]
    assert len(spilled) == 2 * len(expressions)  # every instance is there, and has been reported on
    assert set(spilled) == {0}, nvrtc.getProgramLog(program)
    assert len({nvrtc.getLoweredName(program, expression) for expression in expressions}) == len(expressions)
    assert nvrtc.getCUBIN(program)
