"""What every benchmark's report has in common: the machine, and the file of figures."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from nncore.backend.threads import cores


def machine() -> str:
    """The processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def write(what: str, figures: dict[str, Any], target: Path | None) -> None:
    """Write the figures as JSON to `target`, or to benchmarks/results/<machine>[-what].json, and say where."""
    name = f"{machine().lower().replace(' ', '-')}-{cores()}-cores{'-' if what else ''}{what}.json"
    target = target or Path(__file__).parent / "results" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"machine": machine(), "cores": cores()} | figures, indent=1) + "\n")
    print(f"Written to {target}")
