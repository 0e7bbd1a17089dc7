"""The losses and their gradients, one an operation: the mean over the batch, of which each replica finds its share."""

from __future__ import annotations

import math

from numba import float32, float64

from nncore.backend.cpu.compiling import kernel, operation
from nncore.backend.cpu.memory import get, get_long, put, put_double
from nncore.backend.cpu.views import Real


@kernel
def _answer(m, at, classes):
    """The class with the largest score, of equal ones the first."""
    answer = 0
    for c in range(1, classes):
        if get(m, at + c) > get(m, at + answer):
            answer = c
    return answer


@kernel
def _powers(m, at, to, classes, largest):
    """m[to + c] = exp(m[at + c] − largest) for every class; their sum."""
    powers = float32(0)
    for c in range(classes):
        power = float32(math.exp(get(m, at + c) - largest))
        put(m, to + c, power)
        powers += power
    return powers


@operation
def cross_entropy(m, labels, indices, first, count, total, results, z, g, pitch, classes, smoothing: Real):
    """g = (softmax(z) − t) / N for logits z, where t is (1 − smoothing) · one-hot + smoothing / classes.

    `results` gets this replica's sum of losses, and how many are right.
    """
    share, losses, right = float32(1 / max(total, 1)), float64(0), 0
    even = smoothing / float32(classes)
    for n in range(count):
        at, to, label = z + n * pitch, g + n * pitch, get_long(labels, get_long(indices, first + n))
        answer = _answer(m, at, classes)
        right += answer == label
        largest, powers = get(m, at + answer), float32(0)
        for c in range(classes):
            power = float32(math.exp(get(m, at + c) - largest))
            put(m, to + c, power)
            powers += power
        losses += math.log(powers) + largest - get(m, at + label)
        for c in range(classes):
            put(m, to + c, get(m, to + c) * (share / powers) - even * share)
        put(m, to + label, get(m, to + label) - (float32(1) - smoothing) * share)
        if smoothing > float32(0):
            for c in range(classes):
                losses += even * (get(m, at + label) - get(m, at + c))
    put_double(results, 0, losses)
    put_double(results, 1, float64(right))


@operation
def soft_target_cross_entropy(m, labels, indices, first, count, total, results, z, g, pitch, classes, smoothing: Real):
    """`cross_entropy` where `labels` are rows of target probabilities (float32): t is (1 − smoothing) · row + smoothing / classes.

    Right is an answer that is the row's largest, of equal ones the first.
    """
    share, losses, right = float32(1 / max(total, 1)), float64(0), 0
    even = smoothing / float32(classes)
    for n in range(count):
        at, to, row = z + n * pitch, g + n * pitch, get_long(indices, first + n) * classes
        answer = _answer(m, at, classes)
        right += answer == _answer(labels, row, classes)
        largest, powers = get(m, at + answer), float32(0)
        for c in range(classes):
            power = float32(math.exp(get(m, at + c) - largest))
            put(m, to + c, power)
            powers += power
        log_powers = math.log(powers)
        for c in range(classes):
            target = (float32(1) - smoothing) * get(labels, row + c) + even
            losses += target * (log_powers + largest - get(m, at + c))
            put(m, to + c, (get(m, to + c) / powers - target) * share)
    put_double(results, 0, losses)
    put_double(results, 1, float64(right))


@operation
def weighted_cross_entropy(m, labels, indices, first, count, total, results, z, g, pitch, classes, weights, smoothing: Real):
    """`cross_entropy` where class i counts as m[weights + i]: g = (softmax(z) Σ w t − w t) / W, W the sum of the batch's labels."""
    whole, losses, right = float64(0), float64(0), 0
    for n in range(total):
        whole += get(m, weights + get_long(labels, get_long(indices, n)))
    share, even, rest = float32(1 / whole), smoothing / float32(classes), float32(1) - smoothing
    for n in range(count):
        at, to, label = z + n * pitch, g + n * pitch, get_long(labels, get_long(indices, first + n))
        answer = _answer(m, at, classes)
        right += answer == label
        powers = _powers(m, at, to, classes, get(m, at + answer))
        log_powers, sum_of_weights = math.log(powers) + get(m, at + answer), float32(0)
        for c in range(classes):
            weight = get(m, weights + c) * (even + (rest if c == label else float32(0)))
            sum_of_weights += weight
            if weight > float32(0):  # a class without hope has an infinite loss, which nobody asks for
                losses += weight * (log_powers - get(m, at + c))
        for c in range(classes):
            weight = get(m, weights + c) * (even + (rest if c == label else float32(0)))
            put(m, to + c, (get(m, to + c) * (sum_of_weights / powers) - weight) * share)
    put_double(results, 0, losses * (total / whole) if total else float64(0))
    put_double(results, 1, float64(right))


@operation
def weighted_soft_target_cross_entropy(
    m, labels, indices, first, count, total, results, z, g, pitch, classes, weights, smoothing: Real
):
    """`soft_target_cross_entropy` where class i counts as m[weights + i]: g = (softmax(z) Σ w t − w t) / N."""
    share, losses, right = float32(1 / max(total, 1)), float64(0), 0
    even, rest = smoothing / float32(classes), float32(1) - smoothing
    for n in range(count):
        at, to, row = z + n * pitch, g + n * pitch, get_long(indices, first + n) * classes
        answer = _answer(m, at, classes)
        right += answer == _answer(labels, row, classes)
        powers = _powers(m, at, to, classes, get(m, at + answer))
        log_powers, sum_of_weights = math.log(powers) + get(m, at + answer), float32(0)
        for c in range(classes):
            weight = get(m, weights + c) * (rest * get(labels, row + c) + even)
            sum_of_weights += weight
            losses += weight * (log_powers - get(m, at + c))
        for c in range(classes):
            weight = get(m, weights + c) * (rest * get(labels, row + c) + even)
            put(m, to + c, (get(m, to + c) * (sum_of_weights / powers) - weight) * share)
    put_double(results, 0, losses)
    put_double(results, 1, float64(right))


@operation
def probability(m, labels, indices, first, count, total, results, z, g, pitch, classes):
    """g = −one-hot / max(z, 1e-12) / N for probabilities z."""
    share, losses, right = float32(1 / max(total, 1)), float64(0), 0
    for n in range(count):
        at, to, label = z + n * pitch, g + n * pitch, get_long(labels, get_long(indices, first + n))
        right += _answer(m, at, classes) == label
        floored = max(get(m, at + label), float32(1e-12))
        for c in range(classes):
            put(m, to + c, -share / floored if c == label else float32(0))
        losses -= math.log(floored)
    put_double(results, 0, losses)
    put_double(results, 1, float64(right))


@operation
def hinge(m, labels, indices, first, count, total, results, z, g, pitch, classes, margin: Real):
    """g = 1 / N for every class within the margin of the label's score, and minus their count at the label."""
    share, losses, right = float32(1 / max(total, 1)), float64(0), 0
    for n in range(count):
        at, to, label = z + n * pitch, g + n * pitch, get_long(labels, get_long(indices, first + n))
        right += _answer(m, at, classes) == label
        inside = 0
        for c in range(classes):
            excess = get(m, at + c) - get(m, at + label) + margin
            within = c != label and not excess <= float32(0)  # also where it is not a number
            put(m, to + c, share if within else float32(0))
            if within:
                losses += excess
                inside += 1
        put(m, to + label, -share * float32(inside))
    put_double(results, 0, losses)
    put_double(results, 1, float64(right))
