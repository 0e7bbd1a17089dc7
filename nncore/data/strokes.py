"""How people write the ten digits: for each a few prototypes of one to three pen strokes, as smooth curves through points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array

POINTS = 72
"""How many points each prototype is drawn with."""

# x runs to the right and y down, from 0 to 1. A point given twice is a corner; between the others the pen runs smoothly.
PROTOTYPES: dict[int, tuple[tuple[str, ...], ...]] = {
    0: (
        (".5,0 .2,.12 .04,.5 .2,.88 .5,1 .8,.88 .96,.5 .8,.12 .5,0",),
        (".7,.1 .45,0 .15,.2 .04,.55 .2,.92 .5,1 .85,.8 .96,.45 .8,.12 .5,.02 .35,.08",),
        (".3,.08 .1,.35 .06,.7 .3,.98 .65,.95 .92,.65 .9,.25 .65,.02 .35,.06 .25,.14",),
    ),
    1: (
        (".5,0 .5,.5 .5,1",),
        (".52,0 .46,.5 .5,1",),
        (".2,.28 .4,.16 .55,0 .55,0 .55,.5 .55,1",),
        (".2,.25 .52,0 .52,0 .52,1 .52,1", ".15,1 .5,1 .9,1"),
    ),
    2: (
        (".08,.25 .3,.03 .65,.03 .86,.25 .7,.52 .38,.78 .04,1 .04,1 .5,.98 .97,1",),
        (".1,.2 .4,0 .78,.1 .78,.4 .48,.78 .16,.98 .03,.86 .2,.74 .5,.9 .75,.98 .98,.88",),
        (".05,.15 .4,0 .8,.08 .84,.35 .5,.7 .08,.98 .08,.98 .3,.94 .6,1 .97,.95",),
        (".12,.3 .2,.08 .5,0 .8,.12 .8,.38 .55,.68 .1,.98 .1,.98 .95,.98",),
        (".2,.18 .4,0 .62,.06 .66,.3 .45,.68 .08,.98 .08,.98 .5,.94 1.1,.9",),
        (".3,.2 .5,.02 .75,.14 .68,.45 .4,.85 .2,1 .02,.92 .14,.76 .4,.82 .8,.95 1.15,.88",),
        (".1,.06 .1,.06 .75,.04 .75,.04 .5,.5 .08,.96 .08,.96 .5,.98 .9,.98",),
        (".2,.14 .5,.0 .8,.16 .78,.5 .55,.85 .3,1 .06,.92 .12,.72 .4,.7 .62,.86 .85,.96 1.05,.86",),
        (".15,.1 .55,.02 .75,.25 .7,.6 .45,.92 .15,1 .0,.84 .2,.66 .5,.72 .75,.9 1.2,.8",),
        (".05,.3 .25,.04 .6,.03 .74,.3 .6,.7 .35,.97 .1,1 .06,.8 .3,.7 .65,.85 1,1",),
    ),
    3: (
        (".1,.12 .4,0 .76,.1 .74,.36 .38,.48 .38,.48 .8,.58 .88,.82 .5,1 .05,.9",),
        (".1,.02 .1,.02 .85,.02 .85,.02 .42,.42 .42,.42 .75,.5 .9,.75 .7,.97 .35,1 .05,.88",),
        (".08,.2 .3,.02 .7,.04 .8,.26 .55,.46 .3,.5 .62,.52 .9,.7 .75,.95 .35,1 .03,.84",),
        (".15,.08 .5,0 .82,.14 .7,.38 .4,.46 .3,.52 .42,.52 .8,.6 .82,.86 .5,1 .1,.94",),
    ),
    4: (
        (".2,.02 .12,.3 .06,.56 .06,.56 .5,.54 .95,.52", ".74,.05 .72,.5 .68,1"),
        (".66,0 .35,.32 .03,.66 .03,.66 .5,.66 .97,.64", ".66,0 .66,.5 .66,1"),
        (".1,.04 .08,.34 .3,.52 .62,.48 .88,.34", ".9,0 .86,.5 .8,1"),
        (".3,.0 .2,.2 .04,.42 .04,.42 .45,.46 .9,.4", ".95,.06 .8,.5 .68,1"),
        (".15,0 .14,.3 .12,.5 .12,.5 .85,.48 .85,.48", ".85,.1 .85,.5 .85,1"),
    ),
    5: (
        (".2,.02 .2,.02 .14,.44 .14,.44 .5,.36 .86,.52 .88,.78 .58,1 .1,.92", ".2,.02 .5,.02 .88,.0"),
        (".86,0 .86,0 .28,.02 .28,.02 .16,.42 .16,.42 .5,.36 .85,.52 .88,.78 .58,1 .08,.94",),
        (".88,.04 .5,.02 .22,.14 .24,.36 .55,.48 .82,.66 .74,.9 .42,1 .06,.92",),
        (".25,.05 .2,.25 .15,.48 .15,.48 .4,.42 .72,.5 .78,.75 .5,.96 .05,1", ".25,.04 .6,.06 .97,0"),
        (".3,.2 .3,.2 .25,.45 .25,.45 .5,.48 .66,.7 .55,.95 .2,1 .02,.9", ".3,.2 .3,.2 .7,.1 1.05,0"),
        ("1,.02 .6,.06 .36,.08 .36,.08 .28,.3 .4,.46 .56,.66 .46,.92 .2,1 .04,.88",),
        (".95,.0 .45,.05 .45,.05 .3,.38 .3,.38 .6,.44 .74,.64 .6,.9 .3,1 .08,.9 .1,.74 .3,.8",),
    ),
    6: (
        (".7,0 .38,.22 .12,.58 .14,.88 .45,1 .78,.88 .8,.64 .5,.52 .22,.64 .12,.8",),
        (".5,0 .22,.4 .08,.75 .3,1 .7,.96 .82,.74 .5,.6 .18,.72 .1,.84",),
        (".85,.1 .6,0 .26,.18 .08,.55 .12,.88 .45,1 .82,.9 .86,.64 .55,.5 .2,.62 .1,.75",),
        (".62,0 .28,.3 .06,.7 .3,.98 .72,.92 .9,.7 .62,.58 .35,.72 .28,.94",),
        (".3,0 .1,.35 .04,.7 .2,.98 .6,1 .9,.8 .85,.55 .55,.48 .25,.66 .2,.9",),
        (".5,0 .3,.3 .1,.7 .2,.95 .4,.98 .62,.8 .6,.62 .45,.6 .25,.75 .18,.9",),
        (".25,.02 .12,.3 .06,.65 .14,.95 .5,1 .95,.85 1.05,.6 .75,.52 .4,.7 .25,.95",),
        (".9,.0 .5,.15 .18,.45 .06,.75 .3,1 .7,.92 .8,.7 .5,.6 .2,.75",),
    ),
    7: (
        (".05,.05 .05,.05 .92,.03 .92,.03 .64,.45 .42,1",),
        (".05,.05 .05,.05 .9,.02 .9,.02 .55,.5 .35,1", ".2,.52 .5,.5 .82,.48"),
        (".08,.24 .08,.04 .08,.04 .9,.04 .9,.04 .6,.5 .4,1",),
        (".05,.12 .3,.04 .6,.08 .9,.0 .9,.0 .72,.4 .62,.7 .58,1",),
        (".05,.12 .4,.1 .78,.02 .88,.1 .7,.45 .5,1",),
        (".1,.35 .15,.12 .15,.12 .55,.08 .85,.02 .85,.02 .55,.5 .3,1",),
        (".1,.22 .3,.04 .55,.12 .88,.0 .88,.0 .6,.45 .45,1", ".35,.55 .6,.52 .95,.46"),
        (".1,.0 .1,.0 .6,.02 .9,.08 .85,.35 .72,.7 .6,1",),
        (".0,.2 .0,.2 .45,.12 .75,.08 .75,.08 .5,.5 .25,1",),
    ),
    8: (
        (".8,.14 .5,0 .2,.12 .24,.36 .5,.48 .8,.66 .8,.9 .5,1 .2,.9 .2,.66 .5,.48 .78,.32 .8,.14",),
        (".5,.02 .22,.12 .24,.38 .5,.47 .76,.36 .76,.1 .5,.02", ".5,.47 .16,.58 .12,.86 .5,1 .88,.86 .84,.58 .5,.47"),
        (".9,.08 .55,.0 .2,.14 .3,.38 .6,.58 .78,.8 .55,1 .2,.9 .28,.66 .6,.44 .92,.18",),
        (".72,.1 .4,.03 .25,.2 .45,.42 .7,.62 .62,.92 .35,1 .2,.82 .4,.55 .7,.3 .95,.02",),
        (".6,.02 .3,.15 .4,.4 .55,.5 .68,.75 .5,1 .28,.9 .32,.65 .52,.46 .72,.25 .66,.04",),
        (".85,.2 .6,.0 .15,.1 .2,.38 .6,.52 .72,.74 .55,.98 .3,.92 .3,.7 .6,.5 .92,.3 .85,.14",),
        (".5,.5 .2,.32 .24,.08 .5,.0 .8,.1 .78,.3 .5,.5 .3,.7 .34,.95 .52,1 .68,.9 .66,.68 .5,.5",),
        (".5,.44 .25,.25 .4,.03 .75,.06 .78,.28 .45,.5 .14,.78 .35,1 .72,.92 .7,.66 .5,.44",),
    ),
    9: (
        (".82,.12 .5,0 .15,.12 .12,.38 .42,.5 .75,.36 .84,.1 .84,.1 .82,.55 .76,1",),
        (".84,.14 .52,0 .15,.14 .14,.4 .46,.5 .78,.34 .86,.1 .86,.5 .66,.92 .34,1 .1,.9",),
        (".7,.06 .35,.02 .08,.22 .2,.44 .5,.42 .78,.16 .84,.04 .7,.5 .5,1",),
        (".8,.2 .6,0 .2,.06 .08,.32 .4,.44 .76,.26 .76,.26 .72,.6 .7,1",),
        (".75,.1 .5,.0 .25,.14 .3,.34 .52,.34 .7,.14 .7,.14 .62,.55 .45,1",),
        (".85,.02 .4,.06 .1,.24 .2,.4 .55,.34 .86,.1 .86,.1 .74,.55 .6,1",),
        (".78,.16 .5,.0 .2,.16 .14,.42 .35,.52 .64,.4 .78,.16 .74,.6 .58,.92 .3,1 .12,.9",),
        (".6,.06 .35,.0 .12,.2 .2,.42 .48,.42 .72,.22 .68,.04 .76,.25 .74,.65 .7,1",),
        (".9,.06 .5,.02 .15,.2 .2,.42 .5,.44 .85,.3 .9,.06 .72,.5 .4,1",),
    ),
}


@dataclass(frozen=True)
class StrokeTable:
    """All prototypes as arrays: the points of prototype v are `weights[v] @ control[v]`, so moving a control moves the pen."""

    control: Array
    """float32 (prototypes, controls, 2): x and y of each control point, 0 to 1; unused ones are zero"""
    weights: Array
    """float32 (prototypes, POINTS, controls)"""
    labels: Array
    """int64 (prototypes): the digit that each writes"""


def stroke_table(prototypes: Mapping[int, Sequence[tuple[str, ...]]] = PROTOTYPES) -> StrokeTable:
    """Build the table from each digit's prototypes."""
    built = [(digit, *_prototype(strokes)) for digit, variants in prototypes.items() for strokes in variants]
    most = max(len(control) for _, control, _ in built)
    control = np.zeros((len(built), most, 2), np.float32)
    weights = np.zeros((len(built), POINTS, most), np.float32)
    for row, (_, points, matrix) in enumerate(built):
        control[row, : len(points)] = points
        weights[row, :, : len(points)] = matrix
    return StrokeTable(control, weights, np.array([digit for digit, _, _ in built], np.int64))


def _prototype(strokes: tuple[str, ...]) -> tuple[Array, Array]:
    """The control points (C, 2) of one prototype and the matrix (POINTS, C) that turns them into points along the pen's way."""
    controls = [np.array([pair.split(",") for pair in stroke.split()], float) for stroke in strokes]
    curves = [_spline(len(points)) for points in controls]
    lengths = np.array([_lengths(curve @ points)[-1] for curve, points in zip(curves, controls, strict=True)])
    shares = np.maximum(2, np.round(POINTS * lengths / lengths.sum())).astype(int)
    shares[np.argmax(shares)] += POINTS - shares.sum()
    matrix = np.zeros((POINTS, sum(len(points) for points in controls)))
    row = column = 0
    for points, curve, share in zip(controls, curves, shares, strict=True):
        matrix[row : row + share, column : column + len(points)] = _evenly(curve, curve @ points, share)
        row, column = row + share, column + len(points)
    return np.concatenate(controls), matrix


def _spline(count: int, steps: int = 24) -> Array:
    """The matrix ((count − 1)·steps + 1, count) of a Catmull-Rom curve through `count` points (its ends given twice)."""
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    cubic = np.hstack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3]) / 2
    matrix = np.zeros(((count - 1) * steps + 1, count))
    for piece in range(count - 1):
        for offset in range(4):
            matrix[piece * steps : (piece + 1) * steps, min(max(piece + offset - 1, 0), count - 1)] += cubic[:, offset]
    matrix[-1, -1] = 1
    return matrix


def _lengths(points: Array) -> Array:
    """How far along the curve each of its points (N, 2) lies."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])


def _evenly(matrix: Array, points: Array, count: int) -> Array:
    """The rows of a curve's matrix at `count` places evenly along it (between two rows, in proportion)."""
    lengths = _lengths(points)
    places = np.interp(np.linspace(0, lengths[-1], count), lengths, np.arange(len(points)))
    below = np.minimum(places.astype(int), len(points) - 2)
    part = (places - below)[:, None]
    return matrix[below] * (1 - part) + matrix[below + 1] * part
