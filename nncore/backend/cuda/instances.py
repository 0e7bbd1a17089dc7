"""Which instances of the kernels' templates the recorder may ask for: what must compile for every GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from nncore.backend.cuda.sources import Instance, kernels

LOSS = [(256,)]
"""Threads of the block."""
SQUARES = [(256,)]
"""Threads of a block."""
POOLED = list(product((5, 4, 3, 2, 1), (4, 2, 1)))
"""Sizes of the kernel's side, and channels that a thread does."""
DENSE = [(high, wide, each) for high, wide, each in product((64, 32), (64, 32, 16), (4, 1)) if wide <= high]
"""Rows and columns of the results that a block does, and channels that a thread reads by one instruction."""

INSTANCES: Mapping[str, Sequence[Instance]] = {
    "conv2d": DENSE,
    "conv2d_input_gradient": DENSE,
    "conv2d_weight_gradient": [*DENSE, (16, 32, 4), (16, 32, 1)],
    "cross_entropy": LOSS,
    "gradient_squares": SQUARES,
    "hinge": LOSS,
    "pooled_convolution": POOLED,
    "pooled_convolution_input_gradient": POOLED,
    "pooled_convolution_weight_gradient": POOLED,
    "probability": LOSS,
    "product": [(64,), (32,)],
    "take": [("Byte",), ("float",)],
}
"""By the kernel's name, the largest first and the smallest last. Whoever is missing here is no template, and has one instance."""


def instances_of(kernel: str) -> Sequence[Instance]:
    """The instances of one kernel: the empty one where it is no template. KeyError for a template that is not in the table."""
    return INSTANCES[kernel] if kernels()[kernel].template else [()]
