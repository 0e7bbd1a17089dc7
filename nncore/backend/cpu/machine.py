"""One call a step: a program of operations run from start to end without Python, by every replica at once.

A program is a table of rows: the address of an operation (nncore/backend/cpu/operations.py), then its arguments; address 0 is
a barrier, where replicas meet. Between steps replicas wait here, first spinning, for a new generation of the control array.
"""

from __future__ import annotations

from nncore.backend.cpu import memory
from nncore.backend.cpu.compiling import entry, kernel
from nncore.backend.cpu.layout import (
    ARRIVED,
    AS_BYTES,
    BEGIN,
    COLUMNS,
    CONTROL,
    COUNT,
    END,
    FIRST,
    GENERATION,
    LEARN,
    PARKED,
    REPLICA,
    REPLICAS,
    STEP_AS_BYTES,
    STEP_COUNT,
    STEP_LEARN,
    STEP_REPLICAS,
    STOP,
    TARGET,
    TOTAL,
)
from nncore.backend.cpu.memory import get_long, put_long


@kernel
def _meet(control, target):
    """Wait until `target` arrivals have been counted, this one among them."""
    memory.atomic_add(control, ARRIVED, 1)
    looks = 0
    while memory.atomic_load(control, ARRIVED) < target:
        looks += 1
        if looks > 1000:
            memory.give_way()


@kernel
def _execute(program, context):
    """Run rows BEGIN to END of a replica's program on its slice of the batch."""
    control, r = get_long(context, CONTROL), get_long(context, REPLICA)
    total, replicas, target = get_long(control, STEP_COUNT), get_long(control, STEP_REPLICAS), get_long(control, TARGET)
    first = total * r // replicas
    put_long(context, REPLICAS, replicas)
    put_long(context, FIRST, first)
    put_long(context, COUNT, total * (r + 1) // replicas - first)
    put_long(context, TOTAL, total)
    put_long(context, AS_BYTES, get_long(control, STEP_AS_BYTES))
    put_long(context, LEARN, get_long(control, STEP_LEARN))
    for row in range(get_long(control, BEGIN), get_long(control, END)):
        p = program + 8 * COLUMNS * row
        operation = get_long(p, 0)
        if operation != 0:
            memory.call(operation, p, context)
        else:
            target += replicas
            if replicas > 1:
                _meet(control, target)


@entry("int64(int64)")
def release(control: int) -> int:
    """Begin a new generation; how many replicas are parked and must be woken."""
    memory.atomic_add(control, GENERATION, 1)
    return memory.atomic_load(control, PARKED)


@entry("boolean(int64, int64, int64)")
def park(control: int, seen: int, change: int) -> bool:
    """Count this replica among the parked (change 1) or no more (−1); whether generation `seen` is still the last."""
    memory.atomic_add(control, PARKED, change)
    return memory.atomic_load(control, GENERATION) == seen


@entry("int64(int64, int64, int64, int64)")
def run(seen: int, patience: int, program: int, context: int) -> int:
    """A replica's life. Replica 0 runs the present step and returns.

    Every other one runs each new generation, and returns the last one after `patience` looks in vain, −1 when it shall stop.
    """
    control, r = get_long(context, CONTROL), get_long(context, REPLICA)
    if r == 0:
        _execute(program, context)
    while r > 0:
        looks = 0
        while memory.atomic_load(control, GENERATION) == seen:
            looks += 1
            if looks > patience:
                return seen
            if looks % 64 == 0:
                memory.give_way()
        if get_long(control, STOP):
            return -1
        seen += 1
        if r < get_long(control, STEP_REPLICAS):
            _execute(program, context)
    return seen
