"""The devices that tests of backends run on, by the fixture `device`."""

from __future__ import annotations

import shutil

import pytest

from nncore.backend.cuda.host import HostDevice
from nncore.backend.devices import choose_device
from nncore.errors import DeviceError


@pytest.fixture
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A device by its name; `cuda-host backwards` is cuda-host with threads and blocks in the other order.

    Skips, visibly, where there is no such device: no compiler, or no GPU.
    """
    name: str = request.param
    if name.startswith("cuda-host"):
        if shutil.which("g++") is None:
            pytest.skip("the GPU's kernels run on the CPU only where g++ is installed")
        monkeypatch.setattr(HostDevice, "order", int(name.endswith("backwards")))
        return "cuda-host"
    if name == "cuda":
        try:
            return choose_device(name)
        except DeviceError as error:
            pytest.skip(str(error))
    return name
