"""What the recorder asks for is what is compiled in tests for every GPU."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from models.presets import PRESETS
from nncore.backend.cuda.host import HostDevice
from nncore.backend.cuda.instances import instances_of
from nncore.backend.cuda.sources import Key
from nncore.layers import Conv2d, Flatten, Linear, MaxPool2d
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import SGD
from nncore.plan import Plan


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[Key]:
    """The kernels that programs ask for while they are made; none is compiled."""
    found: set[Key] = set()

    def load(_: HostDevice, keys: Iterable[Key]) -> None:
        found.update(keys)

    monkeypatch.setattr(HostDevice, "load", load)
    return found


def record(network: Network, batch: int) -> None:
    Plan(network, (batch, *network.input_shape), CrossEntropyLoss(), SGD(network.parameters(), 0.1), device="cuda-host")


@pytest.mark.parametrize("name", PRESETS)
def test_the_kernels_of_presets_are_in_the_table(asked: set[Key], name: str) -> None:
    for batch in (1, 128):
        record(Network(PRESETS[name].layers(), PRESETS[name].input_shape), batch)
    assert asked
    assert {(kernel, instance) for kernel, instance in asked if instance not in instances_of(kernel)} == set()


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 16, 40, 64])
@pytest.mark.parametrize("given", [1, 4])
def test_the_kernels_of_convolutions_of_any_size_are_in_the_table(asked: set[Key], given: int, channels: int) -> None:
    for side in (1, 2, 3, 4, 5, 6, 7):
        for batch in (1, 64):
            first, second, pooled = (Conv2d(channels, side, padding=side // 2) for _ in range(3))
            record(Network([first, second, pooled, MaxPool2d(2), Flatten(), Linear(10)], (16, 16, given)), batch)
    assert {(kernel, instance) for kernel, instance in asked if instance not in instances_of(kernel)} == set()
