"""What commands print: JSON lines or sentences on standard output, progress on standard error."""

from __future__ import annotations

import json
import math
from typing import Any

from rich.console import Console

MISTAKE = 2
"""Exit status for what the user can mend."""

console = Console(stderr=True, highlight=False)
"""Messages and progress bars; standard output stays clean for what was asked for."""


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON line at once, so that a reader sees it while the command goes on. What is not a number becomes null."""
    print(json.dumps(_plain(value)), flush=True)


def percent(share: float | None) -> str:
    """0.9876 as `98.76 %`; a dash where there is nothing to say."""
    return "–" if share is None or math.isnan(share) else f"{share * 100:.2f} %"


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if not math.isfinite(value):
            return None
    return value
