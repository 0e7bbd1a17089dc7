"""Bringing local files in: copied or linked into the user's data folder, where they have a name from then on."""

from __future__ import annotations

import errno
import re
import shutil
import tempfile
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from nncore.data import folder, kaggle, mnist, svhn
from nncore.data.catalogue import IN_CODE, PUBLISHED, open_dataset, own_datasets
from nncore.data.kinds import WORDS, kind_of
from nncore.data.sources import SOURCES
from nncore.errors import DataError
from nncore.files import TEMPORARY, entries, is_file, shown, size_text
from nncore.paths import user_folder

NAME = re.compile(r"\w([\w .+-]{0,62}[\w+-])?")
RESERVED = ("runs",)
"""Names in the data folder that mean something else."""


@dataclass(frozen=True)
class Import:
    """How far an import has come."""

    name: str
    """What the dataset will be called."""
    copied: int
    """Bytes."""
    total: int
    """Bytes of all files."""


def import_data(path: Path, name: str | None = None, link: bool = False) -> Generator[Import]:
    """Copy the dataset at `path` into the data folder, or link to it, telling how far it is; `open_dataset(name)` then opens it.

    Without a name MNIST and SVHN are called that, and anything else as its file or folder is. It is opened first: nothing
    that is damaged is taken in, and nothing that a link in a folder fetches from elsewhere. Nothing that is there already is
    replaced, and nobody meets half of a dataset: leave the iteration to break off, and nothing stays behind. Raises DataError.
    """
    path, home = path.absolute(), user_folder()
    try:
        if kind_of(path) is None or not path.exists():
            raise DataError(f"{shown(path)} {'holds no dataset' if path.exists() else 'does not exist'}; name {WORDS}.")
        name = _checked(name or default_name(path), path)
        _try(path)
        places = _places(path, name, link)
        total = 0 if link else sum(file.stat().st_size for file in places)
    except OSError as error:
        raise DataError(f"{shown(path)} cannot be read: {error.strerror or error}.") from error
    if taken := [home / place for place in places.values() if (home / place).exists() or (home / place).is_symlink()]:
        raise DataError(f"{shown(taken[0])} is there already; choose another name (--name), or remove it first.")
    yield Import(name, 0, total)
    try:
        home.mkdir(parents=True, exist_ok=True)
        if total > (free := shutil.disk_usage(home).free):
            raise OSError(errno.ENOSPC, f"it takes {size_text(total)}, and {size_text(free)} are free")
        with tempfile.TemporaryDirectory(dir=home, prefix=TEMPORARY) as made:
            copied = 0
            for file, place in places.items():
                (made / place).parent.mkdir(parents=True, exist_ok=True)
                if link:
                    (made / place).symlink_to(file)
                else:
                    shutil.copyfile(file, made / place)
                    copied += file.stat().st_size
                yield Import(name, copied, total)
            _move_in(Path(made), home, places.values())
    except OSError as error:
        raise DataError(
            f"{shown(path)} could not be brought into {shown(home)}: {error.strerror or error}. Free some space, let DIGITLAB_DATA "
            "name another folder, or open it where it is."
        ) from error


def default_name(path: Path) -> str:
    """What a dataset is called if nobody says: mnist or svhn for those, or else the name of its file or folder."""
    if mnist.holds_idx(path):
        place = path if path.is_dir() else path.parent
        if any(check.official for check in mnist.verify(place)):
            return "mnist"
    elif _fits(path, "svhn"):
        return "svhn"
    plain = re.sub(r"[^\w .+-]+", "-", shown(path.name if path.is_dir() else path.stem)).strip(" .+-")
    return plain[:64].rstrip(" .") or "digits"


def _checked(name: str, path: Path) -> str:
    """The name, if the dataset at `path` can be called that."""
    if not NAME.fullmatch(name) or name.lower() in (*IN_CODE, *RESERVED):
        raise DataError(
            f"A dataset cannot be called {name[:70]!r}; take letters, digits, spaces, dots, dashes, and no name that is in use."
        )
    if name in own_datasets():
        raise DataError(f"There is a dataset called {name} already; choose another name (--name).")
    if name in PUBLISHED and not _fits(path, name):
        raise DataError(f"{shown(path)} is not {SOURCES[name].title}; choose another name (--name).")
    return name


def _fits(path: Path, name: str) -> bool:
    """Whether what lies at `path` is of the kind of a published dataset, and its files are called as that one's."""
    if name == "mnist":
        return mnist.holds_idx(path)
    return svhn.holds_svhn(path) and (path.is_dir() or path.name.lower() in svhn.FILES.values())


def _try(path: Path) -> None:
    """Open the dataset, so that a damaged one is told now. Raises DataError."""
    try:
        open_dataset(path)
    except DataError:
        try:
            open_dataset(path, "test")  # some people only have that
        except DataError:
            open_dataset(path)


def _places(path: Path, name: str, link: bool) -> dict[Path, Path]:
    """Which file goes where, below the data folder. Raises DataError where one would be copied from outside of the folder."""
    base = path if path.is_dir() else path.parent
    if link and path.is_dir() and name not in PUBLISHED:
        return {path: Path(name)}
    files = data_files(path)
    if strangers := [file for file in files if not link and file != path and not folder.inside(file, base)]:
        raise DataError(f"{shown(strangers[0])} is a link out of its folder; put the file itself there, or use --link.")
    if name in PUBLISHED:
        return {file: Path(SOURCES[name].folder, file.name) for file in files}
    if files == [path]:
        return {path: Path(name + path.suffix.lower())}
    return {file: Path(name, file.relative_to(base)) for file in files}


def data_files(path: Path) -> list[Path]:
    """The files that make up a dataset, and no others that may lie beside them."""
    if mnist.holds_idx(path):
        return mnist.files_of(path)
    if path.is_file():
        return [path]
    if svhn.holds_svhn(path):
        return [file for file in entries(path) if file.name.lower() in svhn.FILES.values() and is_file(file)]
    if kaggle.holds_kaggle(path):
        return [file for file in entries(path) if kaggle.holds_kaggle(file) and is_file(file)]
    return folder.picture_files(path)


def _move_in(made: Path, home: Path, places: Iterable[Path]) -> None:
    """Move what was made to where it belongs: a new folder as a whole, so that nobody ever sees half of one."""
    for place in dict.fromkeys(Path(place.parts[0]) if not (home / place.parts[0]).exists() else place for place in places):
        if (home / place).exists():  # another import was faster
            raise FileExistsError(errno.EEXIST, f"{place} is there already")
        (made / place).rename(home / place)
