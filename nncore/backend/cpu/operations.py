"""All operations that a program can be made of, by name. To add one, decorate its kernel with `operation`."""

from __future__ import annotations

from nncore.backend.cpu import conv_pool, conv_pool_planes, elementwise, losses, norm, pooling, products, update
from nncore.backend.cpu.compiling import operation
from nncore.backend.cpu.winograd import convolution, gradient

OPERATIONS: dict[str, operation] = {
    value.name: value
    for module in (conv_pool, conv_pool_planes, elementwise, losses, norm, pooling, products, update, convolution, gradient)
    for value in vars(module).values()
    if isinstance(value, operation)
}
