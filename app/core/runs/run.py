"""Run: one line of the table of runs, and reading one from the database, where any value may be damaged."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nncore.errors import ConfigError
from nncore.files import printable

NAME = re.compile(r"[\w][\w .+-]{0,79}")
"""Names of runs are names of folders too: letters, digits and a few signs, none of which leads out of the folder."""

INTERRUPTED = "interrupted"
"""The status of a run whose training ended before it could say so; it can be resumed."""
DAMAGED = "damaged"
"""The status of a run whose line in the database cannot be read in full."""
MOST_TAGS, LONGEST_TAG = 50, 40
"""Tags that a run may have, and their letters."""
LONGEST_NOTE = 10_000
"""Characters of a run's notes."""
STATUSES = ("running", "finished", "stopped", "failed", INTERRUPTED)


@dataclass(frozen=True)
class Run:
    """One line of the table of runs."""

    id: int
    """Negative for a run in a folder that is read-only."""
    name: str
    network: str
    """The name of the network's preset, or of the user's own network."""
    data: str
    """The name of the dataset, or its absolute path."""
    config: dict[str, Any]
    """The settings of the training, as `TrainConfig.as_dict` gives them."""
    created: datetime
    updated: float
    """When anything was last written of it, in seconds since 1970."""
    status: str
    """running, finished, stopped, failed, interrupted or damaged."""
    steps: int
    seconds: float
    val_accuracy: float | None
    test_accuracy: float | None
    image_limit: int | None = None
    """How many images of the data were used; None for all."""
    checksum: str | None = None
    """`content_sum` of the images and labels that were used; None for runs of earlier versions."""
    class_count: int | None = None
    versions: dict[str, Any] | None = None
    """Of what computed the run: digitlab, numpy."""
    checkpoint_every: int | None = None
    """Steps between two checkpoints that the user asked for."""
    tags: tuple[str, ...] = ()
    """Words that the user has put on the run, in order of the alphabet."""
    notes: str = ""
    """What the user has written about the run."""
    parent: str | None = None
    """The name, then, of the run from which this one branches off; None where it began with new weights."""
    parent_step: int | None = None
    """The step of that run at which it branches off."""
    layers: dict[str, Any] | None = None
    """What `Network.config` gave for a network of the user's own; None for that of a preset."""

    @property
    def is_read_only(self) -> bool:
        """Whether the run lies in a folder that cannot be written to."""
        return self.id < 0


def check_name(name: str) -> str:
    """The name, if a run and its folder can be called that. ConfigError otherwise."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(
            f"A run cannot be called {str(name)[:100]!r}; use up to 80 letters, digits, spaces and the signs . _ + -."
        )
    return name


def check_tag(tag: str) -> str:
    """The tag without spaces around it. ConfigError where it is empty, too long, or more than one line of plain text."""
    found = tag.strip()
    if not 0 < len(found) <= LONGEST_TAG or "," in found or printable(found) != found:
        raise ConfigError(f"A tag cannot be {tag[:100]!r}; use up to {LONGEST_TAG} characters on one line, without a comma.")
    return found


def check_note(text: str) -> str:
    """The text without spaces around it. ConfigError where it is too long or holds signs that are no text."""
    found = text.replace("\r\n", "\n").strip()
    lines = re.split("[\n\t]", found)
    if len(found) > LONGEST_NOTE:
        raise ConfigError(f"The notes on a run may have {LONGEST_NOTE:,} characters, not {len(found):,}; shorten them.")
    if any(printable(line) != line for line in lines):
        raise ConfigError("The notes on a run must be plain text; remove the control characters.")
    return found


def read_run(row: Mapping[str, Any]) -> Run | None:
    """The run in a row of the database, by its columns. A value that cannot be read gets a neutral one in its place, and the status
    is `damaged`.

    None for a row without a usable name: nothing on the disk can belong to it.
    """
    name = row.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return None
    values: dict[str, Any] = {}
    damaged = False
    for column, (read, instead) in READERS.items():
        try:
            values[column] = read(row.get(column))
        except (ValueError, TypeError, OverflowError, RecursionError, ConfigError):
            values[column], damaged = instead, True
    if damaged:
        values["status"] = DAMAGED
    return Run(**values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**53:
        raise ValueError
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError
    return float(value)


def _object(value: Any) -> dict[str, Any]:
    found = json.loads(_text(value))
    if not isinstance(found, dict):
        raise TypeError
    return found


def _tags(value: Any) -> tuple[str, ...]:
    found = json.loads(_text(value))
    if not isinstance(found, list) or len(found) > MOST_TAGS:
        raise TypeError
    return tuple(sorted({check_tag(_text(tag)) for tag in found}))


def _status(value: Any) -> str:
    if value not in STATUSES:
        raise ValueError
    return str(value)


def _optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


READERS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "id": (_count, 0),
    "name": (_text, ""),
    "network": (_text, "?"),
    "data": (_text, "?"),
    "config": (_object, {}),
    "created": (lambda value: datetime.fromisoformat(_text(value)), datetime.fromtimestamp(0, UTC)),
    "updated": (_number, 0.0),
    "status": (_status, DAMAGED),
    "steps": (_count, 0),
    "seconds": (_number, 0.0),
    "val_accuracy": (_optional(_number), None),
    "test_accuracy": (_optional(_number), None),
    "image_limit": (_optional(_count), None),
    "checksum": (_optional(_text), None),
    "class_count": (_optional(_count), None),
    "versions": (_optional(_object), None),
    "checkpoint_every": (_optional(_count), None),
    "tags": (lambda value: () if value is None else _tags(value), ()),
    "notes": (lambda value: "" if value is None else check_note(_text(value)), ""),
    "parent": (_optional(_text), None),
    "parent_step": (_optional(_count), None),
    "layers": (_optional(_object), None),
}
"""How each column is read, and what stands in its place where that fails."""

JSON_COLUMNS = ("config", "versions", "tags", "layers")


def plain_values(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of columns, by their names, as SQLite takes them."""
    return tuple(json.dumps(value) if name in JSON_COLUMNS and value is not None else value for name, value in values.items())
