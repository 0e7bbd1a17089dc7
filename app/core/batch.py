"""Batch: many pictures, read one after the other, and what came of each. Qt-free."""

from __future__ import annotations

import csv
import io
import os
import re
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nncore.arrays import Array
from nncore.errors import DataError
from nncore.files import is_folder, printable, shown
from nncore.prediction import Predictor
from nncore.recognition import Detector, Digit, Verdict, digits_of, lines_of, recognise
from nncore.vision import Classifier
from nncore.vision.picture import read_picture
from nncore.vision.resample import shrunk

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pnm", ".tga", ".ico")
"""Endings of the files of a folder that are taken for pictures."""
MOST_FILES = 100_000
THUMBNAIL = 40
"""Pixels of the longer side of a thumbnail."""
COLUMNS = ("file", "text", "digits", "unsure", "least_sure", "seconds", "problem")
"""Those of the table that is written."""


@dataclass(frozen=True, eq=False)
class Item:
    """What came of one picture."""

    path: Path
    seconds: float
    problem: str = ""
    """Why it could not be read, in a sentence; empty where it was."""
    thumbnail: Array | None = None
    """uint8 (at most 40, at most 40, 1 or 3)"""
    text: str = ""
    """The digits, its lines parted by ` / `."""
    digits: int = 0
    unsure: int = 0
    """Digits whose answer is not to be relied on."""
    least_sure: float | None = None
    """The lowest confidence of a digit, 0 to 1; None where there is none."""

    @classmethod
    def of(cls, path: Path, found: Sequence[Digit], seconds: float, thumbnail: Array | None = None) -> Item:
        """A picture on which all this was found; what is no digit does not count."""
        found = digits_of(found)
        return cls(
            path,
            seconds,
            thumbnail=thumbnail,
            text=" / ".join(lines_of(found)),
            digits=len(found),
            unsure=sum(each.verdict is not Verdict.SURE for each in found),
            least_sure=min((each.answer.confidence for each in found), default=None),
        )


class Batch:
    """Pictures and, as far as they have been read, what came of them."""

    def __init__(self, paths: Sequence[Path], predictor: Predictor, classify: Classifier, detect: Detector) -> None:
        """`classify` decides what belongs to which digit, `detect` what is none, as in `recognise`."""
        self.paths = tuple(paths)
        self.items: list[Item] = []
        """One for each path that has been read, in their order. It only grows, so another thread may read it."""
        self._predictor, self._classify, self._detect = predictor, classify, detect

    def run(self) -> Generator[int]:
        """Read one picture after the other; yields how many have been read. Raises ConfigError where the network takes none."""
        for path in self.paths:
            self.items.append(self._read(path))
            yield len(self.items)

    def _read(self, path: Path) -> Item:
        began = time.perf_counter()
        try:
            picture = read_picture(path)
            found = recognise(self._predictor, picture, classify=self._classify, detect=self._detect)
        except DataError as error:
            return Item(path, time.perf_counter() - began, problem=str(error))
        except MemoryError:
            return Item(
                path, time.perf_counter() - began, problem=f"There is not enough memory for {shown(path)}; make it smaller."
            )
        return Item.of(path, found, time.perf_counter() - began, shrunk(picture, THUMBNAIL))


def find_pictures(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The files among the paths, and the pictures in the folders among them and below, in the order in which people count.

    Raises DataError where there are none, more than 100,000, or a folder cannot be read.
    """
    found: list[Path] = []
    names = []
    for path in paths:
        names.append(shown(path))
        for file in _pictures_in(path) if is_folder(path) else (path,):
            found.append(file)
            if len(found) > MOST_FILES:
                raise DataError(f"{', '.join(names)} holds over {MOST_FILES:,} pictures; take a part of them.")
    if not found:
        raise DataError(f"There are no pictures in {', '.join(names)}; name a folder with PNG, JPEG or other picture files.")
    return tuple(found)


def _pictures_in(folder: Path) -> Iterator[Path]:
    """The picture files of a folder, and then of those below."""

    def refuse(error: OSError) -> None:
        raise DataError(f"{shown(error.filename)} cannot be read: {error.strerror}.") from error

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=_counted)
        for name in sorted(files, key=_counted):
            if not name.startswith(".") and name.lower().endswith(ENDINGS):
                yield Path(place, name)


def _counted(name: str) -> list[tuple[int, int, str]]:
    """A key that puts page 9 before page 10."""
    return [
        (0, int(part), "") if part.isdecimal() and len(part) < 20 else (1, 0, part) for part in re.split(r"(\d+)", name.lower())
    ]


def as_csv(items: Iterable[Item]) -> bytes:
    """The items as a table, UTF-8: COLUMNS in the first line, `least_sure` from 0 to 1."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for item in items:
        least = "" if item.least_sure is None else f"{item.least_sure:.4f}"
        row = (printable(str(item.path)), item.text, item.digits, item.unsure, least, f"{item.seconds:.3f}", item.problem)
        table.writerow(row)
    return text.getvalue().encode("utf-8", "replace")
