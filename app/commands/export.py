"""`digitlab export`: a network as ONNX, or as scripts in NumPy and PyTorch."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from app.commands.output import print_json, print_line
from app.core.runs import RunStore
from models.shipped import DEFAULT_PICTURE_NETWORK, open_weights
from nncore.errors import ConfigError
from nncore.files import shown
from nncore.network import Network

NAME = "export"
HELP = "Write a network for other programs: as ONNX, or as scripts in NumPy and PyTorch."


def add_arguments(parser: ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--weights", metavar="W", help=f"a weights file, or shipped weights by name (default {DEFAULT_PICTURE_NETWORK})"
    )
    which.add_argument("--run", dest="run_name", metavar="RUN", help="the network of a run, as it did best")
    parser.add_argument("--onnx", type=Path, metavar="FILE", help="write an ONNX file (needs the package onnx)")
    parser.add_argument(
        "--code", type=Path, metavar="FOLDER", help="write a NumPy script, a PyTorch script and their weights into this folder"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON line")


def run(arguments: Namespace) -> None:
    if arguments.onnx is None and arguments.code is None:
        raise ConfigError("Say what to write: --onnx FILE, or --code FOLDER for scripts in NumPy and PyTorch.")
    from nncore.exchange import save_onnx, save_scripts  # which no other command uses

    network, info = _chosen(arguments)
    files: dict[str, list[Path]] = {}
    if arguments.onnx is not None:
        save_onnx(arguments.onnx, network, info)
        files["onnx"] = [arguments.onnx]
    if arguments.code is not None:
        files["code"] = save_scripts(arguments.code, network, info)
    if arguments.json:
        print_json({"event": "finished"} | {kind: [str(path) for path in paths] for kind, paths in files.items()})
        return
    for path in [path for paths in files.values() for path in paths]:
        print_line(f"Wrote {shown(path)}")


def _chosen(arguments: Namespace) -> tuple[Network, dict[str, Any]]:
    """The network to write, and what is known of it."""
    if arguments.run_name is not None:
        from app.core.stored_run import best_network  # only where there is a run to read

        store = RunStore()
        kept = store.get(arguments.run_name)
        known = {"run": kept.name, "network": kept.network, "data": kept.data, "val_accuracy": kept.val_accuracy}
        return best_network(store, kept), known
    name = arguments.weights or DEFAULT_PICTURE_NETWORK
    network, info = open_weights(name)
    return network, {"network": Path(name).stem} | info
