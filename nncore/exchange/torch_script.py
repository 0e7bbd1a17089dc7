"""A network as a script in PyTorch: its layers in an nn.Sequential, and the weights brought into PyTorch's order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nncore.arrays import Shape, shape_text
from nncore.exchange.script_parts import PRINTING, WEIGHTS, as_argument, beginning, checked_layers, reading
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

IMPORTS = """
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

"""
FLATTEN = '''
class FlattenChannelsLast(nn.Module):
    """Images (N, channels, height, width) as vectors, numbered by height, width, channel: so DigitLab's weights count them."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)

'''
LOADING = f'''

def load_weights(path):
    """DigitLab's weights by name, their axes in PyTorch's order."""
    state = {{}}
    for name, values in np.load(path).items():
        if values.ndim == 4:  # (height, width, in, out) to (out, in, height, width)
            values = values.transpose(3, 2, 0, 1)
        elif values.ndim == 2:  # (in, out) to (out, in)
            values = values.T
        state[name] = torch.from_numpy(values.copy())
    return state


network.load_state_dict(load_weights(Path(__file__).with_name("{WEIGHTS}")))
network.eval()  # as in use: nothing is dropped, and batch norm takes the statistics of training
'''
MAIN = (
    """

if __name__ == "__main__":
    for path in sys.argv[1:]:
        with torch.no_grad():
            logits = network(torch.from_numpy(read_picture(path)))
        probabilities = logits.softmax(dim=1)[0]
"""
    + PRINTING
)


def torch_script(network: Network, name: str, file: str) -> str:
    """The script, called `file`, for a network called `name`. Raises ConfigError where it takes no pictures or has other layers."""
    layers = checked_layers(network, dict(CALLS))
    lines = [f"        {layer.name}={CALLS[type(layer)](layer)},  # {_channels_first(layer.output_shape)}" for layer in layers]
    body = "\n".join(["network = nn.Sequential(", "    OrderedDict(", *lines, "    )", ")", ""])
    layout = "Images are tensors of (N, channels, height, width)."
    return (
        beginning(network, name, file, "PyTorch", layout)
        + IMPORTS
        + (FLATTEN + "\n" if any(_reorders(layer) for layer in layers) else "")
        + body
        + LOADING
        + reading(network.input_shape, channels_first=True)
        + MAIN
    )


def _channels_first(shape: Shape) -> str:
    """A shape in words, in PyTorch's order."""
    return shape_text((shape[-1], *shape[:-1]))


def _reorders(layer: Layer) -> bool:
    """Whether a flatten layer's values stand in another order where the channels are first."""
    shape = layer.input_shape
    return isinstance(layer, Flatten) and len(shape) == 3 and shape[2] > 1 and shape[:2] != (1, 1)


def _conv(layer: Conv2d) -> str:
    stride = "" if layer.stride == (1, 1) else f", stride={as_argument(layer.stride)}"
    padding = "" if layer.padding == (0, 0) else f", padding={as_argument(layer.padding)}"
    padding += "" if layer.dilation == (1, 1) else f", dilation={as_argument(layer.dilation)}"
    padding += "" if layer.groups == 1 else f", groups={layer.groups}"
    more = f"{stride}{padding}{'' if layer.has_bias else ', bias=False'}"
    return f"nn.Conv2d({layer.input_shape[2]}, {layer.out_channels}, {as_argument(layer.kernel_size)}{more})"


def _linear(layer: Linear) -> str:
    return f"nn.Linear({layer.input_shape[0]}, {layer.out_features}{'' if layer.has_bias else ', bias=False'})"


def _pool(kind: str) -> Callable[[Any], str]:
    def call(layer: MaxPool2d | AvgPool2d) -> str:
        stride = "" if layer.stride == layer.kernel_size else f", stride={as_argument(layer.stride)}"
        padding = "" if layer.padding == (0, 0) else f", padding={as_argument(layer.padding)}"
        return f"nn.{kind}({as_argument(layer.kernel_size)}{stride}{padding})"

    return call


def _norm(layer: BatchNorm) -> str:
    size = layer.input_shape[-1]
    return f"nn.BatchNorm{'2d' if len(layer.input_shape) == 3 else '1d'}({size}, eps={layer.eps}, momentum={layer.momentum})"


CALLS: dict[type[Layer], Callable[[Any], str]] = {
    Conv2d: _conv,
    MaxPool2d: _pool("MaxPool2d"),
    AvgPool2d: _pool("AvgPool2d"),
    GlobalAvgPool2d: lambda layer: "nn.AdaptiveAvgPool2d(1)",
    BatchNorm: _norm,
    Flatten: lambda layer: "FlattenChannelsLast()" if _reorders(layer) else "nn.Flatten()",
    Linear: _linear,
    ReLU: lambda layer: "nn.ReLU()",
    LeakyReLU: lambda layer: f"nn.LeakyReLU({layer.negative_slope})",
    GELU: lambda layer: "nn.GELU()" if layer.approximate == "none" else f'nn.GELU("{layer.approximate}")',
    SiLU: lambda layer: "nn.SiLU()",
    Sigmoid: lambda layer: "nn.Sigmoid()",
    Tanh: lambda layer: "nn.Tanh()",
    Softmax: lambda layer: "nn.Softmax(dim=1)",
    Dropout: lambda layer: f"nn.Dropout({layer.p})",
}
"""Each layer as PyTorch has it."""
