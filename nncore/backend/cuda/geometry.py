"""How many blocks and threads a kernel gets, and how sums are shared between blocks.

All of it follows from shapes alone, never from the device, so that sums are split alike, and come out alike, on every device.
"""

from __future__ import annotations

from dataclasses import dataclass

from nncore.backend.cuda.device import Size

THREADS = 256
"""Threads of a block where each does a value by itself."""
MOST_COPIES = 64
"""Copies of a gradient at most, but for large batches of pooled convolutions: each is written once, and read once by the update."""
DEPTH = 32
"""How much of its sum a block of a product takes at a time, as in product.cu."""
ENOUGH = 264
"""Blocks that keep a large GPU busy."""


def threads(items: int) -> tuple[Size, Size]:
    """Grid and block with a thread for each of `items`."""
    return (-(-items // THREADS), 1, 1), (THREADS, 1, 1)


def widest(channels: int) -> int:
    """How many channels one thread takes: 4, 2 or 1, whichever divides them, so that every vector is at a place where a GPU
    can read it.
    """
    return 4 if channels % 4 == 0 else 2 if channels % 2 == 0 else 1


def tile(M: int, N: int) -> int:
    """Rows and columns that a block of a product makes: large ones where there are enough of them to keep a GPU busy."""
    return 64 if -(-M // 64) * -(-N // 64) >= ENOUGH else 32


def share(M: int, N: int, depth: int) -> tuple[int, int]:
    """Over how many blocks to share the sums of M × N results, each of `depth` products; and how many of them each takes."""
    side = tile(M, N)
    blocks = -(-M // side) * -(-N // side)
    parts = max(1, min(MOST_COPIES, ENOUGH // blocks, depth // (2 * DEPTH)))
    slice = -(-depth // parts // DEPTH) * DEPTH
    return max(1, -(-depth // slice)), slice


def copies_of_windows(windows: int, walkers: int) -> int:
    """Over how many blocks, each of so many threads one below another, to share sums over the windows of a pooled convolution.

    A thread takes at least 4 windows. Of large batches it would take hundreds: then more blocks take 64 each.
    """
    few, many = windows // (4 * walkers), windows // (64 * walkers)
    return max(1, min(MOST_COPIES, few), min(4 * MOST_COPIES, many))


WIDTHS = {64: (64, 32, 16), 32: (32, 16), 16: (32,)}
"""Columns that a block of a dense convolution may make beside so many rows: see kernels/conv.cu."""
LOADED = 16
"""Terms of its sums that such a block takes at a time."""


@dataclass(frozen=True)
class Tiles:
    """How the results of a dense convolution, M rows × N columns, are parted: a block makes `high` × `wide` of them."""

    high: int
    wide: int

    @property
    def block(self) -> Size:
        """A thread makes 4 × 4 results, or 8 × 4 of the largest blocks."""
        each = 8 if self.high == self.wide == 64 else 4
        return (self.high // each * self.wide // 4, 1, 1)

    @property
    def groups(self) -> int:
        """Groups of threads of a block that share a sum of `conv2d_weight_gradient`, so that small blocks are many threads too."""
        return 4 if self.high < 64 else 2 if self.wide < 64 else 1

    def grid(self, M: int, N: int, parts: int = 1) -> Size:
        return (-(-M // self.high), -(-N // self.wide), parts)


def tiles(high: int, N: int) -> Tiles:
    """Blocks of so many rows, and of the width that leaves the fewest columns empty."""
    return Tiles(high, min(WIDTHS[high], key=lambda wide: (-N % wide, -wide)))


def busy_tiles(M: int, N: int, times: int = 1) -> Tiles:
    """Large blocks where there are enough of them to keep a GPU busy, otherwise small ones. There are `times` such products."""
    large = tiles(64, N)
    blocks = large.grid(M, N)
    return large if blocks[0] * blocks[1] * times >= 256 else tiles(32, N)


def share_of_places(grid: Size, places: int, groups: int) -> tuple[int, int]:
    """Over how many copies of such a grid to share sums over `places`; and how many places each takes."""
    shares = max(1, min(MOST_COPIES, 2 * ENOUGH // (grid[0] * grid[1]), places // (64 * groups)))
    slice = -(-max(1, -(-places // shares)) // (LOADED * groups)) * LOADED * groups
    return max(1, -(-places // slice)), slice
