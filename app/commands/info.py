"""`digitlab info`: versions, devices and folders; what a report of a problem should hold."""

from __future__ import annotations

import platform
from argparse import ArgumentParser, Namespace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from app.commands.output import print_json, print_line
from models.shipped import cards
from nncore.backend.devices import find_devices, known_devices
from nncore.files import entries, is_folder, printable
from nncore.paths import cache_folder, data_folder, networks_folder, user_folder

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
    """What is known of this installation, as plain data. GPUs are those found when somebody looked: it takes no time."""
    known = known_devices()
    cpu, *gpus = (device.title for device in known.devices)
    return {
        "digitlab": version("digitlab"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "devices": [f"{cpu}, {platform.processor() or platform.machine()}", *gpus],
        "no_gpu": known.why_no_gpu,
        "folders": {"data": str(data_folder()), "runs": str(user_folder() / "runs"), "cache": str(cache_folder())},
        "weights": sorted(cards()),
    }


def run(arguments: Namespace) -> None:
    find_devices()
    found = gather() | {"own_networks": _own_networks()}
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
                print_line(f"{name.replace('_', ' ')}: {'; '.join(value) or 'none'}")
            case "":
                pass
            case _:
                print_line(f"{name.replace('_', ' ')}: {value}")


def _own_networks() -> list[str]:
    """The names of the user's own networks: those of their files, which are checked when they are used."""
    folder = networks_folder()
    return [printable(path.stem) for path in entries(folder) if path.suffix == ".json"] if is_folder(folder) else []


@cache  # looking in the folders of packages takes milliseconds each, and a strip that tells of a problem asks for all
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
