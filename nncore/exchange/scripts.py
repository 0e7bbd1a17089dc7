"""A network as short scripts that need no DigitLab: one in NumPy, one in PyTorch, and the weights that both of them load."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nncore.exchange.numpy_script import numpy_script
from nncore.exchange.script_parts import WEIGHTS, safe_name
from nncore.exchange.torch_script import torch_script
from nncore.files import write_atomically
from nncore.network import Network

NUMPY, TORCH = "network_numpy.py", "network_torch.py"
SCRIPT_FILES = (NUMPY, TORCH, WEIGHTS)


def save_scripts(folder: Path, network: Network, info: Mapping[str, Any] | None = None) -> list[Path]:
    """Write both scripts and the weights into a folder, which is made where it is missing; returns the files.

    `info` names the `network`. Raises ConfigError where the network takes no pictures, ends in an image or has a layer that is none
    of nncore's own, and DigitLabError where the files cannot be written.
    """
    name = safe_name((info or {}).get("network"))
    contents = {
        NUMPY: numpy_script(network, name, NUMPY).encode(),
        TORCH: torch_script(network, name, TORCH).encode(),
        WEIGHTS: _archive(network),
    }
    for file, content in contents.items():
        write_atomically(folder / file, content)
    return [folder / file for file in contents]


def _archive(network: Network) -> bytes:
    """The weights as NumPy's archive of arrays, by the names and in the shapes that DigitLab gives them."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **network.state_dict())
    return buffer.getvalue()
