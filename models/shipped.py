"""The weights that ship with the product, each with a card that says how they came about."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from nncore.arrays import Shape
from nncore.errors import ConfigError, WeightsError
from nncore.files import is_file, shown
from nncore.network import Network
from nncore.paths import expanded
from nncore.prediction import Predictor
from nncore.recognition import Detector
from nncore.vision import Classifier
from nncore.weights import load_weights

DEFAULT_PICTURE_NETWORK = "digitlab-mnist"
"""The shipped network that reads pictures where nobody names another."""
PARTING_NETWORK = "mnist-cnn"
"""The one that decides which strokes are one digit: it is asked hundreds of times a page, and answers several times as fast."""

DETECTOR = "digit-or-not"
"""The shipped network that tells digits from everything else; it reads no pictures."""

ONNX_SUFFIX = ".onnx"
WEIGHTS = Path(str(resources.files("models"))) / "weights"


@cache
def cards() -> dict[str, dict[str, Any]]:
    """The card (preset, data, seed, epochs, accuracy, date, command, input_shape, …) of each shipped network that reads digits, by
    name.
    """
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(WEIGHTS.glob("*.json")) if path.stem != DETECTOR}


def default_for(input_shape: Shape) -> str:
    """The name of the shipped network for images of that shape. Raises WeightsError where there is none."""
    for name, card in sorted(cards().items(), key=lambda each: each[0] != DEFAULT_PICTURE_NETWORK):
        if tuple(card["input_shape"]) == tuple(input_shape):
            return name
    raise WeightsError(
        f"No network for {'×'.join(map(str, input_shape))} images ships with DigitLab; train one, or name a weights file."
    )


def open_weights(name_or_path: str) -> tuple[Network, dict[str, Any]]:
    """The network, and what is known of it, of a weights file, an ONNX file (.onnx), or shipped weights by name.

    Raises WeightsError where there is none, or it cannot be read.
    """
    if name_or_path in cards():
        return load_weights(WEIGHTS / f"{name_or_path}.safetensors")
    try:
        path = expanded(name_or_path)
    except ConfigError:  # ~name, where nobody is called so
        path = Path(name_or_path)
    if not is_file(path):
        raise WeightsError(
            f"There is no weights file {shown(name_or_path)}; shipped weights are called {', '.join(cards()) or 'nothing yet'}."
        )
    if path.suffix.lower() != ONNX_SUFFIX:
        return load_weights(path)
    from nncore.exchange import load_onnx  # only where there is such a file

    return load_onnx(path)


@cache
def picture_classifier() -> Classifier:
    """What decides which strokes of a picture are one digit, whatever network is asked in the end: the shipped one."""
    return Predictor(open_weights(PARTING_NETWORK)[0]).predict


def open_detector() -> Network:
    """The network that tells digits from everything else, which is the last of its classes."""
    return load_weights(WEIGHTS / f"{DETECTOR}.safetensors")[0]


@cache
def digit_detector() -> Detector:
    """What tells whether an image is a digit at all, whatever network reads it: the shipped detector."""
    predictor = Predictor(open_detector())
    return lambda images: 1 - predictor.predict(images)[:, -1]
