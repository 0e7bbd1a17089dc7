"""A network by PyTorch's own functions, in float64 and as in use, and a few lines for each way to explain its answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)

from nncore.arrays import Array
from nncore.explain.target import Target
from nncore.layers import Softmax
from nncore.network import Network
from tests.nncore.torch_layers import forward


class Opinion:
    """What PyTorch says of the target of a network; a softmax at its end is left out."""

    def __init__(self, network: Network, target: Target) -> None:
        ends = isinstance(network.layers[-1], Softmax)
        self.layers, self.target, self.shape = network.layers[: len(network.layers) - ends], target, network.input_shape

    def outputs(self, images: Array) -> tuple[Any, dict[str, Any]]:
        """For images (N, …) in 0..1 their tensor, and by its name the output of each layer."""
        x = torch.tensor(images.reshape(-1, *self.shape), dtype=torch.float64, requires_grad=True)
        found, y = {}, x
        for layer in self.layers:
            numbers = (*layer.parameters(), *layer.buffers())
            own = {name: torch.tensor(each.data, dtype=torch.float64) for name, each in numbers}
            y = forward(layer, y, own, training=False)
            y.retain_grad()
            found[layer.name] = y
        return x, found

    def of(self, logits: Any) -> Any:
        own = logits[:, self.target.label]
        return own if self.target.against is None else own - logits[:, self.target.against]

    def score(self, images: Array) -> Array:
        return self.of(self.outputs(images)[1][self.layers[-1].name]).detach().numpy()

    def gradient(self, images: Array) -> Array:
        x, found = self.outputs(images)
        self.of(found[self.layers[-1].name]).sum().backward()
        return x.grad.numpy().reshape(images.shape)

    def integrated(self, image: Array, baseline: Array, steps: int) -> Array:
        alphas = ((np.arange(steps) + 0.5) / steps).reshape(-1, 1, 1, 1)
        return (image - baseline) * self.gradient(baseline + alphas * (image - baseline)).mean(axis=0)

    def cam(self, image: Array, layer: str) -> tuple[Array, float]:
        """The map (height, width), and the largest size of its sums over the channels before those below zero became zero."""
        _, found = self.outputs(image[None])
        self.of(found[self.layers[-1].name]).sum().backward()
        maps = found[layer]
        sums = (maps * maps.grad.mean(dim=(1, 2), keepdim=True)).sum(dim=3)
        enlarged = F.interpolate(torch.relu(sums)[None], size=image.shape[:2], mode="bilinear", align_corners=False)
        return enlarged[0, 0].detach().numpy(), float(sums.detach().abs().max())
