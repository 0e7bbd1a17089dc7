"""One operation by itself, recorded on a backend, given numbers, and run for one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import pytest

from nncore.arrays import Array, to_numpy
from nncore.backend.contract import Batches, Outcome, Program, Recorder, Tensor, Weights
from nncore.backend.devices import get_backend
from nncore.backend.vector import SLACK, Part, Vector
from nncore.parameter import Buffer, Parameter
from nncore.plan.flat import Flat

Place: TypeAlias = Callable[[Array], Array]
"""Puts an array where it shall lie."""

GPU = pytest.param("cuda", marks=pytest.mark.gpu)
"""An NVIDIA GPU, where there is one: see conftest.py."""
ON_EACH_CUDA_DEVICE = pytest.mark.parametrize("device", ["cuda-host", "cuda-host backwards", GPU], indirect=True)
ON_EACH_DEVICE = pytest.mark.parametrize("device", ["cpu", "cuda-host", "cuda-host backwards", GPU], indirect=True)
"""All that are held against the reference backend."""

SECTION = "trial"
RUNNING = ("running_mean", "running_var")
"""The parameters of a trial that are no parameters, but buffers."""


@dataclass
class Trial:
    """What is recorded, and the numbers that it is given."""

    build: Callable[[Recording], None]
    """Records the operation, and says which tensors are given and which are to be read."""
    parameters: dict[str, Array] = field(default_factory=dict)
    """`weight`, `bias`; the running averages among them are buffers."""
    count: int = 2
    """Examples of the step."""
    spare: int = 0
    """How many more examples the program is recorded for."""
    replicas: int = 1
    images: Array | None = None
    """The whole dataset, of which `indices` are taken; nothing much where the operation does not look at it."""
    indices: Array | None = None
    labels: Array | None = None
    moments: int = 0
    """Running averages of the optimizer."""
    rates: Sequence[float] = ()
    exact: bool = True
    """Whether convolutions are done product by product, as the contract has it."""
    tolerance: float = 0.0
    """Largest difference allowed, as a share of the largest value of an array. Zero where all sums are of whole numbers: they
    are exact in float32, in any order, and so are the winners among equal ones."""

    def with_(self, **changes: object) -> Trial:
        return replace(self, **changes)  # type: ignore[arg-type]


class Recording:
    """A recorder, and what a trial has said about its tensors."""

    def __init__(self, record: Recorder, parts: dict[str, Part]) -> None:
        self.record, self.parts = record, parts
        self.inputs: list[tuple[Tensor, Array]] = []
        self.outputs: list[Tensor] = []

    @property
    def weights(self) -> Weights:
        return Weights(self.parts["weight"].start, self.parts["bias"].start)

    def given(self, values: Array, padding: tuple[int, int] = (0, 0)) -> Tensor:
        """A tensor that holds `values` (N, rows, cols, channels) when the program runs."""
        tensor = self.record.tensor(*values.shape[1:], padding)
        self.inputs.append((tensor, values))
        return tensor

    def wanted(self, shape: tuple[int, int, int], padding: tuple[int, int] = (0, 0)) -> Tensor:
        """A tensor that is read after the run. It holds ones before, so that an operation must write all of it."""
        tensor = self.record.tensor(*shape, padding)
        self.outputs.append(tensor)
        return tensor


def _as_it_is(array: Array) -> Array:
    return array


def _moment(number: int, size: int) -> Array:
    """A running average in mid training; from the second on they are averages of squares, and never negative."""
    values = np.random.default_rng(number).standard_normal(size).astype(np.float32)
    return np.abs(values) if number else values


def record(trial: Trial, device: str, place: Place = _as_it_is) -> tuple[Recording, Vector, list[Array]]:
    """The trial, recorded; with its flat parameters and the optimizer's running averages, which `place` puts on a device."""
    arrays = {name: np.asarray(values, np.float32) for name, values in trial.parameters.items()}
    parameters = {name: Parameter(values.copy()) for name, values in arrays.items() if name not in RUNNING}
    buffers = {name: Buffer(values.copy()) for name, values in arrays.items() if name in RUNNING}
    flat = Flat(parameters, buffers)
    vector = replace(flat.vector, values=place(flat.vector.values))
    moments = [place(_moment(number, vector.parameters + SLACK)) for number in range(trial.moments)]
    batch = max(trial.count + trial.spare, 1)
    recorder = get_backend(device).record(batch, vector, moments, min(trial.replicas, batch), trial.exact)
    recording = Recording(recorder, flat.parts)
    with recorder.section(SECTION):
        trial.build(recording)
        recorder.barrier()
    return recording, vector, moments


def taken(trial: Trial, device: str, place: Place = _as_it_is) -> tuple[Recording, Program, Outcome, Vector, list[Array]]:
    """The trial, after its step: recorded, its program, what that found, its flat parameters and the running averages."""
    recording, vector, moments = record(trial, device, place)
    program = recording.record.finish()
    for tensor in recording.outputs:
        program.write(tensor, np.ones((trial.count, tensor.rows, tensor.cols, tensor.channels), np.float32))
    for tensor, values in recording.inputs:
        program.write(tensor, values)
    images = np.zeros((max(trial.count, 1), 1), np.float32) if trial.images is None else trial.images
    indices = np.arange(trial.count) if trial.indices is None else trial.indices
    labels = np.zeros(len(images), np.int64) if trial.labels is None else trial.labels
    rates = [trial.rates] if len(trial.rates) else []
    outcome = program.run(SECTION, Batches(images, labels, indices, [trial.count], rates), recording.outputs)
    return recording, program, outcome, vector, moments


def run(trial: Trial, device: str, place: Place = _as_it_is) -> dict[str, Array]:
    """Everything that the operation has found or changed, by name, on the host."""
    _, program, outcome, vector, moments = taken(trial, device, place)
    found = {f"output {number}": values for number, values in enumerate(outcome.values)}
    found["parameters"] = to_numpy(vector.values[:-SLACK].copy())
    found["gradient"] = program.gradient()
    found |= {f"moment {number}": to_numpy(moment) for number, moment in enumerate(moments)}
    if trial.labels is not None:
        found |= {"loss": outcome.losses, "right": outcome.right}
    return found


def check(trial: Trial, device: str) -> None:
    """The device finds what the reference backend finds."""
    ours, expected = run(trial, device), run(trial, "reference")
    assert ours.keys() == expected.keys()
    for name, values in expected.items():
        assert ours[name].shape == values.shape and ours[name].dtype == values.dtype, name
        if trial.tolerance == 0 or values.dtype.kind == "i":
            np.testing.assert_array_equal(ours[name], values, name)
        else:
            scale = float(np.abs(values).max(initial=1e-6))
            np.testing.assert_allclose(ours[name], values, rtol=0, atol=trial.tolerance * scale, err_msg=name)
