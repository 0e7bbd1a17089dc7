"""How long the interface stands still while a network trains.

    python -m benchmarks gaps [--seconds 30] [--panels data,train,inspect,recognise,runs]

In a real window `mnist-cnn` trains on MNIST (on digits drawn by code, where that is not here) at full speed. In each panel a timer
of 5 ms in the interface thread notes when it is called; the longest times between two calls are told, with the processor time that
the thread had in between, and what it did, if another thread could see it. A thread that had little of the time was waiting for a
core or for Python's interpreter: on a machine with other work that is no fault of the window.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.beside import load
from benchmarks.options import count, names
from benchmarks.window import a_screen, take_mnist_along
from nncore.training.config import TrainConfig

PANELS = ("data", "train", "inspect", "recognise", "runs")
TICK = 5
"""Milliseconds between two calls of the timer."""
LONG = 0.04
"""Seconds after which it is looked at what the interface thread does."""
WANTED = 0.05
"""Seconds that no gap should reach."""
SETTLE = 3.0
"""Seconds in a panel before it is measured."""
TOLD = 5
"""The longest gaps that are told."""
CONFIG = TrainConfig(epochs=1000, batch_size=32)


@dataclass
class Gaps:
    """Times between two calls of `tick`, in seconds, with the thread's processor time and what it was seen to do."""

    thread: int = field(default_factory=threading.get_ident)
    found: list[tuple[float, float, str]] = field(default_factory=list)
    _last: tuple[float, float] = (0.0, 0.0)
    _seen: str = ""
    _is_over: bool = False

    def start(self) -> None:
        """Forget all, and begin to watch from a thread."""
        self.found.clear()
        self._last, self._seen, self._is_over = (time.perf_counter(), time.thread_time()), "", False
        threading.Thread(target=self._watch, name="gaps", daemon=True).start()

    def tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        if not self._is_over and self._last[0]:
            self.found.append((now[0] - self._last[0], now[1] - self._last[1], self._seen))
        self._last, self._seen = now, ""

    def stop(self) -> list[tuple[float, float, str]]:
        """The gaps, the longest first."""
        self._is_over = True
        return sorted(self.found, reverse=True)

    def _watch(self) -> None:
        while not self._is_over:
            time.sleep(TICK / 1000)
            if time.perf_counter() - self._last[0] > LONG and not self._seen:
                self._seen = _where(self.thread)


def _where(thread: int) -> str:
    """The innermost functions of a thread that are ours, and the innermost of all.

    By faulthandler, which makes no objects of the frames: such an object keeps a painter alive that its function has ended with.
    """
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        text = file.read().decode(errors="replace")
    part = next((part for part in re.split(r"(?m)^(?=Thread |Current thread )", text) if f"0x{thread:016x}" in part), "")
    stack = re.findall(r'File "(.*)", line (\d+) in (.*)', part)
    here = str(Path(__file__).parents[1])
    shown = stack[:1] + [each for each in stack[1:] if each[0].startswith(here) and "/.venv/" not in each[0]][:3]
    return " < ".join(f"{Path(file).name}:{line} {name}" for file, line, name in shown)


def in_window(seconds: float, panels: tuple[str, ...]) -> dict[str, Any]:
    """In each panel the longest gaps, and the most processor time that the thread took in one."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from app.core.recipe import Recipe
    from app.launch import build_window

    app = QApplication.instance() or QApplication([])
    window = build_window(app)  # type: ignore[arg-type]
    window.resize(1280, 800)
    window.show()
    lab, gaps, found = window.lab, Gaps(), dict[str, Any]()
    timer = QTimer(window, interval=TICK, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(gaps.tick)
    spec = "mnist" if (Path(os.environ["DIGITLAB_DATA"]) / "mnist").exists() else "synthetic"

    def begin() -> None:
        if lab.state.data.value is None or lab.state.data.value.spec != spec:
            QTimer.singleShot(100, begin)
            return
        lab.state.recipe.set(Recipe("mnist-cnn", CONFIG))
        lab.start_training()
        wait()

    def wait() -> None:
        if lab.training.last is None:
            QTimer.singleShot(100, wait)
            return
        timer.start()
        show(list(panels))

    def show(left: list[str]) -> None:
        if not left:
            window.close()
            app.quit()
            return
        window.show_panel(left[0])
        QTimer.singleShot(int(1000 * SETTLE), gaps.start)
        QTimer.singleShot(int(1000 * (SETTLE + seconds)), lambda: note(left))

    def note(left: list[str]) -> None:
        measured = gaps.stop()
        found[left[0]] = {"longest": measured[:TOLD], "busiest": max(busy for _, busy, _ in measured)}
        show(left[1:])

    lab.opener.open_data(spec)
    begin()
    app.exec()
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks gaps")
    parser.add_argument("--seconds", type=count, default=30, help="in each panel")
    parser.add_argument("--panels", type=names(PANELS), default=PANELS, help="separated by commas")
    parser.add_argument("--only", action="store_true", help="in this process, as JSON")
    options = parser.parse_args(arguments)
    if options.only:
        print(json.dumps(in_window(options.seconds, options.panels)))
        return 0
    with a_screen() as environment:
        take_mnist_along(environment)
        command = [sys.executable, "-m", "benchmarks", "gaps", "--only", "--seconds", str(options.seconds)]
        command += ["--panels", ",".join(options.panels)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    for panel, measured in json.loads(done.stdout.splitlines()[-1]).items():
        longest = measured["longest"][0][0]
        verdict = "" if longest < WANTED else f", wanted below {1000 * WANTED:.0f}"
        busiest = f"at most {1000 * measured['busiest']:.0f} ms of the processor in one"
        print(f"{panel}: the longest gap is {1000 * longest:.0f} ms{verdict}; {busiest}; load {load()}")
        for length, busy, doing in measured["longest"]:
            print(f"  {1000 * length:.0f} ms, of which {1000 * busy:.0f} on a core{': ' if doing else ''}{doing}")
    return 0
