"""What each launch of a step is for, in words: `conv1: gradient of the input`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from nncore.backend.cuda.device import Launch
from nncore.backend.cuda.record import Record

Words: TypeAlias = str | Callable[[Launch], str]


def _convolution_words(launch: Launch) -> str:
    return "bias and ReLU" if launch.arguments["relu"] else "bias"


def _product_words(launch: Launch) -> str:
    a, parts = launch.arguments, launch.grid[2]
    if a["ones"]:
        return "gradients of weight and bias" + (f", {parts} copies" if parts > 1 else "")
    if a["bias"]:
        return f"product, {_convolution_words(launch)}"
    return f"product, in {parts} shares to keep all of a GPU busy" if parts > 1 else "gradient of the input"


def _finish_words(launch: Launch) -> str:
    return f"adds the shares up; {_convolution_words(launch)}"


def _pooled_words(launch: Launch) -> str:
    return f"convolution, {_convolution_words(launch)}, pool"


def _pooled_weight_words(launch: Launch) -> str:
    return f"gradients of weight and bias, {launch.grid[0]} copies"


def _weight_words(launch: Launch) -> str:
    return f"gradients of weight and bias, {launch.grid[2]} copies"


def _apply_words(launch: Launch) -> str:
    return "normalises by them" + (", ReLU" if launch.arguments["relu"] else "")


WORDS: dict[str, Words] = {
    "take": "gathers the batch's images by their numbers and scales them",
    "tick": "counts the step",
    "vary": "varies the images",
    "pooled_convolution": _pooled_words,
    "pooled_convolution_input_gradient": "gradient of the input",
    "pooled_convolution_weight_gradient": _pooled_weight_words,
    "conv2d": lambda launch: f"convolution, {_convolution_words(launch)}",
    "conv2d_input_gradient": "gradient of the input",
    "conv2d_weight_gradient": _weight_words,
    "product": _product_words,
    "finish": _finish_words,
    "cross_entropy": "the loss, its gradient, the right answers; counts the step",
    "probability": "the loss, its gradient, the right answers; counts the step",
    "hinge": "the loss, its gradient, the right answers; counts the step",
    "relu": "ReLU",
    "relu_back": "the way back of ReLU",
    "sigmoid": "sigmoid",
    "sigmoid_back": "the way back of sigmoid",
    "tanh": "tanh",
    "tanh_back": "the way back of tanh",
    "softmax": "softmax",
    "softmax_back": "the way back of softmax",
    "dropout": "dropout",
    "max_pool2d": "max pool",
    "max_pool2d_back": "the way back of the max pool",
    "avg_pool2d": "average pool",
    "avg_pool2d_back": "the way back of the average pool",
    "batch_norm_sums": "means and variances of shares of the batch",
    "batch_norm_apply": _apply_words,
    "batch_norm_running": "normalises by the running statistics",
    "batch_norm_back_sums": "gradients of weight and bias, of shares of the batch",
    "batch_norm_back": "gradient of the input",
    "sum_copies": "adds the copies of the gradients up",
    "gradient_squares": "squares of the gradient, of shares of the parameters",
    "clip_copies": "makes the copies of the gradients shorter",
    "update_sgd": "adds the copies of the gradients up; SGD",
    "update_momentum": "adds the copies of the gradients up; momentum",
    "update_nesterov": "adds the copies of the gradients up; Nesterov's momentum",
    "update_adam": "adds the copies of the gradients up; Adam",
    "update_adamw": "adds the copies of the gradients up; AdamW",
}
"""What each kernel does."""


def purposes(launches: list[Launch], record: Record) -> list[str]:
    """For each launch of a step what it does for which layer, in words."""
    layers = _layers(launches, record)
    known = [WORDS[launch.kernel] for launch in launches]
    words = [each(launch) if callable(each) else each for each, launch in zip(known, launches, strict=True)]
    return [f"{layer}: {what}" if layer else what for layer, what in zip(layers, words, strict=True)]


def _layers(launches: list[Launch], record: Record) -> list[str]:
    """For each launch its layer, or `after` the one that made what it reads; empty where it belongs to none."""
    names = [_own_layer(launch, record) for launch in launches]
    owners: dict[object, str] = {}
    for launch, name in zip(launches, names, strict=True):
        if name:
            owners |= dict.fromkeys(_private(launch), name)
    makers: dict[int, str] = {}
    for number, launch in enumerate(launches):
        if not names[number]:
            owner = next((owners[thing] for thing in _private(launch) if thing in owners), "")
            maker = next((makers[memory] for memory in _memory(launch, "x", "y") if memory in makers), "")
            names[number] = owner or (f"after {maker}" if maker else "")
            owners |= dict.fromkeys(_private(launch), names[number])
        for memory in _memory(launch, "y", "c"):
            if name := names[number].removeprefix("after "):
                makers.setdefault(memory, name)
    return names


def _private(launch: Launch) -> list[object]:
    """What one layer alone has: the memory of its statistics or winners, or the number of its random keys."""
    keys = [("key", launch.arguments["key"])] if "key" in launch.arguments else []
    return [*_memory(launch, "partial", "found", "winner"), *keys]


def _memory(launch: Launch, *parameters: str) -> list[int]:
    """The buffers of these parameters, where a launch has them."""
    places = [launch.arguments.get(parameter) for parameter in parameters]
    return [id(place.buffer) for place in places if place is not None]


def _own_layer(launch: Launch, record: Record) -> str:
    """The layer whose numbers a launch reads, or whose gradient it writes; empty where it has to do with none or with all."""
    layers = {part.start: name.rpartition(".")[0] for name, part in record.vector.parts.items()}
    of_copies = {known.start: layers[start] for start, known in record.gradients.items()}
    if "table" in launch.arguments:
        return ""
    for at in launch.arguments.values():
        buffer = getattr(at, "buffer", None)
        if buffer is not None and buffer is record.theta and at.offset in layers:
            return layers[at.offset]
        if buffer is not None and buffer is record.copies and at.offset % max(record.copies_size, 1) in of_copies:
            return of_copies[at.offset % max(record.copies_size, 1)]
    return ""
