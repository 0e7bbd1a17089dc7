"""Where Winograd's filtering pays, and how much it does at a time: by shapes alone, found by measuring (docs/performance.md)."""

from __future__ import annotations

from nncore.backend.contract import Window
from nncore.backend.cpu.winograd.matrices import FORMS

FEWEST_CHANNELS = 8
"""Fewer inputs or outputs than this leave most lanes idle, and transforms then cost more than they save."""
MOST_TILES = 96
"""Tiles of a row of tiles: more would not stay in the caches from one stage to the next."""
BLOCK, FEWEST_TILES, BEST_TILES = 1536, 18, 48
"""Tiles times channels, in and out, of a block, so that it stays in the second-level cache; and its tiles at least and at most."""
MOST_WEIGHTS = 256 * 256
"""Pairs of channels: a transformed weight of more would be larger than caches, and its transform dear."""

SUMS = 8
"""Inputs whose sums of the weight's gradient a tile keeps, half as many where it has two columns: a divisor of most numbers of
channels, so that none of the tile is idle."""
GAP = 32
"""Floats between positions, of a block as of a transformed weight: a distance that is no power of two, which caches bear badly."""


def form_of(window: Window, C: int, O: int, rows: int, cols: int, pixels: int) -> int | None:
    """The number in FORMS by which to find rows × cols outputs of O channels from C; None for the kernels of products.py.

    These would visit so many pixels, of the outputs, or for the input's gradient of the output's, each with all taps.
    """
    if window.stride != (1, 1) or min(C, O) < FEWEST_CHANNELS or C * O > MOST_WEIGHTS:
        return None
    for number, form in enumerate(FORMS):
        if window.size == (form.r, form.r) and -(-cols // form.m) <= MOST_TILES and _saves(rows, cols, pixels, form.m, form.r):
            return number
    return None


def _saves(rows: int, cols: int, pixels: int, m: int, r: int) -> bool:
    """Whether so much is saved that transforms pay, whole tiles counted."""
    tiles, n = -(-rows // m) * -(-cols // m), m + r - 1
    return pixels * r * r >= 1.5 * tiles * n * n


def block_of(C: int, O: int, tiles: int, multiple: int) -> int:
    """Rows of tiles of a block, of `tiles` tiles each, that best fill register tiles of `multiple` tiles."""
    most = min(BEST_TILES, max(FEWEST_TILES, BLOCK // (C + O)))
    fits = range(1, max(1, most // tiles) + 1)
    return min(fits, key=lambda count: -(-count * tiles // multiple) * multiple / (count * tiles) * (1 + 3 / (count * tiles)))
