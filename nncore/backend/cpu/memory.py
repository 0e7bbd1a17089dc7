"""Plain memory in Numba: numbers read and written by address, atomic counters, calls by address.

An address is what `array.ctypes.data` says, indices count elements from there, and nothing is checked. Kernels that take
whole numbers alone compile in half the time that arrays would take them, and are called in a tenth.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

FLOAT, DOUBLE = ir.FloatType(), ir.DoubleType()
BYTE, INT, LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)


def pointer(builder: Any, base: Any, index: Any, unit: Any, element: Any) -> Any:
    """A pointer to number `index` of an array of `unit`s at the address `base`, to load or store an `element` there."""
    data = builder.inttoptr(base, unit.as_pointer())
    return builder.bitcast(builder.gep(data, [index]), element.as_pointer())


def _reader(unit: Any, result: Any, signed: bool, name: str) -> Any:
    @intrinsic
    def read(typing: Any, base: Any, index: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = builder.load(pointer(builder, args[0], args[1], unit, unit))
            if unit in (FLOAT, DOUBLE, LONG):
                return value
            return builder.sext(value, LONG) if signed else builder.zext(value, LONG)

        return result(types.intp, types.intp), codegen

    read.__doc__ = f"Number `index` of the array of {name} at the address `base`."
    return read


def _writer(unit: Any, kind: Any, name: str) -> Any:
    @intrinsic
    def write(typing: Any, base: Any, index: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = builder.trunc(args[2], unit) if unit in (INT, BYTE) else args[2]
            builder.store(value, pointer(builder, args[0], args[1], unit, unit))
            return context.get_dummy_value()

        return types.void(types.intp, types.intp, kind), codegen

    write.__doc__ = f"Set number `index` of the array of {name} at the address `base`."
    return write


get, put = _reader(FLOAT, types.float32, True, "float32"), _writer(FLOAT, types.float32, "float32")
get_int, put_int = _reader(INT, types.int64, True, "int32"), _writer(INT, types.int64, "int32")
get_byte, put_byte = _reader(BYTE, types.int64, False, "uint8"), _writer(BYTE, types.int64, "uint8")
get_long, put_long = _reader(LONG, types.int64, True, "int64"), _writer(LONG, types.int64, "int64")
get_double, put_double = _reader(DOUBLE, types.float64, True, "float64"), _writer(DOUBLE, types.float64, "float64")


@intrinsic
def atomic_add(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """array[index] += value as one act that all threads see in the same order; the value before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", pointer(builder, args[0], args[1], LONG, LONG), args[2], "seq_cst")

    return types.int64(types.intp, types.intp, types.int64), codegen


@intrinsic
def atomic_load(typing: Any, array: Any, index: Any) -> Any:
    """array[index], and with it all that the thread that stored it had written before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(pointer(builder, args[0], args[1], LONG, LONG), "seq_cst", 8)

    return types.int64(types.intp, types.intp), codegen


if sys.platform == "win32":
    binding.add_symbol("nncore_yield", ctypes.cast(ctypes.windll.kernel32.SwitchToThread, ctypes.c_void_p).value)
    YIELD = "nncore_yield"
else:
    YIELD = "sched_yield"


@intrinsic
def call(typing: Any, function: Any, row: Any, context: Any) -> Any:
    """Call the operation at the address `function`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [LONG, LONG])
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), [args[1], args[2]])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def give_way(typing: Any) -> Any:
    """Let another thread run on this core."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.IntType(32), []), YIELD)
        builder.call(function, [])
        return context.get_dummy_value()

    return types.void(), codegen
