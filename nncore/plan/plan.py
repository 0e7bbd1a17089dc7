"""The fast path: a network compiled for one batch shape.

A `Plan` walks the layers once, joins neighbours that one kernel can do together, and records
what a step consists of with a backend (nncore/backend/contract.py): buffers are allocated once, all parameters are views of
one flat vector, and a step of forward, loss, backward and update runs as one program on all cores, without Python and
without the GIL. Tests prove it equal to the readable path, the layers' own forward and backward.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nncore.arrays import Array, shape_text
from nncore.backend.contract import Kernels, Rule, Tensor
from nncore.backend.devices import get_backend
from nncore.backend.threads import cores
from nncore.errors import ConfigError, DataError, NotCompilable
from nncore.layers import BatchNorm
from nncore.losses import CrossEntropyLoss, HingeLoss, Loss, ProbabilityCrossEntropyLoss, check_labels
from nncore.network import Network
from nncore.optimizers import SGD, Adam, Optimizer
from nncore.plan.flat import flat_of
from nncore.plan.join import join
from nncore.plan.steps import Step, as_image

LOSSES: dict[type[Loss], str] = {
    CrossEntropyLoss: "cross_entropy",
    ProbabilityCrossEntropyLoss: "probability",
    HingeLoss: "hinge",
}


class NotLoadedError(Exception):
    """A plan would have to wait for a compiler, and was told not to."""


class Plan:
    """A network compiled for batches of up to `batch_shape[0]` examples of shape `batch_shape[1:]`.

    The network keeps its parameters: a plan reads and writes the same memory, so the readable path, other plans of the
    same network, `state_dict` and `load_state_dict` always see the same values, and so do the optimizer's moments.
    Batches may be smaller than the recorded one, down to a single example. The result is the same, bit for bit, each
    time; it depends on `replicas`, since sums are taken a slice at a time.

    Raises ConfigError where the input's shape does not fit, NotCompilable for a layer, a loss or an optimizer that has no
    kernel, and NotLoadedError where, with `wait` False, this process has not loaded every kernel yet.
    """

    def __init__(
        self,
        network: Network,
        batch_shape: Sequence[int],
        loss: Loss | None = None,
        optimizer: Optimizer | None = None,
        replicas: int | None = None,
        device: str = "cpu",
        wait: bool = True,
    ) -> None:
        if tuple(batch_shape[1:]) != network.input_shape or batch_shape[0] < 1:
            asked = shape_text(tuple(batch_shape))
            raise ConfigError(
                f"The network takes {shape_text(network.input_shape)}, so it cannot be compiled for batches of {asked}."
            )
        if replicas is not None and replicas < 1:
            raise ConfigError(f"A plan needs at least one replica, not {replicas}.")
        if loss is not None and type(loss) not in LOSSES:
            raise NotCompilable(f"There is no compiled {type(loss).__name__}; there are {', '.join(k.__name__ for k in LOSSES)}.")
        if optimizer is not None and loss is None:
            raise ConfigError("A plan that trains needs a loss.")
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self.batch_size: int = batch_shape[0]
        self.replicas = min(replicas or cores(), self.batch_size)
        self._backend = get_backend(device)
        if not wait and not self._backend.is_loaded():
            raise NotLoadedError
        self._build(wait)

    def _build(self, wait: bool = True) -> None:
        """Record the program; again, where someone has put other arrays in the place of the parameters."""
        network = self.network
        self._flat = flat_of(network)
        moments = self._flat_moments()
        record = self._backend.record(self.batch_size, self._flat.vector, moments, self.replicas)
        steps = join(network, self._flat.vector)
        record.mark("forward")
        self._x = record.tensor(*as_image(network.input_shape), steps[0].wants)
        record.take(self._x)
        self._scores, _ = _forward(record, steps, self._x, training=False)
        record.meet()
        if self.loss is not None:
            record.mark("train")
            record.take(self._x)
            scores, tape = _forward(record, steps, self._x, training=True)
            grad = record.tensor(1, 1, scores.channels)
            record.loss(LOSSES[type(self.loss)], getattr(self.loss, "margin", 0.0), scores, grad)
            _backward(record, tape, grad)
            record.update(self._rule(self.optimizer) if self.optimizer is not None else None)
        if not wait and not record.is_loaded():
            raise NotLoadedError
        self._program = record.finish()

    def _flat_moments(self) -> list[Array]:
        """The optimizer's running averages as flat vectors, of which its own dictionaries keep views."""
        moments = []
        if self.optimizer is not None:
            if self.optimizer.parameters.keys() != self.network.parameters().keys():
                raise ConfigError("The optimizer belongs to another network.")
            for slot, values in self.optimizer.moments.items():
                flat, views = self._flat.moment(values)
                self.optimizer.moments[slot] = views
                moments.append(flat)
        return moments

    def _rule(self, optimizer: Optimizer) -> Rule:
        decays = [
            (self._flat.parts[name].start, self._flat.parts[name].end, optimizer.decay(parameter))
            for name, parameter in optimizer.parameters.items()
        ]
        if type(optimizer) is Adam:
            return Rule("adam", decays)
        if type(optimizer) is SGD:
            return Rule("momentum" if optimizer.momentum else "sgd", decays)
        raise NotCompilable(f"There is no compiled {type(optimizer).__name__}; there are SGD and Adam.")

    def forward(self, x: Array) -> Array:
        """The network's output, float32 (N, classes), for x (N, *input_shape), as in use (dropout off, running statistics).

        x is float32, or uint8, which is divided by 255. N may be anything: larger batches are taken in parts.
        """
        out = np.empty((len(x), *self.network.output_shape), np.float32)
        for start in range(0, len(x), self.batch_size):
            part = self._checked(x[start : start + self.batch_size])
            self._program.run("forward", part, None)
            out[start : start + len(part)] = self._program.read(self._scores, len(part)).reshape(len(part), -1)
        return out

    __call__ = forward

    def gradients(self, x: Array, labels: Array) -> float:
        """The loss of a batch, as in training, whose gradients are then found in every parameter's `grad`."""
        value, self.correct = self._train(x, labels, ())
        for name, parameter in self.network.parameters().items():
            parameter.grad = self._flat.parts[name].of(self._program.gradient).copy()
        return value

    def step(self, x: Array, labels: Array) -> float:
        """One step of training on the batch x (N, *input_shape; uint8 or float32) with integer labels (N): its loss.

        `correct` then tells how many of the batch were answered rightly before the step.
        """
        if self.optimizer is None:
            raise ConfigError("This plan has no optimizer, so it cannot train.")
        optimizer = self.optimizer
        optimizer.steps += 1
        try:
            value, self.correct = self._train(x, labels, optimizer.rates(optimizer.lr, optimizer.steps))
        except BaseException:
            optimizer.steps -= 1
            raise
        return value

    def steps(self, images: Array, labels: Array, batches: Sequence[Array], learning_rates: Sequence[float]) -> tuple[Array, Array]:
        """Take a step of training for each of `batches`, at its learning rate.

        `batches` are index arrays into `images` (M, …; uint8 or float32, each of as many values as the network takes) and
        `labels` (M). Returns each step's loss (float64) and how many of its batch were right before it (int64). It ends
        behind the first step whose loss is not finite: then there are fewer results than batches.
        """
        if self.optimizer is None:
            raise ConfigError("This plan has no optimizer, so it cannot train.")
        losses, right = [], []
        for chosen, rate in zip(batches, learning_rates, strict=True):
            self.optimizer.lr = rate
            losses.append(self.step(images[chosen].reshape(len(chosen), *self.network.input_shape), labels[chosen]))
            right.append(self.correct)
            if not np.isfinite(losses[-1]):
                break
        return np.array(losses, np.float64), np.array(right, np.int64)

    def _train(self, x: Array, labels: Array, rates: Sequence[float]) -> tuple[float, int]:
        if self.loss is None:
            raise ConfigError("This plan has no loss, so it cannot train.")
        x = self._checked(x)
        check_labels((len(x), self.network.output_shape[-1]), labels)
        for layer in self.network.layers:
            if isinstance(layer, BatchNorm) and len(x) * int(np.prod(layer.input_shape[:-1])) < 2:
                raise DataError(f"{layer.name} needs at least two values a channel to train on, but got {len(x)}.")
        self.network.advance_dropout()
        return self._program.run("train", x, labels, rates)

    def _checked(self, x: Array) -> Array:
        if not self._flat.holds():
            self._build()
        if x.shape[1:] != self.network.input_shape:
            raise ConfigError(
                f"The images are {shape_text(x.shape[1:])}, but the network takes {shape_text(self.network.input_shape)}."
            )
        return x


def _forward(
    record: Kernels, steps: Sequence[Step], x: Tensor, training: bool
) -> tuple[Tensor, list[tuple[Step, Tensor, Tensor, Any]]]:
    """Record the layers in order; the last output, and for the way back each step with its input, output and what it kept."""
    tape = []
    for step in steps:
        y = step.output(record, x, training)
        kept = step.forward(record, x, y, training)
        tape.append((step, x, y, kept))
        x = y
    return x, tape


def _backward(record: Kernels, tape: Sequence[tuple[Step, Tensor, Tensor, Any]], grad: Tensor) -> None:
    """Record the way back, down to the first step that has parameters: nobody needs the gradient of what lies before."""
    first = next((n for n, (step, *_) in enumerate(tape) if step.learns), len(tape))
    for n in range(len(tape) - 1, first - 1, -1):
        step, x, y, kept = tape[n]
        grad_x = step.gradient(record, x, grad) if n > first else None
        step.backward(record, x, y, kept, grad, grad_x)
        if grad_x is not None:
            grad = grad_x
