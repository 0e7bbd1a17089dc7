"""The backend contract: every kernel that the engine needs, by name, with its shapes and what it does.

A backend is where arrays live and how the hot operations run on them. The plan (nncore/plan/plan.py) walks a network once and
calls one method of `Kernels` for each thing to be done; the backend records the calls. `finish` turns the record into a
`Program`, which runs a whole step at a time: on the CPU as one call without the GIL on every core, on a GPU as one
captured graph. All values are float32, images are NHWC, and every shape leaves out the batch axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from nncore.arrays import Array
from nncore.backend.vector import Vector

IntPair: TypeAlias = tuple[int, int]


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
    """Where a layer's weight and bias lie among the network's flat parameters."""

    weight: int
    bias: int


@dataclass(frozen=True)
class Window:
    """A kernel's or a pool's geometry, each pair (vertical, horizontal)."""

    size: IntPair
    stride: IntPair


@dataclass(frozen=True)
class Rule:
    """An optimizer: `name` is sgd, momentum or adam; `decays` holds (start, end, weight decay) a parameter."""

    name: str
    decays: Sequence[tuple[int, int, float]]


class Kernels(Protocol):
    """What a backend records. Every `…_backward` reads `grad`, laid out as the output, and writes `grad_x` as the input.

    `grad_x` None: nobody asks for the gradient of the input. Gradients of parameters go to the replica's own copy of the
    flat parameters, and are added up by `update`.
    """

    def tensor(self, rows: int, cols: int, channels: int, padding: IntPair = (0, 0)) -> Tensor:
        """Room for one batch of images, zero at first."""

    def take(self, y: Tensor) -> None:
        """y = the batch given to `Program.run`: uint8 divided by 255, or float32."""

    def product(self, x: Tensor, weights: Weights, y: Tensor, relu: bool) -> None:
        """y (O) = x (E) · weight (E, O) + bias (O), through max(·, 0) where `relu`."""

    def product_backward(self, x: Tensor, weights: Weights, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None) -> None:
        """The gradients of `product`. May overwrite `grad`."""

    def convolution(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> None:
        """y (rows, cols, O) = the convolution of x and its padding with weight (k, k, C, O), plus bias (O): see layers/conv.py."""

    def convolution_backward(
        self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        """The gradients of `convolution`. May overwrite `grad`."""

    def pooled_convolution(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> Any:
        """`convolution`, then max pooling by 2 × 2 without overlap, in one pass; returns the winners, for the way back."""

    def pooled_convolution_backward(
        self, x: Tensor, weights: Weights, window: Window, winners: Any, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        """The gradients of `pooled_convolution`."""

    def activation(self, name: str, x: Tensor, y: Tensor) -> None:
        """y = relu, sigmoid, tanh or softmax (of vectors) of x."""

    def activation_backward(self, name: str, y: Tensor, grad: Tensor, grad_x: Tensor) -> None:
        """grad_x from the activation's output y."""

    def max_pool(self, x: Tensor, window: Window, y: Tensor) -> Any:
        """y = the largest value of each window; returns the winners. Of equal values the first wins."""

    def max_pool_backward(self, window: Window, winners: Any, grad: Tensor, grad_x: Tensor) -> None:
        """Each window's gradient goes to its winner."""

    def mean_pool(self, x: Tensor, window: Window, y: Tensor) -> None:
        """y = the mean of each window."""

    def mean_pool_backward(self, window: Window, grad: Tensor, grad_x: Tensor) -> None:
        """Each value of a window gets an equal share of its gradient."""

    def norm(
        self, x: Tensor, weights: Weights, running: int, momentum: float, eps: float, y: Tensor, relu: bool, training: bool
    ) -> Any:
        """Batch norm over the whole batch of all replicas, with ReLU where `relu`; see layers/batchnorm.py.

        `running` is the place of the running mean, directly followed by the variance. Returns what the way back needs.
        """

    def norm_backward(
        self, x: Tensor, weights: Weights, kept: Any, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        """The gradients of `norm` in training. May overwrite `grad`."""

    def dropout(self, x: Tensor, p: float, y: Tensor, source: Any) -> None:
        """y = x · kept / (1 − p); `source.key()` gives the random bits of a step, `source.threshold` the bound."""

    def dropout_backward(self, p: float, grad: Tensor, grad_x: Tensor, source: Any) -> None:
        """grad_x = grad · kept / (1 − p), for the same step's kept."""

    def loss(self, name: str, margin: float, scores: Tensor, grad: Tensor) -> None:
        """grad = dL/d(scores) for the labels given to `Program.run`; name is cross_entropy, probability or hinge."""

    def update(self, rule: Rule | None) -> None:
        """Add the replicas' gradients up, and let the parameters follow them by the rule where `Program.run` is given rates."""

    def meet(self) -> None:
        """The replicas wait for each other: what one has written, all can read. Ends every section."""

    def mark(self, name: str) -> None:
        """What follows, up to the next mark, is a section of its own, to be run by that name."""

    def is_loaded(self) -> bool:
        """Whether this process has every kernel of the record at hand, so that `finish` need not wait for a compiler."""

    def finish(self) -> Program:
        """The record as a program."""


class Program(Protocol):
    """A recorded step, ready to run."""

    gradient: Array
    """float32: the gradient of the last run without rates, laid out as the flat parameters"""

    def run(self, section: str, images: Array, labels: Array | None, rates: Sequence[float] = ()) -> tuple[float, int]:
        """Run a section on a batch of at most the recorded size.

        Returns the mean loss and how many were right (both 0 without labels). `rates` are the rule's numbers for this
        step: (lr,), (lr, momentum) or (lr / (1 − β₁ᵗ), β₁, β₂, ε, 1 − β₁, 1 − β₂, 1 / (1 − β₂ᵗ)). Without them nothing is
        updated, and the sum of the gradients can be read as `gradient`.
        """

    def read(self, tensor: Tensor, count: int) -> Array:
        """A copy of a tensor's first `count` examples: (count, rows, cols, channels), on the host."""


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

    def asarray(self, array: Array) -> Array:
        """The array on this backend; itself where it is there already."""

    def to_numpy(self, array: Array) -> Array:
        """The array as a NumPy array on the host."""

    def record(self, batch: int, vector: Vector, moments: Sequence[Array], replicas: int) -> Kernels:
        """Begin to record a step for batches of at most `batch` examples on the parameters and buffers in `vector`."""
