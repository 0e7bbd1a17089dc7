"""What the tests of the device that talks to CuPy share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nncore.backend.cuda import backend, cupy_device
from tests.nncore.backend.cuda.cupy_standin import FakeCupy


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeCupy], FakeCupy]:
    def install(fake: FakeCupy) -> FakeCupy:
        monkeypatch.setattr(cupy_device, "_functions", {})
        monkeypatch.setattr(backend, "_devices", {})
        monkeypatch.setattr(cupy_device, "import_cupy", lambda: fake)
        return fake

    return install


@pytest.fixture(params=["late", "early"])
def fake(request: pytest.FixtureRequest, install: Callable[[FakeCupy], FakeCupy]) -> FakeCupy:
    """CUDA may do what it was told at any time between the call and the first wait for it: at either end."""
    return install(FakeCupy(devices=2, early=request.param == "early"))
