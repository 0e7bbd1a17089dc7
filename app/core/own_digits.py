"""The user's own digits: images with the right answer, kept as files of a dataset to train on. Qt-free."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

from PIL import Image

from nncore.arrays import Array
from nncore.data.catalogue import OWN_DIGITS
from nncore.files import write_atomically
from nncore.paths import user_folder


def keep_digit(digit: int, image: Array) -> Path:
    """Write `image`, uint8 (height, width, 1 or 3), as a PNG file into the folder of `digit`, and return its path.

    Raises DigitLabError where the disk refuses.
    """
    path = user_folder() / OWN_DIGITS / str(digit) / f"{datetime.now():%Y%m%d-%H%M%S-%f}.png"
    content = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(content, "PNG")
    write_atomically(path, content.getvalue())
    return path
