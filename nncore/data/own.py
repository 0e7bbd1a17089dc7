"""The user's own digits by name: as they are now, as they were when a network learned them, and mixed into other data."""

from __future__ import annotations

import hashlib
import io
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from nncore.data.dataset import Dataset
from nncore.data.npz import open_npz
from nncore.errors import DataError
from nncore.files import is_file, write_atomically
from nncore.paths import data_folder, user_folder

OWN_DIGITS = "my_digits"
"""The folder of the digits that the user has corrected."""
LEARNED = "learned_digits"
"""The folder of the digits that networks have learned, as they were then."""
SUM = 12
"""Signs of the checksum by which a copy is called."""
COPY = re.compile(rf"{OWN_DIGITS}@([0-9a-f]{{{SUM}}})")
MIXTURE = re.compile(rf"({OWN_DIGITS}(?:@[0-9a-f]{{{SUM}}})?)\+(?!{OWN_DIGITS}(?:[@+]|$))(.+)", re.DOTALL)


def is_copy(name: str) -> bool:
    """Whether this is the name of digits as they were when a network learned them."""
    return COPY.fullmatch(name) is not None


def parts_of(name: str) -> tuple[str, str] | None:
    """What stands before and after the sign in a name such as `my_digits+mnist`; None for a name of another kind."""
    found = MIXTURE.fullmatch(name)
    return None if found is None else (found[1], found[2])


def copy_in(name: str) -> str | None:
    """The name of the copy that a dataset's name is, or begins with: `my_digits@…` of `my_digits@…+mnist`. None of another kind."""
    parts = parts_of(name)
    first = name if parts is None else parts[0]
    return first if is_copy(first) else None


def remove_copy(name: str) -> None:
    """Remove what `keep_copy` has written for the user under this name, where it is there and the disk allows it."""
    with suppress(OSError):
        _place(user_folder(), name).unlink(missing_ok=True)


def keep_copy(own: Dataset) -> str:
    """Write the digits down as they are now, and return the name that opens them: `my_digits@` with the start of their checksum.

    What is kept or deleted later changes nothing of them, so that a network that has learned them can always be trained further.
    Raises DigitLabError where the disk refuses.
    """
    content = io.BytesIO()
    np.savez_compressed(content, images=own.images, labels=own.labels)
    name = f"{OWN_DIGITS}@{_sum(own)}"
    write_atomically(_place(user_folder(), name), content.getvalue())
    return name


def open_copy(name: str, split: str = "train") -> Dataset:
    """The digits that `keep_copy` has written. Raises DataError where they are gone or damaged, and for any split but train."""
    path = next(filter(is_file, (_place(base, name) for base in (user_folder(), data_folder()))), None)
    if path is None:
        raise DataError(f"There is no copy of your own digits called {name} any more; teach the network again.")
    found = replace(open_npz(path, split), name=OWN_DIGITS)
    if _sum(found) != name.partition("@")[2]:
        raise DataError(f"The copy of your own digits called {name} is damaged; teach the network again.")
    return found


def _place(base: Path, name: str) -> Path:
    return base / LEARNED / f"{name.partition('@')[2]}.npz"


def _sum(own: Dataset) -> str:
    return hashlib.sha256(own.images.tobytes() + own.labels.tobytes()).hexdigest()[:SUM]
