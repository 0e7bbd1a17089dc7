"""Where numbers stand in the rows of a program, in a replica's context and in the control array. All are int64."""

from __future__ import annotations

COLUMNS = 32
"""Numbers in a row of a program: the operation's address, then its arguments …"""
REAL = 30
"""… and from here on two that are no whole numbers (float64)."""

# A replica's context.
M = 0
"""Address of the program's memory (float32, and int32 for tables of places)."""
THETA = 1
"""Address of the network's parameters and buffers (float32)."""
MOMENT, SECOND = 2, 3
"""Addresses of the optimizer's running averages (float32)."""
INPUT_BYTES, INPUT_FLOATS = 4, 5
"""Addresses of the batch, as uint8 or as float32."""
LABELS = 6
"""Address of the labels (int64)."""
OUT = 7
"""Address of this replica's results (float64): the sum of its losses, and how many answers were right."""
GRADIENT = 8
"""Address of the whole batch's gradient (float32), for when it is asked for."""
DECAYS, DECAY_COUNT = 9, 10
"""Address of the rows (start, end, weight decay), float64, and how many there are."""
RATES = 11
"""Address of the optimizer's numbers for this step (float32)."""
CONTROL = 12
"""Address of the control array."""
REPLICA, REPLICAS = 13, 14
"""Which replica this is, of how many in this step."""
FIRST, COUNT, TOTAL = 15, 16, 17
"""Its first example, how many it has, how many the batch has."""
AS_BYTES = 18
"""1 where the batch is given as bytes."""
LEARN = 19
"""1 where the parameters are to be updated."""
CONTEXT = 24

# The control array. What different threads write lies on different cache lines.
GENERATION, ARRIVED, PARKED, STOP = 0, 8, 16, 24
STEP_COUNT, STEP_REPLICAS, BEGIN, END, TARGET, STEP_AS_BYTES, STEP_LEARN = 32, 33, 34, 35, 36, 37, 38
CONTROL_SIZE = 48
