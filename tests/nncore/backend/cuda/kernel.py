"""One kernel by itself on the host device: its arguments as buffers, both orders of threads, and a look at what it may not write.

A test makes `Images` (or `values`, for anything without padding), passes them to `run`, and compares `inside` with what it expects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.backend.cuda.device import At, Launch, Size
from nncore.backend.cuda.host import HostDevice
from nncore.backend.cuda.sources import Instance

GAP = 3
"""Values between one image and the next that belong to neither."""


class Images:
    """Images (N, rows, cols, C) in a buffer, with `padding` (vertical, horizontal), a gap, and `spare` more images behind them.

    All that is not inside the N images holds `around`: NaN shows when a kernel reads what it should not. `inside` is a view.
    """

    def __init__(self, values: Array, padding: Sequence[int] = (0, 0), *, spare: int = 1, around: float = np.nan) -> None:
        count, rows, cols, C = values.shape
        up, left = padding
        self.row = (cols + 2 * left) * C
        self.pitch = (rows + 2 * up) * self.row + GAP
        self.start = up * self.row + left * C
        self.buffer = HostDevice().zeros((count + spare) * self.pitch, np.float32)
        self.buffer[...] = around
        whole = self.buffer.reshape(count + spare, self.pitch)[:count, : self.pitch - GAP]
        self.whole = whole.reshape(count, rows + 2 * up, cols + 2 * left, C)
        self.inside = self.whole[:, up : up + rows, left : left + cols]
        self.inside[...] = values
        self._before = self.buffer.copy()

    def at(self, name: str) -> dict[str, Any]:
        """The three parameters of an image: where its inside begins, pitch and row."""
        return {name: At(self.buffer, self.start), f"{name}_pitch": self.pitch, f"{name}_row": self.row}

    def corner(self, name: str) -> dict[str, Any]:
        """The same, from the corner of the padding on."""
        return self.at(name) | {name: At(self.buffer)}

    def check(self, expected: Array, tolerance: float = 0.0) -> None:
        """Fail unless the images are `expected`, NaN where that is NaN, and nothing has been written outside of them."""
        np.testing.assert_allclose(self.inside, expected, rtol=tolerance, atol=tolerance)
        now, inside = self.buffer.copy(), self.inside.copy()
        self.buffer[...] = self._before
        self.inside[...] = inside
        assert self.buffer.tobytes() == now.tobytes(), "the kernel wrote outside of the images"


def blank(shape: Sequence[int], padding: Sequence[int] = (0, 0), *, spare: int = 1, around: float = -4321) -> Images:
    """Images for a kernel to write. They hold 1234 and all around -4321, which are no results: whatever is written shows."""
    return Images(np.full(shape, 1234, np.float32), padding, spare=spare, around=around)


def values(numbers: Any, dtype: Any) -> At:
    """A buffer of exactly these numbers; `result.buffer` is an array to be read."""
    array = np.asarray(numbers, dtype)
    buffer = HostDevice().zeros(array.size, dtype)
    buffer[: array.size] = array.ravel()
    return At(buffer)


def threads(items: int) -> tuple[Size, Size]:
    """Grid and block with a thread for each of `items`."""
    return (-(-items // 256), 1, 1), (256, 1, 1)


def run(name: str, launch: tuple[Size, Size], arguments: Mapping[str, Any], instance: Instance = ()) -> None:
    """Run a kernel with (grid, block). It has run in both orders, from the same buffers, and left the same bits each time."""
    buffers = {id(at.buffer): at.buffer for at in arguments.values() if isinstance(at, At)}.values()
    before, device = [buffer.copy() for buffer in buffers], HostDevice()
    results = []
    for device.order in (0, 1):
        for buffer, old in zip(buffers, before, strict=True):
            buffer[...] = old
        device.run([Launch(name, instance, *launch, arguments)])
        results.append([buffer.tobytes() for buffer in buffers])
    assert results[0] == results[1], f"{name} leaves other bits when its threads run backwards"
