"""Tests that run the GPU's kernels on the CPU are skipped, visibly, where there is no compiler for them."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="session")
def compiler() -> None:
    if shutil.which("g++") is None:
        pytest.skip("the GPU's kernels run on the CPU only where g++ is installed")
