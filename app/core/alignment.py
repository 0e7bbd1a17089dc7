"""Laying a map of points over the one before, so that it neither flips nor turns when it is made anew. Qt-free."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np

from nncore.arrays import Array

AXES = tuple(
    np.array([[signs[0] * (order[0] == 0), signs[0] * (order[0] == 1)], [signs[1] * (order[1] == 0), signs[1] * (order[1] == 1)]])
    for order in permutations((0, 1))
    for signs in product((1.0, -1.0), repeat=2)
)
"""The eight ways to mirror and to exchange two axes, each (2, 2)."""


def matching_axes(places: Array, before: Array) -> Array:
    """The way to mirror and exchange the axes of places (N, 2) that brings them nearest to those `before` (N, 2): (2, 2), such that
    places @ it.T are the new ones. Each axis stays an axis.
    """
    overlap = _centred(before).T @ _centred(places)
    return max(AXES, key=lambda turn: float((turn * overlap).sum()))


def matching_turn(places: Array, before: Array) -> Array:
    """The rotation, with a reflection where that is nearer, that brings places (N, 2) nearest to those `before`: (2, 2) as in
    `matching_axes` (orthogonal Procrustes).
    """
    left, _, right = np.linalg.svd(_centred(before).T @ _centred(places))
    turn: Array = left @ right
    return turn


def _centred(places: Array) -> Array:
    """About their middle, in units of their spread, so that the larger map has no more say."""
    middle = places - places.mean(axis=0)
    return middle / (float(np.sqrt((middle**2).sum(axis=1).mean())) or 1.0)
