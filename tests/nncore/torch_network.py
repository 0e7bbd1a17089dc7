"""A training step of a network by PyTorch's own functions, in float64, from the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nncore.arrays import Array
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

    from tests.nncore.torch_layers import forward

    values = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in before.items()}
    y = torch.tensor(x)
    for layer in network.layers:
        own = {name: values[f"{layer.name}.{name}"] for name, _ in layer.parameters()}
        y = forward(layer, y, own, training=True)
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
