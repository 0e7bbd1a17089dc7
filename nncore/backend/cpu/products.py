"""Matrix products and convolutions, dense: forward, the weights' gradient and the input's gradient.

A convolution is a matrix product whose rows lie scattered: output position p of an image sees, for each row k of the
kernel, a run of `run` = kernel width · channels neighbouring floats, at x[place[p] + k · pitch]. A linear layer is the
case of one kernel row, whose positions are the examples. So one set of kernels serves both, and no patches are copied.

Names, here and in the other kernel files: `m` is the address of the program's memory, in which places count floats; `E` =
kernel rows · run, the number of inputs an output sums over; `O` outputs; `P` positions of an image (of the batch, for a
linear layer); `*_places` a table of P positions (int32), relative to the image; `*_pitch` the distance from one image to
the next. `work` is a stretch of memory for odds and ends.
"""

from __future__ import annotations

from numba import float32

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, part
from nncore.backend.cpu.memory import get, get_int, put
from nncore.backend.cpu.simd import LANES
from nncore.backend.cpu.tuning import STRIP

ROWS, TALL = 6, 12
"""Rows of a tile of two columns, and of one column: 12 accumulators, which with 16 registers leaves four for operands."""

WIDE = 2 * LANES
CACHE = 32 * 1024
"""Floats that should stay in the second-level cache while they are used again and again."""
NEAR = 6 * 1024
"""Floats that should stay in the first-level cache."""
DEPTH = 256
"""Inputs of a linear layer multiplied at a time."""


@kernel
def keep(tile, cols, m, at, offsets, rows, width, work):
    """Store the first `width` floats of `rows` rows of the tile to m[at + offsets[r] :]; `width` may end inside a vector."""
    simd.store(tile, m, work, simd.multiples(cols * LANES, len(offsets)))
    for r in range(rows):
        for c in range(width):
            put(m, at + offsets[r] + c, get(m, work + r * cols * LANES + c))


@kernel
def _copy(source, at, m, to, width):
    """m[to :] = source[at :], up to WIDE floats."""
    if width == WIDE:
        simd.store(simd.load(source, at, (0,), 2), m, to, (0,))
    else:
        for c in range(width):
            put(m, to + c, get(source, at + c))


def _forward(rows: int, cols: int):
    @kernel
    def forward(m, x, x_places, weight, w, w_pitch, bias, b, y, y_places, P, K, pitch, run, width, more, relu, work):
        """One image, one block of up to cols · LANES output channels: y = x · weight + bias, or y += x · weight (`more`)."""
        last = P - 1
        for p in range(0, P, rows):
            seen = simd.places(m, x_places, p, last, get_int(m, x_places + last), rows)
            to = simd.places(m, y_places, p, last, get_int(m, y_places + last), rows)
            tile = simd.load(m, y, to, cols) if more else simd.same_rows(bias, b, rows, cols)
            for k in range(K):
                at, row = x + k * pitch, w + k * run * w_pitch
                for q in range(run):
                    tile = simd.outer(tile, m, at + q, seen, weight, row + q * w_pitch)
            if relu:
                tile = simd.positive(tile)
            if width == cols * LANES:
                simd.store(tile, m, y, to)
            else:
                keep(tile, cols, m, y, to, min(rows, P - p), width, work)

    return forward


_forward_wide, _forward_tall = _forward(ROWS, 2), _forward(TALL, 1)


@part
def _images(
    m, x, x_pitch, x_places, weight, w, w_pitch, bias, b, y, y_pitch, y_places, images, P, K, pitch, run, width, more,
    relu, work,
):  # fmt: skip
    """One block of columns for every image, with the tile that fits the block's width."""
    for n in range(images):
        xn, yn = x + n * x_pitch, y + n * y_pitch
        if width > LANES:
            _forward_wide(m, xn, x_places, weight, w, w_pitch, bias, b, yn, y_places, P, K, pitch, run, width, more, relu, work)
        else:
            _forward_tall(m, xn, x_places, weight, w, w_pitch, bias, b, yn, y_places, P, K, pitch, run, width, more, relu, work)


@part
def product(m, theta, x, x_pitch, x_places, w, b, y, y_pitch, y_places, images, P, K, pitch, run, O, relu, work, panel):
    """y[n, p, o] = Σ x · weight[:, o] + bias[o], with ReLU where `relu`; weight (E, O) and bias (O) lie in theta.

    Small weights: image by image, which stays in the first-level cache. Large ones: a block of columns at a time, copied
    to `panel` where it is used often enough, since rows of a wide matrix lie a page apart. Of a linear layer then only so
    many inputs at a time that the panel stays in the first-level cache and the examples' share of them in the second.
    """
    E = K * run
    small = E * O <= CACHE
    packed = not small and images * P >= 3 * ROWS
    group = 1 if small else max(images, 1)
    depth = DEPTH if packed and K == 1 else run
    for n in range(0, images, group):
        for q in range(0, run, depth):
            for o in range(0, O, WIDE):
                count, width, source, at, w_pitch = min(depth, run - q), min(WIDE, O - o), theta, w + q * O + o, O
                if packed:
                    for e in range(K * count):
                        _copy(theta, at + e * O, m, panel + e * WIDE, width)
                    source, at, w_pitch = m, panel, WIDE
                _images(
                    m, x + n * x_pitch + q, x_pitch, x_places, source, at, w_pitch, theta, b + o, y + n * y_pitch + o, y_pitch,
                    y_places, group, P, K, pitch, count, width, q > 0, relu and q + depth >= run, work,
                )  # fmt: skip


def _weight_gradient(rows: int, cols: int):
    @kernel
    def gradient(m, x, x_pitch, x_places, g, g_pitch, g_places, images, P, run, O, width, out, more, work):
        """out (run, O), one row of the kernel and one block of columns: Σ over positions of x · g, added where `more`."""
        inputs, to = simd.multiples(1, rows), simd.multiples(O, rows)
        for q in range(0, run, rows):
            tile = simd.zeros(rows, cols)
            for n in range(images):
                xn, gn = x + n * x_pitch + q, g + n * g_pitch
                for p in range(P):
                    tile = simd.outer(tile, m, xn + get_int(m, x_places + p), inputs, m, gn + get_int(m, g_places + p))
            count = min(rows, run - q)
            if width == cols * LANES and count == rows:
                if more:
                    simd.add_to(tile, m, out + q * O, to)
                else:
                    simd.store(tile, m, out + q * O, to)
            else:
                simd.store(tile, m, work, simd.multiples(cols * LANES, rows))
                for r in range(count):
                    for c in range(width):
                        before = get(m, out + (q + r) * O + c) if more else float32(0)
                        put(m, out + (q + r) * O + c, before + get(m, work + r * cols * LANES + c))

    return gradient


_weight_gradient_wide, _weight_gradient_tall = _weight_gradient(ROWS, 2), _weight_gradient(TALL, 1)


@part
def weight_gradient(m, x, x_pitch, x_places, g, g_pitch, g_places, images, P, K, pitch, run, O, out, work):
    """dL/dweight (E, O) = Σ over images and positions p of x[p + e] · g[p, o], as many at a time as the cache holds."""
    size = x_pitch + g_pitch
    group, block = max(1, NEAR // size), max(1, P)
    if size > NEAR:
        block = max(8 * ROWS, P * NEAR // size)
    for n in range(0, max(images, 1), group):
        for p in range(0, max(P, 1), block):
            count, places, more = min(group, images - n), min(block, P - p), n + p > 0
            for k in range(K):
                for o in range(0, O, WIDE):
                    width, xn, gn = min(WIDE, O - o), x + n * x_pitch + k * pitch, g + n * g_pitch + o
                    to = out + k * run * O + o
                    if width > LANES:
                        _weight_gradient_wide(
                            m, xn, x_pitch, x_places + p, gn, g_pitch, g_places + p, count, places, run, O, width, to, more, work
                        )
                    else:
                        _weight_gradient_tall(
                            m, xn, x_pitch, x_places + p, gn, g_pitch, g_places + p, count, places, run, O, width, to, more, work
                        )


@part
def linear_weight_gradient(m, x, x_places, g, g_places, P, E, O, out, work, room, strips, panels):
    """dL/dweight (E, O) = Σ over examples p of x[p, e] · g[p, o].

    What a tile reads lies far apart, often by a power of two, which a cache bears badly. So g is copied once, as panels of
    WIDE columns, and x a strip of columns at a time. `strips` and `panels` are tables of the examples' places in them.
    """
    copy, count = room + (O + WIDE - 1) // WIDE * WIDE * P, 1 if P > 0 else 0
    for o in range(0, O, WIDE):
        for p in range(P):
            _copy(m, g + get_int(m, g_places + p) + o, m, room + o * P + p * WIDE, min(WIDE, O - o))
    for q in range(0, E, STRIP):
        for p in range(P):
            at, to = x + get_int(m, x_places + p) + q, copy + p * STRIP
            for c in range(0, min(STRIP, E - q), WIDE):
                _copy(m, at + c, m, to + c, min(WIDE, E - q - c))
        for o in range(0, O, WIDE):
            width, run, panel, to = min(WIDE, O - o), min(STRIP, E - q), room + o * P, out + q * O + o
            if width > LANES:
                _weight_gradient_wide(m, copy, 0, strips, panel, 0, panels, count, P, run, O, width, to, False, work)
            else:
                _weight_gradient_tall(m, copy, 0, strips, panel, 0, panels, count, P, run, O, width, to, False, work)


@kernel
def bias_gradient(m, g, g_pitch, g_places, images, P, O, out):
    """dL/dbias (O) = Σ over images and positions of g."""
    for o in range(O):
        put(m, out + o, float32(0))
    for n in range(images):
        for p in range(P):
            at = g + n * g_pitch + get_int(m, g_places + p)
            for o in range(O):
                put(m, out + o, get(m, out + o) + get(m, at + o))


def _data_gradient(cols: int):
    @kernel
    def gradient(m, g, g_places, turned, x, x_places, P, O, fresh, dump):
        """One image, one block of inputs: gx[p] += Σ over o of g[p, o] · turned[o], or = where nothing overlaps (`fresh`)."""
        last = P - 1
        for p in range(0, P, ROWS):
            seen = simd.places(m, g_places, p, last, get_int(m, g_places + last), ROWS)
            tile = simd.zeros(ROWS, cols)
            for o in range(O):
                tile = simd.outer(tile, m, g + o, seen, m, turned + o * WIDE)
            to = simd.places(m, x_places, p, last, dump - x, ROWS)  # rows past the last go where nobody looks
            if fresh:
                simd.store(tile, m, x, to)
            else:
                simd.add_to(tile, m, x, to)

    return gradient


_data_gradient_wide, _data_gradient_narrow = _data_gradient(2), _data_gradient(1)


@part
def data_gradient(m, theta, g, g_pitch, g_places, w, x, x_pitch, x_places, images, P, K, pitch, run, O, fresh, panel, dump):
    """dL/dx from g = dL/dy, a block of inputs at a time, whose weights are turned into `panel` (O, WIDE).

    x is the whole padded memory of the input's gradient; it must be zero before, unless `fresh`: one kernel row, positions
    that do not overlap, and whole vectors.
    """
    group = max(1, 2 * CACHE // max(1, x_pitch + g_pitch))
    for start in range(0, images, group):
        for k in range(K):
            for q in range(0, run, WIDE):
                turn(theta, w + (k * run + q) * O, m, panel, min(WIDE, run - q), O, WIDE)
                for n in range(start, min(images, start + group)):
                    at, to = g + n * g_pitch, x + n * x_pitch + k * pitch + q
                    if run - q > LANES:
                        _data_gradient_wide(m, at, g_places, panel, to, x_places, P, O, fresh, dump)
                    else:
                        _data_gradient_narrow(m, at, g_places, panel, to, x_places, P, O, fresh, dump)


@kernel
def turn(source, at, m, to, rows, cols, pitch):
    """m[to :] (cols, rows), rows `pitch` apart, = source[at :] (rows, cols), turned; zeros up to the next whole vector."""
    for i in range(0, rows, LANES):
        for j in range(0, cols, LANES):
            if i + LANES <= rows and j + LANES <= cols:
                simd.transpose(source, at + i * cols + j, cols, m, to + j * pitch + i, pitch)
            else:
                for c in range(min(LANES, cols - j)):
                    for r in range(LANES):
                        value = get(source, at + (i + r) * cols + j + c) if i + r < rows else float32(0)
                        put(m, to + (j + c) * pitch + i + r, value)


@kernel
def turn_back(m, at, pitch, to, rows, cols):
    """m[to :] (rows, cols) = m[at :] (cols, rows), whose rows are `pitch` apart, turned."""
    for i in range(0, rows, LANES):
        for j in range(0, cols, LANES):
            if i + LANES <= rows and j + LANES <= cols:
                simd.transpose(m, at + j * pitch + i, pitch, m, to + i * cols + j, cols)
            else:
                for c in range(min(LANES, cols - j)):
                    for r in range(min(LANES, rows - i)):
                        put(m, to + (i + r) * cols + j + c, get(m, at + (j + c) * pitch + i + r))
