"""Vector registers in Numba: the control over them that C intrinsics give, on whatever CPU this is.

A `tile` is a block of `rows` × `cols` vectors of LANES floats that a kernel keeps in registers. Each operation below is an
`@intrinsic`: it writes LLVM instructions directly, and LLVM lowers them to AVX-512, AVX2 or NEON. `rows` and `cols` are
constants, so loops over them are unrolled while compiling.

Memory arguments are addresses as in nncore/backend/cpu/memory.py; `offsets` is a tuple of one index a row of the tile.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nncore.backend.cpu.memory import BYTE, INT, pointer
from nncore.backend.cpu.vectors import (
    BYTES,
    LANES,
    VECTOR,
    TileType,
    broadcast,
    load_vector,
    multiply_add,
    parts_of,
    places_of,
    splat_bit,
    splat_scalar,
    stepped,
    store_vector,
    whole,
)


@intrinsic(prefer_literal=True)
def zeros(typing: Any, rows: Any, cols: Any) -> Any:
    """A tile of zeros; rows and cols are constants."""
    kind = TileType(rows.literal_value, cols.literal_value)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return whole(builder, [ir.Constant(VECTOR, [0.0] * LANES)] * (kind.rows * kind.cols))

    return kind(rows, cols), codegen


@intrinsic(prefer_literal=True)
def same_rows(typing: Any, array: Any, index: Any, rows: Any, cols: Any) -> Any:
    """A tile whose every row is array[index : index + cols · LANES]."""
    kind = TileType(rows.literal_value, cols.literal_value)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        row = [load_vector(builder, args[0], stepped(builder, args[1], c * LANES)) for c in range(kind.cols)]
        return whole(builder, row * kind.rows)

    return kind(types.intp, types.intp, rows, cols), codegen


@intrinsic(prefer_literal=True)
def columns(typing: Any, array: Any, index: Any, count: Any, each: Any) -> Any:
    """A tile of one column: `each` vectors full of array[index], `each` full of the next number, …, `count` numbers in all."""
    kind = TileType(count.literal_value * each.literal_value, 1)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = [broadcast(builder, args[0], stepped(builder, args[1], n)) for n in range(count.literal_value)]
        return whole(builder, [vector for vector in found for _ in range(each.literal_value)])

    return kind(types.intp, types.intp, count, each), codegen


@intrinsic(prefer_literal=True)
def load(typing: Any, array: Any, index: Any, offsets: Any, cols: Any) -> Any:
    """The tile whose row r is array[index + offsets[r] :][: cols · LANES]."""
    kind = TileType(len(offsets), cols.literal_value)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        places = places_of(builder, args[1], args[2])
        return whole(
            builder,
            [load_vector(builder, args[0], stepped(builder, place, c * LANES)) for place in places for c in range(kind.cols)],
        )

    return kind(types.intp, types.intp, offsets, cols), codegen


@intrinsic
def store(typing: Any, tile: Any, array: Any, index: Any, offsets: Any) -> Any:
    """array[index + offsets[r] :][: cols · LANES] = row r of the tile, one row after the other."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts, places = parts_of(builder, args[0], tile), places_of(builder, args[2], args[3])
        for n, part in enumerate(parts):
            place = stepped(builder, places[n // tile.cols], n % tile.cols * LANES)
            store_vector(builder, args[1], place, part)
        return context.get_dummy_value()

    return types.void(tile, types.intp, types.intp, offsets), codegen


@intrinsic
def add_to(typing: Any, tile: Any, array: Any, index: Any, offsets: Any) -> Any:
    """array[index + offsets[r] :][: cols · LANES] += row r, one row after the other, so that rows may overlap."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts, places = parts_of(builder, args[0], tile), places_of(builder, args[2], args[3])
        for n, part in enumerate(parts):
            place = stepped(builder, places[n // tile.cols], n % tile.cols * LANES)
            store_vector(builder, args[1], place, builder.fadd(part, load_vector(builder, args[1], place)))
        return context.get_dummy_value()

    return types.void(tile, types.intp, types.intp, offsets), codegen


@intrinsic
def outer(typing: Any, tile: Any, x: Any, at: Any, offsets: Any, w: Any, row: Any) -> Any:
    """tile[r, c] += x[at + offsets[r]] · w[row + c · LANES :][: LANES]: one step of a matrix product."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts, places = parts_of(builder, args[0], tile), places_of(builder, args[2], args[3])
        row = [load_vector(builder, args[4], stepped(builder, args[5], c * LANES)) for c in range(tile.cols)]
        for r, place in enumerate(places):
            factor = broadcast(builder, args[1], place)
            for c in range(tile.cols):
                parts[r * tile.cols + c] = multiply_add(builder, factor, row[c], parts[r * tile.cols + c])
        return whole(builder, parts)

    return tile(tile, types.intp, types.intp, offsets, types.intp, types.intp), codegen


@intrinsic
def gather(typing: Any, tile: Any, factor: Any, x: Any, at: Any, offsets: Any) -> Any:
    """tile[r] += factor · x[at + offsets[r] :][: LANES], for a tile of one column."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts, places = parts_of(builder, args[0], tile), places_of(builder, args[3], args[4])
        splat = splat_scalar(builder, args[1])
        for r, place in enumerate(places):
            parts[r] = multiply_add(builder, splat, load_vector(builder, args[2], place), parts[r])
        return whole(builder, parts)

    return tile(tile, types.float32, types.intp, types.intp, offsets), codegen


@intrinsic
def scatter(typing: Any, tile: Any, factor: Any, x: Any, at: Any, offsets: Any) -> Any:
    """x[at + offsets[r] :][: LANES] += factor · tile[r], for a tile of one column."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts, places = parts_of(builder, args[0], tile), places_of(builder, args[3], args[4])
        splat = splat_scalar(builder, args[1])
        for part, place in zip(parts, places, strict=True):
            value = multiply_add(builder, splat, part, load_vector(builder, args[2], place))
            store_vector(builder, args[2], place, value)
        return context.get_dummy_value()

    return types.void(tile, types.float32, types.intp, types.intp, offsets), codegen


@intrinsic
def spread(typing: Any, tile: Any, x: Any, places: Any, w: Any, row: Any) -> Any:
    """tile[c · n + r] += w[row + c] · x[places[r] :][: LANES], for n places and a tile of one column."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts, count = parts_of(builder, args[0], tile), len(places)
        # First the factors: were the vectors first, more values would be alive than there are registers.
        factors = [broadcast(builder, args[3], stepped(builder, args[4], c)) for c in range(len(parts) // count)]
        for r, place in enumerate(cgutils.unpack_tuple(builder, args[2])):
            vector = load_vector(builder, args[1], place)
            for c, factor in enumerate(factors):
                parts[c * count + r] = multiply_add(builder, factor, vector, parts[c * count + r])
        return whole(builder, parts)

    return tile(tile, types.intp, places, types.intp, types.intp), codegen


@intrinsic(prefer_literal=True)
def where_won(typing: Any, base: Any, at: Any, place: Any, number: Any) -> Any:
    """A vector of floats base[at :], zero where the byte base[place :] is not `number` (a constant), as a tile of one."""
    kind = TileType(1, 1)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        won = builder.load(pointer(builder, args[0], args[2], BYTE, BYTES))
        won.align = 1
        same = builder.icmp_unsigned("==", won, ir.Constant(BYTES, [number.literal_value] * LANES))
        return whole(builder, [builder.select(same, load_vector(builder, args[0], args[1]), ir.Constant(VECTOR, [0.0] * LANES))])

    return kind(types.intp, types.intp, types.intp, number), codegen


@intrinsic
def times(typing: Any, tile: Any, x: Any, at: Any, offsets: Any, row: Any) -> Any:
    """tile[r] += x[at + offsets[r]] · row, for a tile of one column and a row that is a tile of one."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts, places = parts_of(builder, args[0], tile), places_of(builder, args[2], args[3])
        factor = builder.extract_value(args[4], 0)
        found = zip(parts, places, strict=True)
        return whole(builder, [multiply_add(builder, broadcast(builder, args[1], place), factor, part) for part, place in found])

    return tile(tile, types.intp, types.intp, offsets, row), codegen


def _lanewise(name: str, make: Any, arity: int) -> Any:
    """An operation on tiles of one shape, vector by vector."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        columns = zip(*(parts_of(builder, arg, kind) for arg, kind in zip(args, signature.args, strict=True)), strict=True)
        return whole(builder, [make(builder, *parts) for parts in columns])

    if arity == 2:

        @intrinsic
        def operation(typing: Any, a: Any, b: Any) -> Any:
            return a(a, b), codegen
    else:

        @intrinsic
        def operation(typing: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
            return a(a, b, x, y), codegen

    operation.__doc__ = name
    return operation


add = _lanewise("a + b", lambda builder, a, b: builder.fadd(a, b), 2)
subtract = _lanewise("a − b", lambda builder, a, b: builder.fsub(a, b), 2)
multiply = _lanewise("a · b", lambda builder, a, b: builder.fmul(a, b), 2)
if_greater = _lanewise(
    "x where a > b, else y", lambda builder, a, b, x, y: builder.select(builder.fcmp_ordered(">", a, b), x, y), 4
)


def _select_larger(builder: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
    larger = builder.or_(builder.fcmp_ordered(">", a, b), builder.fcmp_unordered("uno", a, a))
    return builder.select(larger, x, y)


if_larger = _lanewise("x where a > b or a is not a number, else y", _select_larger, 4)


@intrinsic
def splat(typing: Any, value: Any) -> Any:
    """A tile of one vector with `value` in every lane."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return whole(builder, [splat_scalar(builder, args[0])])

    return TileType(1, 1)(types.float32), codegen


@intrinsic
def positive(typing: Any, tile: Any) -> Any:
    """max(tile, 0), elementwise; what is not a number stays so."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zero = ir.Constant(VECTOR, [0.0] * LANES)
        parts = parts_of(builder, args[0], tile)
        return whole(builder, [builder.select(builder.fcmp_ordered("<", part, zero), zero, part) for part in parts])

    return tile(tile), codegen


@intrinsic(prefer_literal=True)
def pool(typing: Any, tile: Any, first: Any, relu: Any, out: Any, at: Any, winner: Any, place: Any) -> Any:
    """The largest of rows first … first + 3 of the tile, to out[at :], and which of them it was (uint8), to winner[place :].

    With `relu` (a boolean) nothing below zero is stored, and the winner is 4 where ReLU lets no gradient through. Of equal
    rows the first wins; where one is not a number, the result is none.
    """
    start = first.literal_value * tile.cols

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts, zero = parts_of(builder, args[0], tile), ir.Constant(VECTOR, [0.0] * LANES)
        none = builder.select(args[2], ir.Constant(BYTES, [4] * LANES), ir.Constant(BYTES, [0] * LANES))
        for c in range(tile.cols):
            best, who = parts[start + c], ir.Constant(BYTES, [0] * LANES)
            for n in range(1, 4):
                value = parts[start + n * tile.cols + c]
                larger = builder.fcmp_ordered(">", value, best)
                best = builder.select(larger, value, best)
                who = builder.select(larger, ir.Constant(BYTES, [n] * LANES), who)
            rows = [parts[start + n * tile.cols + c] for n in range(4)]
            broken = builder.or_(builder.fcmp_unordered("uno", *rows[:2]), builder.fcmp_unordered("uno", *rows[2:]))
            best = builder.select(broken, ir.Constant(VECTOR, [float("nan")] * LANES), best)
            cut = builder.fcmp_ordered("<=", best, zero)
            cut = builder.and_(cut, splat_bit(builder, args[2]))
            best, who = builder.select(cut, zero, best), builder.select(cut, none, who)
            store_vector(builder, args[3], stepped(builder, args[4], c * LANES), best)
            to = pointer(builder, args[5], stepped(builder, args[6], c * LANES), BYTE, BYTES)
            builder.store(who, to).align = 1
        return context.get_dummy_value()

    return types.void(tile, first, types.boolean, types.intp, types.intp, types.intp, types.intp), codegen


@intrinsic
def transpose(typing: Any, source: Any, at: Any, step: Any, out: Any, to: Any, pitch: Any) -> Any:
    """out[to + j · pitch + i] = source[at + i · step + j] for i, j below LANES: a square block turned in registers."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def along(base: Any, stride: Any, n: int) -> Any:
            return builder.add(base, builder.mul(stride, ir.Constant(stride.type, n)))

        rows = [load_vector(builder, args[0], along(args[1], args[2], n)) for n in range(LANES)]
        half = LANES // 2
        kind = ir.VectorType(INT, LANES)
        low = ir.Constant(kind, [n // 2 + (n % 2) * LANES for n in range(LANES)])
        high = ir.Constant(kind, [half + n // 2 + (n % 2) * LANES for n in range(LANES)])
        # Each round interleaves the lanes of row n of the first half with those of row n of the second half.
        for _ in range(LANES.bit_length() - 1):
            rows = [builder.shuffle_vector(rows[n // 2], rows[n // 2 + half], high if n % 2 else low) for n in range(LANES)]
        for n, row in enumerate(rows):
            store_vector(builder, args[3], along(args[4], args[5], n), row)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, types.intp, types.intp, types.intp), codegen


@intrinsic(prefer_literal=True)
def places(typing: Any, table: Any, at: Any, first: Any, last: Any, beyond: Any, rows: Any) -> Any:
    """The tuple of table[at + first + r] for each row r of a tile, and `beyond` for rows past `last`. The table is int32."""
    count = rows.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = []
        for r in range(count):
            index = stepped(builder, args[2], r)
            inside = builder.icmp_signed("<=", index, args[3])
            index = builder.add(args[1], builder.select(inside, index, args[3]))
            value = builder.sext(builder.load(pointer(builder, args[0], index, INT, INT)), args[1].type)
            found.append(builder.select(inside, value, args[4]))
        return cgutils.pack_array(builder, found)

    return types.UniTuple(types.intp, count)(types.intp, types.intp, types.intp, types.intp, types.intp, rows), codegen


@intrinsic(prefer_literal=True)
def multiples(typing: Any, step: Any, rows: Any) -> Any:
    """The tuple (0, step, 2 · step, …), one a row of a tile."""
    count = rows.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return cgutils.pack_array(builder, [builder.mul(args[0], ir.Constant(args[0].type, n)) for n in range(count)])

    return types.UniTuple(types.intp, count)(types.intp, rows), codegen
