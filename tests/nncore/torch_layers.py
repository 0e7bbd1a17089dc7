"""Layers by PyTorch's own functions, in float64, on tensors laid out as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)

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


def forward(layer: Layer, x: Any, values: Mapping[str, Any], training: bool) -> Any:
    """What the layer makes of x, in training or as in use.

    `values` are tensors by name: its parameters, and as in use its buffers, too. In training dropout keeps what the layer kept.
    """
    weight, bias = values.get("weight"), values.get("bias")
    first = x.movedim(-1, 1)
    match layer:
        case Linear():
            return x @ weight + (0 if bias is None else bias)
        case Conv2d():
            assert weight is not None
            kernels, (rows, columns) = weight.permute(3, 2, 0, 1).contiguous(), layer.margins
            padded = F.pad(first, (*columns, *rows))
            return F.conv2d(padded, kernels, bias, layer.stride, 0, layer.dilation, layer.groups).movedim(1, -1)
        case MaxPool2d():
            return F.max_pool2d(first, layer.kernel_size, layer.stride, layer.padding).movedim(1, -1)
        case AvgPool2d():
            return F.avg_pool2d(first, layer.kernel_size, layer.stride, layer.padding).movedim(1, -1)
        case GlobalAvgPool2d():
            return F.adaptive_avg_pool2d(first, 1).movedim(1, -1)
        case BatchNorm():
            mean, variance = (None, None) if training else (values["running_mean"], values["running_var"])
            return F.batch_norm(first, mean, variance, weight, bias, training, layer.momentum, layer.eps).movedim(1, -1)
        case Dropout():
            return x * torch.tensor(layer.kept(np.zeros(x.shape))) / (1 - layer.p) if training and layer.p else x
        case Flatten():
            return x.flatten(1)
        case ReLU():
            return torch.relu(x)
        case LeakyReLU():
            return F.leaky_relu(x, layer.negative_slope)
        case GELU():
            return F.gelu(x, approximate=layer.approximate)
        case SiLU():
            return F.silu(x)
        case Sigmoid():
            return torch.sigmoid(x)
        case Tanh():
            return torch.tanh(x)
        case Softmax():
            return torch.softmax(x, -1)
    raise TypeError(f"no such layer in PyTorch: {layer}")
