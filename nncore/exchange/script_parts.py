"""What the scripts in NumPy and in PyTorch have in common: their beginning, reading a picture, and printing the answer."""

from __future__ import annotations

import re

from nncore.arrays import Shape, shape_text
from nncore.errors import ConfigError
from nncore.exchange.preprocessing import box_side, picture_shape, scoring_layers
from nncore.layers import Layer
from nncore.network import Network

WEIGHTS = "weights.npz"

CENTRED = '''

def centred(picture):
    """One digit of any size as MNIST's are: bright on black, its box {box}×{box}, its centre of mass in the middle.

    DigitLab does more for photographs: it evens out the light, removes specks, and mends thin strokes.
    """
    ink = np.abs(picture - np.median(picture))  # most of a picture is paper, bright or dark
    ink /= max(ink.max(), 1e-6)
    rows, columns = (np.flatnonzero((ink > 0.3).any(axis=axis)) for axis in (1, 0))
    image = np.zeros(({side}, {side}), np.float32)
    if len(rows) == 0:
        return image
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, round(length * {box} / max(ink.shape))) for length in ink.shape)
    ink = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BILINEAR))
    ink = np.clip(ink / ink.max(), 0, 1)
    top = round({side} / 2 - ink.sum(axis=1) @ np.arange(height) / ink.sum())
    left = round({side} / 2 - ink.sum(axis=0) @ np.arange(width) / ink.sum())
    top, left = min(max(top, 0), {side} - height), min(max(left, 0), {side} - width)
    image[top : top + height, left : left + width] = ink
    return image
'''


def safe_name(name: object) -> str:
    """The network's name as a script may hold it: without any sign that could end a text, so that no file can put code there."""
    return re.sub(r"[^\w .+-]", "", str(name or ""))[:60].strip() or "of your own"


def checked_layers(network: Network, known: dict[type[Layer], object]) -> list[Layer]:
    """The layers that make the logits. ConfigError where there is an image at the end, or a layer is none of those known."""
    _ = network.classes
    for layer in scoring_layers(network):
        if type(layer) not in known:
            raise ConfigError(f"{layer.name} is a {type(layer).__name__}, which the scripts have no code for.")
    return scoring_layers(network)


def reading(input_shape: Shape, channels_first: bool) -> str:
    """The functions that make of a picture file what the network takes. ConfigError where it takes no pictures."""
    height, width, channels = picture_shape(input_shape)
    is_image, is_centred = len(input_shape) == 3, channels == 1 and height == width
    takes = (1, channels, height, width) if is_image and channels_first else (1, *input_shape)
    mode = "L" if channels == 1 else "RGB"
    lines = [
        "",
        "",
        "def read_picture(path):",
        f'    """A picture file as the network takes it: {takes}, values from 0 (black) to 1."""',
        f'    picture = Image.open(path).convert("{mode}")' + ("" if is_centred else f".resize(({width}, {height}))"),
        "    picture = np.asarray(picture, np.float32) / 255",
    ]
    if is_centred:
        lines += [
            f"    if picture.shape != ({height}, {width}) or np.median(picture) > 0.5:  # another size, or ink on bright paper",
            "        picture = centred(picture)",
        ]
    if channels == 3 and is_image and channels_first:
        lines.append("    picture = picture.transpose(2, 0, 1)  # the channels first")
    lines += [f"    return picture.reshape{takes}", ""]
    return "\n".join(lines) + (CENTRED.format(side=height, box=box_side(height)) if is_centred else "")


def as_argument(pair: tuple[int, int] | str) -> str:
    """A pair as PyTorch's layers take it: `3` for two equal numbers, else `(3, 5)`; a word as a text."""
    if isinstance(pair, str):
        return f'"{pair}"'
    return str(pair[0]) if pair[0] == pair[1] else str(pair)


def beginning(network: Network, name: str, file: str, library: str, layout: str) -> str:
    """The text at the top of a script."""
    return f'''"""The network {name} in {library}: it says which digit each picture shows. Written by DigitLab.

    python {file} picture.png another.png

It takes {shape_text(network.input_shape)} and tells {network.classes} classes apart. {WEIGHTS}, which lies beside this file,
holds its weights; Pillow opens the pictures. {layout}
"""
'''


PRINTING = """        print(f"{path}: {probabilities.argmax()}")
        for digit, probability in enumerate(probabilities):
            print(f"  {digit}  {probability:.7f}")
"""
