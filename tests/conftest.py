"""Isolation: no test reads or writes what belongs to the user who runs it."""

from __future__ import annotations

import gc
import importlib.util
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# Fixed here, so that the processes of one run of the tests agree on it.
os.environ.setdefault("DIGITLAB_RANDOM_SEED", str(secrets.randbelow(10**9)))

DATASETS = os.environ.get("DIGITLAB_DATA")
"""The folder of real datasets that the tests were started with."""


def pytest_report_header() -> str:
    return f"random networks: DIGITLAB_RANDOM_SEED={os.environ['DIGITLAB_RANDOM_SEED']}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, visibly, what needs a GPU where there is none. Behind the choice of tests, so that CuPy is not asked for nothing."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if marked and (why_not := _why_no_gpu()):
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=why_not))


def pytest_collection_finish() -> None:
    """Leave out of later collections of garbage what has been imported and the tests themselves: going through it takes longer than
    most tests.
    """
    gc.collect()
    gc.freeze()


def _why_no_gpu() -> str:
    """Why no GPU can be used; empty where one can."""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed"
    from nncore.backend.cuda.cupy_device import CupyDevice

    try:
        CupyDevice()
    except Exception as error:
        return f"no GPU: {error}"
    return ""


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point every folder of the user's into the test's own; returns the data folder."""
    for variable, name in (("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "share"), ("XDG_STATE_HOME", "state")):
        monkeypatch.setenv(variable, str(tmp_path / name))
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("DIGITLAB_DATA", str(data))
    return data


@pytest.fixture
def real_mnist(isolated: Path) -> Path:
    """The data folder with the real MNIST in it; skips, visibly, where there is none."""
    if not DATASETS or not (Path(DATASETS) / "mnist").is_dir():
        pytest.skip("DIGITLAB_DATA holds no mnist folder")
    (isolated / "mnist").symlink_to(Path(DATASETS) / "mnist")
    return isolated


@pytest.fixture
def single_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stretch of a training is one step, however fast the machine is."""
    monkeypatch.setattr("nncore.training.meters.STRETCH_SECONDS", 0)


@pytest.fixture
def rng() -> Iterator[np.random.Generator]:
    yield np.random.default_rng(20261122)
