"""What can be added to a network: each kind of layer with its words, its first settings, and what can be set. Qt-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from nncore.checks import LARGEST_SIZE
from nncore.layers import layer_from_config
from nncore.layers.conv import SAME
from nncore.layers.cost import LARGEST_WINDOW
from nncore.layers.input_activations import APPROXIMATIONS
from nncore.training.values import number_text


class Values(Enum):
    """What the values of a field are."""

    WHOLE = "whole numbers"
    DIVISOR = "whole numbers that divide another one"
    NUMBER = "numbers"
    SCALE = "numbers whose size matters by powers of ten, and 0 where that is allowed"
    FLAG = "true or false"
    CHOICE = "one of a few names"
    INITIALIZER = "the name of an initializer, or a standard deviation"


@dataclass(frozen=True)
class LayerField:
    """A setting of a layer that can be changed, or one part of a setting that is a pair (vertical, horizontal)."""

    name: str
    """As in `Layer.config`."""
    title: str
    help: str
    least: float = 1
    most: float = LARGEST_SIZE
    step: float = 1
    """How far one turn goes; of a SCALE the least number above 0 that a turn reaches."""
    values: Values = Values.WHOLE
    part: int | None = None
    """Of a pair the number that is set. The first one sets both while they are equal."""
    word: str = ""
    """Of whole numbers: what the setting may be instead of a number, shown as one below the least."""
    names: tuple[str, ...] = ()
    """Of a CHOICE: what can be chosen."""
    is_further: bool = False
    """Whether few networks need it, so that it is shown only when asked for."""

    @property
    def key(self) -> str:
        """What the field is called, apart from all others of its layer: the setting, or its horizontal part."""
        return f"{self.name} across" if self.part == 1 else self.name

    def value(self, layer: Mapping[str, Any]) -> Any:
        """What the field shows of a layer, whose description is in full."""
        found = layer[self.name]
        if self.word and found == self.word:
            return self.least - 1
        return found if self.part is None else found[self.part]

    def change(self, layer: Mapping[str, Any], value: Any) -> dict[str, Any]:
        """The settings of the layer that change when the field is set to `value`."""
        if self.word and value == self.least - 1:
            return {self.name: self.word}
        if self.part is None:
            return {self.name: value}
        if layer[self.name] == self.word:
            return {self.name: (value, value)}
        down, across = layer[self.name]
        if self.part == 1:
            return {self.name: (down, value)}
        return {self.name: (value, value if down == across else across)}


@dataclass(frozen=True)
class LayerKind:
    """A kind of layer."""

    type: str
    """Its class in nncore.layers."""
    title: str
    help: str
    first: Mapping[str, Any]
    """The settings of a new one, as far as they have no default."""
    fields: tuple[LayerField, ...] = ()

    @property
    def new(self) -> Mapping[str, Any]:
        """The description of a new one."""
        return {"type": self.type, **self.first}

    def unusual(self, layer: Mapping[str, Any]) -> str:
        """The further settings of a layer that are not as usual, in words: `he_uniform · decay 0.001`. Empty where all are."""
        usual = layer_from_config(dict(self.new)).config()
        words = []
        for field in self.fields:
            value = layer[field.name]
            if field.part == 1 and not isinstance(value, str) and value[0] != value[1]:
                words.append(f"{field.title} {value[0]}×{value[1]}")
            elif field.part == 0:
                is_said = field.is_further and value != usual[field.name] and value[0] == value[1]
                words += [f"{field.title} {value[0]}"] if is_said else []
            elif field.values is Values.FLAG:
                words += [] if value == usual[field.name] else [f"{'' if value else 'no '}{field.title}"]
            elif field.is_further and field.part is None and value != usual[field.name]:
                named = value if isinstance(value, str) else number_text(value)
                title = field.title
                if field.values is Values.INITIALIZER:  # a number is the deviation of a normal one
                    title = "" if isinstance(value, str) else "normal"
                words.append(f"{title} {named}".lstrip())
        return " · ".join(words)


SIDE = round(LARGEST_WINDOW**0.5)
"""The largest window, stride and padding that a field offers."""
INITIALIZER = LayerField(
    "initializer",
    "weights",
    "First weights: how large they are before training. he_normal and he_uniform keep the signal's size through ReLU layers, the "
    "xavier ones through tanh and sigmoid; normal draws them with the standard deviation beside it; with zeros all units of a "
    "layer stay equal.",
    values=Values.INITIALIZER,
    is_further=True,
)
DECAY = LayerField(
    "weight_decay",
    "decay",
    "Weight decay of this layer alone: pulls its weights towards 0 at every step, besides the weight decay of the recipe. 0: not "
    "at all; 0.0001 to 0.01 are usual.",
    0,
    1000,
    1e-5,
    Values.SCALE,
    is_further=True,
)
BIAS = LayerField(
    "bias",
    "bias",
    "Bias: a number that is learnt for each output and added to it. Before a batch norm it changes nothing, so that many networks "
    "leave it out there.",
    values=Values.FLAG,
    is_further=True,
)


def _pair(
    name: str, title: str, help: str, across: str, least: float = 1, word: str = "", is_further: bool = False
) -> tuple[LayerField, LayerField]:
    """The field of a pair, and the further one of its horizontal part, `across` being what that is for."""
    first = LayerField(name, title, help, least, SIDE, part=0, word=word, is_further=is_further)
    words = f"{title.capitalize()}, horizontally: {across} While both numbers are equal, the field above sets both."
    return first, LayerField(name, title, words, least, SIDE, part=1, word=word, is_further=True)


STRIDE, STRIDE_ACROSS = _pair(
    "stride",
    "stride",
    "Stride: how many pixels the window moves on at a time. 2 halves the image.",
    "how far the window moves to the right.",
)
WINDOW, WINDOW_ACROSS = _pair(
    "kernel_size", "window", "Window: its side in pixels.", "how wide the window is, where it is not square."
)
KERNEL, KERNEL_ACROSS = _pair(
    "kernel_size",
    "kernel",
    "Kernel: the side of the window in pixels that each filter sees.",
    "how wide the window is, where it is not square.",
)
PADDING, PADDING_ACROSS = _pair(
    "padding",
    "padding",
    "Padding: rows of zeros around the image. Half of the kernel, rounded down, keeps the image's size; so does same, below 0, "
    "whatever the kernel, for a stride of 1.",
    "columns of zeros at the left and the right.",
    0,
    SAME,
)
DILATION, DILATION_ACROSS = _pair(
    "dilation",
    "dilation",
    "Dilation: how many pixels the cells of the kernel lie apart. With 2 a kernel of 3×3 reaches over 5×5, with no more weights.",
    "how many columns lie between two cells.",
    is_further=True,
)
GROUPS = LayerField(
    "groups",
    "groups",
    "Groups: into how many parts the channels are split, of which each filter sees one. With as many as there are channels the "
    "convolution is depthwise: few weights, and a convolution of 1×1 behind it brings the channels together.",
    values=Values.DIVISOR,
    is_further=True,
)

POOL_PADDING, POOL_PADDING_ACROSS = _pair(
    "padding",
    "padding",
    "Padding: rows around the image that windows may reach over, at most half of the window. They are never the largest value, and "
    "zeros in a mean.",
    "columns at the left and the right.",
    0,
)

KINDS = {
    kind.type: kind
    for kind in [
        LayerKind(
            "Conv2d",
            "conv",
            "Convolution: looks for small patterns everywhere in the image. Each of its filters makes one channel.",
            {"out_channels": 16, "kernel_size": 3, "padding": 1},
            (
                LayerField(
                    "out_channels", "channels", "Channels: how many filters there are, and so how many patterns it can find."
                ),
                KERNEL,
                STRIDE,
                PADDING,
                DILATION,
                GROUPS,
                BIAS,
                INITIALIZER,
                DECAY,
                KERNEL_ACROSS,
                STRIDE_ACROSS,
                PADDING_ACROSS,
                DILATION_ACROSS,
            ),
        ),
        LayerKind(
            "MaxPool2d",
            "max pool",
            "Max pool: of each window only the largest value stays, so the image becomes smaller and small shifts matter less.",
            {"kernel_size": 2},
            (WINDOW, STRIDE, POOL_PADDING, WINDOW_ACROSS, STRIDE_ACROSS, POOL_PADDING_ACROSS),
        ),
        LayerKind(
            "AvgPool2d",
            "average pool",
            "Average pool: each window becomes its mean, so that the image becomes smaller and smoother.",
            {"kernel_size": 2},
            (WINDOW, STRIDE, POOL_PADDING, WINDOW_ACROSS, STRIDE_ACROSS, POOL_PADDING_ACROSS),
        ),
        LayerKind(
            "GlobalAvgPool2d",
            "global average",
            "Global average pool: each channel becomes the mean of its image, however large that is; many networks have it before "
            "flatten, in the place of large linear layers.",
            {},
        ),
        LayerKind("Flatten", "flatten", "Flatten: writes the values of an image in one row, as linear layers need them.", {}),
        LayerKind(
            "Linear",
            "linear",
            "Linear: each output is a weighted sum of all inputs. The last one gives the score of each class.",
            {"out_features": 64},
            (
                LayerField("out_features", "outputs", "Outputs: how many sums it makes, each with weights of its own."),
                BIAS,
                INITIALIZER,
                DECAY,
            ),
        ),
        LayerKind(
            "ReLU", "relu", "ReLU: negative values become 0. Without something like it, many layers can do no more than one.", {}
        ),
        LayerKind(
            "LeakyReLU",
            "leaky relu",
            "Leaky ReLU: of negative values a small share stays, so that no unit stops learning as it can with ReLU.",
            {},
            (
                LayerField(
                    "negative_slope",
                    "slope",
                    "Slope: what negative values are multiplied by; 0 makes it a ReLU, 0.01 to 0.2 are usual.",
                    0,
                    1,
                    0.01,
                    Values.NUMBER,
                ),
            ),
        ),
        LayerKind(
            "GELU",
            "gelu",
            "GELU: like ReLU, but bent smoothly around 0; transformers have it. It takes longer to compute than ReLU.",
            {},
            (
                LayerField(
                    "approximate",
                    "Φ",
                    "Φ: the share of a standard normal below x, which x is multiplied by: exact (none), or by a tanh, as in some "
                    "networks from elsewhere.",
                    values=Values.CHOICE,
                    names=APPROXIMATIONS,
                ),
            ),
        ),
        LayerKind("SiLU", "silu", "SiLU, also called swish: x times its sigmoid; like ReLU, but bent smoothly around 0.", {}),
        LayerKind("Tanh", "tanh", "Tanh: presses every value between −1 and 1.", {}),
        LayerKind("Sigmoid", "sigmoid", "Sigmoid: presses every value between 0 and 1; deep networks learn slowly with it.", {}),
        LayerKind(
            "Softmax",
            "softmax",
            "Softmax: makes shares of scores, which add up to 1. Training does that by itself: do not end a network in it.",
            {},
        ),
        LayerKind(
            "BatchNorm",
            "batch norm",
            "Batch norm: brings each channel to mean 0 and variance 1 over the batch, so that deep networks learn faster.",
            {},
            (
                LayerField(
                    "momentum",
                    "momentum",
                    "Momentum: how fast the mean and the variance that are used after training follow those of the batches.",
                    0,
                    1,
                    0.05,
                    Values.NUMBER,
                ),
                LayerField(
                    "eps",
                    "eps",
                    "Eps (ε): added to the variance before its root divides, so that a channel whose values hardly differ is not "
                    "blown up.",
                    1e-12,
                    1000,
                    1e-12,
                    Values.SCALE,
                    is_further=True,
                ),
            ),
        ),
        LayerKind(
            "Dropout",
            "dropout",
            "Dropout: while training, sets a random part of the values to 0, so that no unit relies on a single other one.",
            {"p": 0.25},
            (LayerField("p", "share", "Share: how large a part of the values is dropped.", 0, 0.95, 0.05, Values.NUMBER),),
        ),
    ]
}
"""Every kind of layer by its type, in the order of the menu."""
