"""`digitlab info`: versions, devices and folders; what a report of a problem should hold."""

from __future__ import annotations

import platform
from argparse import ArgumentParser, Namespace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from app.commands.output import print_json, print_line
from models.shipped import cards
from nncore.backend.devices import get_backend
from nncore.paths import cache_folder, data_folder, user_folder

NAME = "info"
HELP = "Show versions, devices and folders."
PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "pillow",
    "safetensors",
    "PySide6-Essentials",
    "pyqtgraph",
    "cupy-cuda12x",
    "cupy-cuda13x",
    "onnx",
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON line")


def gather() -> dict[str, Any]:
    """What is known of this installation, as plain data."""
    return {
        "digitlab": version("digitlab"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "devices": [f"{get_backend('cpu').describe()}, {platform.processor() or platform.machine()}"],
        "folders": {"data": str(data_folder()), "runs": str(user_folder() / "runs"), "cache": str(cache_folder())},
        "weights": sorted(cards()),
    }


def run(arguments: Namespace) -> None:
    found = gather()
    if arguments.json:
        print_json(found)
        return
    for name, value in found.items():
        match value:
            case dict():
                print_line(f"{name}:")
                for key, item in value.items():
                    print_line(f"  {key:<20} {item or 'not installed'}")
            case list():
                print_line(f"{name}: {', '.join(value)}")
            case _:
                print_line(f"{name}: {value}")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
