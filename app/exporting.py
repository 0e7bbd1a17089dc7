"""Exporting the network of the moment in view: asks where to, and writes it in the background."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QMainWindow

from app.lab import Lab
from app.threads.task import Task
from app.widgets.question import confirmed
from models.shipped import ONNX_SUFFIX
from nncore.exchange import SCRIPT_FILES, save_onnx, save_scripts
from nncore.network import Network

ONNX = f"ONNX (*{ONNX_SUFFIX});;All files (*)"


class Exporting:
    """Writes the network in view for other programs. Nothing happens where the user chooses no place."""

    def __init__(self, window: QMainWindow, lab: Lab) -> None:
        """`window` is the parent of the dialogs."""
        self._window, self._lab = window, lab

    def export_onnx(self) -> None:
        """Ask for a file and write the network as ONNX."""
        view = self._lab.state.network.value
        name, _ = QFileDialog.getSaveFileName(self._window, "Export as ONNX", f"{view.name if view else ''}{ONNX_SUFFIX}", ONNX)
        if name:
            path = Path(name if name.lower().endswith(ONNX_SUFFIX) else name + ONNX_SUFFIX)
            self._write(path.name, lambda network, info: save_onnx(path, network, info))

    def export_scripts(self) -> None:
        """Ask for a folder and write the network as scripts in NumPy and PyTorch."""
        name = QFileDialog.getExistingDirectory(self._window, "Export scripts into a folder", self._lab.settings["last_folder"])
        if not name:
            return
        folder = Path(name)
        there = [file for file in SCRIPT_FILES if (folder / file).exists()]
        question = f"{folder.name} holds {', '.join(there)} already. Replace what is there?"
        if not there or confirmed(self._window, "Export scripts", question, "Replace", "Leave it"):
            self._write(f"scripts into {folder.name}", lambda network, info: save_scripts(folder, network, info))

    def _write(self, what: str, write: Callable[[Network, dict[str, Any]], object]) -> None:
        """Call `write` in a thread with the network of the moment in view, and say so once `what` is there."""
        view, moment = self._lab.state.network.value, self._lab.state.moment.value
        if view is None or moment is None:
            return

        def work() -> None:
            network = Network.from_config(view.architecture)
            network.load_state_dict(moment.state)
            info = {"network": view.name, "source": view.source, "step": moment.step, "val_accuracy": moment.val_accuracy}
            write(network, info)

        Task(work, lambda _: self._lab.said.emit(f"Exported {what}."), self._lab.problem.emit).begin()
