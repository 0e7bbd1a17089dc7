"""A bit of a weights file, a checkpoint or a moment that has flipped is told, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.runs.moments import FORMAT as MOMENT_FORMAT
from app.core.runs.moments import Moments
from nncore.data import synthetic
from nncore.errors import WeightsError
from nncore.layers import Flatten, Linear
from nncore.network import Network
from nncore.training.checkpoint import FORMAT as CHECKPOINT_FORMAT
from nncore.training.checkpoint import save_checkpoint
from nncore.training.config import TrainConfig
from nncore.training.trainer import Trainer
from nncore.weights import DIGEST, FORMAT, HEADER_DIGEST, load_weights, read_tensors, save_weights
from tests.nncore.mutate_weights import joined, parted

BITS = (1, 4, 32, 64)
"""Bits that are flipped in each byte of a weights file."""


def network(*shape: int) -> Network:
    return Network([Flatten(), Linear(2)], shape or (2, 1, 1), seed=4)


def weights(folder: Path) -> Path:
    info = {"data": "Zoë", "val_accuracy": 0.5, "config": {"learning_rate": 1e-05, "shuffle": True, "loss": None}}
    save_weights(folder / "w.safetensors", network(), info)
    return folder / "w.safetensors"


def checkpoint(folder: Path) -> Path:
    data = synthetic("train", 8).limit(8, 1)
    small = Network([Flatten(), Linear(10)], (28, 28, 1), seed=4)
    save_checkpoint(folder / "c.safetensors", Trainer(small, data, TrainConfig(epochs=1, batch_size=4)))
    return folder / "c.safetensors"


def moment(folder: Path) -> Path:
    Moments(folder).save(7, network().state_dict(), None, 0.5)
    return folder / "00000007.safetensors"


def is_same(one: tuple[dict[str, Any], dict[str, Any]], other: tuple[dict[str, Any], dict[str, Any]]) -> bool:
    """Whether two files have the same numbers, bit for bit, and the same metadata, the checksum of the header aside."""
    arrays = ({name: (array.dtype, array.shape, array.tobytes()) for name, array in found[0].items()} for found in (one, other))
    (arrays_of_one, arrays_of_other), known = arrays, one[1].keys()
    return arrays_of_one == arrays_of_other and one[1] == {name: value for name, value in other[1].items() if name in known}


@pytest.mark.parametrize(
    ("make", "form", "bits"),
    [(weights, FORMAT, BITS), (moment, MOMENT_FORMAT, (1, 32)), (checkpoint, CHECKPOINT_FORMAT, (1,))],
    ids=["weights", "moment", "checkpoint"],
)
def test_every_flipped_bit_is_told_but_those_that_make_it_a_file_without_the_second_checksum(
    tmp_path: Path, make: Callable[[Path], Path], form: str, bits: tuple[int, ...]
) -> None:
    path = make(tmp_path)
    content = path.read_bytes()
    good = read_tensors(path, form)
    name = content.index(HEADER_DIGEST.encode())
    # Every byte of what is not plain numbers, and every 97th of those: one checksum covers them all alike.
    header_end = 8 + int.from_bytes(content[:8], "little")
    places = [*range(header_end), *range(header_end, len(content), 1 if len(content) - header_end < 100 else 97)]
    for place in places:
        for bit in bits:
            path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
            try:
                found = read_tensors(path, form)
            except WeightsError:
                continue
            # The one name that no checksum covers is that of the checksum: nothing else of the file is another then.
            assert name <= place < name + len(HEADER_DIGEST), (place, bit, content[max(0, place - 30) : place + 30])
            assert is_same(good, found)


def test_what_valid_json_of_the_header_says_is_told_where_it_is_not_what_was_written(tmp_path: Path) -> None:
    path = weights(tmp_path)
    content = path.read_bytes()
    for old, new in ((b"learning_rate", b"learning_rats"), (b"0.5", b"0.6"), (b"1e-05", b"1e-04"), (b"true", b"null")):
        assert old in content
        path.write_bytes(content.replace(old, new, 1))
        with pytest.raises(WeightsError, match="is damaged: what it says of its numbers is not what was written"):
            load_weights(path)


@pytest.mark.parametrize("lacking", [(HEADER_DIGEST,), (HEADER_DIGEST, DIGEST)], ids=["the second", "both"])
def test_files_of_earlier_versions_lack_checksums_and_are_read(tmp_path: Path, lacking: tuple[str, ...]) -> None:
    path = weights(tmp_path)
    header, numbers = parted(path.read_bytes())
    for name in lacking:
        del header["__metadata__"][name]
    path.write_bytes(joined(header, numbers))
    found, info = load_weights(path)
    assert info["data"] == "Zoë" and np.array_equal(found.state_dict()["linear1.weight"], network().state_dict()["linear1.weight"])
