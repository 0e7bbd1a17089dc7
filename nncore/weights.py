"""Weights files: safetensors, with the architecture and what is known of the training as JSON in the metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from nncore.arrays import Array
from nncore.errors import ConfigError, WeightsError
from nncore.files import write_atomically
from nncore.network import LARGEST_NETWORK, Network

FORMAT = "digitlab-weights/1"


def write_tensors(path: Path, tensors: Mapping[str, Array], **metadata: Any) -> None:
    """Write arrays as safetensors, each entry of `metadata` as JSON under its name. DigitLabError where that fails."""
    content = save(
        {name: np.asarray(value, order="C") for name, value in tensors.items()},
        {name: json.dumps(value) for name, value in metadata.items()},
    )
    write_atomically(path, content)


def read_tensors(path: Path, expected_format: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays and the metadata that `write_tensors` wrote. Raises WeightsError where the file is missing or damaged."""
    if not path.is_file():
        raise WeightsError(f"There is no weights file {path}.")
    if path.stat().st_size > 16 * LARGEST_NETWORK:  # parameters, two moments and the best copy, four bytes each
        raise WeightsError(f"{path} is larger than any network of DigitLab's; it cannot be a weights file.")
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = {name: json.loads(value) for name, value in (file.metadata() or {}).items() if name != "format"}
            found = json.loads((file.metadata() or {}).get("format", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - safe_open is no dict
    except (SafetensorError, ValueError, TypeError, OSError) as error:
        raise WeightsError(f"{path} is damaged or is no weights file (safetensors).") from error
    if found != expected_format:
        raise WeightsError(f"{path} was not written by DigitLab: it does not say which network its weights belong to.")
    return tensors, metadata


def save_weights(path: Path, network: Network, info: Mapping[str, Any] | None = None) -> None:
    """Write the network, architecture and all, to `path`; `info` is what else should be known (data, seed, accuracy, …)."""
    write_tensors(path, network.state_dict(), format=FORMAT, architecture=network.config(), info=dict(info or {}))


def load_weights(path: Path) -> tuple[Network, dict[str, Any]]:
    """The network of a weights file, ready for use, and its `info`. Raises WeightsError where the file is of no use."""
    tensors, metadata = read_tensors(path, FORMAT)
    return network_from(path, metadata.get("architecture"), tensors), metadata.get("info") or {}


def network_from(path: Path, architecture: Any, tensors: Mapping[str, Array]) -> Network:
    """Build the network that the metadata of `path` describes and fill it. WeightsError where the two do not fit."""
    if not isinstance(architecture, dict):
        raise WeightsError(f"{path} does not describe its network.")
    try:
        network = Network.from_config(architecture)
        network.load_state_dict(tensors)
    except (ConfigError, WeightsError) as error:
        raise WeightsError(f"{path} is of no use: {error}") from error
    return network
