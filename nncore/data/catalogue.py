"""Datasets by name or by path: what there is, whether it is here, and opening it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from nncore.arrays import Shape
from nncore.data import folder, mnist, svhn
from nncore.data.dataset import DIGITS, Dataset
from nncore.data.download import received, target_folder
from nncore.data.kinds import WORDS, kind_of
from nncore.data.mixed import mixed
from nncore.data.own import OWN_DIGITS as OWN_DIGITS
from nncore.data.own import is_copy, open_copy, parts_of
from nncore.data.sources import SOURCES, Source
from nncore.data.street import synthetic_street
from nncore.data.synthetic import COUNTS, synthetic
from nncore.errors import DataError
from nncore.files import entries, is_file, is_folder, shown
from nncore.paths import data_folder, user_folder

IN_CODE = {"synthetic": synthetic, "synthetic-street": synthetic_street}
TITLES = {"synthetic": "Drawn digits", "synthetic-street": "Drawn street numbers", OWN_DIGITS: "Your own digits"}
"""What people call the datasets that were not published; SOURCES has the titles of the others."""
MOST_NAMES, LONGEST_NAME = 8, 24
"""Names of the user's own datasets that a message lists, and their letters."""
LONGEST_SPLIT = 32


@dataclass(frozen=True)
class _Published:
    """What is known of a dataset that can be downloaded."""

    description: str
    licence: str
    instead: str
    """What needs no download and is most like it."""
    open: Callable[[Path, str], Dataset]
    counts: Callable[[Path], dict[str, int]]


PUBLISHED = {
    "mnist": _Published(
        "70,000 handwritten digits, 28×28 grey.",
        "CC BY-SA 3.0 (LeCun, Cortes, Burges)",
        "synthetic",
        mnist.open_mnist,
        mnist.counts,
    ),
    "svhn": _Published(
        "99,289 house numbers from photos, 32×32 in colour.",
        "non-commercial (Netzer et al.)",
        "synthetic-street",
        svhn.open_svhn,
        lambda place: _without(svhn.counts(place), "extra"),
    ),
    "svhn-extra": _Published(
        "531,131 easier house numbers to learn from.",
        "non-commercial (Netzer et al.)",
        "synthetic-street",
        svhn.open_extra,
        lambda place: {
            {"extra": "train"}.get(split, split): count for split, count in _without(svhn.counts(place), "train").items()
        },
    ),
}


@dataclass(frozen=True)
class KnownDataset:
    """A dataset that has a name, and whether it is on this machine."""

    name: str
    title: str
    description: str
    licence: str
    here: bool
    folder: Path | None = None
    """Where it lies, or where to put it; None for what is drawn by code."""
    size: int = 0
    """Bytes on disk."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Images a split, where that is known without opening it."""
    source: Source | None = None
    """Where it can be downloaded."""
    received: int = 0
    """Bytes that a download has brought so far."""


def open_dataset(name_or_path: str | os.PathLike[str], split: str = "train", picture_shape: Shape = folder.GREY) -> Dataset:
    """Open a dataset by its name, or by the path of its folder or file.

    Names are mnist, svhn, svhn-extra, synthetic, synthetic-street, my_digits, and those of what was imported; my_digits+NAME is
    another dataset with the user's own digits among what is learned from. `split` is "train" or "test" (for SVHN also "extra").
    Pictures from a folder are made `picture_shape` = (height, width, channels).
    Raises DataError, with what to do, where the data is missing, damaged, of no kind that is known, or too much.
    """
    name = os.fspath(name_or_path)
    if not split.isidentifier() or len(split) > LONGEST_SPLIT:
        raise DataError(f"A split is called train or test, not {split[:LONGEST_SPLIT]!a}.")
    if parts := parts_of(name):
        others = open_dataset(parts[1], split, picture_shape)
        return mixed(open_dataset(parts[0], picture_shape=others.image_shape), others) if split == "train" else others
    try:
        if is_copy(name):
            return open_copy(name, split)
        if name in IN_CODE:
            return IN_CODE[name](split)
        if name in PUBLISHED:
            return PUBLISHED[name].open(_must_hold(name), split)
        return _opened(name, split, picture_shape)
    except OSError as error:
        raise DataError(f"{shown(name)} cannot be read: {error.strerror or error}.") from error
    except MemoryError as error:
        raise DataError(f"{shown(name)} does not fit into the memory that is free; close other programs, or take less.") from error


def open_test(name_or_path: str | os.PathLike[str], train: Dataset) -> Dataset | None:
    """The test split of a dataset; None where it has none, and where it is the very file that `train` came from."""
    try:
        test = open_dataset(name_or_path, "test")
    except DataError:
        return None
    return None if test.source == train.source else test


def lasting_name(name_or_path: str) -> str:
    """The same dataset as a name or an absolute path, which opens it from any folder."""
    if parts := parts_of(name_or_path):
        return f"{parts[0]}+{lasting_name(parts[1])}"
    if is_copy(name_or_path) or name_or_path in (*IN_CODE, *PUBLISHED) or name_or_path in own_datasets():
        return name_or_path
    path = Path(name_or_path)
    return str(path.absolute()) if is_file(path) or is_folder(path) else name_or_path


def title_of(name_or_path: str) -> str:
    """What people call a dataset: its title where it has one, and else its name, or the last part of its path."""
    if parts := parts_of(name_or_path):
        return f"{title_of(parts[0])} + {title_of(parts[1])}"
    if is_copy(name_or_path):
        return TITLES[OWN_DIGITS]
    if name_or_path in SOURCES:
        return SOURCES[name_or_path].title
    return TITLES.get(name_or_path) or shown(Path(name_or_path).name or name_or_path)


def _opened(name: str, split: str, picture_shape: Shape) -> Dataset:
    """What lies under a name of the user's own, or at a path."""
    own = own_datasets()
    path = own.get(name, Path(name))
    kind = kind_of(path)
    if not path.exists():
        some = [each for each in own if len(each) <= LONGEST_NAME][:MOST_NAMES]
        names = ", ".join([*PUBLISHED, *IN_CODE, *some]) + (" and more" if len(some) < len(own) else "")
        raise DataError(f"There is no dataset, folder or file called {shown(path)}; the names are {names}.")
    if kind is None:
        raise DataError(f"{shown(path)} holds no dataset; name {WORDS}.")
    return kind.open(path, split, picture_shape)


def available_datasets() -> list[KnownDataset]:
    """Every dataset that has a name: those that are published, those drawn by code, and the user's own.

    It looks at names and headers, which may take a moment where there are many pictures.
    """
    return [*map(_published, PUBLISHED), *_in_code(), *(_own(name, path) for name, path in own_datasets().items())]


def default_dataset() -> str:
    """The name of what to look at if nobody has said: the first published dataset that is here, or else drawn digits."""
    return next((name for name in PUBLISHED if _published(name).here), "synthetic")


def own_datasets() -> dict[str, Path]:
    """The datasets that lie in the user's folders under names of their own: what was imported, and `my_digits`."""
    found: dict[str, Path] = {}
    for base in dict.fromkeys((user_folder(), data_folder())):
        with suppress(DataError):  # there is no such folder yet
            for path in entries(base):
                with suppress(DataError, OSError):
                    name = shown(path.name if path.is_dir() else path.stem)
                    if name not in (*PUBLISHED, *IN_CODE) and _is_dataset(path):
                        found.setdefault(name, path)
    return found


def _is_dataset(path: Path) -> bool:
    """Whether this can only be meant as a dataset; a folder with one folder of pictures may be anything."""
    if kind_of(path) is None or not (path.is_dir() or path.is_file()):
        return False
    names = folder.class_names(path) if path.is_dir() and folder.holds_pictures(path) else DIGITS
    return len(names) > 1


def place_of(name: str) -> Path:
    """The folder in which a published dataset lies, or, where it is not here, in which a download would put it."""
    source = SOURCES[name]
    places = (base / source.folder for base in (data_folder(), user_folder()))
    return next((place for place in places if _holds_data(place)), target_folder(source))


def _holds_data(place: Path) -> bool:
    """Whether this is a folder with a dataset in it; not if it cannot be read."""
    try:
        return place.is_dir() and kind_of(place) is not None
    except (DataError, OSError):
        return False


def _must_hold(name: str) -> Path:
    """The folder of a published dataset. Raises DataError, saying what to do, where it is not there."""
    source, place = SOURCES[name], place_of(name)
    if not place.is_dir() or not any(path.is_file() for path in entries(place)):
        files = ", ".join(file.name for file in source.files)
        raise DataError(
            f"{source.title} is not in {shown(place)}; get it with `digitlab data get {name}`, put the files {files} there, "
            f"or use --data {PUBLISHED[name].instead}."
        )
    return place


def _published(name: str) -> KnownDataset:
    known, source, place = PUBLISHED[name], SOURCES[name], place_of(name)
    counts: dict[str, int] = {}
    size = arrived = 0
    with suppress(DataError, OSError):  # a damaged file is told when it is opened
        if place.is_dir():
            counts = known.counts(place)
            names = {name for file in source.files for name in (file.name, file.name.removesuffix(".gz"))}
            size = sum(path.stat().st_size for path in entries(place) if path.name in names)
    here = "train" in counts
    with suppress(OSError):
        arrived = received(source, target_folder(source))
    return KnownDataset(
        name,
        source.title,
        known.description,
        known.licence,
        here,
        place,
        size if here else 0,
        counts,
        source,
        0 if here else arrived,
    )


def _in_code() -> list[KnownDataset]:
    return [
        KnownDataset(
            "synthetic",
            TITLES["synthetic"],
            "Handwriting and type drawn by code, 28×28 grey.",
            "none needed",
            True,
            counts=COUNTS,
        ),
        KnownDataset(
            "synthetic-street",
            TITLES["synthetic-street"],
            "House numbers drawn by code, 32×32 in colour.",
            "none needed",
            True,
            counts=COUNTS,
        ),
    ]


def _own(name: str, path: Path) -> KnownDataset:
    words, size = "Files", 0
    counts: dict[str, int] = {}
    with suppress(DataError, OSError):  # it cannot be read any more
        kind = kind_of(path)
        words = kind.title[0].upper() + kind.title[1:] if kind else words
        size = _size(path)
        counts = folder.counts(path) if path.is_dir() and folder.holds_pictures(path) else {}
    description = "The digits that you drew and corrected yourself." if name == OWN_DIGITS else f"{words} in {shown(path)}"
    return KnownDataset(name, TITLES.get(name, name), description, "your own", True, path, size, counts)


def _size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder, however deep; links are not followed."""
    if path.is_file():
        return path.stat().st_size
    size, folders = 0, [os.fspath(path)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_size
    return size


def _without(counts: dict[str, int], split: str) -> dict[str, int]:
    return {name: count for name, count in counts.items() if name != split}
