"""What the loss of one image wants of one weight, and the step that an optimizer takes with it: each with all its numbers.

The network is as in use: dropout drops nothing, batch norm takes its running statistics. A training step differs in that, and in
that its gradient is the mean over a batch; here the batch is this one image.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.errors import ConfigError
from nncore.explain.forward_pass import ForwardPass
from nncore.explain.pixel import Index
from nncore.layers import BatchNorm, Conv2d, Linear, Softmax
from nncore.layers.conv import window
from nncore.losses import CrossEntropyLoss, Loss, ProbabilityCrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import SGD, Adam, AdamW, Optimizer, clip_factor
from nncore.parameter import Parameter
from nncore.prediction import as_input


@dataclass(frozen=True, eq=False)
class BackwardPass:
    """The way of a loss back through a network: dL/dy of every layer, and the gradient of every parameter."""

    done: ForwardPass
    label: int
    """The class that the image is taken to show."""
    loss: float
    errors: tuple[Array, ...]
    """dL/d(values): of the input, then of the output of each layer, each of the shape of those values."""
    gradients: Mapping[str, Array]
    """dL/d(parameter) by the parameter's full name."""

    @classmethod
    def of(cls, network: Network, image: Array, label: int, loss: Loss | None = None) -> BackwardPass:
        """The way of `loss` (the cross-entropy unless given) for an image, uint8 (height, width, channels), that shows `label`.

        A network that ends on softmax is held against the cross-entropy of probabilities. `network`, its gradients included, stays
        as it is. Raises ConfigError where the image does not fit, DataError where the network has no such class.
        """
        twin = _with_own_gradients(network)
        done = ForwardPass.of(twin, image)
        if isinstance(twin.layers[-1], Softmax):
            loss = ProbabilityCrossEntropyLoss()
        elif loss is None:
            loss = CrossEntropyLoss()
        scores = twin.forward(as_input(image[None], twin.input_shape))
        found = loss(scores, np.array([label]))
        errors = [loss.backward()]
        for layer in reversed(twin.layers):
            errors.insert(0, layer.backward(errors[0]))
        gradients = {name: parameter.grad for name, parameter in twin.parameters().items()}
        return cls(done, label, found, tuple(error[0] for error in errors), gradients)

    def norm(self, without: Container[str] = ()) -> float:
        """The Euclidean norm of the gradients of all parameters together, but of those `without`: the frozen ones."""
        counting = (gradient for name, gradient in self.gradients.items() if name not in without)
        return math.sqrt(sum(float((gradient.astype(np.float64) ** 2).sum()) for gradient in counting))


def _with_own_gradients(network: Network) -> Network:
    """A network over the same numbers, as in use, whose `backward` leaves the gradients of `network` as they are."""
    twin = network.in_use()
    for layer in twin.layers:
        for name, parameter in tuple(layer.parameters()):
            own = copy.copy(parameter)
            setattr(layer, name, own)
    return twin


@dataclass(frozen=True, eq=False)
class WeightGradient:
    """dL/dw of one weight: the sum of `parts` = `inputs` · `errors` over the places at which the weight is used. In float64."""

    name: str
    """The parameter's full name: `conv1.weight`."""
    index: Index
    """Where in the parameter the weight stands."""
    weight: float
    gradient: float
    """dL/dw as the layer's own `backward` found it, in float32."""
    value: float
    """dL/dw as it follows from the parts."""
    inputs: Array
    """What the weight is multiplied with at each place: x, of batch norm x̂, and 1 for a bias; (out height, out width), or (1,)."""
    errors: Array
    """δ = dL/dy of what the product goes into; of the same shape."""
    parts: Array
    corner: tuple[int, int] = (0, 0)
    """Of a convolution's weight: row and column of the layer's input that it meets at the first place."""


def weight_gradient(found: BackwardPass, name: str, index: Index) -> WeightGradient:
    """Take the gradient of the weight at `index` of the parameter `name` (`conv1.weight`) apart.

    IndexError where there is no such weight, ConfigError for a layer of a kind that is not known here.
    """
    layer_name, _, kind = name.partition(".")
    values = found.done.state[name]
    if len(index) != values.ndim or not all(0 <= at < size for at, size in zip(index, values.shape, strict=True)):
        raise IndexError(f"{name} has no weight at {index}; it is {values.shape}.")
    place = found.done.place(layer_name)
    layer, x, delta = found.done.layers[place - 1], found.done.values[place - 1], found.errors[place]
    errors = np.atleast_1d(delta[..., index[-1]].astype(np.float64))
    corner = (0, 0)
    if not isinstance(layer, Conv2d | Linear | BatchNorm):
        raise ConfigError(f"How {layer_name} uses its weights is not known; {type(layer).__name__} is no layer of this program.")
    if kind == "bias":
        inputs = np.ones_like(errors)
    elif isinstance(layer, Conv2d):
        inputs, corner = _met(x, layer, index, errors.shape)
    elif isinstance(layer, Linear):
        inputs = np.array([x[index[0]]], np.float64)
    else:
        mean, variance = (values[index[0]] for values in found.done.parameters(place, "running_mean", "running_var"))
        inputs = np.atleast_1d((x[..., index[0]].astype(np.float64) - mean) / np.sqrt(np.float64(variance) + layer.eps))
    parts, gradient = inputs * errors, float(found.gradients[name][index])
    return WeightGradient(name, index, float(values[index]), gradient, float(parts.sum()), inputs, errors, parts, corner)


def _met(x: Array, layer: Conv2d, index: Index, places: tuple[int, ...]) -> tuple[Array, tuple[int, int]]:
    """What a kernel's cell meets as the kernel moves over the padded input, (out height, out width), and where it begins."""
    channel = index[3] // (layer.out_channels // layer.groups) * (x.shape[2] // layer.groups) + index[2]
    padded = np.pad(x[..., channel].astype(np.float64), layer.margins)
    first = [index[axis] * layer.dilation[axis] for axis in (0, 1)]
    down, across = (window(first[axis], places[axis], layer.stride[axis]) for axis in (0, 1))
    return padded[down, across], (first[0] - layer.margins[0][0], first[1] - layer.margins[1][0])


@dataclass(frozen=True)
class WeightStep:
    """What an optimizer does with one weight in one step."""

    rule: str
    """As `Optimizer.rule` says it: `adam`, `adamw`, `momentum`, `nesterov` or `sgd`; empty for a weight that is frozen."""
    weight: float
    gradient: float
    """dL/dw, before anything else."""
    clip: float
    """What clipping multiplies the gradient by: 1 where nothing is clipped."""
    decay: float
    """λ of the weight decay: λ w is added to the clipped gradient, or by `adamw` lr · λ w taken from the weight."""
    followed: float
    """g: the gradient that the rule follows, clip · dL/dw + λ w; by `adamw` without λ w."""
    lr: float
    """The learning rate, times the weight's own factor."""
    number: int
    """t: which step of the optimizer it is, from 1."""
    before: Mapping[str, float]
    """The running averages that the rule keeps for the weight, by the optimizer's names of them; empty where it keeps none."""
    after: Mapping[str, float]
    corrected: Mapping[str, float]
    """Adam's averages without their bias towards zero, m̂ and v̂; empty for other rules."""
    settings: Mapping[str, float]
    """The rule's own numbers: `momentum`, or `first`, `second` (Adam's β₁ and β₂) and `eps`."""
    change: float
    """What is added to the weight."""

    @property
    def new_weight(self) -> float:
        return self.weight + self.change


def weight_step(
    optimizer: Optimizer,
    weight: float,
    gradient: float,
    parameter: Parameter | None = None,
    averages: Mapping[str, float] | None = None,
    steps: int = 0,
    norm: float | None = None,
) -> WeightStep:
    """The step that `optimizer`, at its present learning rate, takes with a weight whose loss has the gradient dL/dw.

    `parameter` is the one that the weight belongs to: what it says of itself counts, where it is given. `averages` are the running
    averages of the weight after `steps` steps (zeros unless given), `norm` is that of the whole gradient, by which it is clipped
    where the optimizer clips. ConfigError for an optimizer that is not known here. The optimizer stays as it is.
    """
    clip = clip_factor(norm, optimizer.clip_norm) if optimizer.clip_norm and norm is not None else 1.0
    decay, lr = optimizer.weight_decay, optimizer.lr
    if parameter is not None:
        decay, lr = optimizer.decay(parameter), lr * parameter.lr_mult
    followed, number = clip * gradient + (0.0 if isinstance(optimizer, AdamW) else decay * weight), steps + 1
    before = {slot: float((averages or {}).get(slot, 0.0)) for slot in optimizer.slots}
    corrected: dict[str, float] = {}
    if parameter is not None and not parameter.requires_grad:
        return WeightStep("", weight, gradient, 0.0, decay, 0.0, lr, number, before, before, corrected, {}, 0.0)
    if isinstance(optimizer, Adam):
        (first, second), eps = optimizer.betas, optimizer.eps
        after = {
            "mean": first * before["mean"] + (1 - first) * followed,
            "square": second * before["square"] + (1 - second) * followed**2,
        }
        corrected = {"mean": after["mean"] / (1 - first**number), "square": after["square"] / (1 - second**number)}
        change = -lr * corrected["mean"] / (math.sqrt(corrected["square"]) + eps)
        rule, settings = "adam", {"first": first, "second": second, "eps": eps}
        if isinstance(optimizer, AdamW):
            rule, change = "adamw", change - lr * decay * weight
    elif isinstance(optimizer, SGD) and optimizer.momentum:
        after = {"velocity": optimizer.momentum * before["velocity"] + followed}
        change, rule, settings = -lr * after["velocity"], "momentum", {"momentum": optimizer.momentum}
        if optimizer.nesterov:
            rule, change = "nesterov", -lr * (followed + optimizer.momentum * after["velocity"])
    elif isinstance(optimizer, SGD):
        after, change, rule, settings = {}, -lr * followed, "sgd", {}
    else:
        raise ConfigError(f"The step of {type(optimizer).__name__} is not known; it is no optimizer of this program.")
    return WeightStep(rule, weight, gradient, clip, decay, followed, lr, number, before, after, corrected, settings, change)
