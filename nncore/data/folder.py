"""A folder of pictures by class: one folder a label, named as the label, with any pictures in it."""

from __future__ import annotations

import math
import os
import re
from contextlib import suppress
from pathlib import Path

import numpy as np

from nncore.arrays import Array, Shape
from nncore.data.dataset import DIGITS, Dataset
from nncore.errors import DataError
from nncore.files import DENSEST, LARGEST_DATASET, entries, is_file, is_folder, shown

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".tga", ".ico"})
GREY = (28, 28, 1)
SPLITS = {"train": ("train", "training"), "test": ("test", "testing", "valid", "validation", "val")}
SPLIT_NAMES = {name for names in SPLITS.values() for name in names}
MOST_CLASSES = 1000
MOST_PIXELS = 2 * 10**9
"""Pixels that the pictures of a folder may have together, a minute's work, unless they take a fair part of that on the disk."""


def open_folder(path: Path, split: str = "train", shape: Shape = GREY) -> Dataset:
    """The pictures in `path/<label>/`, made `shape` = (height, width, 1 or 3): uint8 (N, height, width, channels).

    Where `path` holds the folders "train" and "test", `split` chooses; otherwise all pictures are the training split.
    The labels 0 to 9 keep their numbers; other names are numbered in order. A picture that already has the shape stays as
    it is; for 28×28 grey any other is brought there as the recogniser would see it (bright on black, centred), for other
    shapes it is padded and resized. Links that lead out of the folder are not followed. Raises DataError, naming the file,
    where one cannot be read, or where there is no picture at all.
    """
    root = split_folder(path, split)
    names = class_names(path)
    if len(names) > MOST_CLASSES:
        raise DataError(f"{shown(path)} holds {len(names):,} folders of pictures; these are no classes.")
    files = _pictures(root, path)
    if not files:
        raise DataError(f"{shown(root)} holds no pictures; put them into one folder a digit, {shown(root / '0')} to 9.")
    number = {name: label for label, name in enumerate(names)}
    labels = np.array([number[file.parent.name] for file in files], np.int64)
    return Dataset(_load(files, shape), labels, shown(path.name) or "pictures", shown(root), tuple(map(shown, names)))


def holds_pictures(path: Path) -> bool:
    """Whether this is a folder with a folder of pictures for at least one class (at once, or below "train" or "test")."""
    return path.is_dir() and any(_classes(root, path) for root in _roots(path))


def counts(path: Path) -> dict[str, int]:
    """How many pictures each split has, by their names alone."""
    found = {}
    for split in SPLITS:
        with suppress(DataError):  # it has no such split
            found[split] = len(_pictures(split_folder(path, split), path))
    return found


def picture_files(path: Path) -> list[Path]:
    """The pictures of all splits, those that links lead out of the folder to left out."""
    return [file for root in _roots(path) for file in _pictures(root, path)]


def split_folder(path: Path, split: str) -> Path:
    """The folder that holds the classes of a split. Raises DataError where there is none."""
    if split not in SPLITS:
        raise DataError(f'A folder of pictures has the splits "train" and "test", not "{split}".')
    here = {folder.name.lower(): folder for folder in entries(path) if is_folder(folder) and inside(folder, path)}
    found = [here[name] for name in SPLITS[split] if name in here]
    if found:
        return found[0]
    if split == "test":
        raise DataError(f"{shown(path)} has no test split; put its pictures into {shown(path / 'test')}, one folder a digit.")
    return path


def _roots(path: Path) -> list[Path]:
    """The folder and, where it has them, those of its splits."""
    splits = [folder for folder in entries(path) if folder.name.lower() in SPLIT_NAMES]
    return [path, *(folder for folder in splits if is_folder(folder) and inside(folder, path))]


def class_names(path: Path) -> tuple[str, ...]:
    """The names of all classes, the same for each split: the ten digits, or what the folders are called, in order."""
    found = {folder.name for root in _roots(path) for folder in _classes(root, path)}
    return DIGITS if found <= set(DIGITS) else tuple(sorted(found, key=_by_number))


def _by_number(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts "9" before "10"."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def _classes(root: Path, path: Path) -> list[Path]:
    """The folders in `root` with at least one picture, by name, those of splits left out; no link may lead out of `path`."""
    folders = [folder for folder in entries(root) if folder.name.lower() not in SPLIT_NAMES]
    folders = [folder for folder in folders if is_folder(folder) and inside(folder, path)]
    folders = [folder for folder in folders if any(file.suffix.lower() in SUFFIXES for file in entries(folder))]
    return sorted(folders, key=lambda folder: _by_number(folder.name))


def _pictures(root: Path, path: Path) -> list[Path]:
    """The pictures of the classes in `root`, by class and name; no link may lead out of `path`."""
    return [
        file
        for folder in _classes(root, path)
        for file in entries(folder)
        if file.suffix.lower() in SUFFIXES and inside(file, path) and is_file(file)
    ]


def inside(path: Path, root: Path) -> bool:
    """Whether the path, links followed, still lies in `root`."""
    # Not Path.resolve, which raises RuntimeError where links lead in a circle.
    return not path.is_symlink() or Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _load(files: list[Path], shape: Shape) -> Array:
    """The pictures as uint8 (N, *shape)."""
    from nncore.vision.light import find_paper
    from nncore.vision.picture import read_picture
    from nncore.vision.sight import fit_colour, see_digit

    if len(files) * math.prod(shape) > LARGEST_DATASET:
        raise DataError(f"{len(files):,} pictures are more than fit into memory; take fewer.")
    images = np.empty((len(files), *shape), np.uint8)
    bright, dark = [], 0
    pixels = held = 0
    for number, file in enumerate(files):
        picture = read_picture(file)
        pixels, held = pixels + math.prod(picture.shape[:2]), held + file.stat().st_size
        if pixels > max(MOST_PIXELS, DENSEST * held):
            raise DataError(
                f"{shown(file)} is one of {len(files):,} pictures, of which the first {number + 1:,} unpack to {pixels:,} pixels "
                f"out of {held:,} bytes; make them smaller."
            )
        fits = picture.shape[:2] == shape[:2]
        if shape != GREY or fits:
            images[number] = fit_colour(picture, shape)
        else:
            images[number] = see_digit(picture).image
        if shape == GREY and fits:
            on_dark = find_paper(images[number, ..., 0].astype(np.float32)).dark
            dark += on_dark
            bright.append(number)
    # One digit that fills its picture may look inverted; a whole folder of small pictures does not.
    if 2 * dark < len(bright):
        for number in bright:
            images[number] = see_digit(images[number]).image
    return images
