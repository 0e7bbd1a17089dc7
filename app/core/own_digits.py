"""The user's own digits: images with the right answer, kept as files of a dataset to train on. Qt-free."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import Image

from nncore.arrays import Array
from nncore.data.catalogue import OWN_DIGITS
from nncore.data.folder import GREY, picture_files
from nncore.errors import DataError
from nncore.files import shown, write_atomically
from nncore.paths import user_folder
from nncore.vision.picture import read_picture
from nncore.vision.sight import fit_colour


@dataclass(frozen=True, eq=False)
class Change:
    """A change of the user's own digits that can be taken back: the files that it takes away, and those that it brings."""

    taken: Mapping[Path, bytes]
    brought: Mapping[Path, bytes]

    def do(self) -> None:
        """Change the files. Doing it twice does no harm. Raises DigitLabError where the disk refuses."""
        _exchange(self.taken, self.brought)

    def undo(self) -> None:
        """Change them back. Raises DigitLabError where the disk refuses."""
        _exchange(self.brought, self.taken)

    @property
    def nbytes(self) -> int:
        return sum(len(content) for files in (self.taken, self.brought) for content in files.values())


def folder() -> Path:
    """The folder that holds them, one folder a digit. It need not exist yet."""
    return user_folder() / OWN_DIGITS


def is_own(spec: str) -> bool:
    """Whether a dataset's name or path means the user's own digits."""
    return spec == OWN_DIGITS or os.path.realpath(spec) == os.path.realpath(folder())


def files() -> tuple[Path, ...]:
    """The files of the user's own digits, in the order of the dataset's images."""
    return tuple(picture_files(folder())) if folder().is_dir() else ()


@dataclass(frozen=True, eq=False)
class Kept:
    """How many digits of the user's own there are, and the last ones of them."""

    count: int = 0
    images: Array = field(default_factory=lambda: np.zeros((0, *GREY), np.uint8))
    """uint8 (N, 28, 28, 1), the last one first"""
    labels: tuple[str, ...] = ()
    """The digits that they are kept as."""


def kept(most: int) -> Kept:
    """The user's own digits, and at most `most` images. A file that is no picture is left out. DataError where the folder cannot be
    read.
    """
    every = files()
    images: list[Array] = []
    labels: list[str] = []
    for path in sorted(every, key=lambda path: path.name, reverse=True):  # they are named after the time
        if len(images) == most:
            break
        with suppress(DataError):
            images.append(fit_colour(read_picture(path), GREY))
            labels.append(shown(path.parent.name))
    return Kept(len(every), np.stack(images), tuple(labels)) if images else Kept(len(every))


def keeping(digit: int, image: Array) -> Change:
    """Keep `image`, uint8 (height, width, 1 or 3), as a PNG file in the folder of `digit`."""
    content = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(content, "PNG")
    return Change({}, {folder() / str(digit) / f"{datetime.now():%Y%m%d-%H%M%S-%f}.png": content.getvalue()})


def removing(paths: Sequence[Path]) -> Change:
    """Remove these files; those that are gone already are left out.

    Raises DataError where one cannot be read: what could not be brought back is not removed.
    """
    return Change(_read(paths), {})


def relabelling(paths: Sequence[Path], digit: int) -> Change:
    """Move these files to the folder of `digit`; those that are gone or there already are left out.

    Raises DataError where one cannot be read.
    """
    taken = {path: content for path, content in _read(paths).items() if path.parent != folder() / str(digit)}
    brought: dict[Path, bytes] = {}
    for path, content in taken.items():
        brought[_unused(folder() / str(digit) / path.name, brought)] = content
    return Change(taken, brought)


def _unused(path: Path, taken: Mapping[Path, bytes]) -> Path:
    """The path, or one like it that no file has yet."""
    number, unused = 1, path
    while unused in taken or unused.exists():
        number += 1
        unused = path.with_stem(f"{path.stem}-{number}")
    return unused


def _read(paths: Sequence[Path]) -> dict[Path, bytes]:
    try:
        return {path: path.read_bytes() for path in paths if path.exists()}
    except OSError as error:
        raise DataError(f"{shown(error.filename or folder())} cannot be read: {error.strerror or error}.") from error


def _exchange(old: Mapping[Path, bytes], new: Mapping[Path, bytes]) -> None:
    """Write the new files, and then remove the old ones, so that nothing is lost where the disk refuses."""
    for path, content in new.items():
        write_atomically(path, content)
    for path in old:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"{shown(path)} cannot be removed: {error.strerror or error}.") from error
