"""A training step of a network by PyTorch's own functions, in float64, from the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nncore.arrays import Array
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
from nncore.losses import CrossEntropyLoss, HingeLoss, Loss
from nncore.network import Network
from nncore.optimizers import Adam, Optimizer


def step_of_torch(
    network: Network, loss: Loss, optimizer: Optimizer, before: Mapping[str, Array], x: Array, labels: Array
) -> dict[str, Array]:
    """The loss, the gradients and the parameters after the first step of `optimizer`, by name.

    `before` are the parameters that `network` had before the step; of the step itself only what dropout kept is asked for.
    """
    import torch

    values = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in before.items()}
    y = torch.tensor(x)
    for layer in network.layers:
        y = _forward(layer, y, values)
    target = torch.tensor(labels)
    if isinstance(loss, CrossEntropyLoss):
        found = torch.nn.functional.cross_entropy(y, target)
    elif isinstance(loss, HingeLoss):
        # PyTorch divides by the number of classes.
        found = y.shape[1] * torch.nn.functional.multi_margin_loss(y, target, margin=loss.margin)
    else:
        found = torch.nn.functional.nll_loss(torch.log(y), target)
    found.backward()
    result = {"loss": np.array(found.item())}
    result |= {f"gradient of {name}": value.grad.numpy().copy() for name, value in values.items()}
    groups = [{"params": [value], "weight_decay": optimizer.decay(optimizer.parameters[name])} for name, value in values.items()]
    if isinstance(optimizer, Adam):
        rule: Any = torch.optim.Adam(groups, optimizer.lr, optimizer.betas, optimizer.eps)
    else:
        rule = torch.optim.SGD(groups, optimizer.lr, optimizer.momentum)  # type: ignore[attr-defined]
    rule.step()
    return result | {name: value.detach().numpy() for name, value in values.items()}


def _forward(layer: Layer, x: Any, values: Mapping[str, Any]) -> Any:
    """The layer in training, on a tensor laid out as ours."""
    import torch

    F = torch.nn.functional
    weight, bias = values.get(f"{layer.name}.weight"), values.get(f"{layer.name}.bias")
    channels_first = x.movedim(-1, 1)
    match layer:
        case Linear():
            return x @ weight + (0 if bias is None else bias)
        case Conv2d():
            assert weight is not None
            kernels, (rows, columns) = weight.permute(3, 2, 0, 1).contiguous(), layer.margins
            padded = F.pad(channels_first, (*columns, *rows))
            return F.conv2d(padded, kernels, bias, layer.stride, 0, layer.dilation, layer.groups).movedim(1, -1)
        case MaxPool2d():
            return F.max_pool2d(channels_first, layer.kernel_size, layer.stride, layer.padding).movedim(1, -1)
        case AvgPool2d():
            return F.avg_pool2d(channels_first, layer.kernel_size, layer.stride, layer.padding).movedim(1, -1)
        case GlobalAvgPool2d():
            return F.adaptive_avg_pool2d(channels_first, 1).movedim(1, -1)
        case BatchNorm():
            return F.batch_norm(channels_first, None, None, weight, bias, True, layer.momentum, layer.eps).movedim(1, -1)
        case Dropout():
            return x * torch.tensor(layer.kept(np.zeros(x.shape))) / (1 - layer.p) if layer.p else x
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
