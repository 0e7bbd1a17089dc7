"""A folder of IDX files as a dataset, under any of its usual names, and MNIST's own checksums."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from nncore.data.mnist import counts, open_mnist, verify
from nncore.errors import DataError

DATASETS = os.environ.get("DIGITLAB_DATA")
"""The folder of real datasets that the tests were started with."""


def write_idx(path: Path, array: np.ndarray) -> None:
    data = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_set(folder: Path, names: str, count: int = 12, most: int = 9, part: str = "train") -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(count)
    images, labels = rng.integers(0, 256, (count, 5, 4)), np.arange(count) % (most + 1)
    write_idx(folder / names.format(part=part, what="images", n=3), images)
    write_idx(folder / names.format(part=part, what="labels", n=1), labels)
    return images, labels


@pytest.mark.parametrize(
    "names",
    [
        "{part}-{what}-idx{n}-ubyte",
        "{part}-{what}-idx{n}-ubyte.gz",
        "{part}-{what}.idx{n}-ubyte",
        "EMNIST-mnist-{part}-{what}-idx{n}-ubyte.gz",
    ],
)
def test_the_usual_names(tmp_path: Path, names: str) -> None:
    images, labels = write_set(tmp_path, names)
    data = open_mnist(tmp_path)
    expected = images.transpose(0, 2, 1) if names.startswith("EMNIST") else images
    np.testing.assert_array_equal(data.images[..., 0], expected)
    np.testing.assert_array_equal(data.labels, labels)
    assert data.class_names == tuple("0123456789")


def test_test_split_and_counts(tmp_path: Path) -> None:
    write_set(tmp_path, "{part}-{what}-idx{n}-ubyte", 12)
    write_set(tmp_path, "{part}-{what}-idx{n}-ubyte.gz", 7, part="t10k")
    assert len(open_mnist(tmp_path, "test")) == 7
    assert counts(tmp_path) == {"train": 12, "test": 7}


def test_letters_of_emnist_have_their_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    write_idx(tmp_path / "emnist-letters-train-images-idx3-ubyte", rng.integers(0, 256, (3, 4, 4)))
    write_idx(tmp_path / "emnist-letters-train-labels-idx1-ubyte", np.array([1, 26, 2]))
    data = open_mnist(tmp_path)
    assert [data.class_names[label] for label in data.labels] == ["A", "Z", "B"]


def test_of_several_sets_digits_are_taken_and_one_file_chooses_its_own(tmp_path: Path) -> None:
    write_set(tmp_path, "emnist-digits-{part}-{what}-idx{n}-ubyte", 12)
    write_set(tmp_path, "emnist-balanced-{part}-{what}-idx{n}-ubyte", 47, 46)
    assert len(open_mnist(tmp_path)) == 12
    data = open_mnist(tmp_path / "emnist-balanced-train-images-idx3-ubyte")
    assert len(data) == 47 and data.class_names[-1] == "t"


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (np.zeros((3, 4, 4)), np.zeros(2), "3 images need as many labels"),
        (np.zeros((3, 4)), np.zeros(3), "holds no images"),
        (np.zeros((3, 4, 4)), np.zeros((3, 1)), "holds no labels"),
        (np.zeros((0, 4, 4)), np.zeros(0), "is empty"),
        (np.zeros((3, 0, 4)), np.zeros(3), "holds no images"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, images: np.ndarray, labels: np.ndarray, says: str) -> None:
    write_idx(tmp_path / "train-images-idx3-ubyte", images)
    write_idx(tmp_path / "train-labels-idx1-ubyte", labels)
    with pytest.raises(DataError, match=says):
        open_mnist(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no IDX files; put train-images-idx3-ubyte.gz"):
        open_mnist(tmp_path)
    write_set(tmp_path, "{part}-{what}-idx{n}-ubyte")
    with pytest.raises(DataError, match=r"no test images and labels; put t10k-images-idx3-ubyte.gz and t10k-labels"):
        open_mnist(tmp_path, "test")
    with pytest.raises(DataError, match='"train" and "test"'):
        open_mnist(tmp_path, "extra")


def test_other_files_are_not_official(tmp_path: Path) -> None:
    write_set(tmp_path, "{part}-{what}-idx{n}-ubyte")
    checks = verify(tmp_path)
    assert len(checks) == 4 and not any(check.official for check in checks)
    assert [check.path is None for check in checks] == [False, False, True, True]


def test_the_real_mnist_is_official() -> None:
    folder = Path(DATASETS or "") / "mnist"
    if not DATASETS or not folder.is_dir():
        pytest.skip("DIGITLAB_DATA holds no mnist folder")
    assert all(check.official for check in verify(folder))
    assert counts(folder) == {"train": 60_000, "test": 10_000}
    data = open_mnist(folder, "test")
    assert data.image_shape == (28, 28, 1) and data.class_counts()[7] == 1028
