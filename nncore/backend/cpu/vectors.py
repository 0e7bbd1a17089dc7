"""Vectors in LLVM: the type of a tile of them, and the instructions that the operations of simd.py are made of."""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import models, register_model

from nncore.backend.cpu.memory import BYTE, FLOAT, INT, pointer


def _lanes() -> int:
    """Floats in a vector register: 16 with AVX-512, 8 with AVX (NEON and SSE pair two registers of 4)."""
    return 16 if binding.get_host_cpu_features().get("avx512f") else 8


LANES = _lanes()
VECTOR = ir.VectorType(ir.FloatType(), LANES)
BYTES = ir.VectorType(BYTE, LANES)


class TileType(types.Type):
    """The type of a tile of rows × cols vectors."""

    def __init__(self, rows: int, cols: int) -> None:
        self.rows, self.cols = rows, cols
        super().__init__(name=f"tile{rows}x{cols}x{LANES}")


@register_model(TileType)
class TileModel(models.PrimitiveModel):
    """A tile is an LLVM array of vectors, row by row; LLVM takes it apart into registers."""

    def __init__(self, manager: Any, kind: TileType) -> None:
        super().__init__(manager, kind, ir.ArrayType(VECTOR, kind.rows * kind.cols))


def load_vector(builder: Any, base: Any, index: Any) -> Any:
    value = builder.load(pointer(builder, base, index, FLOAT, VECTOR))
    value.align = 4
    return value


def store_vector(builder: Any, base: Any, index: Any, value: Any) -> None:
    builder.store(value, pointer(builder, base, index, FLOAT, VECTOR)).align = 4


def splat_scalar(builder: Any, scalar: Any) -> Any:
    """A vector with `scalar` in every lane."""
    undefined = ir.Constant(VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(INT, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(INT, LANES), [0] * LANES))


def broadcast(builder: Any, base: Any, index: Any) -> Any:
    return splat_scalar(builder, builder.load(pointer(builder, base, index, FLOAT, FLOAT)))


def multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a · b + c, fused where the CPU can."""
    kind = ir.FunctionType(VECTOR, [VECTOR] * 3)
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fmuladd.v{LANES}f32")
    return builder.call(function, [a, b, c])


def parts_of(builder: Any, tile: Any, kind: TileType) -> list[Any]:
    return [builder.extract_value(tile, n) for n in range(kind.rows * kind.cols)]


def whole(builder: Any, parts: list[Any]) -> Any:
    tile = ir.Constant(ir.ArrayType(VECTOR, len(parts)), ir.Undefined)
    for n, part in enumerate(parts):
        tile = builder.insert_value(tile, part, n)
    return tile


def places_of(builder: Any, base: Any, offsets: Any) -> list[Any]:
    return [builder.add(base, offset) for offset in cgutils.unpack_tuple(builder, offsets)]


def stepped(builder: Any, index: Any, count: int) -> Any:
    return builder.add(index, ir.Constant(index.type, count)) if count else index


def splat_bit(builder: Any, bit: Any) -> Any:
    bit = builder.trunc(bit, ir.IntType(1)) if bit.type.width > 1 else bit
    kind = ir.VectorType(ir.IntType(1), LANES)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), bit, ir.Constant(INT, 0))
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(INT, LANES), [0] * LANES))
