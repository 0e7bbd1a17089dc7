"""A network of nncore's in PyTorch, with the same weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nncore.layers import BatchNorm, Conv2d, Flatten, Layer, Linear, MaxPool2d


def modules(layers: list[Layer], torch: Any) -> Iterator[Any]:
    """The same network in PyTorch; the layers must have been built."""
    nn = torch.nn
    for layer in layers:
        if isinstance(layer, Conv2d):
            yield nn.Conv2d(layer.input_shape[2], layer.out_channels, layer.kernel_size, layer.stride, layer.padding)
        elif isinstance(layer, Linear):
            yield nn.Linear(layer.input_shape[0], layer.out_features)
        elif isinstance(layer, BatchNorm):
            kind = nn.BatchNorm2d if len(layer.input_shape) == 3 else nn.BatchNorm1d
            yield kind(layer.input_shape[-1], eps=layer.eps, momentum=layer.momentum)
        elif isinstance(layer, MaxPool2d):
            yield nn.MaxPool2d(layer.kernel_size, layer.stride)
        else:
            yield nn.Flatten() if isinstance(layer, Flatten) else nn.ReLU()


def load(model: Any, layers: list[Layer], torch: Any) -> None:
    """Give each module its layer's weights. Flattened images are ordered by channels first in PyTorch, last here."""
    flattened: tuple[int, ...] | None = None
    with torch.no_grad():
        for module, layer in zip(model, layers, strict=True):
            if isinstance(layer, Flatten):
                flattened = layer.input_shape
            if not isinstance(layer, Conv2d | Linear | BatchNorm):
                continue
            weight = layer.weight.data
            if isinstance(layer, Conv2d):
                weight = weight.transpose(3, 2, 0, 1)
            elif isinstance(layer, Linear):
                if flattened is not None and len(flattened) == 3:
                    weight = weight.reshape(*flattened, -1).transpose(2, 0, 1, 3).reshape(weight.shape)
                weight, flattened = weight.T, None
            module.weight.copy_(torch.tensor(np.ascontiguousarray(weight)))
            module.bias.copy_(torch.tensor(layer.bias.data))
