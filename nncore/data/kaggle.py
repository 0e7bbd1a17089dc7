"""The CSV files of Kaggle's "Digit Recognizer": a row a digit, its label and its pixels; the test file has no labels."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nncore.arrays import Array
from nncore.data.dataset import DIGITS, UNKNOWN, Dataset
from nncore.errors import DataError
from nncore.files import LARGEST_DATASET, MOST_IMAGES, entries, file_size, opened, shown

CHUNK = 4 * 2**20
LARGEST_SIDE = 256
LONGEST_LINE = 10 * LARGEST_SIDE**2


@dataclass(frozen=True, eq=False)
class Table:
    """What a CSV file holds."""

    images: Array
    """uint8 (N, side, side, 1)"""
    labels: Array | None
    """int64 (N); None where the file has no labels (Kaggle's test.csv)"""


def open_kaggle(path: Path, split: str = "train") -> Dataset:
    """The digits of a CSV file, or of a folder with train.csv: images uint8 (N, 28, 28, 1), labels int64.

    "test" is the file beside it with "test" for "train" in its name; a test file that stands alone is both. Where a file has
    no labels, as Kaggle's own test file, they are UNKNOWN. Raises DataError, naming the file and the line, where it is
    missing or damaged.
    """
    file = _file(path, split)
    table = read_kaggle(file)
    labels = np.full(len(table.images), UNKNOWN) if table.labels is None else table.labels
    return Dataset(table.images, labels, shown(file.stem), shown(file))


def holds_kaggle(path: Path) -> bool:
    """Whether this is a .csv file, or a folder with a train.csv."""
    if path.is_dir():
        return any(entry.name.lower().endswith("train.csv") for entry in entries(path))
    return path.suffix.lower() == ".csv"


def read_kaggle(path: Path) -> Table:
    """Read a CSV file of digits, with or without labels, with or without a line of column names.

    With names, the labels are the column "label"; without, they are the first of an odd number of columns such as 785.
    Values are whole numbers from 0 to 255. Raises DataError, naming the line, where the file is anything else.
    """
    with opened(path) as file:
        if file_size(file) // 2 > LARGEST_DATASET:
            raise DataError(f"{shown(path)} is larger than can be read ({file_size(file):,} bytes); take fewer rows.")
        columns, label, named = _columns(file.readline(LONGEST_LINE))
        side = math.isqrt(columns - (label is not None))
        if not 2 <= side <= LARGEST_SIDE or side**2 + (label is not None) != columns:
            raise DataError(f"{shown(path)} is no table of digits: it has {columns:,} columns, not a label and 784 pixels.")
        if not named:
            file.seek(0)
        first = 2 if named else 1
        # Room for as many rows as there can be: a number takes two bytes. What stays empty takes no memory.
        most, count = min(MOST_IMAGES, file_size(file) // (2 * columns) + 1), 0
        images, labels = np.empty((most, side**2), np.uint8), np.empty(most, np.uint8)
        for rows in _rows(file, columns, first, path):
            if count + len(rows) > most:
                raise DataError(f"{shown(path)} holds more than {most:,} digits; take fewer rows.")
            images[count : count + len(rows)] = rows if label is None else np.delete(rows, label, axis=1)
            labels[count : count + len(rows)] = rows[:, label or 0]
            count += len(rows)
    if not count:
        raise DataError(f"{shown(path)} holds no digits below its column names; download it again.")
    images.resize((count, side, side, 1), refcheck=False)
    if label is None:
        return Table(images, None)
    digits = labels[:count].astype(np.int64)
    if digits.max() >= len(DIGITS):
        line = int(np.argmax(digits >= len(DIGITS))) + first
        raise DataError(f"{shown(path)}, line {line:,}: the label {digits.max()} is no digit.")
    return Table(images, digits)


def _columns(first: bytes) -> tuple[int, int | None, bool]:
    """From the first line: how many columns there are, which holds the labels, and whether the line only names them."""
    names = [name.strip().strip('"').lower() for name in first.decode("utf-8", "replace").lstrip("\ufeff").split(",")]
    if all(name.isdecimal() for name in names):
        return len(names), None if math.isqrt(len(names)) ** 2 == len(names) else 0, False
    return len(names), names.index("label") if "label" in names else None, True


def _file(path: Path, split: str) -> Path:
    """The file of a split, in a folder or beside a file, whose names differ in "train" and "test" alone."""
    if split not in ("train", "test"):
        raise DataError(f'A table of digits has the splits "train" and "test", not "{split}".')
    if path.is_dir():
        path = next(entry for entry in entries(path) if entry.name.lower().endswith("train.csv"))
    part = next((part for part in ("train", "test") if part in path.name.lower()), "train")
    other = path.with_name(re.sub(part, split, path.name, flags=re.IGNORECASE))
    if split == part or (part == "test" and not other.exists()):
        return path  # a lone test file is there to look at, and to measure on
    if other != path and other.exists():
        return other
    raise DataError(f"{shown(path)} has no test split beside it; use its training split, or hold some of it out.")


def _rows(file: BinaryIO, columns: int, line: int, path: Path) -> Iterator[Array]:
    """The rows from here to the end, uint8 (rows, columns), some megabytes at a time; `line` is the number of the next line."""
    rest = b""
    while chunk := file.read(CHUNK):
        text = rest + chunk
        end = text.rfind(b"\n") + 1
        if not end and len(text) > LONGEST_LINE:
            raise DataError(f"{shown(path)}, line {line:,}: the line is too long; this is no table of digits.")
        rest = text[end:]
        if end:
            values = _parse(text[:end], columns, line, path)
            line += text.count(b"\n", 0, end)
            yield values
    if rest.strip():
        yield _parse(rest + b"\n", columns, line, path)


def _parse(text: bytes, columns: int, line: int, path: Path) -> Array:
    """Whole lines of numbers as uint8 (rows, columns). Raises DataError, naming the line, where one is anything else."""
    text = text.replace(b"\r\n", b"\n")
    letters = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero((letters == ord(",")) | (letters == ord("\n")))
    lengths = np.diff(ends, prepend=-1) - 1
    digits = letters - np.uint8(ord("0"))
    value = np.zeros(len(ends), np.int32)
    wrong = (lengths < 1) | (lengths > 3)
    for place, power in enumerate((1, 10, 100), start=1):
        there = lengths >= place
        digit = digits[np.where(there, ends - place, 0)]
        wrong |= there & (digit > 9)
        value += np.where(there, digit.astype(np.int32) * power, 0)
    wrong |= value > 255
    # Each line must end where its last column does, and nowhere else.
    newline = letters[ends] == ord("\n")
    expected = np.arange(len(ends)) % columns == columns - 1
    wrong |= newline != expected
    if wrong.any():
        at = line + text.count(b"\n", 0, int(ends[np.argmax(wrong)]))
        raise DataError(f"{shown(path)}, line {at:,}: expected {columns:,} whole numbers from 0 to 255 parted by commas.")
    return value.astype(np.uint8).reshape(-1, columns)
