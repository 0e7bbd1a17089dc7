"""A network as a script in NumPy: one function for each kind of layer that it has, and one that calls them in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nncore.arrays import shape_text
from nncore.exchange.script_parts import PRINTING, WEIGHTS, beginning, checked_layers, reading
from nncore.layers import (
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from nncore.network import Network

WINDOWS = '''
def windows(x, size, stride, dilation=(1, 1)):
    """Every window of the images x, `stride` pixels apart: (N, rows, columns, channels, window height, window width)."""
    spans = [far * (length - 1) + 1 for length, far in zip(size, dilation)]  # a dilated window leaves pixels out
    found = np.lib.stride_tricks.sliding_window_view(x, spans, axis=(1, 2))
    return found[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]
'''
SOFTMAX = '''
def softmax(x):
    """Scores to probabilities, which are positive and add up to 1."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))  # the largest score becomes 0, so that nothing overflows
    return powers / powers.sum(axis=-1, keepdims=True)
'''
FUNCTIONS: dict[type[Layer], str] = {
    Conv2d: '''
def conv2d(x, name, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    """Convolution: each kernel is laid over each window, multiplied with it place by place, and the products are added up.

    The padding is zeros (above, below) and (left, right). Of several groups each has kernels and channels of its own.
    """
    weight = weights[f"{name}.weight"]  # (window height, window width, channels of a group, kernels)
    seen = windows(np.pad(x, ((0, 0), *padding, (0, 0))), weight.shape[:2], stride, dilation)
    parts = zip(np.split(seen, groups, axis=3), np.split(weight, groups, axis=3))
    found = [np.tensordot(part, kernels, axes=((4, 5, 3), (0, 1, 2))) for part, kernels in parts]
    return np.concatenate(found, axis=3) + weights.get(f"{name}.bias", 0)
''',
    MaxPool2d: '''
def max_pool2d(x, size, stride, padding=(0, 0)):
    """The largest value of each window of each channel. A padding is never the largest."""
    around = ((0, 0), (padding[0], padding[0]), (padding[1], padding[1]), (0, 0))
    return windows(np.pad(x, around, constant_values=-np.inf), size, stride).max(axis=(4, 5))
''',
    AvgPool2d: '''
def avg_pool2d(x, size, stride, padding=(0, 0)):
    """The mean of each window of each channel, zeros of a padding among its values."""
    around = ((0, 0), (padding[0], padding[0]), (padding[1], padding[1]), (0, 0))
    return windows(np.pad(x, around), size, stride).mean(axis=(4, 5))
''',
    GlobalAvgPool2d: '''
def global_avg_pool2d(x):
    """The mean of each channel."""
    return x.mean(axis=(1, 2), keepdims=True)
''',
    BatchNorm: '''
def batch_norm(x, name, eps):
    """Each channel, less its mean in training and divided by its spread there; then scaled and shifted as learnt."""
    normal = (x - weights[f"{name}.running_mean"]) / np.sqrt(weights[f"{name}.running_var"] + eps)
    return normal * weights[f"{name}.weight"] + weights[f"{name}.bias"]
''',
    Flatten: '''
def flatten(x):
    """Each image as one long vector: row by row, pixel by pixel, channel by channel."""
    return x.reshape(len(x), -1)
''',
    Linear: '''
def linear(x, name):
    """Each output is a sum of all inputs, weighted as learnt, and a bias where the layer has one."""
    return x @ weights[f"{name}.weight"] + weights.get(f"{name}.bias", 0)  # the weight is (inputs, outputs)
''',
    ReLU: '''
def relu(x):
    """What is negative becomes 0."""
    return np.maximum(x, 0)
''',
    LeakyReLU: '''
def leaky_relu(x, slope):
    """What is negative becomes small."""
    return np.where(x > 0, x, slope * x)
''',
    GELU: '''
def gelu(x, approximate):
    """x times the share of a standard normal that lies below x, exact or by a tanh."""
    if approximate == "tanh":
        return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2
    erf = np.vectorize(math.erf, otypes=[x.dtype])
    return x * (1 + erf(x / np.sqrt(2))) / 2
''',
    SiLU: '''
def silu(x):
    """x times its sigmoid."""
    return x * (1 + np.tanh(x / 2)) / 2
''',
    Sigmoid: '''
def sigmoid(x):
    """1 / (1 + exp(-x)), written so that it never overflows: from 0 to 1."""
    return (1 + np.tanh(x / 2)) / 2
''',
    Tanh: '''
def tanh(x):
    """From -1 to 1."""
    return np.tanh(x)
''',
    Softmax: SOFTMAX,
    Dropout: "",
}
"""The function for each layer; dropout does nothing outside training."""


def numpy_script(network: Network, name: str, file: str) -> str:
    """The script, called `file`, for a network called `name`. Raises ConfigError where it takes no pictures or has other layers."""
    layers = checked_layers(network, dict(FUNCTIONS))
    kinds = {type(layer) for layer in layers}
    has_windows = kinds & {Conv2d, MaxPool2d, AvgPool2d}
    functions = [WINDOWS] if has_windows else []
    functions += [text for kind, text in FUNCTIONS.items() if kind in kinds and text and kind is not Softmax]
    layout = "Images are arrays of (N, height, width, channels)."
    return (
        beginning(network, name, file, "NumPy", layout)
        + (IMPORTS.replace("import sys", "import math\nimport sys") if GELU in kinds else IMPORTS)
        + "\n".join(f"\n{text.lstrip()}" for text in [*functions, SOFTMAX])
        + _forward(network, layers)
        + reading(network.input_shape, channels_first=False)
        + MAIN
    )


def _forward(network: Network, layers: list[Layer]) -> str:
    """The function that calls all the others."""
    shape = ", ".join(map(str, ("N", *network.input_shape)))
    lines = [
        "",
        "",
        "def forward(x):",
        f'    """From the input ({shape}) to the logits (N, {network.classes}): one score a class, not yet a probability."""',
    ]
    calls = [(CALLS[type(layer)](layer), layer.output_shape) for layer in layers]
    lines += [f"    x = {call}  # {shape_text(shape)}" for call, shape in calls if call]
    return "\n".join([*lines, "    return x", ""])


def _padding(layer: MaxPool2d | AvgPool2d) -> str:
    return "" if layer.padding == (0, 0) else f", padding={layer.padding}"


def _conv(layer: Conv2d) -> str:
    usual = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
    own = {"stride": layer.stride, "padding": layer.margins, "dilation": layer.dilation, "groups": layer.groups}
    more = "".join(f", {name}={value}" for name, value in own.items() if value != usual[name])
    return f'conv2d(x, "{layer.name}"{more})'


CALLS: dict[type[Layer], Callable[[Any], str]] = {
    Conv2d: _conv,
    MaxPool2d: lambda layer: f"max_pool2d(x, {layer.kernel_size}, {layer.stride}{_padding(layer)})",
    AvgPool2d: lambda layer: f"avg_pool2d(x, {layer.kernel_size}, {layer.stride}{_padding(layer)})",
    GlobalAvgPool2d: lambda layer: "global_avg_pool2d(x)",
    BatchNorm: lambda layer: f'batch_norm(x, "{layer.name}", eps={layer.eps})',
    Flatten: lambda layer: "flatten(x)",
    Linear: lambda layer: f'linear(x, "{layer.name}")',
    ReLU: lambda layer: "relu(x)",
    LeakyReLU: lambda layer: f"leaky_relu(x, {layer.negative_slope})",
    GELU: lambda layer: f'gelu(x, "{layer.approximate}")',
    SiLU: lambda layer: "silu(x)",
    Sigmoid: lambda layer: "sigmoid(x)",
    Tanh: lambda layer: "tanh(x)",
    Softmax: lambda layer: "softmax(x)",
    Dropout: lambda layer: "",
}
"""How each layer's function is called."""

IMPORTS = f"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image

weights = dict(np.load(Path(__file__).with_name("{WEIGHTS}")))

"""
MAIN = (
    """

if __name__ == "__main__":
    for path in sys.argv[1:]:
        probabilities = softmax(forward(read_picture(path)))[0]
"""
    + PRINTING
)
