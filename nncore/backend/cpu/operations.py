"""All operations that a program can be made of, by name. To add one, decorate its kernel with `operation`."""

from __future__ import annotations

from nncore.backend.cpu import (
    conv_pool,
    conv_pool_planes,
    elementwise,
    input_activations,
    losses,
    norm,
    padded_pooling,
    pooling,
    products,
    spread,
    update,
)
from nncore.backend.cpu.compiling import operation
from nncore.backend.cpu.winograd import convolution, gradient

MODULES = (
    *(conv_pool, conv_pool_planes, elementwise, input_activations, losses, norm, padded_pooling, pooling, products, spread),
    *(update, convolution, gradient),
)
"""Those that define operations."""
OPERATIONS: dict[str, operation] = {
    value.name: value for module in MODULES for value in vars(module).values() if isinstance(value, operation)
}
