"""A drawing as its strokes: a small JSON file, every value of which is checked when it is read. Qt-free."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.stroke import HEIGHT, WIDEST, Stroke
from nncore.errors import DataError, DigitLabError
from nncore.files import opened
from nncore.weights import read_json

FORMAT = "digitlab-drawing/1"
MOST_STROKES, MOST_POINTS = 1_000, 20_000
"""Strokes of a drawing that is kept, and points of all of them: several hundred digits. Writing more would delay the closing of the
window."""
LARGEST_FILE = 2**21
"""Bytes of a file: more than so many points take."""
FARTHEST, WIDEST_PEN = 100_000.0, 1_000.0
"""How far from the sheet's corner a point may lie, and how wide the pen may be, in the sheet's pixels."""


def as_json(strokes: Sequence[Stroke]) -> bytes | None:
    """What `read_drawing` reads, for strokes on one sheet, one at least; None where there are too many.

    The numbers are written in full, so that the strokes give the same pixels again.
    """
    if len(strokes) > MOST_STROKES or sum(len(stroke.points) for stroke in strokes) > MOST_POINTS:
        return None
    listed = [
        {
            "erases": stroke.erases,
            "points": [[x, y, width] for (x, y), width in zip(stroke.points, stroke.widths, strict=True)],
        }
        for stroke in strokes
    ]
    found = {"format": FORMAT, "sheet": strokes[0].sheet, "strokes": listed}
    return _compact(found | {"sha256": digest(found)})


def read_drawing(path: Path) -> tuple[Stroke, ...]:
    """The strokes in a file, one at least. DataError where it cannot be read, is too large, or describes no drawing."""
    with opened(path) as file:
        content = file.read(LARGEST_FILE + 1)
    try:
        if len(content) > LARGEST_FILE:
            raise ValueError("the file is too large")
        return _strokes(read_json(content))
    except DigitLabError:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError("what was kept of it makes no sense.") from error


def _compact(found: Any) -> bytes:
    return json.dumps(found, separators=(",", ":")).encode()


def digest(found: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of a file's values without the digest itself: a digit that is damaged would be another one."""
    return hashlib.sha256(_compact({name: value for name, value in found.items() if name != "sha256"})).hexdigest()


def _strokes(found: Any) -> tuple[Stroke, ...]:
    """The strokes that a file describes. Raises ValueError or TypeError where it describes none."""
    if not isinstance(found, Mapping) or found.keys() - {"sha256"} != {"format", "sheet", "strokes"} or found["format"] != FORMAT:
        raise ValueError("no drawing")
    if "sha256" in found and found["sha256"] != digest(found):  # files of earlier versions have none
        raise ValueError("it is damaged")
    sheet, listed = found["sheet"], found["strokes"]
    if type(sheet) is not int or not HEIGHT <= sheet <= HEIGHT * WIDEST:
        raise ValueError("a sheet of such a width cannot be")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_STROKES:
        raise ValueError("no stroke, or too many")
    strokes = tuple(_stroke(each, sheet) for each in listed)
    if sum(len(stroke.points) for stroke in strokes) > MOST_POINTS:
        raise ValueError("too many points")
    return strokes


def _stroke(found: Any, sheet: int) -> Stroke:
    if not isinstance(found, Mapping) or found.keys() != {"erases", "points"} or type(found["erases"]) is not bool:
        raise ValueError("no stroke")
    stroke = Stroke(found["erases"], sheet)
    for x, y, width in found["points"]:
        numbers = _real(x), _real(y), _real(width)
        if max(abs(numbers[0]), abs(numbers[1])) > FARTHEST or not 0 < numbers[2] <= WIDEST_PEN:
            raise ValueError("a point lies too far away, or the pen is too wide")
        stroke.points.append(numbers[:2])
        stroke.widths.append(numbers[2])
    if not stroke.points:
        raise ValueError("a stroke without a point")
    return stroke


def _real(number: Any) -> float:
    """A finite number as a float. Raises TypeError or ValueError for anything else."""
    if type(number) not in (int, float):
        raise TypeError("no number")
    value = float(number) if abs(number) < 1e9 else math.inf
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value
