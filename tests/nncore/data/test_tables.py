"""Tables of digits (CSV), .npz and SVHN's .mat files: read right, refused in one sentence, never trusted."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from nncore.data import open_dataset
from nncore.data.kaggle import read_kaggle
from nncore.errors import DataError

DATASETS = os.environ.get("DIGITLAB_DATA")
"""The folder of real datasets that the tests were started with."""

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (6, 4, 4), dtype=np.uint8)
LABELS = np.array([3, 0, 9, 1, 1, 7])


def csv_text(labelled: bool = True, named: bool = True, end: str = "\n") -> bytes:
    rows = [[*([int(label)] if labelled else []), *image.ravel().tolist()] for image, label in zip(IMAGES, LABELS, strict=True)]
    lines = [",".join(["label"] * labelled + [f"pixel{number}" for number in range(16)])] * named
    return end.join([*lines, *(",".join(map(str, row)) for row in rows), ""]).encode()


def npz_bytes(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def mat_bytes(images: np.ndarray | None = None, labels: np.ndarray | None = None, packed: bool = True) -> bytes:
    file = io.BytesIO()
    colour = np.repeat(IMAGES[..., None], 3, axis=3) if images is None else images
    savemat(file, {"X": colour.transpose(1, 2, 3, 0), "y": LABELS[:, None] if labels is None else labels}, do_compression=packed)
    return file.getvalue()


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("chunk", [40, 4 * 2**20])
def test_a_table_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool, end: str, chunk: int) -> None:
    monkeypatch.setattr("nncore.data.kaggle.CHUNK", chunk)
    file = tmp_path / "digits.csv"
    file.write_bytes(csv_text(named=named, end=end).rstrip())
    data = open_dataset(file)
    np.testing.assert_array_equal(data.images[..., 0], IMAGES)
    np.testing.assert_array_equal(data.labels, LABELS)


def test_a_table_without_labels_has_images_only(tmp_path: Path) -> None:
    for named in (True, False):
        file = tmp_path / "test.csv"
        file.write_bytes(csv_text(labelled=False, named=named))
        table = read_kaggle(file)
        assert table.labels is None
        np.testing.assert_array_equal(table.images[..., 0], IMAGES)
        data = open_dataset(file)
        np.testing.assert_array_equal(data.images, table.images)
        assert not data.is_labelled and not data.class_counts().any() and data.class_name(0) == "?"


@pytest.mark.parametrize(
    ("here", "opened", "split", "found"),
    [
        (["train.csv", "test.csv"], "train.csv", "test", "test.csv"),
        (["train.csv", "test.csv"], "test.csv", "train", "train.csv"),
        (["train.csv", "test.csv"], "test.csv", "test", "test.csv"),
        (["My-Train.csv", "My-test.csv"], "My-Train.csv", "test", "My-test.csv"),
        (["test.csv"], "test.csv", "train", "test.csv"),
        (["test.csv"], "test.csv", "test", "test.csv"),
        (["train.csv"], "train.csv", "test", None),
        (["digits.csv"], "digits.csv", "test", None),
    ],
)
def test_splits_are_told_by_the_names_of_files(tmp_path: Path, here: list[str], opened: str, split: str, found: str | None) -> None:
    for name in here:
        (tmp_path / name).write_bytes(csv_text())
    if found is None:
        with pytest.raises(DataError, match="no test split"):
            open_dataset(tmp_path / opened, split)
    else:
        assert open_dataset(tmp_path / opened, split).source == str(tmp_path / found)


def test_a_table_with_more_digits_than_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nncore.data.kaggle.MOST_IMAGES", 5)
    (tmp_path / "digits.csv").write_bytes(csv_text())
    with pytest.raises(DataError, match="more than 5 digits"):
        open_dataset(tmp_path / "digits.csv")


def test_a_folder_of_tables_has_splits(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(csv_text())
    with pytest.raises(DataError, match="no test split"):
        open_dataset(tmp_path, "test")
    (tmp_path / "test.csv").write_bytes(csv_text(end="\r\n"))
    assert len(open_dataset(tmp_path)) == len(open_dataset(tmp_path / "train.csv", "test")) == 6


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"\n3,", b"\n12,", r"line 2: the label 12 is no digit"),
        (b"\n9,", b"\n9.5,", "line 4: expected 17 whole numbers"),
        (b"\n9,", b"\n-9,", "line 4: expected"),
        (b"\n9,", b"\n256,", "line 4: expected"),
        (b"\n9,", b"\n9,1,", "line 4: expected"),
        (b"\n9,", b"\n", "line 4: expected"),
        (b"\n9,", b"\n\n9,", "line 4: expected"),
        (b"\n9,", b"\n9999,", "line 4: expected"),
        (b",pixel15", b"", "it has 16 columns"),
    ],
)
def test_a_damaged_table_names_the_line(tmp_path: Path, old: bytes, new: bytes, says: str) -> None:
    file = tmp_path / "digits.csv"
    file.write_bytes(csv_text().replace(old, new, 1))
    with pytest.raises(DataError, match=says) as told:
        open_dataset(file)
    assert "digits.csv" in str(told.value)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (IMAGES, LABELS),
        (IMAGES[..., None], LABELS[:, None]),
        (IMAGES.reshape(6, 16), LABELS.astype(np.float32)),
        (IMAGES / 255, LABELS),
    ],
)
@pytest.mark.parametrize("names", ["x_{} y_{}", "{}_images {}_labels"])
def test_npz_comes_back(tmp_path: Path, images: np.ndarray, labels: np.ndarray, names: str) -> None:
    file = tmp_path / "digits.npz"
    x, y = names.format("test", "test").split()
    file.write_bytes(npz_bytes(**{x: np.asfortranarray(images), y: labels}))
    data = open_dataset(file, "test")
    np.testing.assert_array_equal(data.images[..., 0], IMAGES)
    np.testing.assert_array_equal(data.labels, LABELS)
    with pytest.raises(DataError, match="no train split"):
        open_dataset(file)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"x_train": np.array([{}] * 6), "y_train": LABELS}, "not made of plain numbers"),
        ({"x_train": IMAGES, "y_train": LABELS[:5]}, "need as many labels"),
        ({"x_train": IMAGES * 2.0, "y_train": LABELS}, "between 0 and 255"),
        ({"x_train": IMAGES.astype(float) * np.nan, "y_train": LABELS}, "between 0 and 255"),
        ({"x_train": IMAGES, "y_train": LABELS - 1}, "holds no labels"),
        ({"x_train": IMAGES, "y_train": LABELS + 0.5}, "holds no labels"),
        ({"x_train": IMAGES[0, 0], "y_train": LABELS}, "holds no images"),
        ({"x_train": IMAGES[:0], "y_train": LABELS[:0]}, "holds no"),
    ],
)
def test_npz_that_holds_something_else(tmp_path: Path, arrays: dict[str, np.ndarray], says: str) -> None:
    file = tmp_path / "digits.npz"
    file.write_bytes(npz_bytes(**arrays))
    with pytest.raises(DataError, match=says):
        open_dataset(file)


def test_a_header_in_an_npz_that_promises_too_much(tmp_path: Path) -> None:
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": (2**34, 28, 28)})
    file = tmp_path / "digits.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", member.getvalue() + bytes(100))
        archive.writestr("y_train.npy", member.getvalue())
    with pytest.raises(DataError, match="claims"):
        open_dataset(file)


@pytest.mark.parametrize("packed", [True, False])
def test_svhn_comes_back_and_ten_is_zero(tmp_path: Path, packed: bool) -> None:
    (tmp_path / "train_32x32.mat").write_bytes(mat_bytes(labels=np.where(LABELS == 0, 10, LABELS)[:, None], packed=packed))
    for path in (tmp_path, tmp_path / "train_32x32.mat"):
        data = open_dataset(path)
        np.testing.assert_array_equal(data.images, np.repeat(IMAGES[..., None], 3, axis=3))
        np.testing.assert_array_equal(data.labels, LABELS)
    for split in ("test", "extra"):
        with pytest.raises(DataError, match=f"put {split}_32x32.mat there"):
            open_dataset(tmp_path, split)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"MATLAB 7.3 MAT-file" + bytes(200), "not a MATLAB version 5 file"),
        (mat_bytes()[:150], "damaged|holds no"),
        (mat_bytes(labels=LABELS[:3, None]), "6 images but 3 labels"),
        (mat_bytes(labels=LABELS[:, None] + 0.5), "labels are not the numbers"),
        (mat_bytes(labels=LABELS[:, None] + 5), "labels are not the numbers"),
        (mat_bytes(images=np.zeros((6, 4, 4, 3))), "holds no images"),
        (mat_bytes(images=np.zeros((6, 4, 4, 2), np.uint8)), "holds no images"),
    ],
)
def test_a_mat_file_that_holds_something_else(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "train_32x32.mat"
    file.write_bytes(content)
    with pytest.raises(DataError, match=says):
        open_dataset(file)


def test_the_real_svhn() -> None:
    folder = Path(DATASETS or "") / "svhn"
    if not DATASETS or not folder.is_dir():
        pytest.skip("DIGITLAB_DATA holds no svhn folder")
    data = open_dataset(folder, "test")
    assert data.image_shape == (32, 32, 3) and (data.class_counts() > 0).all()
