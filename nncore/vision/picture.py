"""Reading a picture of any kind, from anybody: pixels, or one sentence that says what is wrong with the file."""

from __future__ import annotations

import io
import logging
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from nncore.backend import Array
from nncore.errors import DataError
from nncore.files import opened, shown

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "TGA", "ICO")
"""No format whose decoder starts another program (EPS) or needs one."""
MOST_PIXELS = 50_000_000

# What Pillow logs of damaged files would otherwise reach standard error; the DataError says it all.
logging.getLogger("PIL").addHandler(logging.NullHandler())
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


def _read(file: BinaryIO, name: str) -> Array:
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        # Pillow warns of odd but readable files; the size is checked here.
        warnings.simplefilter("ignore")
        try:
            picture = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError as error:
            raise DataError(f"{name} is not a picture that can be read; save it as PNG or JPEG.") from error
        except Image.DecompressionBombError as error:
            raise DataError(f"{name} has over {MOST_PIXELS:,} pixels; make it smaller.") from error
        # A damaged file makes Pillow's decoders raise nearly anything.
        except Exception as error:
            raise DataError(f"{name} is damaged and cannot be read as a picture; save it anew.") from error
        with picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise DataError(f"{name} is {picture.width:,}×{picture.height:,}, over {MOST_PIXELS:,} pixels; make it smaller.")
            try:
                return _pixels(_upright(picture))
            except Exception as error:
                raise DataError(f"{name} is damaged and cannot be read to its end; save it anew.") from error


def _upright(picture: Image) -> Image:
    """The picture turned as its EXIF data says; as it is where that data is damaged."""
    from PIL import ImageOps

    picture.load()
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # whatever is wrong with the note, the picture is there
        return picture


def _pixels(picture: Image) -> Array:
    """uint8 (height, width, 1 or 3)"""
    if picture.has_transparency_data:
        return _on_paper(np.asarray(picture.convert("RGBA")))
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _as_bytes(np.asarray(picture))[..., None]
    if picture.mode in GREY_MODES:
        return np.array(picture.convert("L"))[..., None]
    return np.array(picture.convert("RGB"))


def _as_bytes(values: Array) -> Array:
    """Values of 16 or more bits as uint8: 16 bits where they are in use, otherwise by their own range."""
    values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and 255 < high <= 65535:
        low, high = 0.0, 65535.0
    elif low >= 0 and 1 < high <= 255:
        low, high = 0.0, 255.0
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    return np.round((values - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)


def _on_paper(pixels: Array) -> Array:
    """RGBA pixels (height, width, 4) laid on paper of a colour that lets the digit be seen."""
    alpha = pixels[..., 3:].astype(np.float32) / 255
    colour = pixels[..., :3].astype(np.float32)
    visible = colour[pixels[..., 3] >= 128]
    if not len(visible):
        visible = colour[pixels[..., 3] > 0]
    if not len(visible):
        paper = np.full(3, 255, np.float32)
    elif 2 * len(visible) < alpha.size or visible.std(axis=0).max() < 12:
        # The ink is what is opaque.
        paper = np.full(3, 255 if visible.mean() < 128 else 0, np.float32)
    else:
        paper = np.median(visible, axis=0)
    return np.round(colour * alpha + paper * (1 - alpha)).astype(np.uint8)
