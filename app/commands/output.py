"""What commands print: JSON lines or sentences on standard output, progress and messages on standard error."""

from __future__ import annotations

import io
import json
import math
import os
import re
import sys
from contextlib import suppress
from typing import Any

from rich.console import Console

from nncore.errors import DigitLabError
from nncore.files import printable, shortened

MISTAKE = 2
"""Exit status for what the user can mend."""

console = Console(stderr=True, highlight=False, markup=False)
"""Messages and progress bars; standard output stays clean for what was asked for. Nothing in a message is taken for markup."""


def prepare_streams() -> bool:
    """Make every standard stream one that can be written to, whatever its encoding; whether standard output was open.

    Signs that an encoding lacks become question marks. A closed stream becomes one to nowhere: its number would otherwise be given
    to the next file that is opened, and messages would be written into that.
    """
    was_open = sys.stdout is not None
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - it stays open to the end
        elif isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    return was_open


def discard_output() -> None:
    """Let what is still to be printed on standard output go nowhere, so that nothing fails at it again."""
    with suppress(OSError, ValueError):  # a stream without a number, as in tests
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def complain(message: object) -> None:
    """Print one line on standard error, as a mistake of the user's is told."""
    with suppress(OSError):
        print(f"digitlab: {one_line(str(message))}", file=sys.stderr, flush=True)


def one_line(message: str) -> str:
    """The message as one line that can be printed anywhere; of a word of thousands of letters only its two ends."""
    return re.sub(r"\S+", lambda word: shortened(word[0]), printable(message))


def print_text(text: str) -> None:
    """Print lines of text at once. DigitLabError where the stream takes no more, BrokenPipeError where its reader has gone."""
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise DigitLabError(f"Standard output cannot be written to: {error.strerror or error}.") from error


def print_line(text: str) -> None:
    """Print one line, whatever signs are in it; errors as those of `print_text`."""
    print_text(f"{printable(text)}\n")


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON line at once, so that a reader sees it while the command goes on. What is not a number becomes null."""
    print_line(json.dumps(plain(value)))


def percent(share: float | None) -> str:
    """0.9876 as `98.76 %`; a dash where there is nothing to say."""
    return "–" if share is None or math.isnan(share) else f"{share * 100:.2f} %"


def counted(count: int, noun: str) -> str:
    """`1 image`, `1,000 images`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def plain(value: Any) -> Any:
    """The value as JSON can hold it: numbers that are not finite become null."""
    match value:
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case float() if not math.isfinite(value):
            return None
    return value
