"""The matrices of minimal filtering, as exact fractions: the Toom–Cook construction.

A 1-D filter of r taps that gives m outputs is, transposed, a product of two polynomials of degrees m − 1 and r − 1. The product has
degree n − 1, n = m + r − 1, so its values at n points determine it: evaluate both factors there (A and G), multiply point by point,
interpolate (B). One of the points is infinity, which stands for the leading coefficient. The 2-D filter does this along both axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

Matrix: TypeAlias = list[list[Fraction]]

POINTS = tuple(Fraction(quarters, 4) for quarters in (0, 3, -3, 6, -6))
"""The finite points: 0, ±3/4, ±3/2.

Which they are decides how much rounding grows, since transforms multiply by their powers; with the usual 0, ±1, ±2 the largest
error is six times as large (docs/performance.md). Points of opposite sign stand beside each other: there transforms share sums.
"""
N = len(POINTS) + 1
"""Inputs of a tile, along each side."""
POSITIONS = N * N


@dataclass(frozen=True)
class Form:
    """F(m×m, r×r), for which m + r − 1 = N."""

    m: int
    """Outputs of a tile, along each side."""
    r: int
    """Taps of the kernel, along each side."""

    @cached_property
    def output(self) -> Matrix:
        """Aᵀ, m × n: the powers of the points."""
        finite = [[point**k for point in POINTS] for k in range(self.m)]
        return [[*row, Fraction(k == self.m - 1)] for k, row in enumerate(finite)]

    @cached_property
    def weight(self) -> Matrix:
        """G, n × r: the powers of the points, over the product of their distances from all others."""
        rows = []
        for point in POINTS:
            scale = Fraction(1)
            for other in POINTS:
                if other != point:
                    scale *= point - other
            rows.append([point**k / scale for k in range(self.r)])
        return [*rows, [Fraction(k == self.r - 1) for k in range(self.r)]]


def transposed(matrix: Matrix) -> Matrix:
    return [list(row) for row in zip(*matrix, strict=True)]


def _polynomial(roots: Sequence[Fraction]) -> list[Fraction]:
    """The coefficients of Π (x − root), the lowest power first."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *coefficients]
        coefficients = [a - root * b for a, b in zip(shifted, [*coefficients, Fraction(0)], strict=True)]
    return coefficients


INPUT: Matrix = [
    *([*_polynomial([other for other in POINTS if other != point]), Fraction(0)] for point in POINTS),
    _polynomial(POINTS),
]
"""Bᵀ, n × n: for each point the coefficients of the polynomial that is zero at all others. The same for every form."""

FORMS = (Form(4, 3), Form(2, 5))
"""For kernels of 3×3 and of 5×5. The CPU's kernels are told a form by its number in here."""
