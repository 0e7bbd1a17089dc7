"""What a recorder records for a convolution that is done by Winograd's filtering."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from nncore.backend.contract import IntPair, Tensor, Weights, Window
from nncore.backend.cpu.places import image_of
from nncore.backend.cpu.record import Local, Temporary
from nncore.backend.cpu.winograd.matrices import FORMS, POSITIONS, N
from nncore.backend.cpu.winograd.rule import GAP, SUMS, block_of, form_of

ROWS, TALL = 6, 12
"""Tiles that the products do at a time, in two columns and in one: see products.py."""

Tiles: TypeAlias = tuple[Temporary, int, int]
"""As views.py has it, before memory is there."""


class Rows(Protocol):
    """The part of CpuRecorder that is needed here."""

    lanes: int
    gradient: Local

    def room(self, size: int) -> Local: ...

    def temporary(self, *sizes: int) -> list[Temporary]: ...

    def add(self, operation: str, **arguments: Any) -> None: ...


class WinogradRecorder:
    """Records convolutions where the rule takes them; each method says whether it did."""

    def __init__(self, recorder: Rows) -> None:
        self._recorder = recorder
        self._lanes, self._wide = recorder.lanes, 2 * recorder.lanes
        self._zeros, self._zero_count = recorder.room(0), 0

    def conv2d(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool, winners: Local | None = None) -> bool:
        """The contract's `conv2d`; with `winners`, room for them, its `conv2d_max_pool`."""
        pool, C, O = winners is not None, x.channels, y.channels
        rows, cols = y.rows * (1 + pool), y.cols * (1 + pool)
        form = form_of(window, C, O, rows, cols, rows * cols)
        if form is None:
            return False
        given = {"turned": False, "w": weights.weight, "tap": C * O, "row": O, "with_bias": True, "b": weights.bias}
        self._convolution(form, x, x.padding, given, y, relu, winners)
        return True

    def input_gradient(self, x: Tensor, weights: Weights, window: Window, grad: Tensor, grad_x: Tensor) -> bool:
        """The input's gradient of `conv2d`: the convolution of grad by the kernel turned by 180°, inputs and outputs exchanged."""
        C, O, taps = x.channels, grad.channels, window.size[0] * window.size[1]
        form = form_of(window, O, C, x.rows, x.cols, grad.rows * grad.cols)
        if form is None:
            return False
        padding = window.size[0] - 1 - x.padding[0], window.size[1] - 1 - x.padding[1]
        rounded = _up(C, self._lanes)
        turned = self._recorder.room(O * taps * rounded)
        self._recorder.add("transpose_weight", w=weights.weight, out=turned, K=taps, run=C, O=O, rounded=rounded)
        given = {"turned": True, "w": turned + (taps - 1) * rounded, "tap": -rounded, "row": taps * rounded}
        self._convolution(form, grad, padding, given | {"with_bias": False, "b": 0}, grad_x, False, None)
        return True

    def weight_gradient(self, x: Tensor, weights: Weights, window: Window, grad: Tensor) -> bool:
        """The weight's gradient of `conv2d`."""
        C, O, recorder = x.channels, grad.channels, self._recorder
        form = form_of(window, C, O, grad.rows, grad.cols, grad.rows * grad.cols)
        if form is None:
            return False
        side = FORMS[form].m
        tiles, room = -(-grad.cols // side), _up(C, SUMS)
        block = block_of(C, O, tiles, 1)
        size = block * tiles
        v, out, u, scratch = recorder.temporary(
            self._size(size, C), self._size(size, O), POSITIONS * (_up(O, self._wide) * room + GAP), self._scratch(tiles, side)
        )
        recorder.add(
            "winograd_weight_gradient", form=form, side=side, x=image_of(x), x_rows=x.rows, x_cols=x.cols, top=x.padding[0],
            left=x.padding[1], C=C, zeros=self._zero_row(x, grad), g=image_of(grad), rows=grad.rows, cols=grad.cols, O=O,
            grad=recorder.gradient + weights.weight, block=block, v=self._tiles(v, size, C), out=self._tiles(out, size, O), u=u,
            room=room, scratch=scratch,
        )  # fmt: skip
        return True

    def _convolution(
        self, form: int, x: Tensor, padding: IntPair, weight: dict[str, Any], y: Tensor, relu: bool, winners: Local | None
    ) -> None:
        C, O, recorder, pool = x.channels, y.channels, self._recorder, winners is not None
        side, multiple = FORMS[form].m, TALL if 0 < O % self._wide <= self._lanes else ROWS
        tiles = -(-y.cols * (1 + pool) // side)
        block = block_of(C, O, tiles, multiple)
        size = _up(block * tiles, multiple)
        v, out, u, bias, scratch = recorder.temporary(
            self._size(size, C), self._size(size, O), POSITIONS * (_up(O, self._wide) * C + GAP), _up(O, self._wide),
            self._scratch(tiles, side),
        )  # fmt: skip
        recorder.add("winograd_weights", form=form, **weight, C=C, O=O, u=u, bias=bias, scratch=scratch)
        recorder.add(
            "winograd_conv2d", form=form, side=side, x=image_of(x), x_rows=x.rows, x_cols=x.cols, top=padding[0], left=padding[1],
            C=C, zeros=self._zero_row(x), y=image_of(y), rows=y.rows, cols=y.cols, O=O, relu=relu, pool=pool, winner=winners or 0,
            u=u, bias=bias, block=block, v=self._tiles(v, size, C), out=self._tiles(out, size, O), scratch=scratch,
        )  # fmt: skip

    def _tiles(self, at: Temporary, size: int, channels: int) -> Tiles:
        """`size` transformed tiles."""
        pitch = _up(channels, self._lanes)
        return at, size * pitch + GAP, pitch

    def _size(self, size: int, channels: int) -> int:
        """Floats of `size` transformed tiles."""
        return POSITIONS * (size * _up(channels, self._lanes) + GAP)

    def _scratch(self, tiles: int, side: int) -> int:
        """Floats that the transforms of a row of tiles need: for its columns, and for one tile with what is pooled of it."""
        return self._lanes * (N * (tiles * side + 2 * N) + side * side + 2)

    def _zero_row(self, *images: Tensor) -> Local:
        """A row of zeros as long as the longest of these images, in memory that nobody writes to."""
        count = max(x.cols * x.channels for x in images)
        if count > self._zero_count:
            self._zeros, self._zero_count = self._recorder.room(count), count
        return self._zeros


def _up(count: int, to: int) -> int:
    return -(-count // to) * to
