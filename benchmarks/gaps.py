"""How long the interface stands still while a network trains.

    python -m benchmarks gaps [--seconds 30] [--panels data,train,inspect,recognise,runs]

In a real window `mnist-cnn` trains on MNIST (on digits drawn by code, where that is not here) at full speed. In each panel a timer
of 5 ms in the interface thread notes when it is called; the longest times between two calls are told, with the processor time that
the thread had in between, and what it did, if another thread could see it. A thread that had little of the time was waiting for a
core or for Python's interpreter: on a machine with other work that is no fault of the window.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

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
                frame = sys._current_frames().get(self.thread)
                self._seen = "" if frame is None else _where(frame)


def _where(frame: FrameType) -> str:
    """The innermost functions of a stack that are ours, and the innermost of all."""
    stack = traceback.extract_stack(frame)
    here = str(Path(__file__).parents[1])
    ours = [each for each in stack if each.filename.startswith(here) and "/.venv/" not in each.filename][-3:]
    shown = [each for each in ours if each is not stack[-1]] + [stack[-1]]
    return " > ".join(f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in shown)


def in_window(seconds: float, panels: tuple[str, ...]) -> dict[str, list[tuple[float, float, str]]]:
    """The longest gaps in each panel."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from app.core.recipe import Recipe
    from app.launch import build_window

    app = QApplication.instance() or QApplication([])
    window = build_window(app)  # type: ignore[arg-type]
    window.resize(1280, 800)
    window.show()
    lab, gaps, found = window.lab, Gaps(), dict[str, list[tuple[float, float, str]]]()
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
        found[left[0]] = gaps.stop()[:TOLD]
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
    for panel, gaps in json.loads(done.stdout.splitlines()[-1]).items():
        verdict = "" if gaps[0][0] < WANTED else f", wanted below {1000 * WANTED:.0f}"
        print(f"{panel}: the longest gap is {1000 * gaps[0][0]:.0f} ms{verdict}; load {load()}")
        for length, busy, doing in gaps:
            print(f"  {1000 * length:.0f} ms, of which {1000 * busy:.0f} on a core{': ' if doing else ''}{doing}")
    return 0
