"""The end of a step: the loss with its gradient, and the optimizer's update of all parameters."""

from __future__ import annotations

import math

from numba import float32, float64

from nncore.backend.cpu.compiling import kernel, part
from nncore.backend.cpu.memory import get, get_double, get_long, put, put_double

CROSS_ENTROPY, PROBABILITY, HINGE = 0, 1, 2
SGD, MOMENTUM, ADAM = 0, 1, 2
BLOCK = 2048
"""Floats updated at a time, so that the replicas' gradients are added in the first-level cache."""


@kernel
def loss(kind, m, z, g, pitch, labels, first, images, classes, total, margin, out, place):
    """g = dL/dz of each row of scores z; out[place] = this replica's sum of losses, out[place + 1] = how many are right."""
    share, losses, right = float32(1 / max(total, 1)), float64(0), 0
    for n in range(images):
        at, to, label = z + n * pitch, g + n * pitch, get_long(labels, first + n)
        largest, answer, of_label = get(m, at), 0, get(m, at + label)
        for c in range(1, classes):
            if get(m, at + c) > largest:
                largest, answer = get(m, at + c), c
        right += answer == label
        if kind == CROSS_ENTROPY:
            powers = float32(0)
            for c in range(classes):
                power = float32(math.exp(get(m, at + c) - largest))
                put(m, to + c, power)
                powers += power
            losses += math.log(powers) + largest - of_label
            for c in range(classes):
                put(m, to + c, get(m, to + c) * (share / powers))
            put(m, to + label, get(m, to + label) - share)
        elif kind == PROBABILITY:
            floored = max(of_label, float32(1e-12))
            for c in range(classes):
                put(m, to + c, -share / floored if c == label else float32(0))
            losses -= math.log(floored)
        else:
            count = 0
            for c in range(classes):
                excess = get(m, at + c) - of_label + margin
                inside = c != label and excess > float32(0)
                put(m, to + c, share if inside else float32(0))
                if inside:
                    losses += excess
                    count += 1
            put(m, to + label, -share * float32(count))
    put_double(out, place, losses)
    put_double(out, place + 1, float64(right))


@kernel
def add_up(m, gradient, replicas, pitch, start, end, out, to):
    """out[to :] = the sum of the replicas' gradients from start to end, in their order."""
    for i in range(end - start):
        put(out, to + i, get(m, gradient + start + i))
    for r in range(1, replicas):
        at = gradient + r * pitch + start
        for i in range(end - start):
            put(out, to + i, get(out, to + i) + get(m, at + i))


@kernel
def _rule(rule, theta, first, second, start, end, m, g, decay, rates):
    """One rule's update of theta[start : end] from the gradient m[g :].

    rates = (lr, momentum) or (lr / (1 − β₁ᵗ), β₁, β₂, ε, 1 − β₁, 1 − β₂, 1 / (1 − β₂ᵗ)).
    """
    lr, beta, count = get(rates, 0), get(rates, 1), end - start
    if decay > float32(0):
        for i in range(count):
            put(m, g + i, get(m, g + i) + decay * get(theta, start + i))
    if rule == SGD:
        for i in range(count):
            put(theta, start + i, get(theta, start + i) - lr * get(m, g + i))
    elif rule == MOMENTUM:
        for i in range(count):
            velocity = beta * get(first, start + i) + get(m, g + i)
            put(first, start + i, velocity)
            put(theta, start + i, get(theta, start + i) - lr * velocity)
    else:
        beta2, eps, rest, rest2, unbias = get(rates, 2), get(rates, 3), get(rates, 4), get(rates, 5), get(rates, 6)
        for i in range(count):
            grad = get(m, g + i)
            mean = beta * get(first, start + i) + rest * grad
            square = beta2 * get(second, start + i) + rest2 * grad * grad
            put(first, start + i, mean)
            put(second, start + i, square)
            put(theta, start + i, get(theta, start + i) - lr * mean / (math.sqrt(square * unbias) + eps))


@part
def update(rule, theta, first, second, m, gradient, replicas, pitch, start, end, decays, count, rates, work):
    """theta[start : end] follows the sum of the replicas' gradients; `decays` holds `count` rows (start, end, decay)."""
    for block in range(start, end, BLOCK):
        stop = min(block + BLOCK, end)
        add_up(m, gradient, replicas, pitch, block, stop, m, work)
        for d in range(count):
            low, high = max(block, int(get_double(decays, 3 * d))), min(stop, int(get_double(decays, 3 * d + 1)))
            if low < high:
                decay = float32(get_double(decays, 3 * d + 2))
                _rule(rule, theta, first, second, low, high, m, work + low - block, decay, rates)
