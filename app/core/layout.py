"""Layout: where the window and its probe dock are, as a small JSON file that is checked value by value. Qt-free."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

VERSION = 1
LARGEST_FILE = 10_000
"""Bytes of a layout file that are read; a sound one has some 300."""
FARTHEST = 50_000
"""Pixels from the origin that a place may have, and that a size may reach."""


class Box(NamedTuple):
    """A rectangle in pixels: a window, or the part of a screen that windows may use."""

    x: int
    y: int
    width: int
    height: int

    def shared(self, other: Box) -> int:
        """The area in square pixels that both have in common."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(across, 0) * max(down, 0)

    def fitted(self, screens: Sequence[Box], frame: tuple[int, int] = (0, 0)) -> Box:
        """This window, made no larger than a screen less its frame (width, height), and moved onto that screen.

        The screen is the one that shows most of the window, or the first. With no screens the window stays as it is.
        """
        if not screens:
            return self
        room = max(screens, key=self.shared)
        width = min(self.width, room.width - frame[0])
        height = min(self.height, room.height - frame[1])
        x = min(max(self.x, room.x), room.x + room.width - width - frame[0])
        y = min(max(self.y, room.y), room.y + room.height - height - frame[1])
        return Box(x, y, width, height)


@dataclass(frozen=True)
class Layout:
    """The window's place and size, and the same of the probe dock."""

    window: Box
    """Where the window is, without its frame, when it is neither maximised nor filling the screen."""
    probe: Box
    """Where the probe is when it floats."""
    probe_width: int
    """Width of the probe in the window."""
    maximised: bool = False
    probe_visible: bool = True
    probe_floating: bool = False
    probe_left: bool = False
    """Whether the probe stands left of the panels."""

    def fitted(self, screens: Sequence[Box], frame: tuple[int, int] = (0, 0)) -> Layout:
        """The same layout with window and floating probe on the screens that there are; `frame` as in `Box.fitted`."""
        return replace(self, window=self.window.fitted(screens, frame), probe=self.probe.fitted(screens, frame))

    def as_json(self) -> bytes:
        """What `parse_layout` reads."""
        return json.dumps({"version": VERSION, **asdict(self)}, indent=2).encode()


def parse_layout(content: bytes) -> Layout | None:
    """The layout that `as_json` wrote; None for anything else, however it may be damaged."""
    with suppress(ValueError, TypeError, RecursionError):
        found = json.loads(content)
        if not isinstance(found, dict) or found.pop("version", None) != VERSION:
            return None
        if found.keys() != READERS.keys():
            return None
        values: dict[str, Any] = {name: READERS[name](value) for name, value in found.items()}
        return Layout(**values)
    return None


def read_layout(path: Path) -> Layout | None:
    """The layout in a file; None where there is none, or none that can be read."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError):
        return None
    return parse_layout(content) if len(content) <= LARGEST_FILE else None


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _number(value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= FARTHEST:
        raise ValueError
    return value


def _size(value: Any) -> int:
    return _number(value, 1)


def _box(value: Any) -> Box:
    if not isinstance(value, list) or len(value) != 4:
        raise TypeError
    x, y, width, height = value
    return Box(_number(x, -FARTHEST), _number(y, -FARTHEST), _size(width), _size(height))


READERS: dict[str, Callable[[Any], Any]] = {
    "window": _box, "probe": _box, "probe_width": _size, "maximised": _switch, "probe_visible": _switch,
    "probe_floating": _switch, "probe_left": _switch,
}  # fmt: skip
"""How each value of a Layout is read."""
