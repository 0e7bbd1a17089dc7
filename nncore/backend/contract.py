"""The backend contract: every operation that the engine needs, by name, with its shapes and what it does.

A backend is where arrays live and how the hot operations run on them. A plan (nncore/plan) walks a network once and calls one
method of `Recorder` for each thing to be done. `finish` turns the record into a `Program`, which runs many steps at a time:
on the CPU as one call without the GIL on every core, on a GPU as captured graphs. All values are float32, images are NHWC,
and every shape leaves out the batch axis. nncore/backend/reference does all of it by the layers' own functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from nncore.arrays import Array, Shape
from nncore.backend.variations import Variations
from nncore.backend.vector import Vector

IntPair: TypeAlias = tuple[int, int]
Constant: TypeAlias = float | tuple[float, ...]
"""A number that a loss's kernel takes, or one for each class."""


@dataclass(frozen=True)
class Tensor:
    """A batch of images (rows × cols × channels) in the backend's memory; vectors are images of 1 × 1 pixel.

    `padding` rows and columns of zeros lie around each image, ready for the convolution that reads it.
    """

    place: Any
    """Where the first value (of the first image, inside the padding) lies: the backend's own business."""
    rows: int
    cols: int
    channels: int
    padding: IntPair = (0, 0)

    @property
    def row_pitch(self) -> int:
        """Distance from one row to the next, in values."""
        return (self.cols + 2 * self.padding[1]) * self.channels

    @property
    def pitch(self) -> int:
        """Distance from one image to the next, in values."""
        return (self.rows + 2 * self.padding[0]) * self.row_pitch

    @property
    def flat(self) -> Tensor:
        """The same memory as vectors. Only for images without padding."""
        return Tensor(self.place, 1, 1, self.rows * self.cols * self.channels)


@dataclass(frozen=True)
class Weights:
    """Where a layer's weight and bias lie among the network's flat parameters; the bias among `Vector.zeros` where it has none."""

    weight: int
    bias: int


@dataclass(frozen=True)
class Window:
    """A kernel's or a pool's geometry, each pair (vertical, horizontal)."""

    size: IntPair
    stride: IntPair


class Moved(NamedTuple):
    """How one parameter is moved."""

    start: int
    """Where it lies among the flat parameters: its first value, …"""
    end: int
    """… and behind its last."""
    decay: float = 0.0
    """λ of its weight decay."""
    lr_mult: float = 1.0
    """What the learning rate, the first of the step's `rates`, is multiplied by for it."""


@dataclass(frozen=True)
class Spread(Window):
    """The geometry of a convolution whose kernel is spread over its input: see layers/conv.py."""

    dilation: IntPair
    groups: int
    before: IntPair
    """Rows of zeros above and columns at the left: at most as many as the padding of the input has."""


@dataclass(frozen=True)
class Rule:
    """How an optimizer moves the parameters."""

    name: str
    """The rule's name, as `Optimizer.rule` says it: sgd, momentum, nesterov, adam, adamw."""
    parts: Sequence[Moved]
    """Each parameter that is moved; those left out stay as they are, with their running averages."""
    move: Callable[..., None]
    """The formula on arrays, as `Optimizer.move`: (values, grad, moments, decay, *rates)."""


class RandomSource(Protocol):
    """What a layer's random bits follow from: nncore.layers.Dropout."""

    @property
    def threshold(self) -> int:
        """A value falls where its random 32 bits are below this."""

    def key(self, ahead: int = 0) -> int:
        """What the random bits of the call `ahead` calls after the last one are made from."""


class PlainLayer(Protocol):
    """A layer without parameters that names its own kernel: see nncore.layers.Layer."""

    input_shape: Shape
    output_shape: Shape

    @property
    def kernel(self) -> str:
        """The operations `kernel` and `kernel_back`."""

    def kernel_numbers(self) -> dict[str, float]:
        """The numbers that they take besides shapes, by name."""

    def forward(self, x: Array) -> Array:
        """The same on an array (N, *input_shape): (N, *output_shape)."""

    def backward(self, grad: Array) -> Array:
        """dL/dx of the last `forward`."""


@dataclass(frozen=True, eq=False)
class Batches:
    """What a run works on: a batch for each step, taken from `images` by their indices."""

    images: Array
    """uint8, which is divided by 255, or float32: (M, …), each of as many values as the network takes."""
    labels: Array | None
    """int64 (M), or float32 (M, classes) for a loss that takes rows of target probabilities; None where only answers are wanted."""
    indices: Array
    """The numbers of the steps' images, step after step: int64. Nothing checks that there are such images."""
    counts: Sequence[int]
    """How many of them each step takes: at most as many as recorded."""
    rates: Sequence[Sequence[float]] = ()
    """The optimizer's numbers for each step, where parameters are to be updated: see `Optimizer.rates`."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run found."""

    losses: Array
    """The mean loss of each step's batch, before the step: float64. Empty without labels."""
    right: Array
    """How many of each batch were answered rightly, before the step: int64. Empty without labels."""
    values: Sequence[Array]
    """The tensors that were to be read, as after the last step: each float32 (N, rows, cols, channels), on the host."""


class Recorder(Protocol):
    """What a backend records. Every `…_backward` reads `grad`, laid out as the output, and writes `grad_x` as the input.

    `grad_x` None: nobody asks for the gradient of the input. Gradients of parameters go to the replica's own copy of the
    flat parameters, until `sum_gradients`. NotCompilable is raised for what the backend has no kernel for.
    """

    def tensor(self, rows: int, cols: int, channels: int, padding: IntPair = (0, 0)) -> Tensor:
        """Room for one batch of images, zero at first."""

    def take(self, y: Tensor) -> None:
        """y = the step's batch."""

    def linear(self, x: Tensor, weights: Weights, y: Tensor, relu: bool) -> None:
        """y (O) = x (E) · weight (E, O) + bias (O), through max(·, 0) where `relu`."""

    def linear_backward(self, x: Tensor, weights: Weights, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None) -> None:
        """The gradients of `linear`. May overwrite `grad`."""

    def conv2d(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> None:
        """y (rows, cols, O) = the convolution of x and its padding with weight (k, k, C, O), plus bias (O): see layers/conv.py."""

    def conv2d_backward(
        self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        """The gradients of `conv2d`. May overwrite `grad`."""

    def spread_conv2d(self, x: Tensor, weights: Weights, spread: Spread, y: Tensor) -> None:
        """`conv2d` with weight (k, k, C / groups, O), dilated or in groups, or with more zeros on one side than on the other."""

    def spread_conv2d_backward(self, x: Tensor, weights: Weights, spread: Spread, grad: Tensor, grad_x: Tensor | None) -> None:
        """The gradients of `spread_conv2d`."""

    def conv2d_max_pool(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> Any:
        """`conv2d`, then max pooling by 2 × 2 without overlap, in one pass; returns the winners, for the way back."""

    def conv2d_max_pool_backward(
        self, x: Tensor, weights: Weights, window: Window, winners: Any, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        """The gradients of `conv2d_max_pool`."""

    def activation(self, name: str, x: Tensor, y: Tensor) -> None:
        """y = relu, sigmoid, tanh or softmax (over the channels) of x: `name` is the layer's kind."""

    def activation_backward(self, name: str, y: Tensor, grad: Tensor, grad_x: Tensor) -> None:
        """grad_x from the activation's output y. `grad_x` may be `grad` itself."""

    def plain(self, layer: PlainLayer, x: Tensor, y: Tensor) -> None:
        """y = the layer of x: one without parameters that names its own kernel."""

    def plain_backward(self, layer: PlainLayer, x: Tensor, y: Tensor, grad: Tensor, grad_x: Tensor) -> None:
        """grad_x, zero before, from the layer's input x, its output y and grad."""

    def max_pool2d(self, x: Tensor, window: Window, y: Tensor) -> Any:
        """y = the largest value of each window; returns the winners. Of equal values the first wins."""

    def max_pool2d_backward(self, window: Window, winners: Any, grad: Tensor, grad_x: Tensor) -> None:
        """Each window's gradient goes to its winner."""

    def avg_pool2d(self, x: Tensor, window: Window, y: Tensor) -> None:
        """y = the mean of each window."""

    def avg_pool2d_backward(self, window: Window, grad: Tensor, grad_x: Tensor) -> None:
        """Each value of a window gets an equal share of its gradient."""

    def batch_norm(
        self, x: Tensor, weights: Weights, running: int, momentum: float, eps: float, y: Tensor, relu: bool, training: bool
    ) -> Any:
        """Batch norm over the whole batch of all replicas, with ReLU where `relu`; see layers/batchnorm.py.

        `running` is the place of the running mean, directly followed by the variance. Returns what the way back needs.
        """

    def batch_norm_backward(
        self, x: Tensor, weights: Weights, kept: Any, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        """The gradients of `batch_norm` in training. May overwrite `grad`."""

    def dropout(self, x: Tensor, p: float, y: Tensor, source: RandomSource) -> None:
        """y = x · kept / (1 − p), where the bits that `source` gives for the step decide what is kept."""

    def dropout_backward(self, p: float, grad: Tensor, grad_x: Tensor, source: RandomSource) -> None:
        """grad_x = grad · kept / (1 − p), for the same step's kept."""

    def loss(self, name: str, constants: Sequence[Constant], scores: Tensor, grad: Tensor) -> None:
        """grad = dL/d(scores) for the step's labels; `name` and `constants` are the loss's own (nncore/losses.py).

        Right is an answer that is the label, or that has the largest of the target probabilities.
        """

    def sum_gradients(self) -> None:
        """The gradients of all replicas are added up; from here on `Program.gradient` is that of the whole batch."""

    def freeze(self, places: Sequence[tuple[int, int]]) -> None:
        """The summed gradient becomes zero from each start to its end: places of parameters. Recorded after `sum_gradients`."""

    def clip_gradients(self, max_norm: float) -> None:
        """The summed gradient g becomes g · min(1, max_norm / (‖g‖ + 10⁻⁶)), ‖g‖ its Euclidean norm: see nncore/optimizers.py.

        Recorded, if at all, between `sum_gradients`, or `freeze`, and `update`.
        """

    def update(self, rule: Rule) -> None:
        """The parameters follow the summed gradient by the rule, with the numbers that the step is given."""

    def barrier(self) -> None:
        """The replicas wait for each other: what one has written, all can read. Ends every section."""

    def section(self, name: str) -> AbstractContextManager[None]:
        """What is recorded within is a section, which a program runs by that name. Sections may lie in each other."""

    def is_loaded(self) -> bool:
        """Whether this process has every kernel of the record at hand, so that `finish` need not wait for a compiler."""

    def finish(self) -> Program:
        """The record as a program."""


class Program(Protocol):
    """Recorded sections, ready to run. Any thread may run them: one waits for the other."""

    def run(self, section: str, batches: Batches, read: Sequence[Tensor] = ()) -> Outcome:
        """Take a step of the section for each of the batches, then read those tensors, before any other thread can run.

        Ends behind the first step whose loss is not finite: then there are fewer losses than batches.
        """

    def answering(self, section: str, tensor: Tensor) -> Callable[[Array], Array]:
        """A function that takes images, as `Batches` has them but at most as many as recorded, through one step of the section
        without labels, and returns the tensor's values, float32 (N, rows · cols · channels): what `run` would read, sooner where
        the images are few. Any thread may call it.
        """

    def gradient(self) -> Array:
        """A copy of the summed gradient of the last step, laid out as the flat parameters: float32, on the host.

        It is clipped where that was recorded; weight decay is no part of it.
        """

    def write(self, tensor: Tensor, values: Array) -> None:
        """Put values (N, rows, cols, channels) into a tensor's first N images: for tests of one operation by itself."""


class Backend(Protocol):
    """A place where networks live and run."""

    name: str
    """`cpu`, `cuda`: what --device takes."""

    def is_loaded(self) -> bool:
        """Whether this process has loaded what recording needs, so that `record` takes no time."""

    def is_ready(self) -> bool:
        """Whether every kernel has been compiled on this machine: then nothing ever waits for a compiler."""

    def prepare(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Compile every kernel that is not, in a process of its own, and wait for it; whether all are ready then.

        `give_up` is asked twenty times a second whether to wait no longer.
        """

    def describe(self) -> str:
        """The device in a few words, for people: `CPU · 2 cores`."""

    def evaluation_batch(self, values: int) -> int:
        """How many images it best takes at a time where many wait for an answer, each of so many values in all layers."""

    def asarray(self, array: Array) -> Array:
        """The array on this backend; itself where it is there already."""

    def to_numpy(self, array: Array) -> Array:
        """The array as a NumPy array on the host."""

    def vary(self, images: Array, variations: Variations, by_row: Array, by_column: Array, table: Array) -> Array:
        """A variation of each image, by the formula of nncore/data/augment.py: uint8 (N, height, width, channels) in and out.

        `by_row` and `by_column` are the splines of the two sides, float32 (side, KNOTS); `table` is the noise, float32 (NOISE).
        """

    def record(self, batch: int, vector: Vector, moments: Sequence[Array], replicas: int, exact: bool = False) -> Recorder:
        """Begin to record steps for batches of at most `batch` examples on the parameters and buffers in `vector`.

        `moments` are the optimizer's running averages, flat as the parameters. ConfigError where a backend takes fewer. With
        `exact` every convolution is the sum of products that its formula has, even where a backend knows a way of fewer.
        """
