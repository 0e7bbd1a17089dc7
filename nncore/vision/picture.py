"""Reading a picture of any kind, from anybody: pixels, or one sentence that says what is wrong with the file."""

from __future__ import annotations

import io
import logging
import math
import os
import shutil
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from nncore.arrays import Array
from nncore.errors import DataError
from nncore.files import opened, shown

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "TGA", "ICO")
"""No format whose decoder starts another program (EPS) or needs one."""
MOST_PIXELS = 50_000_000
MOST_WEBP = 40_000_000
"""Pixels of a WebP picture, whose decoder holds four copies."""
APART = 4_000_000
"""Pixels from which on a WebP picture is decoded by a process of its own, so that those copies are not this one's."""
MOST_SLOW = 4_000_000
"""Pixels of a picture that is decoded in Python, at a million a second."""
SLOW = ("bmp_rle", "ppm", "ppm_plain")
MOST_SCANS = 100
"""Scans of a progressive JPEG: each, be it of twenty bytes, goes over all its pixels. Ten are usual."""
PNG_BEGIN = 8
"""Bytes of a PNG file before its first chunk."""
SCAN = b"\xff\xda"
AT_ONCE = 2**20
"""Pixels that are converted at a time: with transparency, or with fractions, each takes dozens of bytes meanwhile."""

# What Pillow logs of damaged files would otherwise reach standard error; the DataError says it all.
logging.getLogger("PIL").addHandler(logging.NullHandler())
HEAD = struct.Struct("<3I")
"""Height, width and channels, in front of the pixels of a picture that was decoded apart."""
TILE_SIZE = (322, 323)
"""TIFF's tags for the width and height of a tile."""
_SILENCE = threading.Lock()
GREY_MODES = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def read_picture(source: str | os.PathLike[str] | bytes) -> Array:
    """The pixels of a picture file, or of its bytes: uint8 (height, width, 1) where it is grey, else (height, width, 3).

    It is turned as its EXIF data says; of an animation the first frame is taken; 16-bit values are scaled down; what is
    transparent becomes the colour of the paper, or, where the digit itself is drawn in the alpha channel, a colour that it
    stands out from. Raises DataError, naming the file, where it is no picture, damaged, or over 50 megapixels.
    """
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), "The picture")
    with opened(Path(source)) as file:
        return _read(file, shown(source))


def _read(file: BinaryIO, name: str, apart: bool = True) -> Array:
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        # Pillow warns of odd but readable files; the size is checked here.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError as error:
            raise DataError(f"{name} is not a picture that can be read; save it as PNG or JPEG.") from error
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise DataError(f"{name} has over {MOST_PIXELS:,} pixels; make it smaller.") from error
        # A damaged file makes Pillow's decoders raise nearly anything.
        except Exception as error:
            raise DataError(f"{name} is damaged and cannot be read as a picture; save it anew.") from error
        with picture:
            try:
                width, height, most = _claims(picture)
                if width * height > most:
                    raise DataError(f"{name} is {width:,}×{height:,}, over {most:,} pixels; make it smaller.")
                if picture.format == "PNG":
                    _check_sums(file)
                if "progressive" in picture.info and _count(SCAN, file) > MOST_SCANS:
                    raise DataError(f"{name} has over {MOST_SCANS} scans; save it anew, as a JPEG that is not progressive.")
                if apart and picture.format == "WEBP" and width * height > APART and (process := _decoder()) is not None:
                    return _read_apart(file, process)
                talkative = any(part[0] == "libtiff" for part in picture.tile)
                with _silence() if talkative else nullcontext():
                    return _pixels(_upright(picture))
            except DataError:
                raise
            except Exception as error:
                raise DataError(f"{name} is damaged and cannot be read to its end; save it anew.") from error


def _decoder() -> subprocess.Popen[bytes] | None:
    """A process that decodes one picture; None where none can be started."""
    command = [sys.executable, "-m", "nncore.vision.picture"]
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return None


def _read_apart(file: BinaryIO, decoder: subprocess.Popen[bytes]) -> Array:
    """The pixels of a picture that another process decodes; EOFError where it cannot."""
    file.seek(0)
    with decoder as process:
        assert process.stdin is not None and process.stdout is not None
        with suppress(OSError), process.stdin as to:  # where it has ended already nothing comes back either
            shutil.copyfileobj(file, to)
        head = process.stdout.read(HEAD.size)
        if len(head) < HEAD.size:
            raise EOFError("the decoder has failed")
        pixels = np.empty(HEAD.unpack(head), np.uint8)
        room = pixels.data.cast("B")
        while room and (count := process.stdout.readinto(room)):  # type: ignore[attr-defined]
            room = room[count:]
        if room:
            raise EOFError("the decoder has failed on the way")
    return pixels


@contextmanager
def _silence() -> Iterator[None]:
    """Keep off standard error what a library in C prints there; one thread at a time, or none would find the way back."""
    with _SILENCE:
        try:
            spoken = os.dup(2)
        except OSError:  # a program without standard error
            yield
            return
        try:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(spoken, 2)
            os.close(spoken)


def _claims(picture: ImageFile) -> tuple[int, int, int]:
    """The width and height that decoding a picture takes memory for, and how many pixels that may be."""
    tiled = getattr(picture, "tag_v2", {})  # a tile of a TIFF may be larger than the picture
    width, height = (max(size, tiled.get(tag, 0)) for size, tag in zip(picture.size, TILE_SIZE, strict=True))
    slow = any(part[0] in SLOW for part in picture.tile)
    return width, height, MOST_SLOW if slow else MOST_WEBP if picture.format == "WEBP" else MOST_PIXELS


def _check_sums(file: BinaryIO) -> None:
    """Raise ValueError where the pixels of a PNG file are not what their checksums say, which Pillow does not look at.

    A file that ends too early is left to the decoder. The file is read on from where it was before.
    """
    place = file.tell()
    file.seek(PNG_BEGIN)
    while len(head := file.read(8)) == 8:
        left, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind != b"IDAT":
            file.seek(left + 4, os.SEEK_CUR)
            continue
        found = zlib.crc32(kind)
        while left and (part := file.read(min(left, AT_ONCE))):
            found, left = zlib.crc32(part, found), left - len(part)
        wanted = file.read(4)
        if not left and len(wanted) == 4 and int.from_bytes(wanted, "big") != found:
            raise ValueError("the checksum of the pixels is another one")
    file.seek(place)


def _count(mark: bytes, file: BinaryIO) -> int:
    """About how often the mark stands in a file."""
    file.seek(0)
    return sum(part.count(mark) for part in iter(lambda: file.read(AT_ONCE), b""))


def _upright(picture: Image) -> Image:
    """The picture turned, in its place, as its EXIF data says; as it is where that data is damaged."""
    from PIL import ImageOps

    picture.load()
    with suppress(Exception):  # whatever is wrong with the note, the picture is there
        ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _pixels(picture: Image) -> Array:
    """uint8 (height, width, 1 or 3)"""
    if picture.has_transparency_data:
        return _on_paper(picture)
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _as_bytes(picture)
    mode, channels = ("L", 1) if picture.mode in GREY_MODES else ("RGB", 3)
    pixels = np.empty((picture.height, picture.width, channels), np.uint8)
    for place, part in _parts(picture, mode):
        pixels[place] = part.reshape(*part.shape[:2], channels)
    return pixels


def _parts(picture: Image, mode: str | None = None) -> Iterator[tuple[tuple[slice, slice], Array]]:
    """The picture, converted to a mode, in parts of about AT_ONCE pixels: the rows and columns, and what is there."""
    wide = min(picture.width, AT_ONCE)
    high = max(1, AT_ONCE // wide)
    for top in range(0, picture.height, high):
        for left in range(0, picture.width, wide):
            right, bottom = min(left + wide, picture.width), min(top + high, picture.height)
            part = picture.crop((left, top, right, bottom))
            yield (slice(top, bottom), slice(left, right)), np.asarray(part.convert(mode) if mode else part)


def _as_bytes(picture: Image) -> Array:
    """A picture with values of 16 or more bits as uint8: 16 bits where they are in use, otherwise by their own range."""
    low, high = math.inf, -math.inf
    for _, part in _parts(picture):
        values = _finite(part)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    if low >= 0 and 255 < high <= 65535:
        low, high = 0.0, 65535.0
    elif low >= 0 and 1 < high <= 255:
        low, high = 0.0, 255.0
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    pixels = np.empty((picture.height, picture.width, 1), np.uint8)
    for place, part in _parts(picture):
        pixels[place] = np.round((_finite(part) - low) * (255 / max(high - low, 1e-9)))[..., None]
    return pixels


def _finite(values: Array) -> Array:
    """float64 of the same shape; what is no number becomes zero."""
    return np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _on_paper(picture: Image) -> Array:
    """A transparent picture laid on paper of a colour that lets the digit be seen: uint8 (height, width, 3)."""
    step = math.ceil(picture.width * picture.height / AT_ONCE)
    sample = np.concatenate([part.reshape(-1, 4)[::step] for _, part in _parts(picture, "RGBA")])
    paper = _paper(sample)
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    for place, part in _parts(picture, "RGBA"):
        alpha = part[..., 3:].astype(np.float32) / 255
        pixels[place] = np.round(part[..., :3] * alpha + paper * (1 - alpha))
    return pixels


def _paper(pixels: Array) -> Array:
    """The colour of the paper, float32 (3), for a picture with these RGBA pixels (N, 4)."""
    alpha, colour = pixels[:, 3], pixels[:, :3].astype(np.float32)
    visible = colour[alpha >= 128]
    if not len(visible):
        visible = colour[alpha > 0]
    if not len(visible):
        return np.full(3, 255, np.float32)
    if 2 * len(visible) < len(pixels) or visible.std(axis=0).max() < 12:
        # The ink is what is opaque.
        return np.full(3, 255 if visible.mean() < 128 else 0, np.float32)
    return np.median(visible, axis=0)


def main() -> None:
    """Decode the picture at standard input, and write its shape and its pixels to standard output."""
    pixels = _read(io.BytesIO(sys.stdin.buffer.read()), "The picture", apart=False)
    sys.stdout.buffer.write(HEAD.pack(*pixels.shape))
    sys.stdout.buffer.write(pixels.data)


if __name__ == "__main__":
    main()
