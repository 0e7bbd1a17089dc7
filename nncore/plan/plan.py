"""Plan: a network compiled for batches up to a size.

A plan walks the layers once, joins neighbours that one kernel can do together, and records what a step consists of with a
backend (nncore/backend/contract.py): memory is allocated once, all parameters are views of one flat vector, and steps of
forward, loss, backward and update run as one program, without Python in between. Tests prove it equal to the readable path,
the layers' own forward and backward.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nncore.arrays import Array, shape_text
from nncore.backend.contract import Batches, Moved, Outcome, Recorder, Rule, Tensor
from nncore.backend.devices import get_backend
from nncore.backend.threads import cores
from nncore.checks import real_number, shown, whole_number
from nncore.errors import ConfigError, DataError, NotCompilable
from nncore.layers import BatchNorm, ReLU
from nncore.losses import Loss
from nncore.network import Network
from nncore.optimizers import Optimizer
from nncore.plan.flat import flat_of
from nncore.plan.join import join
from nncore.plan.steps import Step, as_image
from nncore.plan.watch import Watch

TAKEN = frozenset(map(np.dtype, (np.uint8, np.float32, np.float64)))
"""What images may be."""
MOST_REPLICAS = 256
"""More threads than any machine has use for."""


class NotLoadedError(Exception):
    """A plan would have to wait for a compiler, and was told not to."""


class Plan:
    """A network compiled for batches of up to `batch_shape[0]` examples of shape `batch_shape[1:]`.

    Without a loss it only answers; with one it also finds gradients; with an optimizer, whose parameters are this network's,
    it trains. `replicas` is how many threads share a batch: one a core unless given.

    The network keeps its parameters: a plan reads and writes the same memory, so the readable path, other plans of the
    same network, `state_dict` and `load_state_dict` always see the same values, and so do the optimizer's moments.
    Batches may be smaller than the recorded one, down to none at all. The result is the same, bit for bit, each time; it
    depends on `replicas`, since sums are taken a slice at a time. Any thread may ask a plan; one waits for the other.

    Unless `exact`, the CPU finds many convolutions with a quarter to a half of their products (nncore/backend/cpu/winograd), which
    rounds by up to some 1e-5 of a mean output, where sums of products round by 4e-6.

    Raises ConfigError where shapes do not fit, NotCompilable for a layer, a loss or an optimizer that has no kernel, and
    NotLoadedError where, with `wait` False, this process has not loaded every kernel yet.
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
        exact: bool = False,
    ) -> None:
        if not isinstance(batch_shape, Sequence) or tuple(batch_shape[1:]) != network.input_shape:
            takes, asked = shape_text(network.input_shape), shown(batch_shape)
            raise ConfigError(f"The network takes {takes}, so it cannot be compiled for batches of the shape {asked}.")
        if replicas is not None:
            replicas = whole_number(replicas, "The number of replicas", 1, MOST_REPLICAS)
        if optimizer is not None and loss is None:
            raise ConfigError("A plan that trains needs a loss.")
        if loss is not None and len(network.output_shape) != 1:
            raise ConfigError(
                f"The network ends in {shape_text(network.output_shape)}, but a loss takes one score a class; end it on a vector."
            )
        if loss is not None and not loss.kernel:
            raise NotCompilable(f"There is no compiled {type(loss).__name__}; use the network's own forward and backward.")
        if optimizer is not None and not optimizer.rule:
            raise NotCompilable(f"There is no compiled {type(optimizer).__name__}; use the optimizer's own step.")
        if optimizer is not None and not _belong(optimizer, network):
            raise ConfigError("The optimizer belongs to another network.")
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self.batch_size = whole_number(batch_shape[0], "The number of examples of a batch")
        self.replicas = min(replicas or cores(), self.batch_size)
        self._backend, self._exact = get_backend(device), exact
        if not wait and not self._backend.is_loaded():
            raise NotLoadedError
        self._build(wait)

    def _build(self, wait: bool = True) -> None:
        """Record the program; again, where someone has put other arrays or numbers in the place of the recorded ones.

        What notices that is put in place last: until then threads that ask meanwhile record anew as well, and nobody is answered by
        the old numbers.
        """
        network, optimizer = self.network, self.optimizer
        self._flat = flat_of(network)
        watch = Watch(network, optimizer, self.loss)
        self._all = np.arange(self.batch_size)
        norms = [layer for layer in network.layers if isinstance(layer, BatchNorm)]
        self._fewest = min(((math.prod(layer.input_shape[:-1]), layer.name) for layer in norms), default=None)
        moments = self._flat.moments_of(optimizer) if optimizer is not None else []
        record = self._backend.record(self.batch_size, self._flat.vector, moments, self.replicas, self._exact)
        steps = join(network, self._flat.vector)
        with record.section("forward"):
            self._x = record.tensor(*as_image(network.input_shape), steps[0].wants)
            record.take(self._x)
            answers, tape = _forward(record, steps, self._x, training=False)
            self._relus = {layer.name: y for step, _, y, _ in tape for layer in step.layers if type(layer) is ReLU}
            record.barrier()
        if self.loss is not None:
            with record.section("train"):
                with record.section("gradients"):
                    record.take(self._x)
                    scores, tape = _forward(record, steps, self._x, training=True)
                    grad = record.tensor(1, 1, scores.channels)
                    record.loss(self.loss.kernel, self.loss.constants, scores, grad)
                    _backward(record, tape, grad)
                    record.sum_gradients()
                    if frozen := [name for name, each in network.parameters().items() if not each.requires_grad]:
                        record.freeze([(self._flat.parts[name].start, self._flat.parts[name].end) for name in frozen])
                if optimizer is not None:
                    if optimizer.clip_norm:
                        record.clip_gradients(optimizer.clip_norm)
                    record.update(self._rule(optimizer))
        if not wait and not record.is_loaded():
            raise NotLoadedError
        try:
            program = record.finish()
        except MemoryError as error:
            raise ConfigError(f"A plan for {self.batch_size} images at once does not fit into memory; take fewer.") from error
        self._program, self._answer = program, program.answering("forward", answers)
        self._watch, self._recorded = watch, self._flat

    def _rule(self, optimizer: Optimizer) -> Rule:
        parts = [
            Moved(self._flat.parts[name].start, self._flat.parts[name].end, optimizer.decay(parameter), parameter.lr_mult)
            for name, parameter in optimizer.parameters.items()
            if parameter.requires_grad
        ]
        return Rule(optimizer.rule, parts, optimizer.move)

    def forward(self, x: Array) -> Array:
        """The network's output, float32 (N, *output_shape), for x (N, *input_shape), as in use (dropout off, running statistics).

        x is float32, or uint8, which is divided by 255. N may be anything: larger batches are taken in parts.
        """
        self._check_images(x)
        self._follow_changes()
        count, shape, answer = len(x), self.network.output_shape, self._answer
        if count <= self.batch_size:
            return answer(x).reshape(count, *shape)
        out = np.empty((count, *shape), np.float32)
        for start in range(0, count, self.batch_size):
            part = x[start : start + self.batch_size]
            out[start : start + len(part)] = answer(part).reshape(len(part), *shape)
        return out

    __call__ = forward

    def relu_outputs(self, x: Array) -> dict[str, Array]:
        """What every ReLU gives for x (N, *input_shape), as in use: float32 (N, rows, columns, channels), by its name.

        Where one kernel does a ReLU together with a max pool behind it, that is the pool's output. N is at most `batch_size`.
        """
        self._check_images(x)
        if len(x) > self.batch_size:
            raise ConfigError(f"This plan takes batches of up to {self.batch_size}, not of {len(x)}.")
        self._follow_changes()
        batches = Batches(x, None, self._all[: len(x)], (len(x),))
        return dict(zip(self._relus, self._program.run("forward", batches, tuple(self._relus.values())).values, strict=True))

    def gradients(self, x: Array, labels: Array) -> float:
        """The loss of a batch, as in training, whose gradients are then found in every parameter's `grad`."""
        outcome = self._run("gradients", x, labels, [np.arange(len(x))], ())
        gradient = self.last_gradient()
        for name, parameter in self.network.parameters().items():
            parameter.grad = gradient[name]
        self.correct = int(outcome.right[0])
        return float(outcome.losses[0])

    def step(self, x: Array, labels: Array) -> float:
        """One step of training on the batch x (N, *input_shape; uint8 or float32) with integer labels (N), or with rows of target
        probabilities, float32 (N, classes), where the loss takes these: its loss.

        `correct` then tells how many of the batch were answered rightly before the step.
        """
        if self.optimizer is None:
            raise ConfigError("This plan has no optimizer, so it cannot train.")
        losses, right = self.steps(x, labels, [np.arange(len(x))], [self.optimizer.lr])
        self.correct = int(right[0])
        return float(losses[0])

    def steps(self, images: Array, labels: Array, batches: Sequence[Array], learning_rates: Sequence[float]) -> tuple[Array, Array]:
        """Take a step of training for each of `batches`, at its learning rate, without returning to Python in between.

        `batches` are index arrays into `images` (M, …; uint8 or float32, each of as many values as the network takes) and
        `labels` (M, or M rows as `step` takes them). Returns each step's loss (float64) and how many of its batch were right
        before it (int64). It ends behind the first step whose loss is not finite: then there are fewer results than batches.
        """
        if self.optimizer is None:
            raise ConfigError("This plan has no optimizer, so it cannot train.")
        taken = self.optimizer.steps
        learning_rates = [real_number(lr, "Each learning rate", "of at least 0", _is_rate) for lr in learning_rates]
        if len(learning_rates) != len(batches):
            raise ConfigError(f"Each step needs a learning rate: {len(batches)} batches came with {len(learning_rates)}.")
        rates = [self.optimizer.rates(lr, taken + n) for n, lr in enumerate(learning_rates, 1)]
        outcome = self._run("train", images, labels, batches, rates)
        self.optimizer.steps = taken + len(outcome.losses)
        return outcome.losses, outcome.right

    def last_gradient(self) -> dict[str, Array]:
        """A copy of the gradient of every parameter that the last step followed, by name: clipped, without weight decay.

        That of a frozen one is zero. Meaningless before a first step.
        """
        gradient = self._program.gradient()
        return {name: self._flat.parts[name].of(gradient) for name in self.network.parameters()}

    def _run(
        self, section: str, images: Array, labels: Array, batches: Sequence[Array], rates: Sequence[Sequence[float]]
    ) -> Outcome:
        if self.loss is None:
            raise ConfigError("This plan has no loss, so it cannot train.")
        self._check_images(images)
        self.loss.check((len(images), self.network.output_shape[-1]), labels)
        parts = [np.asarray(chosen) for chosen in batches]
        if any(part.ndim != 1 for part in parts):
            raise DataError("Each batch is given by the numbers of its images, as an array of one axis.")
        counts = tuple(map(len, parts))
        indices = parts[0] if len(parts) == 1 else np.concatenate([self._all[:0], *parts])
        self._check_batches(indices, counts, len(images))
        self._follow_changes()
        outcome = self._program.run(section, Batches(images, labels, indices, counts, rates))
        self.network.advance_dropout(len(outcome.losses))
        return outcome

    def _check_images(self, x: Array) -> None:
        if not isinstance(x, np.ndarray) or x.dtype not in TAKEN:
            kind = f"{x.dtype} of shape {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
            raise DataError(f"A plan takes an array of images, uint8 or float32, not {kind}.")
        if x.shape[1:] != self.network.input_shape and math.prod(x.shape[1:]) != math.prod(self.network.input_shape):
            given, takes = shape_text(x.shape[1:]), shape_text(self.network.input_shape)
            raise ConfigError(f"The images are {given}, but the network takes {takes}.")

    def _check_batches(self, indices: Array, counts: Sequence[int], images: int) -> None:
        """Raise ConfigError or DataError for batches that kernels could not be given."""
        if indices.dtype.kind not in "iu":
            raise DataError(f"Batches are given by the numbers of their images, not by {indices.dtype}.")
        if max(counts, default=0) > self.batch_size:
            raise ConfigError(f"This plan takes batches of up to {self.batch_size}, not of {max(counts)}.")
        if len(indices) and not 0 <= indices.min() <= indices.max() < images:
            raise DataError(f"A batch asks for images {indices.min()} to {indices.max()}, but there are {images}.")
        if self._fewest is not None and counts and (values := min(counts) * self._fewest[0]) < 2:
            raise DataError(f"{self._fewest[1]} needs at least two values a channel to train on, but got {values}.")

    def _follow_changes(self) -> None:
        """Record anew where parameters have been replaced or numbers changed that kernels were told."""
        if self._watch.has_changed() or not self._recorded.holds():
            self._build()


def _is_rate(lr: float) -> bool:
    return lr >= 0


def _belong(optimizer: Optimizer, network: Network) -> bool:
    """Whether the optimizer moves this network's parameters, and all of them."""
    mine = network.parameters()
    return optimizer.parameters.keys() == mine.keys() and all(optimizer.parameters[name] is mine[name] for name in mine)


def _forward(
    record: Recorder, steps: Sequence[Step], x: Tensor, training: bool
) -> tuple[Tensor, list[tuple[Step, Tensor, Tensor, Any]]]:
    """Record the layers in order; the last output, and for the way back each step with its input, output and what it kept."""
    tape = []
    for step in steps:
        y = step.output(record, x, training)
        kept = step.forward(record, x, y, training)
        tape.append((step, x, y, kept))
        x = y
    return x, tape


def _backward(record: Recorder, tape: Sequence[tuple[Step, Tensor, Tensor, Any]], grad: Tensor) -> None:
    """Record the way back, down to the first step that learns: nobody needs the gradient of what lies before."""
    first = next((n for n, (step, *_) in enumerate(tape) if step.learns), len(tape))
    for n in range(len(tape) - 1, first - 1, -1):
        step, x, y, kept = tape[n]
        grad_x = step.gradient(record, x, grad) if n > first else None
        step.backward(record, x, y, kept, grad, grad_x)
        if grad_x is not None:
            grad = grad_x
