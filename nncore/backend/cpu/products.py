"""Matrix products and convolutions, dense: forward, the weights' gradient and the input's gradient.

A convolution is a matrix product whose rows lie scattered: the output at a spot p of an image sees, for each row k of the
kernel, a run of `run` = kernel width · channels neighbouring floats, at x.at + table[p] + k · pitch. A linear layer is the
case of one kernel row, whose spots are the examples. So one set of kernels serves both, and no patches are copied.

Names, here and in the other kernel files: `m` is the address of the program's memory, in which places count floats; `theta`
that of the network's parameters; `E` = kernel rows · run, the number of inputs an output sums over; `O` outputs; `P` spots of
an image (of the batch, for a linear layer). `work` is scratch memory for one tile. views.py has Spots, Patch and Matrix.
"""

from __future__ import annotations

from numba import float32

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, operation, part
from nncore.backend.cpu.few_rows import MOST_ROWS, few_rows
from nncore.backend.cpu.memory import get, get_int, put
from nncore.backend.cpu.tuning import STRIP
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cpu.views import Matrix, Patch, Spots

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
    def forward(m, x, weight, bias, b, y, P, patch, width, more, relu, work):
        """One image, one block of up to cols · LANES output channels: y = x · weight + bias, or y += x · weight (`more`)."""
        last = P - 1
        for p in range(0, P, rows):
            seen = simd.places(m, x.table, p, last, get_int(m, x.table + last), rows)
            to = simd.places(m, y.table, p, last, get_int(m, y.table + last), rows)
            tile = simd.load(m, y.at, to, cols) if more else simd.same_rows(bias, b, rows, cols)
            for k in range(patch.rows):
                at, row = x.at + k * patch.pitch, weight.at + k * patch.run * weight.pitch
                for q in range(patch.run):
                    tile = simd.outer(tile, m, at + q, seen, weight.memory, row + q * weight.pitch)
            if relu:
                tile = simd.positive(tile)
            if width == cols * LANES:
                simd.store(tile, m, y.at, to)
            else:
                keep(tile, cols, m, y.at, to, min(rows, P - p), width, work)

    return forward


_forward_wide, _forward_tall = _forward(ROWS, 2), _forward(TALL, 1)


@part
def _images(m, x, weight, bias, b, y, images, P, patch, width, more, relu, work):
    """One block of columns for every image, with the tile that fits the block's width."""
    for n in range(images):
        xn, yn = Spots(x.at + n * x.pitch, x.pitch, x.table), Spots(y.at + n * y.pitch, y.pitch, y.table)
        if width > LANES:
            _forward_wide(m, xn, weight, bias, b, yn, P, patch, width, more, relu, work)
        else:
            _forward_tall(m, xn, weight, bias, b, yn, P, patch, width, more, relu, work)


@part
def _product(m, theta, x, w, b, y, images, P, patch, O, relu, work, panel):
    """y[n, p, o] = Σ x · weight[:, o] + bias[o], with ReLU where `relu`; weight (E, O) and bias (O) lie in theta.

    Small weights: image by image, which stays in the first-level cache. Large ones: a block of columns at a time, copied
    to `panel` where it is used often enough, since rows of a wide matrix lie a page apart. Of a linear layer then only so
    many inputs at a time that the panel stays in the first-level cache and the examples' share of them in the second.
    """
    K, run = patch.rows, patch.run
    E = K * run
    small = E * O <= CACHE
    packed = not small and images * P >= 3 * ROWS
    group = 1 if small else max(images, 1)
    depth = DEPTH if packed and K == 1 else run
    for n in range(0, images, group):
        for q in range(0, run, depth):
            for o in range(0, O, WIDE):
                count, width, weight = min(depth, run - q), min(WIDE, O - o), Matrix(theta, w + q * O + o, O)
                if packed:
                    for e in range(K * count):
                        _copy(theta, weight.at + e * O, m, panel + e * WIDE, width)
                    weight = Matrix(m, panel, WIDE)
                _images(
                    m, Spots(x.at + n * x.pitch + q, x.pitch, x.table), weight, theta, b + o,
                    Spots(y.at + n * y.pitch + o, y.pitch, y.table), group, P, Patch(K, patch.pitch, count), width,
                    q > 0, relu and q + depth >= run, work,
                )  # fmt: skip


@operation
def linear(m, theta, count, x: Spots, w, b, y: Spots, E, O, relu, work, panel):
    """y = x · weight + bias, with ReLU where `relu`: one image, whose spots are the examples."""
    if 0 < count <= MOST_ROWS:
        few_rows(m, theta, x, w, b, y, count, E, O, relu != 0, work)
    else:
        _product(m, theta, x, w, b, y, min(count, 1), count, Patch(1, 0, E), O, relu != 0, work, panel)


@operation
def conv2d(m, theta, count, x: Spots, w, b, y: Spots, P, patch: Patch, O, relu, work, panel):
    """y = the convolution of x with weight, plus bias, with ReLU where `relu`."""
    _product(m, theta, x, w, b, y, count, P, patch, O, relu != 0, work, panel)


def _weight_gradient(rows: int, cols: int):
    @kernel
    def gradient(m, x, g, images, P, run, O, width, out, more, work):
        """out (run, O), one row of the kernel and one block of columns: Σ over spots of x · g, added where `more`."""
        inputs, to = simd.multiples(1, rows), simd.multiples(O, rows)
        for q in range(0, run, rows):
            tile = simd.zeros(rows, cols)
            for n in range(images):
                xn, gn = x.at + n * x.pitch + q, g.at + n * g.pitch
                for p in range(P):
                    tile = simd.outer(tile, m, xn + get_int(m, x.table + p), inputs, m, gn + get_int(m, g.table + p))
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
def _weight_block(m, x, g, images, P, run, O, width, out, more, work):
    """One row of the kernel and one block of columns, with the tile that fits the block's width."""
    if width > LANES:
        _weight_gradient_wide(m, x, g, images, P, run, O, width, out, more, work)
    else:
        _weight_gradient_tall(m, x, g, images, P, run, O, width, out, more, work)


@operation
def conv2d_weight_gradient(m, count, x: Spots, g: Spots, P, patch: Patch, O, out, work):
    """dL/dweight (E, O) = Σ over images and spots p of x[p + e] · g[p, o], as many at a time as the cache holds."""
    size = x.pitch + g.pitch
    group, block = max(1, NEAR // size), max(1, P)
    if size > NEAR:
        block = max(8 * ROWS, P * NEAR // size)
    for n in range(0, max(count, 1), group):
        for p in range(0, max(P, 1), block):
            images, spots, more = min(group, count - n), min(block, P - p), n + p > 0
            for k in range(patch.rows):
                for o in range(0, O, WIDE):
                    xn = Spots(x.at + n * x.pitch + k * patch.pitch, x.pitch, x.table + p)
                    gn = Spots(g.at + n * g.pitch + o, g.pitch, g.table + p)
                    to = out + k * patch.run * O + o
                    _weight_block(m, xn, gn, images, spots, patch.run, O, min(WIDE, O - o), to, more, work)


@operation
def linear_weight_gradient(m, count, x: Spots, g: Spots, E, O, out, work, room, strips, panels):
    """dL/dweight (E, O) = Σ over examples p of x[p, e] · g[p, o].

    What a tile reads lies far apart, often by a power of two, which a cache bears badly. So g is copied once, as panels of
    WIDE columns, and x a strip of columns at a time. `strips` and `panels` are tables of the examples' places in them.
    """
    P, images = count, min(count, 1)
    copy = room + (O + WIDE - 1) // WIDE * WIDE * P
    for o in range(0, O, WIDE):
        for p in range(P):
            _copy(m, g.at + get_int(m, g.table + p) + o, m, room + o * P + p * WIDE, min(WIDE, O - o))
    for q in range(0, E, STRIP):
        for p in range(P):
            at, to = x.at + get_int(m, x.table + p) + q, copy + p * STRIP
            for c in range(0, min(STRIP, E - q), WIDE):
                _copy(m, at + c, m, to + c, min(WIDE, E - q - c))
        for o in range(0, O, WIDE):
            strip, panel, to = Spots(copy, 0, strips), Spots(room + o * P, 0, panels), out + q * O + o
            _weight_block(m, strip, panel, images, P, min(STRIP, E - q), O, min(WIDE, O - o), to, False, work)


@part
def _bias_gradient(m, g, images, P, O, out):
    """dL/dbias (O) = Σ over images and spots of g."""
    for o in range(O):
        put(m, out + o, float32(0))
    for n in range(images):
        for p in range(P):
            at = g.at + n * g.pitch + get_int(m, g.table + p)
            for o in range(O):
                put(m, out + o, get(m, out + o) + get(m, at + o))


@operation
def linear_bias_gradient(m, count, g: Spots, O, out):
    """dL/dbias (O) of a linear layer."""
    _bias_gradient(m, g, min(count, 1), count, O, out)


@operation
def conv2d_bias_gradient(m, count, g: Spots, P, O, out):
    """dL/dbias (O) of a convolution."""
    _bias_gradient(m, g, count, P, O, out)


def _data_gradient(cols: int):
    @kernel
    def gradient(m, g, turned, x, P, O, fresh, dump):
        """One image, one block of inputs: gx[p] += Σ over o of g[p, o] · turned[o], or = where nothing overlaps (`fresh`)."""
        last = P - 1
        for p in range(0, P, ROWS):
            seen = simd.places(m, g.table, p, last, get_int(m, g.table + last), ROWS)
            tile = simd.zeros(ROWS, cols)
            for o in range(O):
                tile = simd.outer(tile, m, g.at + o, seen, m, turned + o * WIDE)
            to = simd.places(m, x.table, p, last, dump - x.at, ROWS)  # rows past the last go where nobody looks
            if fresh:
                simd.store(tile, m, x.at, to)
            else:
                simd.add_to(tile, m, x.at, to)

    return gradient


_data_gradient_wide, _data_gradient_narrow = _data_gradient(2), _data_gradient(1)


@part
def _input_gradient(m, theta, g, w, x, images, P, patch, O, fresh, panel, dump):
    """dL/dx from g = dL/dy, a block of inputs at a time, whose weights are turned into `panel` (O, WIDE).

    x is the whole padded memory of the input's gradient; it must be zero before, unless `fresh`: one kernel row, spots
    that do not overlap, and whole vectors.
    """
    group, run = max(1, 2 * CACHE // max(1, x.pitch + g.pitch)), patch.run
    for start in range(0, images, group):
        for k in range(patch.rows):
            for q in range(0, run, WIDE):
                transpose(theta, w + (k * run + q) * O, m, panel, min(WIDE, run - q), O, WIDE)
                for n in range(start, min(images, start + group)):
                    gn = Spots(g.at + n * g.pitch, g.pitch, g.table)
                    xn = Spots(x.at + n * x.pitch + k * patch.pitch + q, x.pitch, x.table)
                    if run - q > LANES:
                        _data_gradient_wide(m, gn, panel, xn, P, O, fresh, dump)
                    else:
                        _data_gradient_narrow(m, gn, panel, xn, P, O, fresh, dump)


@operation
def linear_input_gradient(m, theta, count, g: Spots, w, x: Spots, E, O, fresh, panel, dump):
    """dL/dx of a linear layer."""
    _input_gradient(m, theta, g, w, x, min(count, 1), count, Patch(1, 0, E), O, fresh != 0, panel, dump)


@operation
def conv2d_input_gradient(m, theta, count, g: Spots, w, x: Spots, P, patch: Patch, O, panel, dump):
    """dL/dx of a convolution, added to x."""
    _input_gradient(m, theta, g, w, x, count, P, patch, O, False, panel, dump)


@kernel
def transpose(source, at, m, to, rows, cols, pitch):
    """m[to :] (cols, rows), rows `pitch` apart, = source[at :] (rows, cols), transposed; zeros up to the next whole vector."""
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
def transpose_back(m, at, pitch, to, rows, cols):
    """m[to :] (rows, cols) = m[at :] (cols, rows), whose rows are `pitch` apart, transposed."""
    for i in range(0, rows, LANES):
        for j in range(0, cols, LANES):
            if i + LANES <= rows and j + LANES <= cols:
                simd.transpose(m, at + j * pitch + i, pitch, m, to + i * cols + j, cols)
            else:
                for c in range(min(LANES, cols - j)):
                    for r in range(min(LANES, rows - i)):
                        put(m, to + (i + r) * cols + j + c, get(m, at + (j + c) * pitch + i + r))
