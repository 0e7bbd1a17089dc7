"""Steps: one or several layers that one kernel does together, and what they record, forward and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nncore.arrays import Shape
from nncore.backend.contract import IntPair, Recorder, Spread, Tensor, Weights, Window
from nncore.layers import AvgPool2d, BatchNorm, Conv2d, Dropout, Layer, MaxPool2d

NOWHERE, POINT = Weights(0, 0), Window((1, 1), (1, 1))
SPREAD_POINT = Spread((1, 1), (1, 1), (1, 1), 1, (0, 0))


def as_image(shape: Shape) -> tuple[int, int, int]:
    """A shape as rows × cols × channels; vectors are one pixel."""
    rows, cols, channels = (1,) * (3 - len(shape)) + tuple(shape)
    return rows, cols, channels


@dataclass
class Step:
    """One or several layers done by one kernel. `padding` is what the reader of its output wants around it."""

    layer: Layer
    shape: tuple[int, int, int]
    padding: IntPair = (0, 0)
    layers: Sequence[Layer] = ()
    """All layers that it does; `layer` is the first of them."""

    @property
    def learns(self) -> bool:
        """Whether it has parameters that are not frozen."""
        return any(parameter.requires_grad for layer in self.layers for _, parameter in layer.parameters())

    @property
    def wants(self) -> IntPair:
        """The padding this step wants around its input."""
        return (0, 0)

    def output(self, record: Recorder, x: Tensor, training: bool) -> Tensor:
        """Room for the output."""
        return record.tensor(*self.shape, self.padding)

    def gradient(self, record: Recorder, x: Tensor, grad: Tensor) -> Tensor:
        """Room for the gradient of the input x, laid out like it."""
        return record.tensor(x.rows, x.cols, x.channels, x.padding)

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        """Record y = layer(x); what `backward` is given as `kept`."""
        raise TypeError(f"{type(self).__name__} defines no forward")

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        """Record the gradients of the parameters and, unless it is None, of x."""
        raise TypeError(f"{type(self).__name__} defines no backward")


@dataclass
class LinearStep(Step):
    """Linear, and ReLU where it follows."""

    weights: Weights = NOWHERE
    relu: bool = False

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        record.linear(x, self.weights, y, self.relu)

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        record.linear_backward(x, self.weights, y, self.relu, grad, grad_x)


@dataclass
class ConvStep(LinearStep):
    """Conv2d, and ReLU where it follows."""

    window: Window = POINT

    @property
    def wants(self) -> IntPair:
        assert isinstance(self.layer, Conv2d)
        (rows, _), (columns, _) = self.layer.margins
        return rows, columns

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        record.conv2d(x, self.weights, self.window, y, self.relu)

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        record.conv2d_backward(x, self.weights, self.window, y, self.relu, grad, grad_x)


@dataclass
class SpreadConvStep(Step):
    """Conv2d that is dilated, in groups, or has more zeros on one side than on the other."""

    weights: Weights = NOWHERE
    spread: Spread = SPREAD_POINT

    @property
    def wants(self) -> IntPair:
        assert isinstance(self.layer, Conv2d)
        rows, columns = self.layer.margins
        return max(rows), max(columns)

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        record.spread_conv2d(x, self.weights, self.spread, y)

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        record.spread_conv2d_backward(x, self.weights, self.spread, grad, grad_x)


@dataclass
class PooledConvStep(ConvStep):
    """Conv2d and max pooling by 2 × 2, with ReLU before or after it, or without."""

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        return record.conv2d_max_pool(x, self.weights, self.window, y, self.relu)

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        record.conv2d_max_pool_backward(x, self.weights, self.window, kept, grad, grad_x)


@dataclass
class NormStep(Step):
    """BatchNorm, and ReLU where it follows."""

    weights: Weights = NOWHERE
    running: int = 0
    relu: bool = False

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        assert isinstance(self.layer, BatchNorm)
        return record.batch_norm(x, self.weights, self.running, self.layer.momentum, self.layer.eps, y, self.relu, training)

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        record.batch_norm_backward(x, self.weights, kept, y, self.relu, grad, grad_x)


@dataclass
class ActivationStep(Step):
    """ReLU, Sigmoid, Tanh or Softmax by itself."""

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        record.activation(self.layer.kind, x, y)

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        if grad_x is not None:
            record.activation_backward(self.layer.kind, y, grad, grad_x)


@dataclass
class PlainStep(Step):
    """A layer without parameters that names its own kernel."""

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        record.plain(self.layer, x, y)

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        if grad_x is not None:
            record.plain_backward(self.layer, x, y, grad, grad_x)


@dataclass
class MaxPoolStep(Step):
    """MaxPool2d that no convolution takes along."""

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        return record.max_pool2d(x, window_of(self.layer), y)

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        if grad_x is not None:
            record.max_pool2d_backward(window_of(self.layer), kept, grad, grad_x)


@dataclass
class AvgPoolStep(Step):
    """AvgPool2d."""

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        record.avg_pool2d(x, window_of(self.layer), y)

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        if grad_x is not None:
            record.avg_pool2d_backward(window_of(self.layer), grad, grad_x)


@dataclass
class DropoutStep(Step):
    """Dropout; in use, nothing at all."""

    @property
    def wants(self) -> IntPair:
        return self.padding  # in use its input is its output

    def output(self, record: Recorder, x: Tensor, training: bool) -> Tensor:
        return super().output(record, x, training) if self._acts(training) else x

    def gradient(self, record: Recorder, x: Tensor, grad: Tensor) -> Tensor:
        return super().gradient(record, x, grad) if self._acts(True) else grad

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        if self._acts(training):
            record.dropout(x, self._p, y, self._source)

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        if grad_x is not None and self._acts(True):
            record.dropout_backward(self._p, grad, grad_x, self._source)

    @property
    def _source(self) -> Dropout:
        assert isinstance(self.layer, Dropout)
        return self.layer

    @property
    def _p(self) -> float:
        return self._source.p

    def _acts(self, training: bool) -> bool:
        return training and self._p > 0


@dataclass
class FlattenStep(Step):
    """Flatten: the same memory under another shape."""

    def output(self, record: Recorder, x: Tensor, training: bool) -> Tensor:
        return x.flat

    def gradient(self, record: Recorder, x: Tensor, grad: Tensor) -> Tensor:
        return Tensor(grad.place, x.rows, x.cols, x.channels)

    def forward(self, record: Recorder, x: Tensor, y: Tensor, training: bool) -> Any:
        return None

    def backward(self, record: Recorder, x: Tensor, y: Tensor, kept: Any, grad: Tensor, grad_x: Tensor | None) -> None:
        return None


def spread_of(layer: Conv2d) -> Spread | None:
    """The geometry of a convolution whose kernel is spread over its input; None for any other."""
    rows, columns = layer.margins
    is_spread = layer.dilation != (1, 1) or layer.groups != 1 or rows[0] != rows[1] or columns[0] != columns[1]
    before = (rows[0], columns[0])
    return Spread(layer.kernel_size, layer.stride, layer.dilation, layer.groups, before) if is_spread else None


def window_of(layer: Layer) -> Window:
    """The geometry of a convolution or a pool."""
    assert isinstance(layer, (Conv2d, MaxPool2d, AvgPool2d))
    return Window(layer.kernel_size, layer.stride)
