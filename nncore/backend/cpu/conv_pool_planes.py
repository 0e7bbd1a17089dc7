"""`conv2d_max_pool` for few output channels: a vector holds one channel of neighbouring windows, not channels of one window.

Six channels would leave a quarter of an eight-lane vector idle, and each value of x would be loaded for so few products that
loads, not arithmetic, set the pace. So each image is first split into planes, one a channel, with even and odd columns apart:
the same position of neighbouring windows then lies side by side. The tile is the four positions of LANES windows by
CHANNELS channels, 12 accumulators again.

The winners lie a plane a channel too. Names are those of conv_pool.py.
"""

from __future__ import annotations

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, operation
from nncore.backend.cpu.memory import get, get_int, put
from nncore.backend.cpu.tuning import PLANES as CHANNELS
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cpu.views import Image


@kernel
def _split(m, x, row_pitch, rows, cols, C, planes, half):
    """m[planes :] (rows, C, 2, half) = the image m[x :] (rows, cols, C), its even columns before its odd ones."""
    for i in range(rows):
        for c in range(C):
            at, to = x + i * row_pitch + c, planes + (i * C + c) * 2 * half
            for j in range(cols // 2):
                put(m, to + j, get(m, at + 2 * j * C))
                put(m, to + half + j, get(m, at + (2 * j + 1) * C))
            if cols % 2:
                put(m, to + cols // 2, get(m, at + (cols - 1) * C))


@kernel
def _windows(m, at, steps, E, down, theta, w, b, O, relu, work, winner, P):
    """CHANNELS channels of LANES windows; the largest of each to m[work :] (channels, LANES)."""
    tile = simd.columns(theta, b, CHANNELS, 4)
    for e in range(E):
        left, right = at + get_int(m, steps + 2 * e), at + get_int(m, steps + 2 * e + 1)
        tile = simd.spread(tile, m, (left, right, left + down, right + down), theta, w + e * O)
    simd.pool(tile, 0, relu, m, work, m, winner)
    simd.pool(tile, 4, relu, m, work + LANES, m, winner + P)
    simd.pool(tile, 8, relu, m, work + 2 * LANES, m, winner + 2 * P)


@operation
def conv2d_max_pool_planes(
    m, theta, count, x: Image, x_rows, x_cols, C, w, b, y: Image, winner, rows, cols, O, E, steps, relu, planes, half, work
):  # fmt: skip
    """`conv2d_max_pool` with stride 1, for `rows` × `cols` windows (at least LANES a row) and at least CHANNELS channels.

    x (x_rows, x_cols, C) begins with the padding; winner (count, O, rows · cols). `steps` is a table of where each of the E
    inputs lies in `planes` for a window's left and for its right positions, `half` the length of a plane's row.
    """
    P, down = rows * cols, 2 * C * half
    for n in range(count):
        _split(m, x.at + n * x.pitch, x.row, x_rows, x_cols, C, planes, half)
        for i in range(rows):
            for start in range(0, cols, LANES):
                j = min(start, cols - LANES)  # the last ones may be done twice
                at, won = planes + 2 * i * down + j, winner + n * O * P + i * cols + j
                for first in range(0, O, CHANNELS):
                    o = min(first, O - CHANNELS)
                    _windows(m, at, steps, E, down, theta, w + o, b + o, O, relu != 0, work + o * LANES, won + o * P, P)
                to = y.at + n * y.pitch + i * y.row + j * O
                for t in range(LANES):
                    for o in range(O):
                        put(m, to + t * O + o, get(m, work + o * LANES + t))
