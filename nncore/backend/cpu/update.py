"""The end of a step: the replicas' gradients are added up, and the parameters follow by the optimizer's rule.

Parameters are shared out over the replicas by cache lines. A rule named `adam` is the operation `update_adam`.
"""

from __future__ import annotations

import math

from numba import float32, float64

from nncore.backend.cpu.compiling import kernel, operation, part
from nncore.backend.cpu.memory import get, get_double, put, put_double
from nncore.backend.cpu.views import Real

LINE = 16
"""Floats of a cache line."""


@part
def _share(parameters, replica, replicas):
    """The first parameter of a replica's share, and the one behind its last."""
    lines = parameters // LINE
    return lines * replica // replicas * LINE, lines * (replica + 1) // replicas * LINE


@operation
def sum_gradients(m, replica, replicas, gradient, pitch, parameters):
    """The gradient in replica 0's memory becomes the sum of all replicas' gradients, in their order."""
    start, end = _share(parameters, replica, replicas)
    for r in range(1, replicas):
        other = gradient + r * pitch
        for i in range(start, end):
            put(m, gradient + i, get(m, gradient + i) + get(m, other + i))


@operation
def freeze(m, replica, replicas, gradient, parameters, begin, end):
    """The gradient becomes zero from `begin` to `end`."""
    first, last = _share(parameters, replica, replicas)
    for i in range(max(first, begin), min(last, end)):
        put(m, gradient + i, float32(0))


@operation
def gradient_squares(m, replica, replicas, gradient, parameters, partial):
    """Number `replica` of the float64 at `partial` becomes the sum of the squares of its share of the gradient."""
    start, end = _share(parameters, replica, replicas)
    total = float64(0)
    for i in range(start, end):
        total += float64(get(m, gradient + i)) * float64(get(m, gradient + i))
    put_double(m + 4 * partial, replica, total)


@operation
def clip_gradients(m, replica, replicas, gradient, parameters, partial, max_norm: Real):
    """The gradient, times the factor of nncore.optimizers.clip_gradients; the parts of the sum are added in their order."""
    start, end = _share(parameters, replica, replicas)
    total = float64(0)
    for r in range(replicas):
        total += get_double(m + 4 * partial, r)
    factor = float32(max_norm / (math.sqrt(total) + 1e-6))
    if not factor >= float32(1):  # also where it is not a number
        for i in range(start, end):
            put(m, gradient + i, factor * get(m, gradient + i))


@kernel
def _sgd(theta, first, second, start, end, m, g, decay, lr_mult, rates):
    """rates = (lr)"""
    lr = get(rates, 0) * lr_mult
    for i in range(start, end):
        put(theta, i, get(theta, i) - lr * (get(m, g + i) + decay * get(theta, i)))


@kernel
def _momentum(theta, velocity, second, start, end, m, g, decay, lr_mult, rates):
    """rates = (lr, momentum)"""
    lr, momentum = get(rates, 0) * lr_mult, get(rates, 1)
    for i in range(start, end):
        value = momentum * get(velocity, i) + (get(m, g + i) + decay * get(theta, i))
        put(velocity, i, value)
        put(theta, i, get(theta, i) - lr * value)


@kernel
def _nesterov(theta, velocity, second, start, end, m, g, decay, lr_mult, rates):
    """rates = (lr, momentum)"""
    lr, momentum = get(rates, 0) * lr_mult, get(rates, 1)
    for i in range(start, end):
        grad = get(m, g + i) + decay * get(theta, i)
        value = momentum * get(velocity, i) + grad
        put(velocity, i, value)
        put(theta, i, get(theta, i) - lr * (grad + momentum * value))


@kernel
def _adam(theta, first, second, start, end, m, g, decay, lr_mult, rates):
    """rates = (lr / (1 − β₁ᵗ), β₁, β₂, ε, 1 − β₁, 1 − β₂, 1 / (1 − β₂ᵗ))"""
    lr, beta, beta2, eps = get(rates, 0) * lr_mult, get(rates, 1), get(rates, 2), get(rates, 3)
    rest, rest2, unbias = get(rates, 4), get(rates, 5), get(rates, 6)
    for i in range(start, end):
        grad = get(m, g + i) + decay * get(theta, i)
        mean = beta * get(first, i) + rest * grad
        square = beta2 * get(second, i) + rest2 * grad * grad
        put(first, i, mean)
        put(second, i, square)
        put(theta, i, get(theta, i) - lr * mean / (math.sqrt(square * unbias) + eps))


@kernel
def _adamw(theta, first, second, start, end, m, g, decay, lr_mult, rates):
    """rates = (lr, β₁, β₂, ε, 1 − β₁, 1 − β₂, 1 / (1 − β₂ᵗ), 1 / (1 − β₁ᵗ))"""
    lr, beta, beta2, eps = get(rates, 0) * lr_mult, get(rates, 1), get(rates, 2), get(rates, 3)
    rest, rest2, unbias, step = get(rates, 4), get(rates, 5), get(rates, 6), lr * get(rates, 7)
    kept = float32(1) - lr * decay
    for i in range(start, end):
        grad = get(m, g + i)
        mean = beta * get(first, i) + rest * grad
        square = beta2 * get(second, i) + rest2 * grad * grad
        put(first, i, mean)
        put(second, i, square)
        put(theta, i, kept * get(theta, i) - step * mean / (math.sqrt(square * unbias) + eps))


def _update(name, rule):
    """The operation that lets the parameters follow m[gradient :] and the weight decay by `rule`; the gradient stays as it is."""

    def update(m, theta, first_moment, second_moment, replica, replicas, moved, moved_count, rates, gradient, parameters):
        start, end = _share(parameters, replica, replicas)
        for n in range(moved_count):
            low, high = max(start, int(get_double(moved, 4 * n))), min(end, int(get_double(moved, 4 * n + 1)))
            if low < high:
                decay, lr_mult = float32(get_double(moved, 4 * n + 2)), float32(get_double(moved, 4 * n + 3))
                rule(theta, first_moment, second_moment, low, high, m, gradient, decay, lr_mult, rates)

    update.__name__ = name
    return operation(update)


update_sgd, update_momentum, update_nesterov, update_adam, update_adamw = (
    _update("update_sgd", _sgd),
    _update("update_momentum", _momentum),
    _update("update_nesterov", _nesterov),
    _update("update_adam", _adam),
    _update("update_adamw", _adamw),
)
