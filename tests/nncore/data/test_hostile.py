"""Hostile files: whatever lies there, opening it gives a Dataset or one sentence, soon, in little memory, and writes nothing."""

from __future__ import annotations

import io
import json
import math
import os
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matfile import mat_part, mat_variable
from mutate import (
    ALPHA,
    COLOUR,
    GOOD,
    IDX,
    IMAGES,
    KINDS,
    LABELS,
    PICTURES,
    TREES,
    X,
    Y,
    brought,
    csv_bytes,
    everything,
    icon,
    idx,
    idx_bytes,
    idx_header,
    mat,
    npy,
    npy_bytes,
    npz,
    npz_file,
    outcome,
    packed,
    picture,
    png,
    write,
)
from PIL import Image

from nncore.data import available_datasets, default_dataset, open_dataset
from nncore.data.folder import MOST_CLASSES
from nncore.data.mat import MOST_VARIABLES
from nncore.errors import DataError
from nncore.files import LARGEST_DATASET, MODEST, believable
from nncore.vision.picture import MOST_SCANS, SCAN

GIGABYTE = 10**9
FUZZED = max(500, int(os.environ.get("DIGITLAB_MUTATIONS", "0")))
on_unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


def told(path: Path | str, split: str = "train") -> str:
    """What opening it says; it must be refused."""
    with pytest.raises(DataError) as error:
        open_dataset(path, split)
    outcome(lambda: open_dataset(path, split))
    return str(error.value)


def encrypted(archive: bytes) -> bytes:
    """The archive with the flag set for each member that it takes a password."""
    return archive.replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1")


def big_bmp() -> bytes:
    """Runs that claim 7000×7000."""
    content = bytearray(PICTURES["runs.bmp"][0])
    content[18:26] = struct.pack("<ii", 7000, 7000)
    return bytes(content)


def tiled(side: int) -> bytes:
    """A TIFF of 10×10 pixels in one tile of another size."""
    data = zlib.compress(bytes(1000))
    tags = ((256, 10), (257, 10), (258, 8), (259, 8), (262, 1), (277, 1), (322, side), (323, side), (324, 146), (325, len(data)))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return (b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries).ljust(146, b"\0") + data


def scans() -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    whole = PICTURES["progressive.jpeg"][0][:-2]
    return whole + (SCAN + whole.split(SCAN)[-1]) * MOST_SCANS + b"\xff\xd9"


def mat_head(name: str, kind: int, shape: tuple[int, ...], numbers: int) -> bytes:
    """All of an array but its numbers, which are bytes or doubles."""
    size = math.prod(shape) * {2: 1, 9: 8}[numbers]
    head = (
        mat_part(6, struct.pack("<2I", kind, 0)) + mat_part(5, struct.pack(f"<{len(shape)}i", *shape)) + mat_part(1, name.encode())
    )
    return struct.pack("<2I", 14, len(head) + 8 + size + -size % 8) + head + struct.pack("<2I", numbers, size)


NOISE = random.Random(1).randbytes(2 * 2**20)
BOMB = int(1.9 * 2**30) // 784
REFUSED: dict[str, tuple[dict[str, bytes], str]] = {
    "idx: no images": (idx(b""), "does not begin like one"),
    "idx: no labels": (idx(labels=b""), "does not begin like one"),
    "idx: 2^31 images": (idx(idx_header(2**31, 28, 28)), "holds no images"),
    "idx: 2^31 labels": (idx(labels=idx_header(2**31)), "6 images need as many labels, not 2,147,483,648"),
    "idx: 2^31 images and labels": (idx(idx_header(2**31, 28, 28), idx_header(2**31)), "holds no images"),
    "idx: more than is allowed": (
        idx(idx_header(4_000_000, 28, 28), idx_header(4_000_000) + bytes(4_000_000)),
        r"claims an array of \(4000000, 28, 28\), more than",
    ),
    "idx: nothing times too much": (idx(idx_header(0, 2**32 - 1, 2**32 - 1)), "holds no images"),
    "idx: a bomb that tells the truth": (
        idx(packed(idx_header(BOMB, 28, 28)) + NOISE, packed(idx_header(BOMB) + bytes(BOMB)), end=".gz"),
        "claims to unpack to 2,040,109,1.. bytes out of 2,097,.*: no set of images does that",
    ),
    "idx: labels that are no numbers": (idx(labels=idx_header(6, code=0x0E) + struct.pack(">6d", *[float("nan")] * 6)), "float64"),
    "idx: labels below zero": (idx(labels=idx_header(6, code=0x0C) + struct.pack(">6i", 1, 2, -1, 4, 5, 6)), "labels from -1"),
    "idx: labels that are no classes": (
        idx(labels=idx_header(6, code=0x0C) + struct.pack(">6i", 1, 2, 3, 4, 5, 10**6)),
        "no classes",
    ),
    "idx: letters from zero": (idx(prefix="emnist-letters-train"), "labels from 0"),
    "csv: empty": ({"train.csv": b""}, "1 columns"),
    "csv: names alone": ({"train.csv": csv_bytes().splitlines()[0]}, "holds no digits"),
    "csv: zeros": ({"train.csv": bytes(5_000_000)}, "1 columns"),
    "csv: one endless line": ({"train.csv": b"label," + b"x," * 2_000_000}, "columns"),
    "csv: wide characters": ({"train.csv": csv_bytes().decode().encode("utf-16")}, "columns"),
    "csv: label 255": ({"train.csv": csv_bytes().replace(b"\n3,", b"\n255,", 1)}, "line 2: the label 255 is no digit"),
    "csv: digits of another script": ({"train.csv": csv_bytes().replace(b"\n9,", "\n٣,".encode(), 1)}, "line 4"),
    "csv: a value in quotes": ({"train.csv": csv_bytes().replace(b"\n9,", b'\n"9",', 1)}, "line 4"),
    "npz: empty": ({"digits.npz": b""}, "damaged or no .npz file"),
    "npz: no archive": ({"digits.npz": NOISE}, "damaged or no .npz file"),
    "npz: a negative size": (npz(npy((-1000, 4, 4), content=bytes(10**6))), "damaged"),
    "npz: 2^63": (npz(npy((2**63, 28, 28))), "claims an array"),
    "npz: nothing times too much": (npz(npy((0, 2**70, 2**70))), "holds no images"),
    "npz: sizes of 5000 digits": (npz(npy("(" + "9" * 5000 + ", 4, 4)")), "damaged"),
    "npz: an endless header": (npz(npy((6, 4, 4), version=2, length=2**32 - 1, content=NOISE)), "damaged"),
    "npz: an unfinished header": (npz(npy("((((((")), "damaged"),
    "npz: sixty dimensions": (npz(npy((1,) * 60)), "holds no images"),
    "npz: a record": (npz(npy((6, 4, 4), "[('a', '<u1'), ('b', '<f8')]", bytes(900))), "not made of plain numbers"),
    "npz: long doubles": (npz(npy((6, 4, 4), "'<f16'", bytes(6 * 16 * 16))), "not made of plain numbers"),
    "npz: dates": (npz(npy((6, 4, 4), "'<M8[s]'", bytes(6 * 16 * 8))), "not made of plain numbers"),
    "npz: images after the images": (npz(npy((6, 4, 4), content=bytes(97))), "damaged"),
    "npz: another packing": (npz(npy_bytes(IMAGES), method=zipfile.ZIP_BZIP2), "compressed in a way that"),
    "npz: names that lead out": (
        {"digits.npz": npz_file({"../x_train": npy_bytes(IMAGES), "/y_train": npy_bytes(LABELS)})},
        "holds no train split",
    ),
    "npz: a secret": (
        {"digits.npz": npz(npy_bytes(IMAGES))["digits.npz"].replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1")},
        "damaged",
    ),
    "npz: labels without images": (npz(npy_bytes(IMAGES), npy((2**28,), "'<f8'")), "claims an array"),
    "mat: empty": ({"train_32x32.mat": b""}, "not a MATLAB version 5 file"),
    "mat: a header alone": (mat(), "holds no images"),
    "mat: a negative size": (mat(mat_variable("X", X, shape=(-4, -4, 3, 6))), "damaged"),
    "mat: a product that flows over": (mat(mat_variable("X", X, shape=(2**31 - 1, 2**31 - 1, 2**31 - 1, 2**31 - 1))), "damaged"),
    "mat: a bomb that tells the truth": (
        mat(struct.pack("<2I", 15, len(NOISE) + 100) + zlib.compress(mat_head("X", 9, (28, 28, 1, BOMB), 2)).ljust(100) + NOISE),
        "claims to unpack X to 2,040,109,.* bytes out of 2,097,252: no set of images does that",
    ),
    "mat: another product": (mat(mat_variable("X", X, shape=(4, 4, 3, 7))), "damaged"),
    "mat: no size": (mat(mat_variable("X", X, shape=())), "damaged"),
    "mat: packed in the pack": (mat(struct.pack("<2I", 15, len(one := zlib.compress(mat_variable("X", X)))) + one), "damaged"),
    "mat: complex": (mat(mat_variable("X", X, flags=0x08), mat_variable("y", Y)), "holds no images"),
    "mat: images for labels": (mat(mat_variable("X", X), mat_variable("y", X)), "labels are not the numbers"),
    "mat: letters for labels": (mat(mat_variable("X", X), mat_variable("y", Y, kind=4)), "6 images but 0 labels"),
    "mat: labels without end": (
        mat(mat_variable("X", X), mat_variable("y", np.full((6, 1), np.inf))),
        "labels are not the numbers",
    ),
    "mat: too much before it": (mat(*[mat_variable("a", Y)] * MOST_VARIABLES, mat_variable("X", X)), "holds no images"),
    "mat: stored beyond its end": (
        mat(mat_variable("X", X, packed=False).replace(struct.pack("<2I", 2, X.nbytes), struct.pack("<2I", 2, 2**31 - 1))),
        "damaged",
    ),
    **{
        f"mat: class {kind}": (mat(mat_variable("X", X, kind=kind), mat_variable("y", Y)), "holds no images")
        for kind in (0, 1, 2, 3, 4, 5, 16, 17, 18, 255)
    },
    "picture: 50,000×50,000": ({"3/a.png": png(50_000, 50_000)}, "a.png .*over 50,000,000 pixels"),
    "picture: 50,000×50,000 in an icon": ({"3/a.ico": icon(png(50_000, 50_000))}, "over 50,000,000 pixels"),
    "picture: 11,000×9,000 in an icon": ({"3/a.ico": icon(png(11_000, 9_000))}, "over 50,000,000 pixels"),
    "picture: a tile larger than the picture": ({"3/a.tif": tiled(60_000)}, "is 60,000×60,000"),
    "picture: runs that Python unpacks": ({"3/a.bmp": big_bmp()}, "7,000×7,000, over 4,000,000 pixels"),
    "picture: levels that Python scales": ({"3/a.ppm": b"P6 7000 7000 254\n" + bytes(9)}, "over 4,000,000 pixels"),
    "picture: scans without end": ({"3/a.jpg": scans()}, "over 100 scans"),
    "picture: a large WebP": ({"3/a.webp": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x57\x1b\0\x57\x1b\0"}, "damaged|pixels"),
    "picture: empty": ({"3/a.png": b""}, "not a picture"),
    "picture: a gif without frames": ({"3/a.gif": b"GIF89a" + bytes(7) + b";"}, "damaged|not a picture"),
    "folder: nothing but a split": ({"val/a.png": PICTURES["a.png"][0]}, "holds no"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_refused_in_a_sentence(tmp_path: Path, case: str, recwarn: pytest.WarningsRecorder) -> None:
    files, says = REFUSED[case]
    folder = write(tmp_path / "here", files)
    before = everything(tmp_path)
    path = folder / "digits.npz" if "digits.npz" in files else folder
    with pytest.raises(DataError, match=says):
        open_dataset(path)
    assert told(path).startswith(str(folder))
    assert everything(tmp_path) == before and not recwarn.list


TAKEN: dict[str, dict[str, bytes]] = {
    **{f"good: {name}": {path: good.wrap(content) for path, content in good.files.items()} for name, good in GOOD.items()},
    "idx: packed in two pieces": idx(packed(IDX["images-idx3-ubyte"][:30]) + packed(IDX["images-idx3-ubyte"][30:]), end=".gz"),
    "idx: filled up with zeros": idx(packed(IDX["images-idx3-ubyte"]) + bytes(3_000_000)),
    "npz: as Python 2 wrote it": npz(npy("(6L, 4L, 4L)", content=IMAGES.tobytes())),
    "npz: version 3": npz(npy((6, 4, 4), content=IMAGES.tobytes(), version=3)),
    "npz: truth of other bytes": npz(npy((6, 4, 4), "'|b1'", bytes(range(96)))),
    "mat: truth": mat(mat_variable("X", X, flags=0x02), mat_variable("y", Y)),
    "picture: many frames": {"3/a.gif": picture("GIF", save_all=True, append_images=[Image.fromarray(255 - COLOUR)] * 50)},
    "picture: one line": {"3/a.png": png(30_000, 1, content=zlib.compress(bytes(30_001)))},
    "picture: one column": {"3/a.png": picture("PNG", ALPHA[:1, :1].repeat(3000, axis=0))},
    "folder: pictures in a split": {"3/a.png": PICTURES["a.png"][0], "test/a.png": b"", "val/a.png": b""},
    "folder: pictures in a split of a split": {"TRAIN/3/a.png": PICTURES["a.png"][0], "TRAIN/val/a.png": b""},
    "folder: folders in folders": {"3/a.png": PICTURES["a.png"][0], "3/4/5/6/a.png": b"", "7/8/9/a.png": b""},
}


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)])
@pytest.mark.parametrize("case", TAKEN)
def test_what_is_only_strange_is_taken(tmp_path: Path, case: str, shape: tuple[int, int, int]) -> None:
    folder = write(tmp_path, TAKEN[case])
    only = next(iter(TAKEN[case]))
    path = folder / only if len(TAKEN[case]) == 1 and "/" not in only else folder
    assert outcome(lambda: open_dataset(path, picture_shape=shape)) == "dataset"


def test_labels_above_nine_are_more_classes(tmp_path: Path) -> None:
    data = open_dataset(write(tmp_path, idx(labels=idx_bytes(np.array([10, 255, 99, 0, 1, 254], np.uint8)))))
    assert data.labels.tolist() == [10, 255, 99, 0, 1, 254] and len(data.class_names) == 256


def test_a_file_may_unpack_to_what_a_file_of_its_size_can_hold() -> None:
    assert believable(0) == 0 and believable(1000) == 1_032_000
    assert believable(2**20) == believable(10 * 2**20) == MODEST
    assert believable(547_000_000 // 5) > 547_000_000  # EMNIST by class
    assert believable(1_329_278_602) == LARGEST_DATASET > 531_131 * 32 * 32 * 3  # SVHN extra


def test_a_file_of_holes_is_refused(tmp_path: Path) -> None:
    count = MODEST // 784 + 100
    folder = write(tmp_path, idx(idx_header(count, 28, 28), idx_header(count) + bytes(count)))
    file = folder / "train-images-idx3-ubyte"
    os.truncate(file, 16 + count * 784)
    if not 0 < getattr(file.stat(), "st_blocks", 0) * 512 < 10**6:
        pytest.skip("the disk fills holes")
    assert "mostly holes" in told(folder)


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"3/a.png": png(9000, 1, content=zlib.compress(bytes(9001)))}, ""),
        (npz(npy((6, 4, 4), content=bytes(10**8), version=2, length=10**8)), "digits.npz"),
        (npz(npy((-6, 4, 4), content=bytes(10**8))), "digits.npz"),
        (idx(packed(IDX["images-idx3-ubyte"] + bytes(10**8)), end=".gz"), ""),
    ],
    ids=["a line that would become a square", "a header without end", "less than nothing", "more than was promised"],
)
def test_little_memory_for_little_data(tmp_path: Path, files: dict[str, bytes], path: str) -> None:
    folder = write(tmp_path / "here", files)
    outcome(lambda: open_dataset("nothing"))  # what is loaded on the way stays
    tracemalloc.start()
    try:
        outcome(lambda: open_dataset(folder / path, picture_shape=(32, 32, 3)))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_what_does_not_fit_into_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise MemoryError

    monkeypatch.setattr("nncore.data.mnist.read_idx", full)
    assert "does not fit into the memory" in told(write(tmp_path, idx()))


@pytest.mark.parametrize("split", ["", "val", "../x", "a\nb", "\udcff", "{0}", "x" * 99, "train "])
def test_splits_that_do_not_exist(tmp_path: Path, split: str) -> None:
    for name, good in GOOD.items():
        folder = write(tmp_path / name, {path: good.wrap(content) for path, content in good.files.items()})
        told(folder / good.opens, split)
    for name in ("synthetic", "synthetic-street", "mnist", "svhn", "svhn-extra"):
        told(name, split)


@on_unix
@pytest.mark.parametrize("name", [b"\xff\xfe", b"two\nlines", b"\x1b[31mred", b"x" * 255, b"\xe2\x80\xa8"])
@pytest.mark.parametrize("kind", ["idx", "mat", "csv", "picture-a.png"])
def test_names_that_cannot_be_printed(tmp_path: Path, name: bytes, kind: str) -> None:
    folder = write(tmp_path / os.fsdecode(name), GOOD[kind].files)
    assert outcome(lambda: open_dataset(folder)) == "dataset"
    for file in GOOD[kind].files:
        (folder / file).write_bytes(b"")
    told(folder)
    told(folder / "nothing")


def test_a_name_that_no_file_can_have() -> None:
    for name in ("\ud800", "\ud800.mat", "\ud800/a.csv", "x" * 300 + ".csv", "/".join(["x" * 200] * 30), "a\0.csv"):
        told(name)


@on_unix
def test_pipes_devices_and_links_in_a_circle(tmp_path: Path) -> None:
    files = {"3/a.png": PICTURES["a.png"][0], "4/a.png": PICTURES["a.png"][0]}
    folder = write(tmp_path / "pictures", files)
    os.mkfifo(folder / "3" / "pipe.png")
    (folder / "3" / "loop.png").symlink_to("loop.png")
    (folder / "3" / "there.png").symlink_to("back.png")
    (folder / "3" / "back.png").symlink_to("there.png")
    (folder / "3" / "device.png").symlink_to("/dev/zero")
    (folder / "3" / "long.png").symlink_to("x" * 300)
    (folder / "4" / "folder.png").mkdir()
    for name, target in (("5", "."), ("6", "6"), ("7", "/"), ("8", "../.."), ("train", "train"), ("9", "nothing")):
        (folder / name).symlink_to(target)
    assert len(open_dataset(folder)) == 2
    for name in ("train.csv", "train_32x32.mat", "train-images-idx3-ubyte", "digits.npz"):
        for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to(path), Path.mkdir):
            place = tmp_path / "one" / name
            place.parent.mkdir()
            make(place)
            told(place)
            told(place.parent)
            place.rmdir() if place.is_dir() else place.unlink()
            place.parent.rmdir()


def test_too_many_folders_are_no_classes(tmp_path: Path) -> None:
    write(tmp_path, {f"{number}/a.png": b"" for number in range(MOST_CLASSES + 1)})
    assert "1,001 folders of pictures; these are no classes" in told(tmp_path)


def test_many_large_pictures_are_refused_before_all_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {f"3/{number}.png": picture("PNG", np.zeros((200, 200), np.uint8)) for number in range(9)})
    assert len(open_dataset(tmp_path)) == 9
    monkeypatch.setattr("nncore.data.folder.MOST_PIXELS", 100_000)
    assert "3.png is one of 9 pictures, of which the first 3 unpack to 120,000 pixels out of" in told(tmp_path).replace(
        "2.png", "3.png"
    )


@on_unix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="the superuser may read everything")
def test_what_may_not_be_read(tmp_path: Path, isolated: Path) -> None:
    for base in (tmp_path / "there", isolated):
        for kind in ("idx", "csv", "picture-a.png"):
            for mode in (0o000, 0o444):
                folder = write(base / f"{kind}-{mode}", GOOD[kind].files)
                folder.chmod(mode)
                told(folder)
                assert default_dataset() == "synthetic" and available_datasets()
                folder.chmod(0o755)
    isolated.chmod(0o444)
    assert available_datasets()
    isolated.chmod(0o755)


@on_unix
def test_rubbish_in_the_data_folder_hides_nothing(isolated: Path) -> None:
    write(
        isolated,
        {"good/3/a.png": PICTURES["a.png"][0], "good/4/a.png": PICTURES["a.png"][0], "mnist": b"", "svhn/train_32x32.mat": b""},
    )
    (isolated / "long").symlink_to("x" * 300)
    (isolated / "circle").symlink_to("circle")
    (isolated / "root").symlink_to("/")
    os.mkfifo(isolated / "pipe.csv")
    deep = isolated / "good" / "/".join(["deep"] * 300)
    deep.mkdir(parents=True)
    assert {known.name for known in available_datasets() if known.here} == {"good", "synthetic", "synthetic-street"}
    assert len(open_dataset("good")) == 2 and default_dataset() == "synthetic"
    assert "is not in" in told("mnist") and "svhn" in told("svhn")


@on_unix
def test_nothing_is_brought_in_through_links_that_lead_out(tmp_path: Path, isolated: Path) -> None:
    private = write(tmp_path / "private", idx(prefix="t10k") | mat(mat_variable("X", X), mat_variable("y", Y)))
    folder = write(tmp_path / "digits", idx())
    (folder / "t10k-images-idx3-ubyte").symlink_to(private / "t10k-images-idx3-ubyte")
    (folder / "t10k-labels-idx1-ubyte").write_bytes(IDX["labels-idx1-ubyte"])
    assert len(open_dataset(folder, "test")) == 6
    for path in (folder, folder / "train-labels-idx1-ubyte"):
        with pytest.raises(DataError, match="t10k-images-idx3-ubyte is a link out of its folder"):
            brought(path, "mine", isolated)
    street = write(tmp_path / "street", mat(mat_variable("X", X), mat_variable("y", Y)))
    (street / "test_32x32.mat").symlink_to("/dev/zero")
    (street / "extra_32x32.mat").symlink_to("nowhere")
    assert len(brought(street, "svhn", isolated)) == 6
    assert [path.name for path in (isolated / "svhn").iterdir()] == ["train_32x32.mat"]


def test_what_cannot_be_brought_in_is_told(tmp_path: Path, isolated: Path) -> None:
    table = write(tmp_path, GOOD["csv"].files) / "train.csv"
    for path, name, says in (
        (table, "mnist", "is not MNIST"),
        (table, "svhn", "is not SVHN"),
        (table, "\udcff", "cannot be called"),
        (table, "dots..", "cannot be called"),
        (table, "RUNS", "cannot be called"),
        (table, "x" * 5000, "cannot be called"),
        (tmp_path / ("x" * 300 + ".csv"), None, "cannot be read: File name too long"),
    ):
        with pytest.raises(DataError, match=says):
            brought(path, name, isolated)
        assert outcome(lambda path=path, name=name: brought(path, name, isolated)) == "error"


def in_its_own_process(*arguments: object, folder: Path) -> str:
    """What a program prints that takes every warning for an error, and does not know whose machine it runs on."""
    own = {name: str(folder / name.lower()) for name in ("HOME", "TMPDIR", "DIGITLAB_DATA", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
    (folder / "tmpdir").mkdir()
    answer = subprocess.run(
        [sys.executable, "-W", "error", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=110,
        cwd=folder,
        env=os.environ | own | {"PYTHONPATH": os.pathsep.join((str(Path(__file__).parent), str(Path(__file__).parents[3])))},
    )
    assert (answer.returncode, answer.stderr) == (0, ""), answer.stdout + answer.stderr
    return answer.stdout


@on_unix
def test_hundreds_of_damaged_datasets(tmp_path: Path) -> None:
    """Every input gives a Dataset or a DataError within seconds, prints nothing, warns of nothing, and writes nothing."""
    program, base = Path(__file__).with_name("mutate.py"), tmp_path / "base"
    base.mkdir()
    answer = json.loads(in_its_own_process(program, base, 20261122, 0, FUZZED, folder=base))
    assert answer["inputs"] == FUZZED and answer["memory"] < GIGABYTE
    assert answer["found"].keys() == set(KINDS) and all(found["error"] for found in answer["found"].values())
    # Most that is damaged is found out, but not by refusing all that comes.
    assert sum(found.get("dataset", 0) for found in answer["found"].values()) > FUZZED // 20
    assert all(sum(answer["found"][kind].values()) >= FUZZED // len(KINDS) for kind in KINDS if kind not in TREES)
    assert sorted(path.name for path in base.iterdir()) == ["outside", "tmpdir"]


def zeros(head: bytes, count: int, window: int) -> bytes:
    """Some bytes and very many zeros, packed quickly."""
    packer = zlib.compressobj(1, zlib.DEFLATED, window)
    parts = (packer.compress(bytes(min(2**20, count - start))) for start in range(0, count, 2**20))
    return packer.compress(head) + b"".join(parts) + packer.flush()


def bombs() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Datasets that unpack to as much as just passes, and say so: a name, and the files."""
    count = MODEST // 784
    images, labels = zeros(idx_header(count, 28, 28), 784 * count, 31), zeros(idx_header(count), count, 31)
    yield "idx", idx(images, labels, end=".gz")
    yield "letters", idx(images, labels, "emnist-byclass-train", ".gz")
    many = MODEST // 27
    arrays = (
        zeros(mat_head("X", 9, (3, 3, 3, many), 2), 27 * many + -27 * many % 8, 15),
        zeros(mat_head("y", 6, (many, 1), 9), 8 * many, 15),
    )
    yield "mat", mat(*(struct.pack("<2I", 15, len(content)) + content for content in arrays))
    fortran = npy((count, 28, 28), "'<f4'").replace(b"False", b"True ")
    ends = npy((count, 1), "'<f8'")
    yield "npz", {"digits.npz": zipped(x_train=(fortran, 4 * 784 * count), y_train=(ends, 8 * count))}
    whole = png(7000, 7000, 8, 6, zeros(b"", 7000 * (1 + 7000 * 4), 15))
    yield "picture", {"3/a.png": whole}
    yield "icon", {"3/a.ico": icon(whole)}


def zipped(**members: tuple[bytes, int]) -> bytes:
    """An archive of members with some bytes and very many zeros, packed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (head, count) in members.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                member.write(head)
                for start in range(0, count, 2**20):
                    member.write(bytes(min(2**20, count - start)))
    return file.getvalue()


def test_an_archive_that_unpacks_to_more_than_is_believed_is_refused(tmp_path: Path) -> None:
    count = MODEST // 784 + 1
    content = zipped(x_train=(npy((count, 28, 28)), 784 * count), y_train=(npy((count,)), count))
    folder = write(tmp_path, {"digits.npz": content})
    assert "claims to unpack to 268,436,112 pixels out of" in told(folder / "digits.npz")
    entry = content.index(b"PK\1\2") + 20  # where the archive says how much its first member takes in it
    write(folder, {"digits.npz": content[:entry] + struct.pack("<I", 10**9) + content[entry + 4 :]})
    assert "damaged" in told(folder / "digits.npz")


@on_unix
@pytest.mark.timeout(240)
def test_bombs_take_less_than_a_gigabyte(tmp_path: Path) -> None:
    """Each in a process of its own, since what one has taken is not given back."""
    code = "import sys, mutate as m; print(m.outcome(lambda: m.open_dataset(m.Path(sys.argv[1]))), m.peak_memory())"
    for name, files in bombs():
        folder = write(tmp_path / name, files)
        found, memory = in_its_own_process("-c", code, folder / ("digits.npz" if name == "npz" else ""), folder=folder).split()
        assert found == "dataset" and int(memory) < GIGABYTE, f"{name}: {found}, {int(memory):,} bytes"
