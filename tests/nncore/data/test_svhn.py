"""SVHN's .mat files: every way of writing one reads the same, in one copy, and only what is whole is believed."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from matfile import mat_file, mat_variable

from nncore.data import available_datasets, open_dataset
from nncore.data.svhn import counts
from nncore.errors import DataError

RNG = np.random.default_rng(7)
IMAGES = RNG.integers(0, 256, (7, 4, 5, 3), dtype=np.uint8)
LABELS = np.array([[1], [10], [3], [0], [9], [10], [7]], np.uint8)


def x(images: np.ndarray = IMAGES, **how: object) -> bytes:
    return mat_variable("X", images.transpose(1, 2, 3, 0), **how)


def y(labels: np.ndarray = LABELS, **how: object) -> bytes:
    return mat_variable("y", labels, **how)


def write(folder: Path, *variables: bytes, split: str = "train", order: str = "<") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{split}_32x32.mat").write_bytes(mat_file(*variables, order=order))
    return folder


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("labels", [LABELS, LABELS.T, LABELS.astype("f8"), LABELS.astype("u2")])
@pytest.mark.parametrize("labels_first", [True, False])
@pytest.mark.parametrize("block", [1, 200, 2**20])
def test_every_way_of_writing_it_reads_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str, packed: bool, labels: np.ndarray, labels_first: bool, block: int
) -> None:
    monkeypatch.setattr("nncore.data.mat.BLOCK", block)
    monkeypatch.setattr("nncore.data.mat.CHUNK", 50)
    parts = [x(order=order, packed=packed), y(labels, order=order, packed=packed)]
    other = mat_variable("meta", np.arange(6.0).reshape(2, 3), order, packed)
    data = open_dataset(write(tmp_path, other, *(parts[::-1] if labels_first else parts), order=order))
    np.testing.assert_array_equal(data.images, IMAGES)
    assert data.images.flags.c_contiguous and data.labels.dtype == np.int64
    np.testing.assert_array_equal(data.labels, LABELS[:, 0] % 10)


@pytest.mark.parametrize("packed", [True, False])
def test_one_copy_of_the_images_is_all_that_it_takes(tmp_path: Path, packed: bool) -> None:
    images = np.broadcast_to(RNG.integers(0, 256, (1, 32, 32, 3), dtype=np.uint8), (10_000, 32, 32, 3))
    write(tmp_path, x(images, packed=packed), y(np.ones((10_000, 1), np.uint8)))
    gc.collect()
    tracemalloc.start()
    try:
        data = open_dataset(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 1.15 * data.images.nbytes
    finally:
        tracemalloc.stop()


def test_packed_images_with_another_checksum_are_damaged(tmp_path: Path) -> None:
    broken = bytearray(x())
    broken[-1] ^= 1
    for variables in ((bytes(broken), y()), (y(), bytes(broken))):
        with pytest.raises(DataError, match="damaged"):
            open_dataset(write(tmp_path, *variables))


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_cut_off_anywhere_is_told(tmp_path: Path, packed: bool) -> None:
    whole = mat_file(x(packed=packed), y(packed=packed))
    for length in range(0, len(whole) - 8, 7):
        (tmp_path / "train_32x32.mat").write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"damaged|not a MATLAB|holds no images|but 0 labels"):
            open_dataset(tmp_path)


def test_counts_are_read_from_the_headers_alone(tmp_path: Path) -> None:
    write(tmp_path, y(), x())
    write(tmp_path, x(IMAGES[:3])[:-20].ljust(len(x(IMAGES[:3])), b"\0"), split="test")  # what follows the header is damaged
    assert counts(tmp_path) == {"train": 7, "test": 3}


def test_a_file_that_is_cut_off_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, x(), y())
    write(tmp_path, y(), split="test")
    (tmp_path / "extra_32x32.mat").write_bytes(mat_file(x())[:-9])
    assert counts(tmp_path) == {"train": 7}


def test_the_extra_digits_train_and_the_usual_ones_test(isolated: Path) -> None:
    def known() -> dict[str, tuple[bool, dict[str, int]]]:
        return {each.name: (each.here, dict(each.counts)) for each in available_datasets() if each.name.startswith("svhn")}

    assert known() == {"svhn": (False, {}), "svhn-extra": (False, {})}
    write(isolated / "svhn", x(), y(), split="test")
    assert known() == {"svhn": (False, {"test": 7}), "svhn-extra": (False, {"test": 7})}
    with pytest.raises(DataError, match=r"svhn has no extra split; put extra_32x32\.mat there"):
        open_dataset("svhn-extra")
    write(isolated / "svhn", x(IMAGES[:5]), y(LABELS[:5]), split="extra")
    assert known() == {"svhn": (False, {"test": 7}), "svhn-extra": (True, {"train": 5, "test": 7})}
    for split, count in (("train", 5), ("test", 7)):
        data = open_dataset("svhn-extra", split)
        assert data.name == "svhn-extra" and len(data) == count
    with pytest.raises(DataError, match='"train" and "test", not "extra"'):
        open_dataset("svhn-extra", "extra")
