"""The sizes by which recorder and kernels choose and shape their work, found by measuring (docs/performance.md)."""

from __future__ import annotations

LISTLESS_INPUTS = 36
"""Inputs of a convolution up to which its weight's gradient is found without lists of survivors (pooled.py)."""

STRIP = 48
"""Inputs of a linear layer whose weights' gradients are summed at a time: a number of whole tiles of products.py."""

PLANES = 3
"""Channels that planes.py does at a time, and therefore the fewest it takes."""

MARGIN = 256
"""Floats kept free before and behind every stretch of memory, since a kernel may end in the middle of a vector or tile."""

MOST_MOMENTS = 2
"""Running averages a parameter that the kernels of an optimizer may keep (update.py)."""

FEW = 6
"""Images up to which one thread answers sooner than by waking others, which takes 0.1 ms and more once they are asleep."""
