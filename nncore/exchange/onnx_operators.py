"""The operators of ONNX that nncore has a layer for: each function puts the layer of one operator behind a chain.

They raise UnfitError where an operator does what the layer cannot do. https://onnx.ai/onnx/operators says what each does.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nncore.arrays import Array, shape_text
from nncore.exchange.onnx_chain import IMAGE, IMAGE_LAST, VECTOR, Call
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
from nncore.layers.conv import SAME, IntPair

ONES, ZEROS = (1, 1), (0, 0)
AN_IMAGE, A_VECTOR = "an image with its channels first", "a flat vector"


def conv(call: Call) -> None:
    call.wants(IMAGE, AN_IMAGE)
    weight = call.constant(1, "kernel")
    groups, dilation = call.attribute("group", 1), call.pair("dilations", ONES)
    if weight.ndim != 4:
        raise call.unfit("is not in two dimensions; DigitLab has convolutions in two dimensions")
    if weight.shape[1] * groups != call.chain.shape[2]:
        raise call.unfit(f"takes {weight.shape[1] * groups:,} channels, but its input is {shape_text(call.chain.sizes)}")
    out_channels, kernel = weight.shape[0], (weight.shape[2], weight.shape[3])
    if call.pair("kernel_shape", kernel) != kernel:
        raise call.unfit("has a kernel of another size than its weights")
    stride = call.pair("strides", ONES)
    margins, same = _margins(call, kernel, stride, dilation), Conv2d(1, kernel, padding=SAME, dilation=dilation)
    padding = SAME if stride == ONES and margins == same.margins and margins != _even(margins) else _checked_even(call, margins)
    layer = Conv2d(out_channels, kernel, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=call.has(2))
    bias = {"bias": _bias(call, 2, out_channels)} if layer.has_bias else {}
    call.chain.add(layer, weight=weight.transpose(2, 3, 1, 0), **bias)


def gemm(call: Call) -> None:
    call.wants(VECTOR, A_VECTOR)
    if call.attribute("alpha", 1.0) != 1 or call.attribute("transA", 0) or (call.has(2) and call.attribute("beta", 1.0) != 1):
        raise call.unfit("scales or turns its input; DigitLab's linear layer is x W + b")
    weight = call.constant(1, "matrix")
    _linear(call, weight.T if call.attribute("transB", 0) else weight)
    if call.has(2):
        bias = _each_channel(call, call.constant(2, "bias"))
        call.chain.scale(np.ones_like(bias), bias)


def matmul(call: Call) -> None:
    call.wants(VECTOR, A_VECTOR)
    if call.node.inputs[0] in call.known:
        raise call.unfit("has its weights on the left; DigitLab's linear layer is x W + b")
    _linear(call, call.constant(1, "matrix"))


def _linear(call: Call, weight: Array) -> None:
    """A linear layer of the weight (in, out), without a bias."""
    if weight.ndim != 2 or weight.shape[0] != call.chain.shape[0]:
        raise call.unfit(f"has weights of {shape_text(weight.shape)}, but its input is {shape_text(call.chain.sizes)}")
    values = call.chain.ordered(weight)
    call.chain.add(Linear(weight.shape[1], bias=False), weight=values)
    call.chain.flattened = ()


def scale(call: Call) -> None:
    """A sum, difference, product or quotient with constants: a bias, or images brought to another range."""
    chain, is_first = call.chain, call.node.inputs[0] not in call.known
    numbers = _each_channel(call, call.constant(1 if is_first else 0, "number"))
    ones, zeros = np.ones_like(numbers), np.zeros_like(numbers)
    with np.errstate(divide="ignore", over="ignore"):  # infinite weights are refused as such
        match call.node.operator:
            case "Add":
                chain.scale(ones, numbers)
            case "Sub":
                chain.scale(ones if is_first else -ones, -numbers if is_first else numbers)
            case "Mul":
                chain.scale(numbers, zeros)
            case _ if is_first:
                chain.scale(1 / numbers, zeros)
            case _:
                raise call.unfit("divides by what a layer makes, which no layer of DigitLab does")


def _each_channel(call: Call, values: Array) -> Array:
    """The values as (channels), in nncore's order; one number is that of every channel."""
    chain = call.chain
    size, shape = chain.shape[-1], values.shape
    while shape[:1] == (1,):  # they change nothing, whatever the number of axes
        shape = shape[1:]
    wanted = {IMAGE: (size, 1, 1), IMAGE_LAST: (size,), VECTOR: (size,)}.get(chain.axes)
    if values.size == 1:
        return np.broadcast_to(values.reshape(-1), (size,))
    if shape != wanted or values.ndim > len(chain.axes) + 1:
        raise call.unfit(f"takes numbers of {shape_text(values.shape)}, which is not one a channel of {shape_text(chain.sizes)}")
    return chain.ordered(values.reshape(-1))


def batch_norm(call: Call) -> None:
    if call.chain.is_image:
        call.wants(IMAGE, AN_IMAGE)
    if call.attribute("training_mode", 0) or not call.attribute("spatial", 1):
        raise call.unfit("works as in training, or on each place by itself; export the network as in use (in PyTorch after eval())")
    names = ("weight", "bias", "running_mean", "running_var")
    values = {name: call.constant(place, name) for place, name in enumerate(names, 1)}
    size = call.chain.shape[-1]
    if any(array.shape != (size,) for array in values.values()):
        raise call.unfit(f"has not {size:,} numbers a statistic, as its input of {shape_text(call.chain.sizes)} needs")
    # ONNX keeps the share of the old statistics, nncore that of the new.
    layer = BatchNorm(momentum=round(1 - call.attribute("momentum", 0.9), 6), eps=call.attribute("epsilon", 1e-5))
    call.chain.add(layer, **{name: call.chain.ordered(array) for name, array in values.items()})


def pool(kind: type[MaxPool2d | AvgPool2d]) -> Callable[[Call], None]:
    def read(call: Call) -> None:
        call.wants(IMAGE, AN_IMAGE)
        kernel = call.pair("kernel_shape", ZEROS)
        stride = call.pair("strides", ONES)
        if len([name for name in call.node.outputs if name]) != 1 or call.pair("dilations", ONES) != ONES:
            raise call.unfit("is dilated or tells the places of its maxima; DigitLab's pools do neither")
        padding = _checked_even(call, _margins(call, kernel, stride, ONES))
        if kind is AvgPool2d and padding != ZEROS and not call.attribute("count_include_pad", 0):
            raise call.unfit("leaves its padding out of the mean (count_include_pad), which DigitLab's average pool does not")
        layer = kind(kernel, stride, padding=padding)
        left_over = [(size + 2 * p - k) % s for size, p, k, s in zip(call.chain.shape, padding, kernel, stride, strict=False)]
        if call.attribute("ceil_mode", 0) and any(left_over):
            raise call.unfit("has windows that reach over the edge (ceil_mode), which DigitLab's pools have not")
        call.chain.add(layer)

    return read


def global_max_pool(call: Call) -> None:
    call.wants(IMAGE, AN_IMAGE)
    call.chain.add(MaxPool2d((call.chain.shape[0], call.chain.shape[1])))


def global_average_pool(call: Call) -> None:
    call.wants(IMAGE, AN_IMAGE)
    call.chain.add(GlobalAvgPool2d())


def reduce_mean(call: Call) -> None:
    """The mean of each channel; flat where the axes do not stay."""
    call.wants(IMAGE, AN_IMAGE)
    axes = call.whole_numbers(1, "list of axes") if call.has(1) else call.attribute("axes", ())
    if sorted(axis % 4 for axis in axes) != [2, 3]:
        raise call.unfit("takes the mean of other axes than height and width")
    call.chain.add(GlobalAvgPool2d())
    if not call.attribute("keepdims", 1):
        _flatten(call)


def transpose(call: Call) -> None:
    perm = call.attribute("perm", ())
    count = len(call.chain.axes) + 1
    if sorted(perm) != list(range(count)) or perm[0] != 0:
        raise call.unfit("moves the axis of the examples, or does not say where each axis goes")
    axes = "".join(call.chain.axes[place - 1] for place in perm[1:])
    if axes not in (IMAGE, IMAGE_LAST, VECTOR):
        raise call.unfit("orders the axes otherwise than channels first or channels last")
    call.chain.axes = axes


def flatten(call: Call) -> None:
    if call.attribute("axis", 1) not in (1, -len(call.chain.axes)):
        raise call.unfit("does not keep the examples apart; it must flatten from axis 1 on")
    _flatten(call)


def reshape(call: Call) -> None:
    wanted = call.whole_numbers(1, "shape")
    size = math.prod(call.chain.shape)
    if len(wanted) != 2 or wanted[0] not in {0, -1, call.chain.batch} or wanted[1] not in {-1, size}:
        raise call.unfit(f"makes {shape_text(call.chain.sizes)} something else than a flat vector of {size:,}")
    _flatten(call)


def squeeze(call: Call) -> None:
    call.wants(IMAGE, AN_IMAGE)
    axes = call.whole_numbers(1, "list of axes") if call.has(1) else call.attribute("axes", ())
    if call.chain.shape[:2] != ONES or sorted(axis % 4 for axis in axes) != [2, 3]:
        raise call.unfit("takes away other axes than a height and a width of 1")
    _flatten(call)


def _flatten(call: Call) -> None:
    chain = call.chain
    if chain.is_image:
        differs = chain.axes == IMAGE and chain.shape[2] > 1 and chain.shape[:2] != ONES
        shape = chain.shape
        chain.add(Flatten())
        chain.axes, chain.flattened = VECTOR, shape if differs else ()


def dropout(call: Call) -> None:
    share = call.attribute("ratio", 0.5)
    if call.has(1):
        given = call.constant(1, "ratio")
        share = float(str(given.reshape(-1)[0])) if given.size == 1 else share
    call.chain.add(Dropout(share))


def softmax(call: Call) -> None:
    axis = call.attribute("axis", -1 if call.opset >= 13 else 1)
    place = call.chain.axes.find("C") + 1 if call.chain.is_image else 1
    compares_all = call.chain.is_image and call.opset < 13  # what older versions flatten first
    if place < 1 or axis not in (place, place - len(call.chain.axes) - 1) or compares_all:
        raise call.unfit("does not compare channels, as DigitLab's softmax does")
    call.chain.add(Softmax())


def activation(kind: type[Layer]) -> Callable[[Call], None]:
    return lambda call: call.chain.add(kind())


def leaky_relu(call: Call) -> None:
    call.chain.add(LeakyReLU(call.attribute("alpha", 0.01)))


def gelu(call: Call) -> None:
    call.chain.add(GELU(call.attribute("approximate", "none")))


def swish(call: Call) -> None:
    if call.attribute("alpha", 1.0) != 1:
        raise call.unfit("has an alpha other than 1; DigitLab's SiLU is x times its sigmoid")
    call.chain.add(SiLU())


def identity(call: Call) -> None:
    """Nothing."""


def _margins(call: Call, kernel: IntPair, stride: IntPair, dilation: IntPair) -> tuple[IntPair, IntPair]:
    """The zeros (above, below) and (left, right)."""
    sizes, mode = call.chain.shape[:2], call.attribute("auto_pad", "NOTSET")
    above, left, below, right = call.numbers("pads", (0, 0, 0, 0))
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        if min(stride) < 1:
            raise call.unfit("has a stride below 1")
        spans = [far * (k - 1) + 1 for k, far in zip(kernel, dilation, strict=True)]
        more = [max(0, (-(-n // s) - 1) * s + span - n) for n, s, span in zip(sizes, stride, spans, strict=True)]
        fewer = [number // 2 for number in more]
        (above, left), (below, right) = fewer, [number - few for number, few in zip(more, fewer, strict=True)]
        if mode == "SAME_LOWER":
            (above, left), (below, right) = (below, right), (above, left)
    elif mode == "VALID":
        above = left = below = right = 0
    return (above, below), (left, right)


def _even(margins: tuple[IntPair, IntPair]) -> tuple[IntPair, IntPair]:
    """The same, each side's first number on both sides."""
    (above, _), (left, _) = margins
    return (above, above), (left, left)


def _checked_even(call: Call, margins: tuple[IntPair, IntPair]) -> IntPair:
    """The zeros (vertical, horizontal) on each side. UnfitError where the sides differ."""
    if margins != _even(margins):
        raise call.unfit("pads one side more than the other in a way that DigitLab's layers do not")
    return margins[0][0], margins[1][0]


def _bias(call: Call, place: int, size: int) -> Array:
    """The bias at a place among the inputs, float32 (size)."""
    values = call.constant(place, "bias")
    if values.shape != (size,):
        raise call.unfit(f"has a bias of {shape_text(values.shape)} instead of {size:,}")
    return values


OPERATORS: dict[str, Callable[[Call], None]] = {
    "Conv": conv,
    "Gemm": gemm,
    "MatMul": matmul,
    "Add": scale,
    "Sub": scale,
    "Mul": scale,
    "Div": scale,
    "BatchNormalization": batch_norm,
    "MaxPool": pool(MaxPool2d),
    "AveragePool": pool(AvgPool2d),
    "GlobalMaxPool": global_max_pool,
    "GlobalAveragePool": global_average_pool,
    "ReduceMean": reduce_mean,
    "Relu": activation(ReLU),
    "LeakyRelu": leaky_relu,
    "Gelu": gelu,
    "Swish": swish,
    "Sigmoid": activation(Sigmoid),
    "Tanh": activation(Tanh),
    "Softmax": softmax,
    "LogSoftmax": softmax,
    "Flatten": flatten,
    "Reshape": reshape,
    "Squeeze": squeeze,
    "Transpose": transpose,
    "Dropout": dropout,
    "Identity": identity,
}
