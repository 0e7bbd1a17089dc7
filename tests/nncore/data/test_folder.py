"""A folder of pictures by class, and finding out what kind of data a path is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nncore.data import available_datasets, open_dataset
from nncore.data.folder import open_folder
from nncore.data.synthetic import synthetic
from nncore.errors import DataError

DIGITS = synthetic("test", 30, seed=1)


def write_pictures(folder: Path, names: tuple[str, ...] = tuple("0123456789"), suffix: str = "png") -> None:
    for number, (image, label) in enumerate(zip(DIGITS.images, DIGITS.labels, strict=True)):
        place = folder / names[label % len(names)]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(place / f"{number:03}.{suffix}")


def by_picture(images: np.ndarray) -> list[bytes]:
    return sorted(image.tobytes() for image in images)


def test_pictures_of_mnists_kind_stay_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    write_pictures(folder)
    data = open_dataset(folder)
    assert by_picture(data.images) == by_picture(DIGITS.images)
    for image, label in zip(DIGITS.images, DIGITS.labels, strict=True):
        same = (data.images == image).all(axis=(1, 2, 3))
        assert data.labels[same].tolist() == [label]


def test_dark_on_bright_pictures_of_any_kind_become_bright_on_dark(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    for label, (size, mode) in enumerate(
        [((28, 28), "L"), ((60, 90), "RGB"), ((200, 120), "RGBA"), ((40, 40), "P"), ((50, 50), "I;16")]
    ):
        (folder / str(label)).mkdir(parents=True)
        ink = Image.new("L", size, 255)
        ink.paste(20, (size[0] // 2 - size[0] // 10, size[1] // 5, size[0] // 2 + size[0] // 10, 4 * size[1] // 5))
        picture = Image.fromarray(np.asarray(ink).astype(np.uint16) * 257) if mode == "I;16" else ink.convert(mode)
        picture.save(folder / str(label) / "bar.png")
    data = open_dataset(folder)
    assert data.labels.tolist() == [0, 1, 2, 3, 4]
    for image in data.images[..., 0]:
        assert image[14, 14] > 250 and image[:3].max() == 0 and image[:, :5].max() == 0


def test_colour_pictures_of_another_shape(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    (folder / "7").mkdir(parents=True)
    Image.new("RGB", (40, 20), (200, 30, 40)).save(folder / "7" / "red.png")
    data = open_folder(folder, shape=(32, 32, 3))
    assert data.images.shape == (1, 32, 32, 3) and (data.images[0] == (200, 30, 40)).all()
    assert data.labels.tolist() == [7]


def test_splits_and_names_of_classes(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    write_pictures(folder / "train", ("b10", "b9"))
    write_pictures(folder / "test", ("b10",))
    for split in ("train", "test"):
        assert open_dataset(folder, split).class_names == ("b9", "b10")
    assert set(open_dataset(folder, "test").labels) == {1}
    with pytest.raises(DataError, match="no test split"):
        open_dataset(folder / "train", "test")


def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "pictures", tmp_path / "private"
    write_pictures(inside)
    write_pictures(outside / "5")
    (inside / "0" / "leak.png").symlink_to(next((outside / "5").rglob("*.png")))
    (inside / "1" / "alias.png").symlink_to(next((inside / "1").glob("*.png")))
    (inside / "secret").symlink_to(outside, target_is_directory=True)
    data = open_dataset(inside)
    assert len(data) == len(DIGITS) + 1 and data.class_names == tuple("0123456789")


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    write_pictures(folder)
    place = folder / str(DIGITS.labels[0])
    (place / "notes.txt").write_text("not a picture, and not named like one")
    assert len(open_dataset(folder)) == len(DIGITS)
    (place / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    with pytest.raises(DataError, match=r"broken\.png") as told:
        open_dataset(folder)
    assert "\n" not in str(told.value)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow only UTF-8 names")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    write_pictures(folder / "a")
    (folder / "a" / "4").rename(folder / "a" / os.fsdecode(b"\xff4"))
    data = open_dataset(folder / "a")
    assert len(data) == len(DIGITS)
    "".join(data.class_names).encode()
    found = (folder / "a").rename(folder / os.fsdecode(b"\xfe"))
    (open_dataset(found).name + open_dataset(found).source).encode()
    (found / "0" / os.fsdecode(b"\xfd.png")).write_bytes(b"no picture")
    with pytest.raises(DataError) as told:
        open_dataset(found)
    str(told.value).encode()


@pytest.mark.parametrize("name", ["nowhere", "no\0where", "x" * 5000, "mnist/..", ""])
def test_nothing_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    with pytest.raises(DataError) as told:
        open_dataset(name)
    assert "\n" not in str(told.value)


def test_what_is_missing_says_where_to_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "digits"))
    with pytest.raises(
        DataError,
        match=r"MNIST is not in .*digits.mnist; get it with `digitlab data get mnist`, put .* there, or use --data synthetic\.",
    ):
        open_dataset("mnist")
    with pytest.raises(DataError, match=r"SVHN is not in .*digits.svhn; get it with .*, put .*train_32x32\.mat"):
        open_dataset("svhn")
    known = {each.name: each for each in available_datasets()}
    assert list(known) == ["mnist", "svhn", "svhn-extra", "synthetic", "synthetic-street"]
    assert [each.here for each in known.values()] == [False, False, False, True, True]
    assert known["mnist"].folder == tmp_path / "digits" / "mnist"
    for name in ("synthetic", "synthetic-street"):
        assert len(open_dataset(name, "test")) == known[name].counts["test"]


def test_importing_the_data_loads_neither_scipy_nor_pillow() -> None:
    code = "import sys, nncore.data; print([name for name in ('scipy', 'PIL', 'pooch') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
