"""The 1-D transforms of tiles of vectors, each a constant matrix, written out as additions and multiply-adds."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nncore.backend.cpu.memory import BYTE, FLOAT, INT, pointer
from nncore.backend.cpu.vectors import LANES, VECTOR, TileType, multiply_add, parts_of, store_vector, whole
from nncore.backend.cpu.winograd.matrices import FORMS, INPUT, Matrix, transposed

MATRICES: list[Matrix] = [
    INPUT,
    *(matrix for form in FORMS for matrix in (form.output, form.weight, transposed(form.output), transposed(form.weight))),
]
INPUT_TRANSFORM = 0
"""The number of Bᵀ in MATRICES."""
OUTPUT, WEIGHT, OUTPUT_BACK, WEIGHT_BACK = range(1, 5)
"""Of a form: Aᵀ, G, and for the weight's gradient A and Gᵀ."""


def number(form: int, transform: int) -> int:
    """The number of a form's transform in MATRICES, as `apply` takes it."""
    return 4 * form + transform


def apply_to(builder: Any, matrix: Matrix, vectors: list[Any]) -> list[Any]:
    """matrix · vectors. Where points come as ±p, two columns or two rows differ in signs alone; then both share their sums."""
    matrix, vectors = _with_shared_columns(builder, matrix, vectors)
    out: list[Any] = []
    while len(out) < len(matrix):
        row, following = matrix[len(out)], matrix[len(out) + 1 : len(out) + 2]
        if following and all(abs(a) == abs(b) for a, b in zip(row, following[0], strict=True)):
            signs = [a == b for a, b in zip(row, following[0], strict=True)]
            same, opposite = ([a * (sign == keep) for a, sign in zip(row, signs, strict=True)] for keep in (True, False))
            if any(same) and any(opposite):
                e, o = _weighted_sum(builder, same, vectors), _weighted_sum(builder, opposite, vectors)
                out += [builder.fadd(e, o), builder.fsub(e, o)]
                continue
        out.append(_weighted_sum(builder, row, vectors))
    return out


def _with_shared_columns(builder: Any, matrix: Matrix, vectors: list[Any]) -> tuple[Matrix, list[Any]]:
    """The same product where pairs of columns (c, ±c) have become the vectors' sum and difference."""
    columns, vectors, at = transposed(matrix), list(vectors), 0
    while at + 1 < len(columns):
        a, b = columns[at], columns[at + 1]
        same = [x == y for x, y in zip(a, b, strict=True)]
        paired = all(abs(x) == abs(y) for x, y in zip(a, b, strict=True))
        if paired and any(x for x, s in zip(a, same, strict=True) if s) and not all(same):
            columns[at : at + 2] = [[x * (s == keep) for x, s in zip(a, same, strict=True)] for keep in (True, False)]
            vectors[at : at + 2] = [builder.fadd(*vectors[at : at + 2]), builder.fsub(*vectors[at : at + 2])]
            at += 1
        at += 1
    return transposed(columns), vectors


def _weighted_sum(builder: Any, coefficients: list[Any], vectors: list[Any]) -> Any:
    """Σ coefficient · vector, beginning with a coefficient of 1 where there is one, which needs no product."""
    terms = sorted(((c, v) for c, v in zip(coefficients, vectors, strict=True) if c), key=lambda term: term[0] != 1)
    total = None
    for c, v in terms:
        if total is None:
            total = v if c == 1 else builder.fmul(_constant(c), v)
        elif abs(c) == 1:
            total = builder.fadd(total, v) if c == 1 else builder.fsub(total, v)
        else:
            total = multiply_add(builder, _constant(c), v, total)
    return total


def _constant(value: Any) -> Any:
    return ir.Constant(VECTOR, [float(value)] * LANES)


@intrinsic(prefer_literal=True)
def apply(typing: Any, tile: Any, which: Any) -> Any:
    """The matrix number `which` (a constant) times the rows of a tile of one column."""
    matrix = MATRICES[which.literal_value]

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return whole(builder, apply_to(builder, matrix, parts_of(builder, args[0], tile)))

    return TileType(len(matrix), 1)(tile, which), codegen


@intrinsic(prefer_literal=True)
def rows_within(typing: Any, at: Any, step: Any, first: Any, count: Any, beyond: Any, rows: Any) -> Any:
    """The tuple of at + (first + i) · step for each of `rows` rows of an image; `beyond` for those not among its `count` rows."""
    size = rows.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at, step, first, count, beyond, _ = args
        found = []
        for i in range(size):
            row = builder.add(first, ir.Constant(first.type, i))
            inside = builder.icmp_unsigned("<", row, count)  # a row above the first is a very large number
            found.append(builder.select(inside, builder.add(at, builder.mul(row, step)), beyond))
        return cgutils.pack_array(builder, found)

    return types.UniTuple(types.intp, size)(*[types.intp] * 5, rows), codegen


@intrinsic
def store_within(typing: Any, tile: Any, base: Any, at: Any, step: Any, count: Any, width: Any) -> Any:
    """base[at + r · step :] = row r of a tile of one column, of its first `count` rows the first `width` floats."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts = parts_of(builder, args[0], tile)
        _, base, at, step, count, width = args
        places = [builder.add(at, builder.mul(step, ir.Constant(step.type, r))) for r in range(tile.rows)]
        all_rows = builder.icmp_signed(">=", count, ir.Constant(count.type, tile.rows))
        all_lanes = builder.icmp_signed(">=", width, ir.Constant(width.type, LANES))
        with builder.if_else(builder.and_(all_rows, all_lanes), likely=True) as (whole_tile, part_of_it):
            with whole_tile:
                for place, vector in zip(places, parts, strict=True):
                    store_vector(builder, base, place, vector)
            with part_of_it:
                lanes = _first_lanes(builder, width)
                for r, (place, vector) in enumerate(zip(places, parts, strict=True)):
                    with builder.if_then(builder.icmp_signed(">", count, ir.Constant(count.type, r))):
                        _store_lanes(builder, base, place, vector, lanes)
        return context.get_dummy_value()

    return types.void(tile, *[types.intp] * 5), codegen


def _first_lanes(builder: Any, width: Any) -> Any:
    """A mask of the first `width` lanes."""
    numbers = ir.VectorType(INT, LANES)
    undefined = ir.Constant(numbers, ir.Undefined)
    first = builder.insert_element(undefined, builder.trunc(width, INT), ir.Constant(INT, 0))
    every = builder.shuffle_vector(first, undefined, ir.Constant(numbers, [0] * LANES))
    return builder.icmp_signed("<", ir.Constant(numbers, list(range(LANES))), every)


def _store_lanes(builder: Any, base: Any, index: Any, vector: Any, lanes: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [VECTOR, VECTOR.as_pointer(), INT, lanes.type])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.masked.store.v{LANES}f32.p0v{LANES}f32")
    builder.call(function, [vector, pointer(builder, base, index, FLOAT, VECTOR), ir.Constant(INT, 4), lanes])


@intrinsic(prefer_literal=True)
def prefetch(typing: Any, base: Any, index: Any, write: Any) -> Any:
    """Ask for the cache line of base[index] in the second-level cache; to be written where `write` (a constant) is 1."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = pointer(builder, args[0], args[1], FLOAT, BYTE)
        kind = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer(), INT, INT, INT])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        second_level, data = ir.Constant(INT, 2), ir.Constant(INT, 1)
        builder.call(function, [place, ir.Constant(INT, write.literal_value), second_level, data])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, write), codegen
