"""Weights files: safetensors, with the architecture and what is known of the training as JSON in the metadata.

A file is hostile until it is checked: the header before any tensor is read, the description before any network is built.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from nncore.arrays import Array
from nncore.checks import shown as value_shown
from nncore.errors import ConfigError, DataError, WeightsError
from nncore.files import is_file, opened, shown, write_atomically
from nncore.layers.cost import LARGEST_NETWORK
from nncore.network import Network, layers_from_config, total_cost

FORMAT = "digitlab-weights/1"
DIGEST = "sha256"
"""The entry of the metadata that holds `digest` of the arrays."""
HEADER_DIGEST = "header_sha256"
"""The entry that holds `header_digest` of the arrays and all other entries."""
LARGEST_FILE = 16 * LARGEST_NETWORK
"""Bytes: parameters, two moments and the best copy of the largest network, four bytes each."""
LARGEST_HEADER = 8 * 2**20
"""Bytes of JSON that a header may have: hundreds of times what the largest network needs, and quickly read."""
MOST_TENSORS = 20_000
"""Tensors that a file may hold: five each (weights, two moments, best weights, statistics) for four in every layer."""
MOST_LACKING = 1_000_000
"""Parameters that a description may have beyond the numbers in the file, and still be built to tell which are missing."""
DTYPES = ("F16", "F32", "F64", "I64")
"""The kinds of numbers that are read unless others are asked for: floats, and whole numbers for counts."""
OBJECTS = ("architecture", "info", "config", "position")
"""Entries of the metadata that are JSON objects where they are there."""


def write_tensors(path: str | Path, tensors: Mapping[str, Array], **metadata: Any) -> None:
    """Write arrays as safetensors, each entry of `metadata` as JSON under its name. DigitLabError where that fails.

    JSON has no infinite numbers: they, and what is not a number, become null.
    """
    write_atomically(Path(path), packed(tensors, **metadata))


def packed(tensors: Mapping[str, Array], **metadata: Any) -> bytes:
    """What `write_tensors` writes, as bytes, for whoever must know their number first."""
    arrays = {name: np.asarray(value, order="C") for name, value in tensors.items()}
    entries = metadata | {DIGEST: digest(arrays)}
    texts = {name: json.dumps(_plain(value), allow_nan=False) for name, value in entries.items()}
    return save(arrays, texts | {HEADER_DIGEST: json.dumps(header_digest(arrays, texts))})


def digest(arrays: Mapping[str, Array]) -> str:
    """SHA-256, in hexadecimal, of the numbers of C-contiguous arrays in the order of their names: a damaged one changes it."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(arrays[name].data.cast("B") if arrays[name].size else b"")
    return found.hexdigest()


def header_digest(arrays: Mapping[str, Array], texts: Mapping[str, str]) -> str:
    """SHA-256, in hexadecimal, of what a header says: names, dtypes and shapes of the arrays, and the entries of the metadata, each
    as its JSON text. So no entry can be lost, renamed or altered unseen, `DIGEST` among them.
    """
    described = sorted((name, array.dtype.name, list(array.shape)) for name, array in arrays.items())
    said = json.dumps([described, sorted(texts.items())], separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """`value` with null in the place of floats that are not finite."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_tensors(
    path: str | Path, expected_format: str, dtypes: Collection[str] = DTYPES
) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays and the metadata that `write_tensors` wrote.

    `dtypes` are the kinds of numbers, as safetensors names them, that the arrays may be of. Raises WeightsError where the file is
    missing or damaged.
    """
    path = Path(path)
    if not is_file(path):
        raise WeightsError(f"There is no weights file {shown(path)}.")
    names, metadata, texts = _read_header(path, expected_format, dtypes)
    for entry in OBJECTS:
        if not isinstance(metadata.get(entry, {}), dict):
            raise WeightsError(f"{shown(path)} is damaged: its {entry} is {value_shown(metadata[entry])} instead of an object.")
    try:
        with safe_open(str(path), framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, ValueError, TypeError, OSError, OverflowError) as error:
        raise WeightsError(f"{shown(path)} is damaged or is no weights file (safetensors).") from error
    except MemoryError as error:
        raise WeightsError(f"There is not enough memory to read {shown(path)}.") from error
    # Files of earlier versions lack the second, or both.
    if metadata.pop(DIGEST, None) not in (None, digest(tensors)):
        raise WeightsError(f"{shown(path)} is damaged: its numbers are not those that were written.")
    if metadata.pop(HEADER_DIGEST, None) not in (None, header_digest(tensors, texts)):
        raise WeightsError(f"{shown(path)} is damaged: what it says of its numbers is not what was written.")
    return tensors, metadata


def _read_header(path: Path, expected_format: str, dtypes: Collection[str]) -> tuple[list[str], dict[str, Any], dict[str, str]]:
    """The names of a file's tensors, its metadata without the format, and the texts of it that `header_digest` takes.

    Raises WeightsError where it is not worth while to read the tensors.
    """
    try:
        with opened(path) as file:
            size = path.stat().st_size
            if size > LARGEST_FILE:
                raise WeightsError(f"{shown(path)} is larger than any network of DigitLab's; it cannot be a weights file.")
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 0 < length <= min(LARGEST_HEADER, size - 8):
                raise WeightsError(f"{shown(path)} is damaged or is no weights file (safetensors).")
            text = file.read(length)
        header = read_json(text)
        texts = header.pop("__metadata__", {})
        if len(header) > MOST_TENSORS or any(entry["dtype"] not in dtypes for entry in header.values()):
            raise WeightsError(
                f"{shown(path)} holds tensors that DigitLab does not read: too many, or of kinds other than {', '.join(dtypes)}."
            )
        if texts.get("format") != json.dumps(expected_format):
            raise WeightsError(f"{shown(path)} was not written by DigitLab: it does not say which network its weights belong to.")
        metadata = {name: read_json(value) for name, value in texts.items() if name != "format"}
        return list(header), metadata, {name: value for name, value in texts.items() if name != HEADER_DIGEST}
    except (DataError, OSError) as error:  # it may not be read, is mostly holes, or has just gone
        raise WeightsError(str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{shown(path)} is damaged or is no weights file (safetensors).") from error


def read_json(text: str | bytes) -> Any:
    """What strict JSON describes: every name once, every number finite. Raises ValueError, TypeError or RecursionError."""
    return json.loads(text, object_pairs_hook=_each_once, parse_constant=_refuse_constant, parse_float=_finite)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def save_weights(path: str | Path, network: Network, info: Mapping[str, Any] | None = None) -> None:
    """Write the network, architecture and all, to `path`; `info` is what else should be known (data, seed, accuracy, …)."""
    write_tensors(path, network.state_dict(), format=FORMAT, architecture=network.config(), info=dict(info or {}))


def load_weights(path: str | Path) -> tuple[Network, dict[str, Any]]:
    """The network of a weights file, ready for use, and its `info`. Raises WeightsError where the file is of no use."""
    tensors, metadata = read_tensors(path, FORMAT)
    return network_from(path, metadata.get("architecture"), tensors), metadata.get("info", {})


def network_from(path: str | Path, architecture: Any, tensors: Mapping[str, Array]) -> Network:
    """Build the network that the metadata of `path` describes and fill it. WeightsError where the two do not fit.

    Nothing is allocated for a network of far more parameters than there are numbers in `tensors`.
    """
    if not isinstance(architecture, dict):
        raise WeightsError(f"{shown(path)} does not describe its network.")
    try:
        needed = total_cost(*layers_from_config(architecture)).parameters
        held = sum(tensor.size for tensor in tensors.values())
        if needed > held + MOST_LACKING:
            raise WeightsError(f"its network has {needed:,} parameters, but it holds only {held:,} numbers.")
        network = Network.from_config(architecture)
        network.load_state_dict(tensors)
    except (ConfigError, WeightsError) as error:
        raise WeightsError(f"{shown(path)} is of no use: {error}") from error
    return network
