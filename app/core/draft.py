"""Draft: edits of a network's layers that no name keeps yet; a small JSON file, every value of which is checked. Qt-free."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.layer_edits import MOST_EDITED
from app.core.layer_list import LayerList
from app.core.own_networks import LONGEST_NAME
from nncore.errors import ConfigError, DataError, DigitLabError
from nncore.files import is_file, opened, printable, shown, write_atomically
from nncore.weights import read_json

FORMAT = "digitlab-draft/1"
LARGEST_FILE = 2**18
"""Bytes of a draft's file: three lists of the longest kind take half of it."""
LISTS = ("first", "kept", "layers")


@dataclass(frozen=True)
class Draft:
    """What somebody has made in the editor of layers. The layers need not make a network yet."""

    name: str
    """What the network is to be called, as far as it has been typed."""
    origin: str
    """The network that the edits began from: a preset, or one of the user's own."""
    first: LayerList
    """The layers before the first edit."""
    layers: LayerList
    kept: LayerList | None = None
    """The layers of the user's own network that is edited, as they are kept; None for a preset."""

    def as_json(self) -> bytes:
        """What `read_draft` reads."""
        lists = {name: None if (found := getattr(self, name)) is None else found.as_config() for name in LISTS}
        return json.dumps({"format": FORMAT, "name": self.name, "origin": self.origin, **lists}, indent=1).encode()


def read_draft(path: Path) -> Draft | None:
    """The draft in a file; None where there is no file. ConfigError where it is damaged; it is then set aside."""
    if not is_file(path):
        return None
    try:
        with opened(path) as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ConfigError("it is too large.")
        return _draft(read_json(content))
    except (DigitLabError, ValueError, TypeError, RecursionError) as error:
        aside, kept = path.with_suffix(".damaged.json"), ""
        with suppress(OSError):
            path.replace(aside)
            kept = f" The file is kept as {shown(aside)}."
        reason = str(error) if isinstance(error, ConfigError | DataError) else "the file is damaged."
        raise ConfigError(f"The edits of layers of the last time cannot be shown: {reason}{kept}") from error


def keep_draft(path: Path, draft: Draft | None) -> None:
    """Write the draft, or remove its file where there is none any more. Raises DigitLabError where the disk refuses."""
    if draft is not None:
        write_atomically(path, draft.as_json())
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DigitLabError(f"{shown(path)} cannot be removed: {error.strerror or error}.") from error


def _draft(found: Any) -> Draft:
    """The draft that a file describes. Raises ConfigError or ValueError where it describes none."""
    if not isinstance(found, Mapping) or found.get("format") != FORMAT or found.keys() != {"format", "name", "origin", *LISTS}:
        raise ConfigError("they are none that DigitLab has written.")
    names = (found["name"], found["origin"])
    if not all(isinstance(name, str) and len(name) <= LONGEST_NAME for name in names):
        raise ValueError("a name makes no sense")
    lists = {name: None if found[name] is None and name == "kept" else LayerList.from_config(found[name]) for name in LISTS}
    first, kept, layers = lists["first"], lists["kept"], lists["layers"]
    if first is None or layers is None or any(each is not None and len(each) > MOST_EDITED for each in lists.values()):
        raise ValueError("a list is too long")
    name, origin = map(printable, names)
    return Draft(name, origin, first, layers, kept)
