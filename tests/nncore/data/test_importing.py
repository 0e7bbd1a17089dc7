"""Bringing local files into the data folder: copied or linked, under a name, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nncore.data import available_datasets, open_dataset
from nncore.data import importing as importing_module
from nncore.data.importing import Import, default_name, import_data
from nncore.errors import DataError
from tests.nncore.data.test_idx import idx_bytes
from tests.nncore.data.test_tables import IMAGES, LABELS, csv_text, mat_bytes, npz_bytes


def bring(path: Path, name: str | None = None, link: bool = False) -> list[Import]:
    return list(import_data(path, name, link))


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def write_idx(folder: Path, prefix: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("train", "t10k"):
        (folder / f"{prefix}{part}-images-idx3-ubyte").write_bytes(idx_bytes(IMAGES))
        (folder / f"{prefix}{part}-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS))
    (folder / "notes.txt").write_text("not part of it")
    return folder


def write_pictures(folder: Path) -> Path:
    for part in ("train", "test"):
        for label, image in zip(LABELS, IMAGES, strict=True):
            place = folder / part / str(label)
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.kron(image, np.ones((7, 7), np.uint8))).save(place / f"{label}-{image[0, 0]}.png")
    return folder


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """A folder somewhere else on the machine."""
    place = tmp_path / "downloads"
    place.mkdir()
    return place


@pytest.mark.parametrize("link", [False, True])
def test_every_kind_has_a_name_from_then_on(isolated: Path, brought: Path, link: bool) -> None:
    (brought / "table.CSV").write_bytes(csv_text())
    (brought / "archive.npz").write_bytes(npz_bytes(x_train=IMAGES, y_train=LABELS))
    (brought / "mine.mat").write_bytes(mat_bytes())
    write_pictures(brought / "pictures")
    write_idx(brought / "fashion")
    (brought / "kaggle").mkdir()
    (brought / "kaggle" / "train.csv").write_bytes(csv_text())
    for path in sorted(brought.iterdir()):
        events = bring(path, link=link)
        name = path.stem
        assert {event.name for event in events} == {name}
        assert events[-1].copied == events[-1].total and (events[-1].total > 0) is not link
        for split in ("train", "test") if path.name in ("pictures", "fashion") else ("train",):
            np.testing.assert_array_equal(open_dataset(name, split).labels, open_dataset(path, split).labels)
    known = {each.name: each for each in available_datasets() if each.licence == "your own"}
    assert set(known) == {"table", "archive", "mine", "pictures", "fashion", "kaggle"}
    assert all(each.here and each.folder.is_relative_to(isolated) for each in known.values())
    assert known["pictures"].counts == {"train": 6, "test": 6} and known["archive"].size > 0
    assert not [path for path in isolated.iterdir() if path.name.startswith(".")]


def test_only_the_files_of_the_dataset_come_along(isolated: Path, brought: Path) -> None:
    bring(write_idx(brought / "fashion"))
    assert "fashion/notes.txt" not in everything(isolated) and len(everything(isolated)) == 5
    write_pictures(brought / "pictures")
    (brought / "secret.png").write_bytes(b"not yours")
    (brought / "pictures" / "train" / "3" / "link.png").symlink_to(brought / "secret.png")
    (brought / "pictures" / "train" / "loop").symlink_to(brought / "pictures")
    bring(brought / "pictures")
    assert not any("link" in name or "loop" in name for name in everything(isolated))


def test_mnist_and_svhn_take_their_own_places(isolated: Path, brought: Path) -> None:
    (brought / "train_32x32.mat").write_bytes(mat_bytes())
    bring(brought / "train_32x32.mat")
    assert everything(isolated) == {"svhn", "svhn/train_32x32.mat"} and len(open_dataset("svhn")) == 6
    (brought / "test_32x32.mat").write_bytes(mat_bytes())
    with pytest.raises(DataError, match=r"svhn.train_32x32\.mat is there already"):
        bring(brought)
    bring(brought / "test_32x32.mat")
    assert len(open_dataset("svhn", "test")) == 6
    bring(write_idx(brought / "anything"), "mnist")
    assert len(open_dataset("mnist", "test")) == 6


def test_the_real_mnist_is_known_by_its_sums(real_mnist: Path) -> None:
    assert default_name(real_mnist / "mnist") == "mnist"
    assert default_name(next((real_mnist / "mnist").iterdir())) == "mnist"


@pytest.mark.parametrize("name", ["synthetic", "runs", "../out", "a/b", ".hidden", "x" * 65, "two\nlines"])
def test_names_that_cannot_be(isolated: Path, brought: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot be called"):
        bring(write_idx(brought / "fashion"), name)
    assert not everything(isolated)


def test_a_name_is_made_of_any_file_name() -> None:
    assert default_name(Path("Mïne (2).npz")) == "Mïne -2" and default_name(Path("§§.npz")) == "digits"


def test_a_name_that_is_taken_stays_as_it_is(isolated: Path, brought: Path) -> None:
    (brought / "mine.npz").write_bytes(npz_bytes(x_train=IMAGES, y_train=LABELS))
    bring(brought / "mine.npz")
    (brought / "mine.csv").write_bytes(csv_text())
    with pytest.raises(DataError, match="a dataset called mine already"):
        bring(brought / "mine.csv")
    bring(brought / "mine.csv", "table")
    assert everything(isolated) == {"mine.npz", "table.csv"}


def test_what_is_damaged_is_not_taken_in(isolated: Path, brought: Path) -> None:
    (brought / "broken.npz").write_bytes(npz_bytes(x_train=IMAGES, y_train=LABELS)[:-40])
    with pytest.raises(DataError, match="damaged"):
        bring(brought / "broken.npz")
    with pytest.raises(DataError, match="does not exist"):
        bring(brought / "nothing.npz")
    with pytest.raises(DataError, match="holds no dataset"):
        bring(brought)
    assert not everything(isolated)


def test_broken_off_it_leaves_nothing(isolated: Path, brought: Path) -> None:
    going = import_data(write_pictures(brought / "pictures"))
    for event in going:
        if event.copied:
            break
    going.close()
    assert not everything(isolated)


def test_a_full_disk_is_told_and_leaves_nothing(isolated: Path, brought: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importing_module.shutil, "copyfile", full)
    with pytest.raises(DataError, match="No space left on device"):
        bring(write_pictures(brought / "pictures"))
    assert not everything(isolated)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_are_not_utf8_come_along(isolated: Path, brought: Path) -> None:
    odd = write_pictures(brought / "pictures") / "train" / "3" / os.fsdecode(b"\xff\xfe.png")
    Image.fromarray(IMAGES[0]).save(odd, "PNG")
    bring(brought / "pictures")
    assert len(open_dataset("pictures")) == 7


def test_two_imports_of_one_name_do_not_replace_each_other(isolated: Path, brought: Path) -> None:
    (brought / "mine.npz").write_bytes(npz_bytes(x_train=IMAGES, y_train=LABELS))
    slower = import_data(brought / "mine.npz")
    next(slower)
    bring(brought / "mine.npz")
    (isolated / "mine.npz").write_bytes(b"the faster one's")
    with pytest.raises(DataError, match="is there already"):
        list(slower)
    assert (isolated / "mine.npz").read_bytes() == b"the faster one's" and everything(isolated) == {"mine.npz"}
