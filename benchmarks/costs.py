"""What each CUDA kernel must read, write and calculate at least, from its launch alone.

Bytes are those that have to come from memory or go there once: each value that a launch touches counts once, however often it is
read again, since a GPU's caches can serve the rest. Operations are those of the formula; where only a pool's winners count,
those of the winners, as if ReLU had cut none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from nncore.backend.cuda.device import Launch
from nncore.backend.cuda.record import Record

FLOAT = 4
"""Bytes of a number, but for pixels and the winners of a pool that is done with its convolution."""


class Cost(NamedTuple):
    """Bytes read, bytes written, floating-point operations."""

    read: int
    written: int
    operations: int


OfLaunch: TypeAlias = Callable[[Launch, Record], Cost]


def _floats(read: int, written: int, operations: int) -> Cost:
    return Cost(FLOAT * read, FLOAT * written, operations)


def _inside(a: Mapping[str, Any]) -> int:
    """Values of the images that a kernel makes or visits, without padding."""
    width = a["width"] if "width" in a else a["cols"] * a["C"]
    return int(a["count"] * a["rows"] * width)


def _span(windows: int, kernel: int, stride: int) -> int:
    """Pixels that so many windows in a row see."""
    return windows * kernel if stride >= kernel else (windows - 1) * stride + kernel


def _take(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    values, pixel = a["count"] * a["size"], 1 if launch.instance[0] == "Byte" else FLOAT
    return Cost(pixel * values, FLOAT * values, values)


def _elementwise(images_read: int, operations: int) -> OfLaunch:
    """So many images read, one written, so many operations a value."""

    def cost(launch: Launch, record: Record) -> Cost:
        values = _inside(launch.arguments)
        return _floats(images_read * values, values, operations * values)

    return cost


def _pooled_convolution(launch: Launch, record: Record) -> Cost:
    a, K = launch.arguments, int(launch.instance[0])
    made, weights = a["count"] * a["rows"] * a["cols"] * a["O"], K * K * a["C"] * a["O"]
    return Cost(FLOAT * (a["count"] * a["x_pitch"] + weights + a["O"]), (FLOAT + 1) * made, 2 * 4 * made * K * K * a["C"])


def _pooled_input_gradient(launch: Launch, record: Record) -> Cost:
    a, K = launch.arguments, int(launch.instance[0])
    winners, weights = a["count"] * a["rows"] * a["cols"] * a["O"], K * K * a["C"] * a["O"]
    made = a["count"] * a["x_rows"] * a["x_cols"] * a["C"]
    return Cost((FLOAT + 1) * winners + FLOAT * weights, FLOAT * made, 2 * winners * K * K * a["C"])


def _pooled_weight_gradient(launch: Launch, record: Record) -> Cost:
    a, K = launch.arguments, int(launch.instance[0])
    winners, parts = a["count"] * a["rows"] * a["cols"] * a["O"], launch.grid[0]
    made = parts * (K * K * a["C"] + 1) * a["O"]
    return Cost((FLOAT + 1) * winners + FLOAT * a["count"] * a["x_pitch"], FLOAT * made, 2 * winners * (K * K * a["C"] + 1))


def _convolution(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    made, taps = a["count"] * a["rows"] * a["cols"] * a["O"], a["kh"] * a["kw"] * a["C"]
    return _floats(a["count"] * a["x_pitch"] + (taps + 1) * a["O"], made, 2 * made * taps)


def _input_gradient(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    known, taps = a["count"] * a["rows"] * a["cols"] * a["O"], a["kh"] * a["kw"] * a["C"]
    made = a["count"] * a["x_rows"] * a["x_cols"] * a["C"]
    return _floats((1 + a["relu"]) * known + taps * a["O"], made, 2 * known * taps)


def _weight_gradient(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    known, taps = a["count"] * a["rows"] * a["cols"] * a["O"], a["kh"] * a["kw"] * a["C"]
    return _floats(
        (1 + a["relu"]) * known + a["count"] * a["x_pitch"], launch.grid[2] * (taps + 1) * a["O"], 2 * known * (taps + 1)
    )


def _product(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    M, N, K = a["M"], a["N"], a["K"]
    masks = (M * K if a["a_mask"] else 0) + (K * N if a["b_mask"] else 0) + (N if a["bias"] else 0)
    return _floats(M * K + K * N + masks, launch.grid[2] * (M + a["ones"]) * N, 2 * (M + a["ones"]) * N * K)


def _finish(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    return _floats(a["parts"] * a["size"] + a["O"], a["size"], (a["parts"] + 1) * a["size"])


def _loss(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    scores = a["count"] * a["classes"]
    return _floats(scores + 2 * a["count"], scores if a["g"] else 0, 30 * scores)


def _pool(pixels_kept: int, operations: int = 1) -> OfLaunch:
    """Pooling that writes so many values for each of its windows."""

    def cost(launch: Launch, record: Record) -> Cost:
        a = launch.arguments
        seen = a["count"] * a["C"] * _span(a["rows"], a["kh"], a["sh"]) * _span(a["cols"], a["kw"], a["sw"])
        return _floats(seen, pixels_kept * _inside(a), operations * _inside(a) * a["kh"] * a["kw"])

    return cost


def _pool_back(values_read: int) -> OfLaunch:
    """The way back of a pool, of whose windows so many values are read."""

    def cost(launch: Launch, record: Record) -> Cost:
        a = launch.arguments
        return _floats(values_read * _inside(a), a["count"] * a["x_rows"] * a["x_cols"] * a["C"], _inside(a) * a["kh"] * a["kw"])

    return cost


def _norm_sums(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    return _floats(_inside(a), 3 * launch.grid[0] * a["C"], 6 * _inside(a))


def _norm_apply(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    return _floats(_inside(a) + (3 * a["shares"] + 4) * a["C"], _inside(a) + 4 * a["C"], 4 * _inside(a))


def _norm_running(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    return _floats(_inside(a) + 4 * a["C"], _inside(a), 4 * _inside(a))


def _norm_back_sums(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    return _floats((2 + a["relu"]) * _inside(a) + 2 * a["C"], 2 * launch.grid[0] * a["C"], 5 * _inside(a))


def _norm_back(launch: Launch, record: Record) -> Cost:
    a = launch.arguments
    return _floats((2 + a["relu"]) * _inside(a) + (2 * a["shares"] + 3) * a["C"], _inside(a), 8 * _inside(a))


def _copies(launch: Launch, record: Record) -> int:
    """Values of all copies of all gradients, of every pass."""
    lengths = {part.start: part.end - part.start for part in record.vector.parts.values()}
    return int(launch.arguments["passes"]) * sum(known.parts * lengths[start] for start, known in record.gradients.items())


def _sum_copies(launch: Launch, record: Record) -> Cost:
    copies, size = _copies(launch, record), launch.arguments["size"]
    return _floats(copies, size, copies)


def _gradient_squares(launch: Launch, record: Record) -> Cost:
    size = launch.arguments["size"]
    return _floats(size, launch.grid[0], 2 * size)


def _clip_copies(launch: Launch, record: Record) -> Cost:
    """Of the copies of all passes; none is read where the gradient is short enough, which is not known before."""
    size, parts = launch.arguments["size"], launch.arguments["parts"]
    return _floats(size + parts, size, (1 + parts) * size)


def _update(operations: int) -> OfLaunch:
    """All parameters and their running averages read and written, all copies read; so many operations a parameter."""

    def cost(launch: Launch, record: Record) -> Cost:
        a = launch.arguments
        numbers = a["size"] * (1 + ("first" in a) + ("second" in a))
        return _floats(numbers + _copies(launch, record), numbers, _copies(launch, record) + operations * a["size"])

    return cost


def _vary(launch: Launch, record: Record) -> Cost:
    values = _inside(launch.arguments)
    return Cost(values, values, 60 * values)


COSTS: dict[str, OfLaunch] = {
    "take": _take,
    "tick": lambda launch, record: Cost(FLOAT, FLOAT, 1),
    "vary": _vary,
    "pooled_convolution": _pooled_convolution,
    "pooled_convolution_input_gradient": _pooled_input_gradient,
    "pooled_convolution_weight_gradient": _pooled_weight_gradient,
    "conv2d": _convolution,
    "conv2d_input_gradient": _input_gradient,
    "conv2d_weight_gradient": _weight_gradient,
    "product": _product,
    "finish": _finish,
    "cross_entropy": _loss,
    "probability": _loss,
    "hinge": _loss,
    "relu": _elementwise(1, 1),
    "relu_back": _elementwise(2, 1),
    "sigmoid": _elementwise(1, 10),
    "sigmoid_back": _elementwise(2, 3),
    "tanh": _elementwise(1, 10),
    "tanh_back": _elementwise(2, 3),
    "softmax": _elementwise(1, 12),
    "softmax_back": _elementwise(2, 4),
    "dropout": _elementwise(1, 12),
    "max_pool2d": _pool(2),
    "max_pool2d_back": _pool_back(2),
    "avg_pool2d": _pool(1),
    "avg_pool2d_back": _pool_back(1),
    "batch_norm_sums": _norm_sums,
    "batch_norm_apply": _norm_apply,
    "batch_norm_running": _norm_running,
    "batch_norm_back_sums": _norm_back_sums,
    "batch_norm_back": _norm_back,
    "sum_copies": _sum_copies,
    "gradient_squares": _gradient_squares,
    "clip_copies": _clip_copies,
    "update_sgd": _update(3),
    "update_momentum": _update(6),
    "update_nesterov": _update(8),
    "update_adam": _update(14),
    "update_adamw": _update(16),
}
"""Every kernel that there is, and every one that a recorded step can ask for."""


def cost(launch: Launch, record: Record) -> Cost:
    """What a launch of a step, recorded as `record`, costs at least."""
    return COSTS[launch.kernel](launch, record)
