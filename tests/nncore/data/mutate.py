"""Damaged datasets of every kind, made of good ones, and a run over thousands of them: `python mutate.py FOLDER SEED FIRST COUNT`.

It tells, as JSON, what came of them; of anything that may not be it tells the number, and stops.
"""

from __future__ import annotations

import faulthandler
import gzip
import io
import json
import os
import random
import re
import shutil
import struct
import sys
import traceback
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matfile import mat_file, mat_variable
from PIL import Image

from nncore.data import Dataset, available_datasets, default_dataset, open_dataset
from nncore.data.importing import import_data
from nncore.errors import DataError

PATIENCE = 10
"""Seconds that opening one dataset may take."""
LONGEST_MESSAGE = 600

RNG = np.random.default_rng(11)
IMAGES = RNG.integers(0, 256, (6, 4, 4), dtype=np.uint8)
LABELS = np.array([3, 1, 9, 1, 0, 7], np.uint8)
COLOUR = RNG.integers(0, 256, (28, 28, 3), dtype=np.uint8)
EDGES = [0, 1, 2, 127, 255, 256, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 1, -1, -(2**31)]
"""Numbers at which sizes go wrong."""

Wrap = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Good:
    """A good dataset: its files' bytes before they are packed, how each is packed, and the file to open (none: the folder)."""

    files: dict[str, bytes]
    wrap: Wrap = bytes
    opens: str = ""


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def packed(content: bytes) -> bytes:
    """Gzipped without the time of day."""
    return gzip.compress(content, 1, mtime=0)


def npy_bytes(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz_file(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of members as they are, whatever they hold."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content, method)
    return file.getvalue()


def npz_of_parts(content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of images and labels that lie one after the other, so that both can be damaged within it."""
    x, *rest = content.split(b"\x93NUMPY")[1:] or [content]
    return npz_file({"x_train": b"\x93NUMPY" + x, "y_train": b"\x93NUMPY" + b"\x93NUMPY".join(rest)}, method)


def csv_bytes(named: bool = True, end: str = "\n") -> bytes:
    rows = [[int(label), *image.ravel().tolist()] for image, label in zip(IMAGES, LABELS, strict=True)]
    names = [["label", *(f"pixel{number}" for number in range(16))]] if named else []
    return end.join(",".join(map(str, row)) for row in [*names, *rows]).encode()


def mat_packed(content: bytes) -> bytes:
    """A file of packed variables, out of variables that lie one after the other as they are."""
    parts = content.split(b"MATRIX")
    return mat_file(*(struct.pack("<2I", 15, len(part := zlib.compress(one, 1))) + part for one in parts))


def picture(kind: str, pixels: np.ndarray = COLOUR, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def png_mended(content: bytes) -> bytes:
    """The PNG with the checksum of each of its chunks made right, so that what is damaged is believed."""
    out, at = content[:8], 8
    while at + 12 <= len(content):
        size = min(int.from_bytes(content[at : at + 4], "big"), len(content) - at - 12)
        chunk = content[at + 4 : at + 8 + size]
        out += content[at : at + 4] + chunk + struct.pack(">I", zlib.crc32(chunk))
        at += 12 + size
    return out + content[at:]


def rle_bmp() -> bytes:
    """Pillow writes none of this kind."""
    runs, lone, jump = b"\x08\x07\x00\x00", b"\x00\x04\x01\x02\x03\x04\x04\x09\x00\x00", b"\x04\x05\x00\x02\x04\x00"
    body = 2 * (runs + lone + jump + runs) + b"\x00\x01"
    head = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 8, 1, len(body), 0, 0, 256, 0)
    palette = bytes(value for level in range(256) for value in (level, level, level, 0))
    return b"BM" + struct.pack("<IHHI", 54 + len(palette) + len(body), 0, 0, 54 + len(palette)) + head + palette + body


X = np.repeat(IMAGES[..., None], 3, axis=3).transpose(1, 2, 3, 0)
Y = np.where(LABELS == 0, 10, LABELS)[:, None]
IDX = {"images-idx3-ubyte": idx_bytes(IMAGES), "labels-idx1-ubyte": idx_bytes(LABELS)}
ALPHA = np.dstack([COLOUR, COLOUR[..., :1]])
PICTURES: dict[str, tuple[bytes, Wrap]] = {
    "a.png": (picture("PNG"), png_mended),
    "deep.png": (picture("PNG", COLOUR[..., 0].astype(np.uint16) * 257), png_mended),
    "clear.png": (picture("PNG", ALPHA[:9, :14]), png_mended),
    "a.jpg": (picture("JPEG"), bytes),
    "progressive.jpeg": (picture("JPEG", COLOUR[:20], progressive=True), bytes),
    "a.gif": (picture("GIF"), bytes),
    "a.tif": (picture("TIFF"), bytes),
    "packed.tiff": (picture("TIFF", COLOUR[..., 0].astype(np.float32), compression="tiff_deflate"), bytes),
    "a.bmp": (picture("BMP"), bytes),
    "runs.bmp": (rle_bmp(), bytes),
    "a.webp": (picture("WEBP", lossless=True), bytes),
    "a.ppm": (picture("PPM"), bytes),
    "plain.pgm": (b"P2\n# digits\n4 4\n250\n" + b" ".join(b"%d" % value for value in IMAGES[0].ravel() % 250), bytes),
    "a.tga": (picture("TGA", ALPHA, compression="tga_rle"), bytes),
    "a.ico": (picture("ICO", ALPHA, sizes=[(28, 28)]), bytes),
}
GOOD: dict[str, Good] = {
    "idx": Good({f"train-{name}": content for name, content in IDX.items()}),
    "idx-gzip": Good({f"train-{name}.gz": content for name, content in IDX.items()}, packed),
    "idx-letters": Good(
        {
            "emnist-letters-train-images-idx3-ubyte": idx_bytes(IMAGES),
            "emnist-letters-train-labels-idx1-ubyte": idx_bytes(LABELS + np.uint8(1)),
        },
        packed,
    ),
    "mat": Good({"train_32x32.mat": mat_file(mat_variable("X", X, packed=False), mat_variable("y", Y, packed=False))}),
    "mat-packed": Good(
        {"digits.mat": mat_variable("y", Y * 1.0, packed=False) + b"MATRIX" + mat_variable("X", X, packed=False)},
        mat_packed,
        "digits.mat",
    ),
    "mat-big-endian": Good({"train_32x32.mat": mat_file(mat_variable("X", X, ">"), mat_variable("y", Y, ">"), order=">")}),
    "csv": Good({"train.csv": csv_bytes()}),
    "csv-no-names": Good({"digits.csv": csv_bytes(False, "\r\n")}, opens="digits.csv"),
    "npz": Good({"digits.npz": npy_bytes(IMAGES) + npy_bytes(LABELS)}, npz_of_parts, "digits.npz"),
    "npz-fractions": Good(
        {"digits.npz": npy_bytes(np.asfortranarray(IMAGES / 255)) + npy_bytes(LABELS * 1.0)},
        lambda content: npz_of_parts(content, zipfile.ZIP_STORED),
        "digits.npz",
    ),
    "npz-truths": Good({"digits.npz": npy_bytes(IMAGES > 99) + npy_bytes(LABELS.astype(">i2"))}, npz_of_parts, "digits.npz"),
    **{f"picture-{name}": Good({f"3/{name}": content}, wrap) for name, (content, wrap) in PICTURES.items()},
}
TREES = ("tree", "rubbish", "import")
"""What is damaged by its names, its links and what lies where: a dataset, the data folder, and what is to be brought there."""
KINDS = (*GOOD, *TREES)
NAMES = [
    *(b"0", b"3", b"9", b"10", b"train", b"TRAIN", b"test", b"val", b"extra", b"b\n\x1b[31m", b"\xff\xfe", b".hidden", b"n" * 250),
    *(b"mnist", b"svhn", b"my_digits", b"runs", b"synthetic", b"con", "\u202e\u0663".encode()),
    *(b"train.csv", b"test.csv", b"sub.CSV", b"train_32x32.mat", b"test_32x32.mat", b"extra_32x32.mat", b"digits.npz", b"\xff.npz"),
    *(b"train-images-idx3-ubyte", b"train-labels-idx1-ubyte", b"t10k-images-idx3-ubyte.gz", b"a\xff-train-labels-idx1-ubyte"),
    *(b"a.png", b"b.PNG", b"c.jpg", b"\xfd.png", b"d.tif", b"notes.txt"),
]
LINKS = [
    "/",
    "/dev/zero",
    "/dev/null",
    ".",
    "..",
    "0",
    "train",
    "a.png",
    "nowhere",
    "x" * 300,
    "../../outside",
    "../../outside/3/a.png",
]
SPLITS = ["train"] * 60 + ["test"] * 6 + ["extra", "val", "", "../x", "a\nb", "\udcff", "{0}", "x" * 99]


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files into a folder; returns the folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def idx(images: bytes | None = None, labels: bytes | None = None, prefix: str = "train", end: str = "") -> dict[str, bytes]:
    """A set of which one file, or both, are something else than good."""
    whole = zip(IDX.items(), (images, labels), strict=True)
    return {f"{prefix}-{name}{end}": good if given is None else given for (name, good), given in whole}


def idx_header(*sizes: int, code: int = 8) -> bytes:
    """The beginning of an IDX file that promises an array."""
    return bytes((0, 0, code, len(sizes))) + struct.pack(f">{len(sizes)}I", *sizes)


def npy(shape: object, descr: str = "'|u1'", content: bytes = b"", version: int = 1, length: int | None = None) -> bytes:
    """An array whose header says what it is told to."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    size = struct.pack("<H" if version == 1 else "<I", len(header) if length is None else length)
    return b"\x93NUMPY" + bytes((version, 0)) + size + header + content


def npz(x: bytes, y: bytes = npy_bytes(LABELS), method: int = zipfile.ZIP_DEFLATED) -> dict[str, bytes]:
    """An archive of two members, whatever they hold."""
    return {"digits.npz": npz_file({"x_train": x, "y_train": y}, method)}


def mat(*variables: bytes) -> dict[str, bytes]:
    """A file of variables."""
    return {"train_32x32.mat": mat_file(*variables)}


def png(width: int, height: int, depth: int = 8, kind: int = 0, content: bytes = b"\0") -> bytes:
    """A PNG of any claims, its checksums right."""
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    chunks = b"".join(struct.pack(">I", len(data)) + name + data + bytes(4) for name, data in ((b"IHDR", head), (b"IDAT", content)))
    return png_mended(b"\x89PNG\r\n\x1a\n" + chunks + bytes(4) + b"IEND" + bytes(4))


def icon(content: bytes) -> bytes:
    """An icon that says it is 16×16, whatever the picture in it is."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(content), 22) + content


def mutated(content: bytes, rng: random.Random) -> bytes:
    """A few things that go wrong with a file, one after the other."""
    for _ in range(rng.choice((1, 1, 1, 1, 1, 2, 4))):
        content = rng.choice((_flipped, _cut, _spliced, _filled, _resized, _resized, _renumbered, _inserted, _repeated))(
            content, rng
        )
    return content


def _place(content: bytes, rng: random.Random) -> int:
    """Somewhere in a file, every other time near its beginning."""
    return rng.randrange(min(len(content), rng.choice((64, 300, 2**30))) + 1)


def _flipped(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 3, 20)) if content else 0):
        changed[min(_place(content, rng), len(content) - 1)] ^= rng.choice((1, 128, 255, rng.randrange(256)))
    return bytes(changed)


def _cut(content: bytes, rng: random.Random) -> bytes:
    return rng.choice((content[: _place(content, rng)], content[_place(content, rng) :], content[: -rng.randint(1, 16)]))


def _spliced(content: bytes, rng: random.Random) -> bytes:
    other = rng.choice(list(rng.choice(list(GOOD.values())).files.values()))
    return content[: _place(content, rng)] + other[_place(other, rng) :]


def _filled(content: bytes, rng: random.Random) -> bytes:
    at, length = _place(content, rng), rng.choice((1, 4, 16, 200))
    return content[:at] + rng.choice((b"\0", b"\xff", b"0", b"\n", b","))[:1] * length + content[at + length :]


def _resized(content: bytes, rng: random.Random) -> bytes:
    """Another number where, perhaps, a size stands."""
    size, at = rng.choice((1, 2, 4, 4, 8)), rng.choice((1, 4)) * _place(content, rng) % max(len(content), 1)
    number = (rng.choice(EDGES) + rng.choice((0, 0, 1, -1))) % 256**size
    return content[:at] + number.to_bytes(size, rng.choice(("little", "big"))) + content[at + size :]


def _renumbered(content: bytes, rng: random.Random) -> bytes:
    """Another number, or none, where digits stand."""
    numbers = list(re.finditer(rb"\d+", content[:4000]))
    if not numbers:
        return _resized(content, rng)
    start, end = rng.choice(numbers).span()
    new = rng.choice((*map(str, EDGES), "", "x", "-3", "1.5", "9" * 5000, "(" * 150, "True", "\u0663", "7, 0", "1L"))
    return content[:start] + new.encode() + content[end:]


def _inserted(content: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.randbytes(rng.choice((1, 4, 64))) + content[at:]


def _repeated(content: bytes, rng: random.Random) -> bytes:
    start, length = _place(content, rng), rng.choice((1, 8, 100, 2000))
    return content[: start + length] + content[start : start + length] * rng.choice((1, 2, 40)) + content[start + length :]


def write_damaged(good: Good, folder: Path, rng: random.Random) -> Path:
    """Write a good dataset into the folder, one of its files damaged before or after it was packed; returns what to open."""
    victim = rng.choice(list(good.files))
    for name, content in good.files.items():
        damaged = mutated(content, rng) if name == victim and (inside := rng.random() < 0.6) else content
        whole = good.wrap(damaged)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(mutated(whole, rng) if name == victim and not inside else whole)
    return folder / good.opens


def write_tree(folder: Path, rng: random.Random, depth: int = 0) -> None:
    """Fill a folder with whatever may lie in one, under names that mean something, and some that cannot be printed."""
    folder.mkdir(exist_ok=True)
    if rng.random() < 0.5:
        good = rng.choice(list(GOOD.values()))
        for name, content in good.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(good.wrap(content))
    for name in rng.sample(NAMES, rng.randint(1, 5)):
        path = folder / os.fsdecode(name)
        kind = rng.random()
        if path.exists():
            continue
        if kind < 0.35 and depth < 4:
            write_tree(path, rng, depth + 1)
        elif kind < 0.5:
            path.symlink_to(rng.choice(LINKS))
        elif kind < 0.55:
            os.mkfifo(path)
        elif kind < 0.62:
            path.touch()
        else:
            good = rng.choice(list(GOOD.values()))
            path.write_bytes(good.wrap(rng.choice(list(good.files.values()))))


def everything(folder: Path) -> dict[str, int]:
    """What lies below a folder, and the size of each; links are not followed."""
    return {
        os.path.join(place, name): os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118
        for place, folders, files in os.walk(folder)
        for name in (*folders, *files)
    }


def outcome(attempt: Callable[[], Dataset]) -> str:
    """What came of opening a dataset: a Dataset or a DataError, both fit to be shown. Anything else is raised."""
    try:
        data = attempt()
    except DataError as error:
        text = str(error)
        text.encode()
        assert len(text.splitlines()) == 1 and len(text) < LONGEST_MESSAGE, f"no message: {text!r}"
        return "error"
    assert isinstance(data, Dataset) and len(data) > 0
    "".join((data.name, data.source, *data.class_names)).encode()
    return "dataset"


def brought(path: Path, name: str | None, data: Path) -> Dataset:
    """Bring a dataset into the data folder, and open it there."""
    before = everything(data.parent)
    try:
        name = [event.name for event in import_data(path, name)][-1]
    except DataError:
        assert everything(data.parent) == before, "something was left behind"
        raise
    new = everything(data.parent).keys() - before.keys()
    assert new and all(Path(file).is_relative_to(data) and not Path(file).is_symlink() for file in new), f"written: {new}"
    try:
        return open_dataset(name)
    except DataError:
        return open_dataset(name, "test")


def attempts(kind: str, work: Path, data: Path, rng: random.Random) -> Iterator[Callable[[], Dataset]]:
    """Write one input; yields what to try with it."""
    split, shape = rng.choice(SPLITS), rng.choice(((28, 28, 1), (28, 28, 1), (32, 32, 3)))
    if kind in GOOD:
        path = write_damaged(GOOD[kind], work, rng)
        yield lambda: open_dataset(path, split, shape)
    elif kind == "tree":
        write_tree(work, rng)
        for path in (work, *work.iterdir()):
            yield lambda path=path: open_dataset(path, split, shape)
    elif kind == "rubbish":
        write_tree(data, rng)
        names = {known.name for known in available_datasets()} - {"synthetic", "synthetic-street"}
        assert default_dataset() in (*names, "synthetic")
        for name in names:
            name.encode()
            yield lambda name=name: open_dataset(name, split)
    else:
        write_tree(work, rng)
        name = rng.choice(
            (None, "mine", "mnist", "svhn", "../x", "/x", "runs", "\udcff", ".", "a/b", "x" * 300, "a\nb", "a.", "CON")
        )
        for path in (work, *work.iterdir()):
            yield lambda path=path: brought(path, name, data)


def run(base: Path, seed: int, first: int, count: int) -> dict[str, Counter[str]]:
    """Try `count` inputs, each of its own number, in a folder; tells for each kind what came of them."""
    found: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    outside, data = base / "outside", base / "data"
    (outside / "3").mkdir(parents=True)
    (outside / "3" / "a.png").write_bytes(PICTURES["a.png"][0])
    os.environ["DIGITLAB_DATA"] = str(data)
    for number in range(first, first + count):
        kind, rng, work = KINDS[number % len(KINDS)], random.Random(f"{seed} {number}"), base / "work" / "in"
        work.mkdir(parents=True)
        data.mkdir()
        try:
            for attempt in attempts(kind, work, data, rng):
                before = everything(base)
                faulthandler.dump_traceback_later(PATIENCE, exit=True)
                found[kind][outcome(attempt)] += 1
                faulthandler.cancel_dump_traceback_later()
                if kind == "import":
                    shutil.rmtree(data)
                    data.mkdir()
                else:
                    assert everything(base) == before, "something was written"
        except Exception as error:
            error.add_note(f"input {number} of seed {seed}: {kind}, kept in {work}")
            raise
        shutil.rmtree(base / "work")
        shutil.rmtree(data)
    return found


def peak_memory() -> int:
    """Bytes of memory that this process has taken at most."""
    import resource

    # Linux counts what was there before this process became Python among its own, but not here.
    status = Path("/proc/self/status")
    if status.exists():
        return next(1024 * int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(folder: str, *numbers: str) -> int:
    try:
        found = run(Path(folder), *map(int, numbers))
    except Exception:
        traceback.print_exc()
        return 1
    print(json.dumps({"found": found, "inputs": int(numbers[2]), "memory": peak_memory()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
