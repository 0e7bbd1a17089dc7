"""What the kernels of spread.py are told of a convolution's geometry."""

from __future__ import annotations

from nncore.backend.contract import Spread, Tensor
from nncore.backend.cpu.record import Local


def first_window(x: Tensor, spread: Spread) -> tuple[Local, int, int]:
    """An image, as views.py has it, from the first cell of its first window on."""
    place: Local = x.place
    return place + -(spread.before[0] * x.row_pitch + spread.before[1] * x.channels), x.pitch, x.row_pitch


def numbers_of(spread: Spread, x: Tensor, y: Tensor) -> dict[str, int]:
    """Sizes of y, channels of both, and the windows, by the names of the kernels' parameters."""
    (kh, kw), (sh, sw), (dh, dw) = spread.size, spread.stride, spread.dilation
    sizes = {"rows": y.rows, "cols": y.cols, "C": x.channels, "O": y.channels, "groups": spread.groups}
    return sizes | {"kh": kh, "kw": kw, "sh": sh, "sw": sw, "dh": dh, "dw": dw}
