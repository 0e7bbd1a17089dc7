"""Recorder: what a plan asks for, as rows of a program."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import Constant, PlainLayer, Program, RandomSource, Rule, Spread, Tensor, Weights, Window
from nncore.backend.cpu.places import Places, image_of
from nncore.backend.cpu.record import First, Local, Record, ReplicaPitch, Row
from nncore.backend.cpu.spread_arguments import first_window, numbers_of
from nncore.backend.cpu.tuning import LISTLESS_INPUTS, MOST_MOMENTS, PLANES, STRIP
from nncore.backend.cpu.winograd.recording import WinogradRecorder
from nncore.backend.vector import Vector
from nncore.errors import ConfigError, NotCompilable


class CpuRecorder(Places):
    """Records operations as rows of a program. See nncore/backend/contract.py for what each method means."""

    def __init__(self, batch: int, vector: Vector, moments: Sequence[Array], replicas: int, exact: bool = False) -> None:
        from nncore.backend.cpu.operations import OPERATIONS  # here, because they import Numba

        if len(moments) > MOST_MOMENTS:
            raise ConfigError(f"The CPU's kernels keep {MOST_MOMENTS} running averages a parameter, not {len(moments)}.")
        super().__init__(batch, vector, replicas)
        self.operations, self.moments = OPERATIONS, moments
        self.rows: list[Row] = []
        self.sections: dict[str, tuple[int, int]] = {}
        self.sources: list[RandomSource] = []
        self.rule: Rule | None = None
        self._winograd = None if exact else WinogradRecorder(self)

    def add(self, operation: str, **arguments: Any) -> None:
        """Record an operation; its arguments by the names of its kernel's parameters. NotCompilable where there is none."""
        if operation not in self.operations:
            raise NotCompilable(f"There is no kernel called {operation} on the CPU.")
        self.rows.append(Row(operation, tuple(self.operations[operation].row(arguments))))

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        start = len(self.rows)
        yield
        self.sections[name] = (start, len(self.rows))

    def barrier(self) -> None:
        self.rows.append(Row("", ()))

    def zero(self, x: Tensor) -> None:
        """x = 0, padding included."""
        self.add("zero", x=self.corner(x), pitch=x.pitch)

    def take(self, y: Tensor) -> None:
        self.add("take", y=image_of(y), rows=y.rows, width=y.cols * y.channels)

    def linear(self, x: Tensor, weights: Weights, y: Tensor, relu: bool) -> None:
        self.add(
            "linear", x=self.examples(x), w=weights.weight, b=weights.bias, y=self.examples(y), E=x.channels, O=y.channels,
            relu=relu, work=self.work, panel=self.panel,
        )  # fmt: skip

    def linear_backward(self, x: Tensor, weights: Weights, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None) -> None:
        if relu:
            self.activation_backward("relu", y, grad, grad)
        E, O, xs, gs = x.channels, y.channels, self.examples(x), self.examples(grad)
        wide = 2 * self.lanes
        room, numbers = self.room(self.slice * (-(-O // wide) * wide + STRIP)), np.arange(self.slice)
        self.add(
            "linear_weight_gradient", x=xs, g=gs, E=E, O=O, out=self.gradient + weights.weight, work=self.work, room=room,
            strips=self.table(numbers * STRIP), panels=self.table(numbers * wide),
        )  # fmt: skip
        self.add("linear_bias_gradient", g=gs, O=O, out=self.gradient + weights.bias)
        if grad_x is None:
            return
        fresh = E % self.lanes == 0
        if not fresh:
            self.zero(grad_x)
        self.add(
            "linear_input_gradient", g=gs, w=weights.weight, x=self.examples(grad_x), E=E, O=O, fresh=fresh,
            panel=self.panel, dump=self.work,
        )  # fmt: skip

    def conv2d(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> None:
        if self._winograd and self._winograd.conv2d(x, weights, window, y, relu):
            return
        self.add(
            "conv2d", x=self.spots(x, y.rows, y.cols, window.stride), w=weights.weight, b=weights.bias, y=self.pixels(y),
            P=y.rows * y.cols, patch=_patch(x, window), O=y.channels, relu=relu, work=self.work, panel=self.panel,
        )  # fmt: skip

    def conv2d_backward(
        self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        if relu:
            self.activation_backward("relu", y, grad, grad)
        patch, O, P, gs = _patch(x, window), y.channels, y.rows * y.cols, self.pixels(grad)
        if not (self._winograd and self._winograd.weight_gradient(x, weights, window, grad)):
            self.add(
                "conv2d_weight_gradient", x=self.spots(x, y.rows, y.cols, window.stride), g=gs, P=P, patch=patch, O=O,
                out=self.gradient + weights.weight, work=self.work,
            )  # fmt: skip
        self.add("conv2d_bias_gradient", g=gs, P=P, O=O, out=self.gradient + weights.bias)
        if grad_x is None or (self._winograd and self._winograd.input_gradient(x, weights, window, grad, grad_x)):
            return
        self.zero(grad_x)
        self.add(
            "conv2d_input_gradient", g=gs, w=weights.weight, x=self.spots(grad_x, y.rows, y.cols, window.stride), P=P,
            patch=patch, O=O, panel=self.panel, dump=self.work,
        )  # fmt: skip

    def spread_conv2d(self, x: Tensor, weights: Weights, spread: Spread, y: Tensor) -> None:
        numbers = numbers_of(spread, x, y)
        self.add(
            "spread_conv2d", x=first_window(x, spread), y=image_of(y), w=weights.weight, b=weights.bias, **numbers, work=self.work
        )

    def spread_conv2d_backward(self, x: Tensor, weights: Weights, spread: Spread, grad: Tensor, grad_x: Tensor | None) -> None:
        numbers, work = numbers_of(spread, x, grad), self.work
        self.add(
            "spread_conv2d_weight_gradient", x=first_window(x, spread), g=image_of(grad), **numbers,
            out=self.gradient + weights.weight, out_bias=self.gradient + weights.bias, work=work,
        )  # fmt: skip
        if grad_x is not None:
            self.zero(grad_x)
            self.add(
                "spread_conv2d_input_gradient", g=image_of(grad), w=weights.weight, x=first_window(grad_x, spread), **numbers,
                panel=self.panel, work=work,
            )  # fmt: skip

    def conv2d_max_pool(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> Any:
        P, O = y.rows * y.cols, y.channels
        winners = self.room(-(-self.slice * P * O // 4)).bytes
        if PLANES <= O < self.lanes <= y.cols and window.stride == (1, 1):
            self._conv2d_max_pool_planes(x, weights, window, y, relu, winners)
            return winners, 1, P
        if self._winograd and self._winograd.conv2d(x, weights, window, y, relu, winners):
            return winners, O, 1
        (down, right), far = window.stride, (2 * window.stride[0], 2 * window.stride[1])
        self.add(
            "conv2d_max_pool", x=self.spots(x, y.rows, y.cols, far), w=weights.weight, b=weights.bias, y=self.pixels(y),
            winner=winners, P=P, patch=_patch(x, window), down=down * x.row_pitch, right=right * x.channels, O=O, relu=relu,
            work=self.work,
        )  # fmt: skip
        return winners, O, 1

    def _conv2d_max_pool_planes(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool, winners: Local) -> None:
        """`conv2d_max_pool` for few channels: see conv_pool_planes.py."""
        rows, cols, C = x.rows + 2 * x.padding[0], x.cols + 2 * x.padding[1], x.channels
        half = -(-cols // 2)
        k, q, c, side = np.ix_(*map(np.arange, (*window.size, C, 2)))
        steps = self.table(((k * C + c) * 2 + (q + side) % 2) * half + (q + side) // 2)
        self.add(
            "conv2d_max_pool_planes", x=(self.corner(x), x.pitch, x.row_pitch), x_rows=rows, x_cols=cols, C=C,
            w=weights.weight, b=weights.bias, y=image_of(y), winner=winners, rows=y.rows, cols=y.cols, O=y.channels,
            E=math.prod(window.size) * C, steps=steps, relu=relu, planes=self.room(rows * C * 2 * half), half=half, work=self.work,
        )  # fmt: skip

    def conv2d_max_pool_backward(
        self, x: Tensor, weights: Weights, window: Window, winners: Any, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        patch, O, P = _patch(x, window), grad.channels, grad.rows * grad.cols
        K, pitch, run = patch
        (down, right), far = window.stride, (2 * window.stride[0], 2 * window.stride[1])
        common = {
            "x": self.spots(x, grad.rows, grad.cols, far), "g": self.pixels(grad), "winner": winners[0], "P": P, "O": O,
            "grad": self.gradient + weights.weight, "grad_bias": self.gradient + weights.bias,
            "down": down * x.row_pitch, "right": right * x.channels,
        }  # fmt: skip
        if grad_x is None and K * run <= LISTLESS_INPUTS and O % self.lanes == 0:
            inputs = self.table(np.arange(K)[:, None] * pitch + np.arange(run)[None, :])
            self.add("conv2d_max_pool_back_few", **common, E=K * run, inputs=inputs, work=self.work)
            return
        rounded = -(-run // self.lanes) * self.lanes
        pieces = self.table(np.arange(K)[:, None] * pitch + np.arange(0, rounded, self.lanes)[None, :])
        transposed, corner = self.work, self.corner(x)
        if grad_x is not None:
            transposed, corner = self.room(O * K * rounded), self.corner(grad_x)
            self.add("transpose_weight", w=weights.weight, out=transposed, K=K, run=run, O=O, rounded=rounded)
            self.zero(grad_x)
        self.add(
            "conv2d_max_pool_back", **common, won_p=winners[1], won_o=winners[2], transposed=transposed, gx=corner, patch=patch,
            pieces=pieces, scratch=self.room(O * K * rounded), at=self.room(P + 1), values=self.room(P + 1),
            with_input=grad_x is not None,
        )  # fmt: skip

    def activation(self, name: str, x: Tensor, y: Tensor) -> None:
        self.add(name, x=image_of(x), y=image_of(y), **_shape(name, y))

    def activation_backward(self, name: str, y: Tensor, grad: Tensor, grad_x: Tensor) -> None:
        self.add(f"{name}_back", y=image_of(y), g=image_of(grad), gx=image_of(grad_x), **_shape(name, y))

    def plain(self, layer: PlainLayer, x: Tensor, y: Tensor) -> None:
        self._add_known(layer.kernel, {"x": image_of(x), "y": image_of(y)} | _shapes(x, y) | layer.kernel_numbers())

    def plain_backward(self, layer: PlainLayer, x: Tensor, y: Tensor, grad: Tensor, grad_x: Tensor) -> None:
        self.zero(grad_x)
        known = {"x": image_of(x), "y": image_of(y), "g": image_of(grad), "gx": image_of(grad_x)}
        self._add_known(f"{layer.kernel}_back", known | _shapes(x, y) | layer.kernel_numbers())

    def _add_known(self, operation: str, known: dict[str, Any]) -> None:
        """Record an operation with those of the arguments that its kernel has parameters for."""
        fields = self.operations[operation].fields if operation in self.operations else known
        self.add(operation, **{name: value for name, value in known.items() if name in fields})

    def max_pool2d(self, x: Tensor, window: Window, y: Tensor) -> Any:
        winners = self.room(self.slice * y.rows * y.cols * y.channels)
        self.add("max_pool2d", x=image_of(x), y=image_of(y), winner=winners, **_windows(window, y))
        return winners

    def max_pool2d_backward(self, window: Window, winners: Any, grad: Tensor, grad_x: Tensor) -> None:
        self.zero(grad_x)
        self.add("max_pool2d_back", gx=image_of(grad_x), g=image_of(grad), winner=winners, **_windows(window, grad))

    def avg_pool2d(self, x: Tensor, window: Window, y: Tensor) -> None:
        self.add("avg_pool2d", x=image_of(x), y=image_of(y), **_windows(window, y))

    def avg_pool2d_backward(self, window: Window, grad: Tensor, grad_x: Tensor) -> None:
        self.zero(grad_x)
        self.add("avg_pool2d_back", gx=image_of(grad_x), g=image_of(grad), **_windows(window, grad))

    def batch_norm(
        self, x: Tensor, weights: Weights, running: int, momentum: float, eps: float, y: Tensor, relu: bool, training: bool
    ) -> Any:
        C, partial = y.channels, self.shared_room(2 * y.channels * self.replicas)
        size, found = {"rows": y.rows, "cols": y.cols, "C": C}, {"mean": self.room(C), "inverse": self.room(C)}
        if training:
            self.add("batch_norm_sums", x=image_of(x), **size, partial=partial, work=self.work)
            self.barrier()
            self.add("batch_norm_merge", **size, **found, partial=partial, running=running, eps=eps, momentum=momentum)
        else:
            self.add("batch_norm_running", C=C, **found, running=running, eps=eps)
        self.add(
            "batch_norm_apply",
            x=image_of(x),
            y=image_of(y),
            **size,
            **found,
            w=weights.weight,
            b=weights.bias,
            relu=relu,
            work=self.work,
        )
        return found

    def batch_norm_backward(
        self, x: Tensor, weights: Weights, kept: Any, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        w, b = self.gradient + weights.weight, self.gradient + weights.bias
        common = {"x": image_of(x), "g": image_of(grad), "rows": y.rows, "cols": y.cols, "C": y.channels, **kept}
        self.add("batch_norm_back_sums", **common, y=image_of(y), relu=relu, grad_w=w, grad_b=b)
        if grad_x is not None:
            self.barrier()
            self.add(
                "batch_norm_back", **common, gx=image_of(grad_x), w=weights.weight, grad_w=First(w.at), grad_b=First(b.at),
                pitch=ReplicaPitch(), work=self.work,
            )  # fmt: skip

    def dropout(self, x: Tensor, p: float, y: Tensor, source: RandomSource) -> None:
        if not any(known is source for known in self.sources):
            self.sources.append(source)
        key = next(number for number, known in enumerate(self.sources) if known is source)
        self.add(
            "dropout", key=key, threshold=source.threshold, scale=1 / (1 - p), x=image_of(x), y=image_of(y), rows=y.rows,
            width=y.cols * y.channels,
        )  # fmt: skip

    def dropout_backward(self, p: float, grad: Tensor, grad_x: Tensor, source: RandomSource) -> None:
        self.dropout(grad, p, grad_x, source)

    def loss(self, name: str, constants: Sequence[Constant], scores: Tensor, grad: Tensor) -> None:
        common = {"z": scores.place, "g": grad.place, "pitch": scores.pitch, "classes": scores.channels}
        of_its_own = [field for field in self.operations[name].fields if field not in common] if name in self.operations else []
        numbers = (self.floats(constant) if isinstance(constant, tuple) else constant for constant in constants)
        self.add(name, **common, **dict(zip(of_its_own, numbers, strict=True)))

    def sum_gradients(self) -> None:
        self.barrier()
        self.add("sum_gradients", gradient=First(self.gradient.at), pitch=ReplicaPitch(), parameters=self.vector.parameters)
        self.barrier()

    def freeze(self, places: Sequence[tuple[int, int]]) -> None:
        common = {"gradient": First(self.gradient.at), "parameters": self.vector.parameters}
        for begin, end in places:
            self.add("freeze", **common, begin=begin, end=end)
        self.barrier()

    def clip_gradients(self, max_norm: float) -> None:
        partial = self.shared_room(2 * self.replicas)
        common = {"gradient": First(self.gradient.at), "parameters": self.vector.parameters, "partial": partial}
        self.add("gradient_squares", **common)
        self.barrier()
        self.add("clip_gradients", **common, max_norm=max_norm)

    def update(self, rule: Rule) -> None:
        self.rule = rule
        self.add(f"update_{rule.name}", gradient=First(self.gradient.at), parameters=self.vector.parameters)
        self.barrier()

    def is_loaded(self) -> bool:
        return all(self.operations[row.operation].is_loaded for row in self.rows if row.operation)

    def record(self) -> Record:
        """All that has been recorded."""
        return Record(
            self.batch, self.replicas, self.rows, self.sections, self.tables, self.sources,
            self.local + self.most_temporary, self.local, self.shared,
            self.gradient, self.vector.values, self.vector.parameters, self.moments, self.rule,
        )  # fmt: skip

    def finish(self) -> Program:
        from nncore.backend.cpu.program import CpuProgram  # here, because it imports Numba

        return CpuProgram(self.record())


def _patch(x: Tensor, window: Window) -> tuple[int, int, int]:
    return window.size[0], x.row_pitch, window.size[1] * x.channels


def _shapes(x: Tensor, y: Tensor) -> dict[str, int]:
    """Rows, cols and channels C of the output, and of the input with the prefix x_."""
    return {"rows": y.rows, "cols": y.cols, "C": y.channels, "x_rows": x.rows, "x_cols": x.cols, "x_C": x.channels}


def _windows(window: Window, y: Tensor) -> dict[str, int]:
    (kh, kw), (sh, sw) = window.size, window.stride
    return {"rows": y.rows, "cols": y.cols, "C": y.channels, "kh": kh, "kw": kw, "sh": sh, "sw": sw}


def _shape(activation: str, y: Tensor) -> dict[str, int]:
    """Softmax is told the channels apart, all others see rows of numbers."""
    if activation == "softmax":
        return {"rows": y.rows, "cols": y.cols, "C": y.channels}
    return {"rows": y.rows, "width": y.cols * y.channels}
