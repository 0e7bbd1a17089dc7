"""The formula of each step in which a number is made, with the numbers in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.panels.inspect.inspected import Weight
from app.widgets.equation import Term
from app.widgets.sections import Line, number
from nncore.explain.forward_pass import ForwardPass
from nncore.explain.pixel import Activated, Normalised, Parts, Passed, Pooled, Share, Weighted
from nncore.layers import GELU, Conv2d, Dropout, LeakyReLU

FUNCTIONS = {
    "relu": "relu(x) = max(x, 0): what is below zero becomes zero",
    "leakyrelu": "leakyrelu(x) = x above zero, else slope · x: what is below zero becomes small",
    "gelu": "gelu(x) = x · Φ(x), Φ(x) being the share of a standard normal below x: what is far below zero becomes zero",
    "silu": "silu(x) = x · sigmoid(x): what is far below zero becomes zero",
    "sigmoid": "sigmoid(x) = 1 / (1 + e⁻ˣ): between 0 and 1",
    "tanh": "tanh(x): between −1 and 1",
}


def equation_of(step: Weighted, after: Sequence[Parts], done: ForwardPass) -> tuple[list[Term], Sequence[Parts]]:
    """A sum and the activation that follows at once as an equation, and the other steps."""
    count = f"Σ of {step.parts.size:,} products" if step.parts.size > 1 else "product"
    key = ("weight", Weight(f"{done.name(step.place)}.bias", (step.index[-1],)))
    tip = "The bias, learnt like a weight; click to see what the loss wants of it"
    total = number(float(step.parts.sum()))
    terms = [Term("", count, total, tip=_formula(step, done))]
    if step.has_bias:
        terms += [Term("+", "bias", number(step.bias), key=key, tip=tip), Term("=", "sum", number(step.value))]
    if after and isinstance(after[0], Activated):
        activated = after[0]
        terms.append(Term("→", activated.kind, number(activated.value), tip=_formula(activated, done)))
        after = after[1:]
    return [*terms[:-1], replace(terms[-1], is_result=not after)], after


def lines_of(steps: Sequence[Parts], done: ForwardPass) -> list[Line]:
    """The values from the first step to the last, one a line, the last as the result; the formula is in the tooltip of each."""
    lines = [replace(line, tip=line.tip or _formula(step, done)) for step in steps for line in _values(step, done)]
    return [*lines[:-1], replace(lines[-1], is_result=True)]


def general(steps: Sequence[Parts], done: ForwardPass) -> list[Line]:
    """What the steps do in general: the formulas with letters."""
    return [Line(text) for step in steps if (text := _formula(step, done))]


def _values(step: Parts, done: ForwardPass) -> list[Line]:
    match step:
        case Pooled():
            words = f"mean of {step.count}" if step.winner is None else f"largest of {step.inputs.size}"
            return [Line(words, number(step.value))]
        case Normalised():
            x = float(step.inputs)
            spread = f"√({number(step.variance)} + {small(step.eps)})"
            return [
                Line(f"x′ = ({number(x)} {_added(-step.mean)}) / {spread}", number(step.normal)),
                Line(f"{number(step.scale)} · x′ {_added(step.shift)}", number(step.value)),
            ]
        case Activated():
            return [Line(f"{step.kind}({number(float(step.inputs))})", number(step.value))]
        case Share():
            largest, at = float(step.inputs.max()), step.index[-1]
            own = float(step.inputs[at])
            return [
                Line(f"e^({number(own)} − {_bracketed(largest)})", number(float(step.powers[at]))),
                Line("÷ sum of all such powers", number(float(step.powers.sum()))),
                Line("= share", number(step.value)),
            ]
        case Passed():
            return [Line(f"{done.name(step.place)}: as it is", number(step.value))]
    return [Line("=", number(step.value))]


def _formula(step: Parts, done: ForwardPass) -> str:
    layer = done.layers[step.place - 1]
    match step:
        case Weighted() if isinstance(layer, Conv2d):
            before = [first for first, _ in layer.margins]
            row, column = (_met(*of) for of in zip("ij", "kl", layer.stride, before, layer.dilation, strict=True))
            group = ", c in the group of o" if layer.groups > 1 else ""
            return f"y[i, j, o] = {'b[o] + ' * step.has_bias}Σ x[{row}, {column}, c] · w[k, l, c, o]{group}"
        case Weighted():
            return f"y[j] = {'b[j] + ' * step.has_bias}Σ x[i] · w[i, j]"
        case Pooled(winner=None):
            return "y = mean of the window: each number has an equal part"
        case Pooled():
            return "y = max of the window: only the number that wins is passed on"
        case Normalised():
            return "y = γ x′ + β with x′ = (x − μ) / √(σ² + ε); μ and σ² are the running mean and variance, as in use"
        case Share():
            return "p[i] = e^x[i] / Σ e^x[j]: the largest x is taken from all first, which changes nothing and never overflows"
        case Activated() if isinstance(layer, LeakyReLU):
            return f"{FUNCTIONS[step.kind]}; the slope is {layer.negative_slope:g}"
        case Activated() if isinstance(layer, GELU) and layer.approximate == "tanh":
            return f"{FUNCTIONS[step.kind]}; Φ is found by a tanh, which is quicker and hardly differs"
        case Activated(kind=kind):
            return FUNCTIONS.get(kind, f"y = {kind}(x)")
        case Passed() if isinstance(layer, Dropout):
            return (
                f"dropout does nothing in use. In training it sets each number to 0 with probability {layer.p:g} and divides the "
                f"rest by {1 - layer.p:g}, so that no unit can rely on another."
            )
        case Passed():
            return "flatten lays the numbers of the image in a row: by row, then column, then channel"
    return ""


def _met(place: str, cell: str, stride: int, padding: int, dilation: int) -> str:
    """Where a kernel's cell meets the input: `2i + k − 1`."""
    by_stride, by_dilation = (letter if times == 1 else f"{times}{letter}" for letter, times in ((place, stride), (cell, dilation)))
    return f"{by_stride} + {by_dilation}" + (f" − {padding}" if padding else "")


def small(value: float) -> str:
    """A small setting: 10⁻⁵, or as it is."""
    power = round(math.log10(value))
    if power > -4 or not math.isclose(value, 10.0**power):
        return f"{value:g}"
    return "10⁻" + str(-power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _added(value: float) -> str:
    """A number that is added to another: `+ 0.420`, or `− 0.420` where it is negative."""
    return f"{'−' if value < 0 else '+'} {number(abs(value))}"


def _bracketed(value: float) -> str:
    """A number behind a minus or plus sign."""
    return f"({number(value)})" if value < 0 else number(value)


def product(value: float, weight: float) -> str:
    """`2.310 × 0.420`"""
    return f"{number(value)} × {_bracketed(weight)}"


def largest_first(amounts: np.ndarray) -> np.ndarray:
    """The places of amounts (n), the one furthest from zero first."""
    return np.argsort(-np.abs(amounts), kind="stable")
