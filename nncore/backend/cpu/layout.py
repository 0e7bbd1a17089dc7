"""Where numbers stand in a row of a program, in a replica's context and in the control array. All are int64."""

from __future__ import annotations

COLUMNS = 32
"""Numbers in a row of a program: the operation's address, then its arguments in the order of its parameters."""

CONTEXT = {
    name: slot
    for slot, name in enumerate(
        (
            # the same in every run
            "m",  # address of the program's memory (float32, and int32 for tables of places)
            "theta",  # address of the network's parameters and buffers (float32)
            "first_moment",  # addresses of the optimizer's running averages (float32)
            "second_moment",
            "moved",  # address of the rows (start, end, weight decay, factor of the learning rate), float64: see contract.Moved
            "moved_count",  # and how many there are
            "control",  # address of the control array
            "replica",  # which replica this is
            # the same in every step of a run
            "source",  # address of the images, as uint8 or as float32
            "as_bytes",  # 1 where they are uint8
            "labels",  # address of the labels (int64), or of the rows of target probabilities (float32)
            "replicas",  # how many replicas share the steps
            # of this step
            "indices",  # address of the numbers of the batch's images (int64)
            "total",  # how many images the batch has
            "first",  # the first of them that is this replica's
            "count",  # and how many are
            "rates",  # address of the optimizer's numbers (float32)
            "keys",  # address of what random bits are made from (int64), one number a layer that draws
            "results",  # address of this replica's results (float64): the sum of its losses, and how many answers were right
        )
    )
}
"""Names of a replica's context. A kernel's parameter of such a name is taken from there, and not from its row."""

# The control array. What different threads write lies on different cache lines.
GENERATION, ARRIVED, PARKED, STOP = 0, 8, 16, 24
"""Counts runs that have begun, arrivals at barriers, and sleeping replicas; 1 where replicas shall end."""
REPLICAS, BEGIN, END, TARGET, STEPS = 32, 33, 34, 35, 36
"""Of a run: how many replicas share it, its first row and the one behind its last, arrivals so far, how many steps."""
COUNTS, INDICES, RATES, RATE_COUNT, KEYS, KEY_COUNT, OUT, OUT_PITCH = 37, 38, 39, 40, 41, 42, 43, 44
"""Addresses of what the steps are given, one after the other; how much of it each takes; where results go, replica by replica."""
TAKEN = 48
"""Steps that were taken: fewer than asked for where a loss was no number."""
CONTROL_SIZE = 56
