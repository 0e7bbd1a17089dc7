"""Random networks by every path: the compiled plan and the reference backend against the readable path in float64, and PyTorch.

DIGITLAB_RANDOM_SEED repeats a run, DIGITLAB_RANDOM_NETWORKS sets how many networks there are.
"""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from gradcheck import to_float64
from random_networks import Sample, as_floats, draw, draw_batch
from torch_network import step_of_torch

from models.presets import PRESETS
from nncore.arrays import Array
from nncore.backend.devices import choose_device
from nncore.errors import DeviceError, NotCompilable
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import Adam, Optimizer
from nncore.plan import Plan

SEED = int(os.environ["DIGITLAB_RANDOM_SEED"])
COUNT = int(os.environ.get("DIGITLAB_RANDOM_NETWORKS", "60"))
ON_GPU = int(os.environ.get("DIGITLAB_RANDOM_NETWORKS", "20"))
"""How many networks the GPU's kernels get, which the CPU runs slowly."""
DEVICES = ("cpu", "reference")

FLOOR = 5e-6
"""The error that any float32 result may have, as a share of the largest value of its array."""
TIMES = 60
"""How many times as far from float64 as the readable path in float32 a backend may be."""
SHARE_OF_STEP = 1e-4
"""The error that a parameter may have besides after a step, as a share of the learning rate: Adam's steps are about as large."""
LARGEST_ERROR = 0.3
"""A greater error of a gradient, as a share of its largest value, is not allowed for: it would prove nothing."""
IDLE = 1e-9
"""A gradient in float64 that is smaller, as a share of the network's largest gradient, is nothing but rounding."""

Found = dict[str, Array]
"""What a pass found, by names like `gradient of conv1.weight`."""


class Twin:
    """The sample's network and optimizer, which go the readable way in float64 or float32, or by a plan on a device."""

    def __init__(self, sample: Sample, device: str) -> None:
        self.sample, self.network = sample, sample.build()
        self.name = device
        if device == "float64":
            to_float64(self.network)
        self.optimizer: Optimizer = sample.optimizer(self.network)
        self.plan: Plan | None = None
        if not device.startswith("float"):
            shape = (sample.batch + 1, *sample.input_shape)
            self.plan = Plan(self.network, shape, sample.loss, self.optimizer, sample.replicas, device)

    def follow(self, other: Twin) -> None:
        """Take over the other one's state."""
        self.network.load_state_dict(other.network.state_dict())
        self.network.load_random_state(other.network.random_state())
        self.optimizer.load_state_dict(other.optimizer.state_dict())

    def scores(self, x: Array) -> Array:
        if self.plan is not None:
            return self.plan.forward(x)
        self.network.eval()
        return self.network.forward(self._input(x))

    def learn(self, x: Array, labels: Array, moves: bool, noise: np.random.Generator | None = None) -> Found:
        """The gradients of a batch, or where `moves` a step of training; and what else comes of it.

        With `noise` the gradients are changed by what rounding may do to them.
        """
        if self.plan is not None:
            loss = self.plan.step(x, labels) if moves else self.plan.gradients(x, labels)
        else:
            self.network.train()
            loss = self.sample.loss(self.network.forward(self._input(x)), labels)
            self.network.backward(self.sample.loss.backward())
            for parameter in self.network.parameters().values() if noise else ():
                size = np.float32(2.0**-23) * np.abs(parameter.grad).max()
                parameter.grad = parameter.grad + size * noise.uniform(-1, 1, parameter.shape).astype(np.float32)
            if moves:
                self.optimizer.step()
        found = {"loss": np.array(loss)} | {name: buffer.data for name, buffer in self.network.buffers().items()}
        for name, parameter in self.network.parameters().items():
            found[f"{'' if moves else 'gradient of '}{name}"] = parameter.data if moves else parameter.grad
        if moves:
            found |= {f"{slot} of {name}": v for slot, values in self.optimizer.moments.items() for name, v in values.items()}
        return {name: values.copy() for name, values in found.items()}

    def _input(self, x: Array) -> Array:
        return as_floats(x).astype(np.float64 if self.name == "float64" else np.float32)

    def disturb(self, rng: np.random.Generator) -> None:
        """Change every parameter by about its last digit."""
        for parameter in self.network.parameters().values():
            parameter.data *= _nearly_one(rng, parameter.shape)


def _nearly_one(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return (1 + 2.0**-23 * rng.uniform(-1, 1, shape)).astype(np.float32)


def idle_parameters(exact: Network) -> set[str]:
    """Parameters that change nothing: batch norm takes away what they add. Their gradient is zero but for rounding, which Adam
    blows up to full steps. Those that no gradient reaches are among them.
    """
    sizes = {name: float(np.abs(parameter.grad).max()) for name, parameter in exact.parameters().items()}
    return {name for name, size in sizes.items() if size <= IDLE * max(sizes.values())}


class Judge:
    """What float64 finds, and how far from it float32 may be.

    The readable path in float32 says how well conditioned a value is: from the same numbers, and from numbers that differ from
    these in about their last digit.
    """

    def __init__(self, expected: Found, in_float32: list[Found], exact: Twin | None = None) -> None:
        idle = idle_parameters(exact.network) if exact else set()
        steps = dict.fromkeys(exact.network.parameters(), SHARE_OF_STEP * exact.optimizer.lr) if exact else {}
        self.expected = {name: values for name, values in expected.items() if name.split(" of ")[-1] not in idle}
        self.allowed: dict[str, float] = {}
        for name, values in self.expected.items():
            error = max(float(np.abs(found[name] - values).max(initial=0.0)) for found in in_float32)
            # A loss near zero is a difference of scores, whose rounding does not shrink with it.
            size = float(np.abs(values).max(initial=1.0 if name == "loss" else 0.0))
            self.allowed[name] = TIMES * error + FLOOR * size + 1e-12 + steps.get(name, 0.0)

    def check(self, found: Found, what: str) -> None:
        largest = max(float(np.abs(values).max(initial=0.0)) for values in self.expected.values())
        for name, values in self.expected.items():
            size, error = (float(np.abs(array).max(initial=0.0)) for array in (values, found[name] - values))
            assert error <= self.allowed[name], f"{name} is off by {error:.2g} of {size:.2g}, {what}"
            if name.startswith("gradient"):
                limit = LARGEST_ERROR * size + 1e-4 * largest + 1e-9
                assert self.allowed[name] <= limit, f"{name} is too badly conditioned to tell, {what}"


def judge(exact: Twin, single: Twin, start: Twin, x: Array, labels: Array, moves: bool, rng: np.random.Generator) -> Judge:
    in_float32 = []
    for disturbed in (False, True, True):
        single.follow(start)
        if disturbed:
            single.disturb(rng)
        given = as_floats(x) * _nearly_one(rng, x.shape) if disturbed else x
        in_float32.append(single.learn(given, labels, moves, rng if disturbed else None))
    expected = exact.learn(x, labels, moves)
    return Judge(expected, in_float32, exact)


@pytest.mark.parametrize("number", range(COUNT))
def test_random_network(number: int) -> None:
    compare(number, DEVICES)


@pytest.mark.parametrize("device", ["cuda-host", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("number", range(ON_GPU))
def test_random_network_on_the_gpus_kernels(number: int, device: str) -> None:
    if device == "cuda-host" and shutil.which("g++") is None:
        pytest.skip("the GPU's kernels run on the CPU only where g++ is installed")
    try:
        chosen = choose_device(device)
    except DeviceError as error:
        pytest.skip(str(error))
    compare(number, (chosen,))


def compare(number: int, devices: tuple[str, ...]) -> None:
    """A random network on these devices against the readable path."""
    rng = np.random.default_rng((SEED, number))
    sample = draw(rng)
    what = f"DIGITLAB_RANDOM_SEED={SEED}, network {number}: {sample}"
    start, exact, single = Twin(sample, "float32"), Twin(sample, "float64"), Twin(sample, "float32")
    try:
        twins = [Twin(sample, device) for device in devices]
    except NotCompilable:  # which the CPU's kernels and the reference backend never say
        if set(devices) <= set(DEVICES):
            raise
        pytest.skip("the GPU has no kernel for a layer of this network")
    for moves in (False, True, True, False):
        for twin in (exact, *twins):
            twin.follow(start)
        batch = draw_batch(sample, exact.network, rng)
        if batch is None:  # a network that always is close to a kink
            return
        x, labels = batch
        single.follow(start)
        scores = exact.scores(x)
        forward = Judge({"scores": scores}, [{"scores": single.scores(x)}])
        judged = judge(exact, single, start, x, labels, moves, rng)
        for twin in twins:
            forward.check({"scores": twin.scores(x)}, f"{twin.name}, {what}")
            judged.check(twin.learn(x, labels, moves), f"{twin.name}, {what}")
            assert twin.network.random_state() == exact.network.random_state()
            assert twin.optimizer.steps == exact.optimizer.steps
        start.follow(twins[0])


def test_few_networks_are_left_out() -> None:
    """Networks without a single batch that keeps clear of kinks would be tested by nobody."""
    kept = 0
    for number in range(COUNT):
        rng = np.random.default_rng((SEED, number))
        sample = draw(rng)
        kept += draw_batch(sample, Twin(sample, "float64").network, rng) is not None
    assert kept >= 0.8 * COUNT


@pytest.mark.parametrize("number", range(COUNT))
def test_random_network_in_torch(number: int) -> None:
    """The readable path in float64 against PyTorch in float64: scores, loss, gradients, and the parameters after a step."""
    pytest.importorskip("torch", reason="PyTorch is not installed: no second opinion")
    rng = np.random.default_rng((SEED, number))
    sample = draw(rng)
    twin = Twin(sample, "float64")
    batch = draw_batch(sample, twin.network, rng)
    if batch is None:
        return
    x, labels = as_floats(batch[0]).astype(np.float64), batch[1]
    before = {name: parameter.data.copy() for name, parameter in twin.network.parameters().items()}
    found = twin.learn(x, labels, moves=True)
    gradients = {f"gradient of {name}": parameter.grad for name, parameter in twin.network.parameters().items()}
    expected = step_of_torch(twin.network, sample.loss, twin.optimizer, before, x, labels)
    idle = idle_parameters(twin.network)
    for name, values in expected.items():
        if name.removeprefix("gradient of ") not in idle:
            scale = max(float(np.abs(values).max(initial=0.0)), 1e-9)
            error = float(np.abs((found | gradients)[name] - values).max(initial=0.0))
            assert error <= 1e-7 * scale, f"{name}, DIGITLAB_RANDOM_SEED={SEED}, network {number}: {sample}"


@pytest.mark.parametrize("name", PRESETS)
def test_preset(name: str) -> None:
    """Every preset on the CPU and on the reference backend.

    In a network this large some value may lie so close to a kink that the two take different sides, which changes single
    entries of a gradient, but hardly its direction and length.
    """
    networks = [PRESETS[name].build(seed=5) for _ in DEVICES]
    rng = np.random.default_rng(5)
    images, labels = rng.integers(256, size=(6, *networks[0].input_shape), dtype=np.uint8), rng.integers(10, size=6)
    plans = [
        Plan(network, (6, *network.input_shape), CrossEntropyLoss(), Adam(network.parameters(), eps=1e-3), 2, device)
        for network, device in zip(networks, DEVICES, strict=True)
    ]
    scores, expected = (plan.forward(images) for plan in plans)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    loss, expected_loss = (plan.gradients(images, labels) for plan in plans)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    largest = max(np.linalg.norm(parameter.grad) for parameter in networks[1].parameters().values())
    for key, parameter in networks[1].parameters().items():
        error = np.linalg.norm(networks[0].parameters()[key].grad - parameter.grad)
        assert error <= 5e-3 * np.linalg.norm(parameter.grad) + 1e-5 * largest, key
    assert plans[0].step(images, labels) == pytest.approx(plans[1].step(images, labels), rel=1e-4)
    for key, values in networks[1].state_dict().items():
        change = np.linalg.norm(networks[0].state_dict()[key] - values)
        assert change <= 1e-3 * np.linalg.norm(values) + 1e-4, key
