"""One call for many steps: a program of operations run from start to end without Python, by every replica at once.

A program is a table of rows: the address of an operation (compiling.py), then its arguments; address 0 is a barrier, where
replicas wait for each other. Between two runs replicas wait here, first spinning, for a new generation of the control array.
"""

from __future__ import annotations

import math

from nncore.backend.cpu import memory
from nncore.backend.cpu.compiling import entry, kernel
from nncore.backend.cpu.layout import (
    ARRIVED,
    BEGIN,
    COLUMNS,
    CONTEXT,
    COUNTS,
    END,
    GENERATION,
    INDICES,
    KEY_COUNT,
    KEYS,
    OUT,
    OUT_PITCH,
    PARKED,
    RATE_COUNT,
    RATES,
    REPLICAS,
    STEPS,
    STOP,
    TAKEN,
    TARGET,
)
from nncore.backend.cpu.memory import get_double, get_long, put_long

C_CONTROL, C_REPLICA, C_REPLICAS = CONTEXT["control"], CONTEXT["replica"], CONTEXT["replicas"]
C_INDICES, C_TOTAL, C_FIRST, C_COUNT = CONTEXT["indices"], CONTEXT["total"], CONTEXT["first"], CONTEXT["count"]
C_RATES, C_KEYS, C_RESULTS = CONTEXT["rates"], CONTEXT["keys"], CONTEXT["results"]


@kernel
def _barrier(control, target):
    """Wait until `target` arrivals have been counted, this one among them."""
    memory.atomic_add(control, ARRIVED, 1)
    looks = 0
    while memory.atomic_load(control, ARRIVED) < target:
        looks += 1
        if looks > 1000:
            memory.give_way()


@kernel
def _is_finite(out, pitch, replicas):
    """Whether the sum of the replicas' losses is a number."""
    total = 0.0
    for r in range(replicas):
        total += get_double(out + r * pitch, 0)
    return math.isfinite(total)


@kernel
def execute(program, context):
    """Run a replica's program on its slice of every step's batch. Ends behind a step whose loss is not a number."""
    control, r = get_long(context, C_CONTROL), get_long(context, C_REPLICA)
    replicas, target, steps = get_long(control, REPLICAS), get_long(control, TARGET), get_long(control, STEPS)
    begin, end = get_long(control, BEGIN), get_long(control, END)
    counts, indices, rates, keys = (
        get_long(control, COUNTS), get_long(control, INDICES), get_long(control, RATES), get_long(control, KEYS),
    )  # fmt: skip
    rate_count, key_count = get_long(control, RATE_COUNT), get_long(control, KEY_COUNT)
    out, pitch = get_long(control, OUT), get_long(control, OUT_PITCH)
    put_long(context, C_REPLICAS, replicas)
    taken = 0
    while taken < steps:
        total = get_long(counts, taken)
        first = total * r // replicas
        put_long(context, C_INDICES, indices)
        put_long(context, C_TOTAL, total)
        put_long(context, C_FIRST, first)
        put_long(context, C_COUNT, total * (r + 1) // replicas - first)
        put_long(context, C_RATES, rates)
        put_long(context, C_KEYS, keys)
        put_long(context, C_RESULTS, out + r * pitch)
        for row in range(begin, end):
            p = program + 8 * COLUMNS * row
            operation = get_long(p, 0)
            if operation != 0:
                memory.call(operation, p, context)
            else:
                target += replicas
                if replicas > 1:
                    _barrier(control, target)
        taken += 1
        if steps > 1 and not _is_finite(out, pitch, replicas):
            if replicas > 1:  # nobody may begin another run before all have seen that this one has ended
                _barrier(control, target + replicas)
            break
        indices += 8 * total
        rates += 4 * rate_count
        keys += 8 * key_count
        out += 16
    if r == 0:
        put_long(control, TAKEN, taken)


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
    """Run what the control array asks for. Replica 0 does so once and returns.

    Every other one runs each new generation, and returns the last one after `patience` looks in vain, −1 when it shall stop.
    """
    control, r = get_long(context, C_CONTROL), get_long(context, C_REPLICA)
    if r == 0:
        execute(program, context)
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
        if r < get_long(control, REPLICAS):
            execute(program, context)
    return seen
