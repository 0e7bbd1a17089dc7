"""How much of its speed a training keeps in the window.

    python -m benchmarks window [--rounds N] [--seconds S] [--panel train] [--device cpu]

In alternating rounds, each in a process of its own: the training of `digitlab train`, and the same in a real window with a panel
in view. The window needs a display: that of DISPLAY, or an Xvfb of its own where there is none.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nncore.data import synthetic
from nncore.training.config import TrainConfig
from nncore.training.events import Progress

IMAGES = 20_000
CONFIG = TrainConfig(epochs=1000, batch_size=32)
"""`mnist-cnn` as its preset trains it, for longer than anyone measures."""


def command_line(seconds: float, device: str) -> dict[str, float]:
    """Images a second of the trainer alone, after a second of warming up."""
    from app.core.runs import RunStore
    from app.core.session import Job
    from models.presets import preset

    with tempfile.TemporaryDirectory() as folder:
        job = Job(preset("mnist-cnn"), "synthetic", synthetic("train", IMAGES), None, CONFIG, device=device)
        trainer = job.begin(RunStore(Path(folder)))
        marks: list[tuple[float, int]] = []
        for event in trainer.events():
            now = time.perf_counter()
            if isinstance(event, Progress):
                if marks and now - marks[0][0] > seconds:
                    break
                if not marks and event.step > 1:
                    marks = [(now + 1.0, 0)]
                elif marks and marks[0][1] == 0 and now >= marks[0][0]:
                    marks = [(now, event.step)]
        (began, first) = marks[0]
        return {"rate": (event.step - first) * CONFIG.batch_size / (now - began)}


def in_window(seconds: float, panel: str, device: str) -> dict[str, float]:
    """The same in a window, and which share of a core its interface thread takes."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from app.core.recipe import Recipe
    from app.launch import build_window

    app = QApplication.instance() or QApplication([])
    window = build_window(app)  # type: ignore[arg-type]
    window.resize(1280, 800)
    window.show()
    window.show_panel(panel)
    found: dict[str, float] = {}
    marks: list[tuple[float, float, int]] = []

    def begin() -> None:
        state = window.lab.state
        if state.data.value is None or state.data.value.spec != "synthetic":
            QTimer.singleShot(100, begin)
            return
        state.recipe.set(Recipe("mnist-cnn", CONFIG, IMAGES))
        window.lab.choose_device(device)
        window.lab.start_training()
        QTimer.singleShot(100, look)

    def look() -> None:
        training = window.lab.training
        if training.last is None or training.session is None:
            QTimer.singleShot(100, look)
            return
        # The trainer's own step: what the window has been told of it may be a second old.
        marks.append((time.perf_counter(), time.thread_time(), training.session.trainer.step))
        if len(marks) < 2:
            QTimer.singleShot(2000, lambda: (marks.clear(), look()))  # type: ignore[func-returns-value]
            QTimer.singleShot(2000 + int(1000 * seconds), look)
            return
        (began, busy, first), (ended, busy_then, last) = marks[0], marks[-1]
        found["rate"] = (last - first) * CONFIG.batch_size / (ended - began)
        found["interface"] = (busy_then - busy) / (ended - began)
        window.close()
        app.quit()

    window.lab.opener.open_data("synthetic")
    begin()
    app.exec()
    return found


@contextmanager
def a_screen() -> Iterator[dict[str, str]]:
    """The environment of a process with a screen and folders of its own, but this machine's compiled kernels."""
    from nncore.paths import cache_folder

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environment = os.environ | {"HOME": folder, "DIGITLAB_DATA": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}
        environment |= {"XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "share")}
        (home / "cache").mkdir()
        (home / "cache" / "digitlab").symlink_to(cache_folder())
        if os.environ.get("DISPLAY"):
            yield environment
            return
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            assert server.stdout is not None
            yield environment | {"DISPLAY": f":{server.stdout.readline().decode().strip()}"}
        finally:
            server.terminate()
            server.wait()


def take_mnist_along(environment: dict[str, str]) -> None:
    """Let the folder of data in `environment` have MNIST, where this process's own has it."""
    there, here = os.environ.get("DIGITLAB_DATA"), Path(environment["DIGITLAB_DATA"])
    here.mkdir(exist_ok=True)
    if there and (Path(there) / "mnist").is_dir():
        (here / "mnist").symlink_to(Path(there) / "mnist")


def why_not() -> str:
    """Why the window cannot be measured here, in words; empty where it can."""
    if not os.environ.get("DISPLAY") and not shutil.which("Xvfb"):
        return "there is neither a display nor Xvfb"
    missing = [package for package in ("PySide6", "pyqtgraph") if find_spec(package) is None]
    return f"{' and '.join(missing)} is not installed" if missing else ""


def measure(rounds: int, seconds: float, panel: str, device: str) -> dict[str, Any]:
    """All rounds, told as they end: images a second from the command line and in the window, and the median of their ratios."""
    found: dict[str, list[dict[str, float]]] = {"command_line": [], "in_window": []}
    ratios = []
    with a_screen() as environment:
        for number in range(rounds):
            for side in ("command_line", "in_window")[:: 1 if number % 2 else -1]:
                command = [sys.executable, "-m", "benchmarks", "window", "--only", side, "--panel", panel]
                command += ["--seconds", str(seconds), "--device", device]
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                found[side].append(json.loads(done.stdout.splitlines()[-1]))
            alone, beside = found["command_line"][-1]["rate"], found["in_window"][-1]["rate"]
            ratios.append(beside / alone)
            print(f"round {number + 1}: command line {alone:,.0f} images/s, window {beside:,.0f}: {ratios[-1]:.2f}")
            print(f"  the interface thread takes {found['in_window'][-1]['interface']:.0%} of a core", flush=True)
    median = statistics.median(ratios)
    print(f"{panel} in view: {median:.2f} of the command line's speed (median of {rounds} rounds)")
    return {"ratio": median, "rounds": found}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks window")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--panel", default="train")
    parser.add_argument("--device", default="cpu", help="where it is computed: cpu, cuda, cuda:1, …")
    parser.add_argument("--only", choices=("command_line", "in_window"), help="one side, once, in this process, as JSON")
    options = parser.parse_args(arguments)
    if options.only == "command_line":
        print(json.dumps(command_line(options.seconds, options.device)))
    elif options.only:
        print(json.dumps(in_window(options.seconds, options.panel, options.device)))
    else:
        measure(options.rounds, options.seconds, options.panel, options.device)
    return 0
