"""Recorder: what a plan asks for, as rows of a program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import IntPair, Program, Rule, Tensor, Weights, Window
from nncore.backend.cpu.record import First, Local, Record, ReplicaPitch, Row, Shared, Table
from nncore.backend.cpu.tuning import LISTLESS_INPUTS, MARGIN, PLANES, STRIP
from nncore.backend.vector import Vector


class Recorder:
    """Records kernels as rows of a program. See nncore/backend/contract.py for what each method means."""

    def __init__(self, batch: int, vector: Vector, moments: Sequence[Array], replicas: int) -> None:
        from nncore.backend.cpu.simd import LANES  # here, because it imports Numba

        self.lanes = LANES
        self.batch, self.vector, self.moments, self.replicas = batch, vector, moments, replicas
        self.slice = -(-batch // replicas)
        """The most examples that one replica gets."""
        self.rows: list[Row] = []
        self.sections: dict[str, tuple[int, int]] = {}
        self.tables: list[Array] = []
        self._table_index: dict[bytes, Table] = {}
        self.local = 0
        self.shared = 0
        self.work = self.room(4096 + 4 * self._widest())
        self.panel = self.room(self._largest_panel())
        self.gradient = self.room(vector.parameters)
        self.rule = Rule("sgd", ())

    def _widest(self) -> int:
        return max((part.shape[-1] for part in self.vector.parts.values()), default=1)

    def _largest_panel(self) -> int:
        """Room for a block of columns of the tallest weight, or of rows of the widest, turned."""
        sides = [max(math.prod(part.shape[:-1]), part.shape[-1]) for part in self.vector.parts.values()]
        return 2 * self.lanes * (max(sides, default=1) + self.lanes)

    # Memory

    def room(self, size: int) -> Local:
        """`size` floats in every replica's memory."""
        place = Local(self.local + MARGIN)
        self.local += -(-size // 16) * 16 + 2 * MARGIN
        return place

    def table(self, values: Array) -> Table:
        """A table of places, shared by all that need an equal one."""
        values = np.ascontiguousarray(values, np.int32).ravel()
        key = values.tobytes()
        if key not in self._table_index:
            self._table_index[key] = Table(len(self.tables))
            self.tables.append(values)
        return self._table_index[key]

    def tensor(self, rows: int, cols: int, channels: int, padding: IntPair = (0, 0)) -> Tensor:
        shape = Tensor(None, rows, cols, channels, padding)
        start = self.room(self.slice * shape.pitch)
        inside = padding[0] * shape.row_pitch + padding[1] * channels
        return Tensor(start + inside, rows, cols, channels, padding)

    def _corner(self, x: Tensor) -> Local:
        """Where a tensor's first value lies, padding included."""
        place: Local = x.place
        return place + -(x.padding[0] * x.row_pitch + x.padding[1] * x.channels)

    def _positions(self, x: Tensor, rows: int, cols: int, stride: IntPair) -> Table:
        """Where the upper left corners of rows × cols windows, `stride` apart, lie in x."""
        i, j = np.arange(rows)[:, None], np.arange(cols)[None, :]
        return self.table(i * stride[0] * x.row_pitch + j * stride[1] * x.channels)

    def _examples(self, x: Tensor) -> Table:
        """Where the examples lie, for a linear layer, whose positions they are."""
        return self.table(np.arange(self.slice) * x.pitch)

    # Recording

    def add(self, operation: str, *arguments: Any, reals: tuple[float, ...] = (), source: Any = None) -> None:
        self.rows.append(Row(operation, arguments, reals, source))

    def mark(self, name: str) -> None:
        self._end_section()
        self.sections[name] = (len(self.rows), len(self.rows))

    def _end_section(self) -> None:
        if self.sections:
            name, (start, _) = list(self.sections.items())[-1]
            self.sections[name] = (start, len(self.rows))

    def meet(self) -> None:
        self.add("")

    def zero(self, x: Tensor) -> None:
        self.add("zero", self._corner(x), x.pitch)

    def take(self, y: Tensor) -> None:
        self.add("take", y.place, y.pitch, y.row_pitch, y.rows, y.cols * y.channels)

    def product(self, x: Tensor, weights: Weights, y: Tensor, relu: bool) -> None:
        self.add(
            "product", 1, 0, x.place, 0, self._examples(x), weights.weight, weights.bias,
            y.place, 0, self._examples(y), 1, 0, x.channels, y.channels, relu, self.work, self.panel,
        )  # fmt: skip

    def product_backward(self, x: Tensor, weights: Weights, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None) -> None:
        if relu:
            self.activation_backward("relu", y, grad, grad)
        E, O, xs, gs = x.channels, y.channels, self._examples(x), self._examples(grad)
        at = self.gradient + weights.weight
        wide = 2 * self.lanes
        room, numbers = self.room(self.slice * (-(-O // wide) * wide + STRIP)), np.arange(self.slice)
        self.add(
            "linear_weight_gradient", x.place, xs, grad.place, gs, E, O, at, self.work,
            room, self.table(numbers * STRIP), self.table(numbers * wide),
        )  # fmt: skip
        self.add("bias_gradient", 1, 0, grad.place, 0, gs, O, self.gradient + weights.bias)
        if grad_x is None:
            return
        fresh = E % self.lanes == 0
        if not fresh:
            self.zero(grad_x)
        self.add(
            "data_gradient", 1, 0, grad.place, 0, gs, weights.weight, grad_x.place, 0, self._examples(grad_x),
            1, 0, E, O, fresh, self.panel, self.work,
        )  # fmt: skip

    def convolution(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> None:
        self.add(
            "product", 0, y.rows * y.cols, self._corner(x), x.pitch, self._positions(x, y.rows, y.cols, window.stride),
            weights.weight, weights.bias, y.place, y.pitch, self._positions(y, y.rows, y.cols, (1, 1)),
            window.size[0], x.row_pitch, window.size[1] * x.channels, y.channels, relu, self.work, self.panel,
        )  # fmt: skip

    def convolution_backward(
        self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        if relu:
            self.activation_backward("relu", y, grad, grad)
        K, run, O, P = window.size[0], window.size[1] * x.channels, y.channels, y.rows * y.cols
        xs, gs = self._positions(x, y.rows, y.cols, window.stride), self._positions(grad, y.rows, y.cols, (1, 1))
        self.add(
            "weight_gradient", P, self._corner(x), x.pitch, xs, grad.place, grad.pitch, gs,
            K, x.row_pitch, run, O, self.gradient + weights.weight, self.work,
        )  # fmt: skip
        self.add("bias_gradient", 0, P, grad.place, grad.pitch, gs, O, self.gradient + weights.bias)
        if grad_x is None:
            return
        self.zero(grad_x)
        self.add(
            "data_gradient", 0, P, grad.place, grad.pitch, gs, weights.weight, self._corner(grad_x), grad_x.pitch, xs,
            K, x.row_pitch, run, O, False, self.panel, self.work,
        )  # fmt: skip

    def pooled_convolution(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> Any:
        P, O = y.rows * y.cols, y.channels
        winners = self.room(-(-self.slice * P * O // 4)).bytes
        if PLANES <= O < self.lanes <= y.cols and window.stride == (1, 1):
            self._planes(x, weights, window, y, relu, winners)
            return winners, 1, P
        (down, right), far = window.stride, (2 * window.stride[0], 2 * window.stride[1])
        self.add(
            "pooled_convolution", self._corner(x), x.pitch, self._positions(x, y.rows, y.cols, far), weights.weight, weights.bias,
            y.place, y.pitch, self._positions(y, y.rows, y.cols, (1, 1)), winners, P, window.size[0], x.row_pitch,
            down * x.row_pitch, right * x.channels, window.size[1] * x.channels, O, relu, self.work,
        )  # fmt: skip
        return winners, O, 1

    def _planes(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool, winners: Local) -> None:
        """`pooled_convolution` for few channels: see nncore/backend/cpu/planes.py."""
        rows, cols, C = x.rows + 2 * x.padding[0], x.cols + 2 * x.padding[1], x.channels
        half = -(-cols // 2)
        k, q, c, side = np.ix_(*map(np.arange, (*window.size, C, 2)))
        steps = self.table(((k * C + c) * 2 + (q + side) % 2) * half + (q + side) // 2)
        self.add(
            "pooled_convolution_planes", self._corner(x), x.pitch, x.row_pitch, rows, cols, C, weights.weight, weights.bias,
            y.place, y.pitch, y.row_pitch, winners, y.rows, y.cols, y.channels, math.prod(window.size) * C, steps,
            relu, self.room(rows * C * 2 * half), half, self.work,
        )  # fmt: skip

    def pooled_convolution_backward(
        self, x: Tensor, weights: Weights, window: Window, winners: Any, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        K, run, O, P = window.size[0], window.size[1] * x.channels, grad.channels, grad.rows * grad.cols
        (down, right), far = window.stride, (2 * window.stride[0], 2 * window.stride[1])
        xs, gs = self._positions(x, grad.rows, grad.cols, far), self._positions(grad, grad.rows, grad.cols, (1, 1))
        common = (self._corner(x), x.pitch, xs, grad.place, grad.pitch, gs, winners[0])
        mine = (self.gradient + weights.weight, self.gradient + weights.bias)
        steps = (down * x.row_pitch, right * x.channels)
        if grad_x is None and K * run <= LISTLESS_INPUTS and O % self.lanes == 0:
            inputs = self.table(np.arange(K)[:, None] * x.row_pitch + np.arange(run)[None, :])
            self.add("pooled_convolution_back_few", *common, *mine, P, K * run, inputs, O, *steps, self.work)
            return
        rounded = -(-run // self.lanes) * self.lanes
        pieces = self.table(np.arange(K)[:, None] * x.row_pitch + np.arange(0, rounded, self.lanes)[None, :])
        turned, corner = self.work, self._corner(x)
        if grad_x is not None:
            turned, corner = self.room(O * K * rounded), self._corner(grad_x)
            self.add("turn", weights.weight, turned, K, run, O, rounded)
            self.zero(grad_x)
        self.add(
            "pooled_convolution_back", *common, turned, corner, *mine, P, K, run, O, *steps,
            pieces, self.room(O * K * rounded), self.room(P + 1), self.room(P + 1), grad_x is not None, *winners[1:],
        )  # fmt: skip

    def activation(self, name: str, x: Tensor, y: Tensor) -> None:
        if name == "softmax":
            self.add("softmax", *_image(x), *_image(y), y.rows, y.cols, y.channels)
            return
        kind = ("relu", "sigmoid", "tanh").index(name)
        self.add("activate", kind, *_image(x), *_image(y), y.rows, y.cols * y.channels)

    def activation_backward(self, name: str, y: Tensor, grad: Tensor, grad_x: Tensor) -> None:
        if name == "softmax":
            self.add("softmax_back", *_image(y), *_image(grad), *_image(grad_x), y.rows, y.cols, y.channels)
            return
        kind = ("relu", "sigmoid", "tanh").index(name)
        self.add("activate_back", kind, *_image(y), *_image(grad), *_image(grad_x), y.rows, y.cols * y.channels)

    def max_pool(self, x: Tensor, window: Window, y: Tensor) -> Any:
        winners = self.room(self.slice * y.rows * y.cols * y.channels)
        self.add("max_pool", *_image(x), *_image(y), winners, y.rows, y.cols, y.channels, *window.size, *window.stride)
        return winners

    def max_pool_backward(self, window: Window, winners: Any, grad: Tensor, grad_x: Tensor) -> None:
        self.zero(grad_x)
        self.add(
            "max_pool_back", *_image(grad_x), *_image(grad), winners, grad.rows, grad.cols, grad.channels,
            *window.size, *window.stride,
        )  # fmt: skip

    def mean_pool(self, x: Tensor, window: Window, y: Tensor) -> None:
        self.add("mean_pool", *_image(x), *_image(y), 0, y.rows, y.cols, y.channels, *window.size, *window.stride)

    def mean_pool_backward(self, window: Window, grad: Tensor, grad_x: Tensor) -> None:
        self.zero(grad_x)
        self.add(
            "mean_pool_back", *_image(grad_x), *_image(grad), 0, grad.rows, grad.cols, grad.channels,
            *window.size, *window.stride,
        )  # fmt: skip

    def norm(
        self, x: Tensor, weights: Weights, running: int, momentum: float, eps: float, y: Tensor, relu: bool, training: bool
    ) -> Any:
        C = y.channels
        partial = Shared(self.shared)
        self.shared += -(-2 * C * self.replicas // 16) * 16
        mean, inverse = self.room(C), self.room(C)
        common = (
            *_image(x), *_image(y), y.rows, y.cols, C, mean, inverse, partial, running,
            weights.weight, weights.bias, relu, self.work,
        )  # fmt: skip
        if training:
            self.add("norm_sums", *common)
            self.meet()
            self.add("norm_merge", *common, reals=(eps, momentum))
        else:
            self.add("norm_running", *common, reals=(eps,))
        self.add("norm_apply", *common)
        return common

    def norm_backward(
        self, x: Tensor, weights: Weights, kept: Any, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        mine = (self.gradient + weights.weight, self.gradient + weights.bias)
        first = (First(mine[0].at), First(mine[1].at))
        target = grad if grad_x is None else grad_x
        rest = (*kept, *_image(grad), *mine, *_image(target), *first, ReplicaPitch())
        self.add("norm_back_sums", *rest)
        if grad_x is not None:
            self.meet()
            self.add("norm_back", *rest)

    def dropout(self, x: Tensor, p: float, y: Tensor, source: Any) -> None:
        self.add(
            "dropout", 0, source.threshold, *_image(x), *_image(y), y.rows, y.cols * y.channels,
            reals=(1 / (1 - p),), source=source,
        )  # fmt: skip

    def dropout_backward(self, p: float, grad: Tensor, grad_x: Tensor, source: Any) -> None:
        self.dropout(grad, p, grad_x, source)

    def loss(self, name: str, margin: float, scores: Tensor, grad: Tensor) -> None:
        kind = ("cross_entropy", "probability", "hinge").index(name)
        self.add("loss", kind, scores.place, grad.place, scores.pitch, scores.channels, reals=(margin,))

    def update(self, rule: Rule | None) -> None:
        self.rule = rule or Rule("sgd", ())
        kind = ("sgd", "momentum", "adam").index(self.rule.name)
        self.meet()
        self.add("update", self.vector.parameters, First(self.gradient.at), ReplicaPitch(), kind, self.work)
        self.meet()

    def record(self) -> Record:
        """All that has been recorded."""
        self._end_section()
        return Record(
            self.batch, self.replicas, self.rows, self.sections, self.tables, self.local, self.shared,
            self.vector.values, self.vector.parameters, self.moments, self.rule,
        )  # fmt: skip

    def is_loaded(self) -> bool:
        from nncore.backend.cpu import operations  # here, because it imports Numba

        return all(getattr(operations, row.operation).is_loaded for row in self.rows if row.operation)

    def finish(self) -> Program:
        from nncore.backend.cpu.program import CpuProgram  # here, so that Numba's kernels are only loaded for programs

        return CpuProgram(self.record())


def _image(x: Tensor) -> tuple[Any, int, int]:
    return x.place, x.pitch, x.row_pitch
