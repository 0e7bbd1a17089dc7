"""Whole trainings on the class that talks to CuPy, over a stand-in for it: to the same bits as on the host device."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from nncore.arrays import Array
from nncore.backend.cuda import feed
from nncore.backend.devices import get_backend
from nncore.data import synthetic
from nncore.data.augment import AUGMENTATIONS
from nncore.errors import DeviceError
from nncore.layers import BatchNorm, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import Adam
from nncore.plan import Plan
from nncore.prediction import Predictor
from tests.nncore.backend.cuda.cupy_standin import FakeCupy
from tests.nncore.backend.cuda.cupy_standin_streams import Stream

IMAGES = (np.arange(40 * 64) * 97 % 251).astype(np.uint8).reshape(40, 8, 8, 1)
LABELS = np.arange(40) * 7 % 5
COUNTS = (*[6] * 10, 4, 6)


def network(norm: bool = False) -> Network:
    middle = [BatchNorm(), ReLU()] if norm else [ReLU(), Dropout(0.3)]
    return Network([Conv2d(4, 3, padding=1), MaxPool2d(2), Flatten(), Linear(12), *middle, Linear(5)], (8, 8, 1), seed=2)


def frozen(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


def train(device: str, images: Array, labels: Array, norm: bool = False) -> dict[str, Array]:
    """All that a short training finds and leaves."""
    trained = network(norm)
    optimizer = Adam(trained.parameters(), 0.01, weight_decay=0.01)
    plan = Plan(trained, (6, 8, 8, 1), CrossEntropyLoss(), optimizer, device=device)
    order, starts = np.random.default_rng(1).integers(40, size=sum(COUNTS)), np.cumsum((0, *COUNTS))
    batches = [order[start:end] for start, end in pairwise(starts)]
    found = {}
    for part in (slice(0, 1), slice(1, 11), slice(11, 12)):
        losses, right = plan.steps(images, labels, batches[part], [0.01] * len(batches[part]))
        found |= {f"losses {part.start}": losses, f"right {part.start}": right}
    answers = plan.forward(images.astype(np.float32) / 255)
    return found | trained.state_dict() | optimizer.state_dict() | {"answers": answers}


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("dataset", [frozen, np.copy], ids=["copied once", "sent by the ring"])
def test_a_training(fake: FakeCupy, monkeypatch: pytest.MonkeyPatch, dataset: Callable[[Array], Array], norm: bool) -> None:
    monkeypatch.setattr(feed, "HALF", 12 * 64)  # two steps: a run takes both halves of the ring several times
    images, labels = dataset(IMAGES), dataset(LABELS)
    expected, found = train("cuda-host", images, labels, norm), train("cuda:1", images, labels, norm)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].tobytes() == values.tobytes(), name


def test_augmentation_and_answers(fake: FakeCupy) -> None:
    data = synthetic("train", 12)
    varied = [AUGMENTATIONS["strong"](data.images, np.random.default_rng(0), device) for device in ("cuda-host", "cuda")]
    np.testing.assert_array_equal(*varied)
    asked = Network([Conv2d(4, 3, padding=1), ReLU(), MaxPool2d(2), Flatten(), Linear(10)], (28, 28, 1), seed=3)
    expected = Predictor(asked, "cuda-host")
    predictor = Predictor(asked, "cuda")
    predictor.prepare()
    expected.prepare()
    np.testing.assert_array_equal(predictor.predict(data.images), expected.predict(data.images))
    assert get_backend("cuda").describe() == "Standin 9 · 1 GB"


def test_calls_that_no_program_makes_share_a_stream(fake: FakeCupy, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a new one each, they would never get the memory again that the ones before have freed."""
    streams: list[object] = []

    def noted(**settings: bool) -> object:
        streams.append(made := Stream(fake, **settings))
        return made

    monkeypatch.setattr(fake.cuda, "Stream", noted)
    images, rng = synthetic("train", 3).images, np.random.default_rng(0)
    for _ in range(3):
        AUGMENTATIONS["strong"](images, rng, "cuda")
        get_backend("cuda").asarray(images)
        get_backend("cuda").describe()
    assert len(streams) == 2


def test_a_gpu_with_little_memory(install: Callable[[FakeCupy], FakeCupy], monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit at once is done in parts, down to where one image does not fit; nothing is lost on the way."""
    monkeypatch.setattr(feed, "HALF", 64)
    expected = train("cuda-host", IMAGES, LABELS)
    refused = compared = 0
    for memory in range(4_000, 80_000, 2_000):
        install(FakeCupy(memory=memory))
        trained = network()
        before = trained.state_dict()
        try:
            plan = Plan(trained, (6, 8, 8, 1), CrossEntropyLoss(), Adam(trained.parameters(), 0.01), device="cuda")
            plan.gradients(IMAGES[:6], LABELS[:6])
        except DeviceError as error:
            assert str(error).endswith("or the device cpu.")
            refused += 1
            for name, values in before.items():
                np.testing.assert_array_equal(trained.state_dict()[name], values)
            continue
        try:
            found = train("cuda", IMAGES, LABELS)
        except DeviceError:  # of a longer run there is more to keep
            continue
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, rtol=2e-3, atol=2e-3, err_msg=name)
        compared += 1
    assert refused and compared


@pytest.mark.parametrize("norm", [False, True])
def test_a_gpu_that_is_lost_leaves_everything_as_before_the_run(install: Callable[[FakeCupy], FakeCupy], norm: bool) -> None:
    trained = network(norm)
    optimizer = Adam(trained.parameters(), 0.01)
    fake = install(FakeCupy())
    plan = Plan(trained, (6, 8, 8, 1), CrossEntropyLoss(), optimizer, device="cuda")
    batches = [np.arange(6), np.arange(6, 12), np.arange(12, 16)]
    plan.steps(IMAGES, LABELS, batches, [0.01] * 3)
    before, calls = trained.state_dict() | optimizer.state_dict(), fake.calls
    losses, _ = plan.steps(IMAGES, LABELS, batches, [0.01] * 3)
    of_a_run = fake.calls - calls
    for lost in range(0, of_a_run, 7):
        trained.load_state_dict({name: before[name] for name in trained.state_dict()})
        optimizer.load_state_dict({name: before[name] for name in optimizer.state_dict()})
        trained.load_random_state({"dropout1": 3} if not norm else {})
        fake = install(FakeCupy())
        plan = Plan(trained, (6, 8, 8, 1), CrossEntropyLoss(), optimizer, device="cuda")
        plan.forward(IMAGES[:2])
        fake.lost = (fake.calls + lost, 719)
        with pytest.raises(DeviceError, match="stopped answering"):
            plan.steps(IMAGES, LABELS, batches, [0.01] * 3)
        for name, values in before.items():
            np.testing.assert_array_equal((trained.state_dict() | optimizer.state_dict())[name], values, err_msg=name)
        # The same network goes on on the CPU, with the steps that were lost.
        on_cpu = Plan(trained, (6, 8, 8, 1), CrossEntropyLoss(), optimizer, device="cpu")
        np.testing.assert_allclose(on_cpu.steps(IMAGES, LABELS, batches, [0.01] * 3)[0], losses, rtol=1e-3)
