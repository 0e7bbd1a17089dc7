"""One side of a race, in a process of its own, so that one library's threads never meet the other's.

`python -m benchmarks.contender nncore|torch|onnx CORES` reads lines of JSON and answers each with one: {"case", "layout",
"seconds"} runs that case for about so long and says how many examples a second it did; "peak" as the case measures sgemm.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np

from benchmarks.cases import CASES, Case
from benchmarks.torch_modules import modules
from nncore.data import open_dataset
from nncore.exchange import onnx_model
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import SGD, Adam
from nncore.plan import Plan

Step = Callable[[], int]
"""Does some work and says how many steps that were."""

PART = 100
"""Images that ONNX Runtime takes at a time where many are not given to it at once."""
STRETCH = 0.03
"""Seconds of training that a plan is asked for at a time, as by nncore.training.Trainer."""


_data = functools.cache(open_dataset)


def batches(case: Case) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A few batches of the case's data, always the same."""
    data = _data(case.data)
    order = np.random.default_rng(0).permutation(len(data))
    parts = [order[start : start + case.batch] for start in range(0, min(len(data) - case.batch, 40 * case.batch), case.batch)]
    return [data.images[part] for part in parts], [data.labels[part] for part in parts]


def nncore_step(case: Case, layout: str, cores: int) -> Step:
    """A stretch of training steps, or an answer, of the compiled plan. It takes uint8 images and converts them itself."""
    network = Network(case.layers(), case.input_shape)
    images, labels = batches(case)
    if not case.train:
        plan, turn = Plan(network, (case.batch, *case.input_shape), replicas=cores), cycle(images)

        def answer() -> int:
            plan.forward(next(turn))
            return 1

        return answer
    rule = (
        Adam(network.parameters(), case.learning_rate)
        if case.optimizer == "adam"
        else SGD(network.parameters(), case.learning_rate)
    )
    plan = Plan(network, (case.batch, *case.input_shape), CrossEntropyLoss(), rule, cores)
    every, known, order = np.concatenate(images), np.concatenate(labels), cycle(range(len(images)))

    def stretch(steps: int) -> int:
        chosen = [np.arange(case.batch) + case.batch * next(order) for _ in range(steps)]
        plan.steps(every, known, chosen, [case.learning_rate] * steps)
        return steps

    stretch(1)
    began = time.perf_counter()
    stretch(3)
    steps = max(1, round(3 * STRETCH / (time.perf_counter() - began)))
    return lambda: stretch(steps)


def torch_step(case: Case, layout: str, cores: int) -> Step:
    """The same in PyTorch, on tensors that are already float32 and laid out as `layout` wants them."""
    import torch

    torch.set_num_threads(cores)
    model = torch.nn.Sequential(*modules(Network(case.layers(), case.input_shape).layers, torch))
    form = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    model = model.to(memory_format=form)
    images, labels = batches(case)
    tensors = [torch.tensor(i.transpose(0, 3, 1, 2) / np.float32(255)).contiguous(memory_format=form) for i in images]
    if not case.train:
        model.eval()
        turn = cycle(tensors)

        def answer() -> int:
            with torch.inference_mode():
                model(next(turn))
            return 1

        return answer
    rules = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    optimizer = rules[case.optimizer](model.parameters(), case.learning_rate)
    loss, pairs = torch.nn.CrossEntropyLoss(), cycle(list(zip(tensors, map(torch.tensor, labels), strict=True)))

    def step() -> int:
        x, y = next(pairs)
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        value.item()
        return 1

    return step


def onnx_session(case: Case, cores: int) -> Any:
    """The network, exported as `digitlab export --onnx` does it, in ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
    model = onnx_model(Network(case.layers(), case.input_shape))
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def onnx_step(case: Case, layout: str, cores: int) -> Step:
    """An answer of ONNX Runtime, to arrays that are already float32 in its order of axes: at once, or PART images at a time."""
    session = onnx_session(case, cores)
    size = PART if layout == "parts" else case.batch
    given = [np.ascontiguousarray(images.transpose(0, 3, 1, 2) / np.float32(255)) for images in batches(case)[0]]
    turn = cycle([[images[start : start + size] for start in range(0, case.batch, size)] for images in given])

    def answer() -> int:
        for part in next(turn):
            session.run(["logits"], {"input": part})
        return 1

    return answer


STEPS = {"nncore": nncore_step, "torch": torch_step, "onnx": onnx_step}


def rate(step: Step, seconds: float, batch: int) -> float:
    """Examples a second."""
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds or count < 3:
        count += step()
    return count * batch / passed


def peak(cores: int) -> float:
    """GFLOP/s of NumPy's sgemm on matrices of 1024, all cores."""
    a = np.random.default_rng(0).random((1024, 1024), np.float32)
    best = 0.0
    for _ in range(12):
        start = time.perf_counter()
        a @ a
        best = max(best, 2 * 1024**3 / (time.perf_counter() - start) / 1e9)
    return best


def main() -> None:
    side, cores = sys.argv[1], int(sys.argv[2])
    cases = {case.name: case for case in CASES}
    current: tuple[str, str] | None = None
    step: Step | None = None
    kept: dict[tuple[str, str], Step] = {}
    for line in sys.stdin:
        wish = json.loads(line)
        if wish["case"] == "peak":
            print(json.dumps({"rate": peak(cores)}), flush=True)
            continue
        case, key = cases[wish["case"]], (wish["case"], wish["layout"])
        if current and current[0] != key[0]:
            kept.clear()
        if key not in kept:
            kept[key] = STEPS[side](case, wish["layout"], cores)
            rate(kept[key], 0.5, case.batch)
        current, step = key, kept[key]
        print(json.dumps({"rate": rate(step, wish["seconds"], case.batch)}), flush=True)


if __name__ == "__main__":
    main()
