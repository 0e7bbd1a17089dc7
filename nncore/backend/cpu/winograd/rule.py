"""Where Winograd's filtering pays, and how much it does at a time: by shapes alone, found by measuring (docs/performance.md)."""

from __future__ import annotations

from nncore.backend.contract import Window
from nncore.backend.cpu.winograd.matrices import FORMS

FEWEST_CHANNELS = 8
"""Fewer inputs or outputs than this leave most lanes idle, and transforms then cost more than they save."""
MOST_TILES = 96
"""Tiles of a row of tiles, or of a block: more would not stay in the caches from one stage to the next."""
BLOCK = 2800
"""Tiles times channels, in and out, of a block."""
MOST_WEIGHTS = 256 * 256
"""Pairs of channels: a transformed weight of more would be larger than caches, and its transform dear."""

SUMS = 8
"""Inputs whose sums of the weight's gradient a tile keeps, half as many where it has two columns: a divisor of most numbers of
channels, so that none of the tile is idle."""
GAP = 32
"""Floats between positions of a block: a distance that is no power of two, since caches bear those badly."""


def form_of(window: Window, C: int, O: int, rows: int, cols: int) -> int | None:
    """The number in FORMS by which to find rows × cols outputs of O channels from C; None for the kernels of products.py."""
    if window.stride != (1, 1) or min(C, O) < FEWEST_CHANNELS or C * O > MOST_WEIGHTS:
        return None
    for number, form in enumerate(FORMS):
        if window.size == (form.r, form.r) and -(-cols // form.m) <= MOST_TILES and _saves(rows, cols, form.m, form.r):
            return number
    return None


def _saves(rows: int, cols: int, m: int, r: int) -> bool:
    """Whether so much is saved that transforms pay, whole tiles counted."""
    tiles, n = -(-rows // m) * -(-cols // m), m + r - 1
    return rows * cols * r * r >= 1.5 * tiles * n * n


def block_of(C: int, O: int, tiles: int, multiple: int) -> int:
    """Rows of tiles of a block, of `tiles` tiles each, that best fill register tiles of `multiple` tiles."""
    most = min(MOST_TILES, max(24, BLOCK // (C + O)))
    fits = range(1, max(1, most // tiles) + 1)
    return min(fits, key=lambda count: -(-count * tiles // multiple) * multiple / (count * tiles) * (1 + 3 / (count * tiles)))
