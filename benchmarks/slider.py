"""How soon every view shows the moment that the slider is moved to.

    python -m benchmarks slider [--moments 200]

`mnist-cnn` is trained on MNIST (on digits drawn by code, where that is not here) so that about two hundred moments are kept; a real
window opens the run and the slider goes over all of them: in Inspect until the new answer and the new feature maps are painted, in
Train until the cursors of the curves are, and at some moments until the confusion matrix is.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.beside import data_for, load
from benchmarks.options import count
from benchmarks.window import a_screen, take_mnist_along
from nncore.training.config import TrainConfig

IMAGES, BATCH, EPOCHS = 9216, 32, 5
"""1,200 steps, a fifth of the images held out."""
WANTED = {"answer": 0.05, "feature maps": 0.05, "cursors": 0.05, "confusion": 1.0}
"""Seconds that each may take."""
EVALUATED = 10
"""Moments whose confusion is waited for."""
PATIENCE = 60.0
"""Seconds to wait for something to be painted."""


def make_run(moments: int) -> None:
    """Train the run `slider`."""
    from app.core import moment_writer
    from app.core.runs import RunStore
    from app.core.session import Job
    from models.presets import preset

    steps = EPOCHS * IMAGES * 5 // 6 // BATCH
    config = TrainConfig(epochs=EPOCHS, batch_size=BATCH, validate_every=max(1, -(-steps // moments)), validation=1 / 6)
    spec = data_spec()
    job = Job(preset("mnist-cnn"), spec, data_for(spec, IMAGES), None, config, "slider", image_limit=IMAGES)
    moment_writer.DENSE = moments  # a training this short would keep fewer
    for _ in job.begin(RunStore()).events():
        pass


def data_spec() -> str:
    """The name of the data."""
    return "mnist" if (Path(os.environ["DIGITLAB_DATA"]) / "mnist").exists() else "synthetic"


class Screen:
    """A real window that shows the run, and when its parts were painted last."""

    def __init__(self) -> None:
        from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
        from PySide6.QtWidgets import QApplication

        from app.launch import build_window

        self.app = QApplication.instance() or QApplication([])
        self.window = build_window(self.app)  # type: ignore[arg-type]
        self.window.resize(1280, 800)
        self.window.show()
        painted = self.painted = dict[QObject, float]()

        class Spy(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                if event.type() == QEvent.Type.Paint:
                    painted[watched] = time.perf_counter()
                return False

        self.spy = Spy()
        self._wait = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
        self._awake = QTimer(self.window, interval=2)  # so that waiting for events ends
        self._awake.start()

    def until(self, what: Callable[[], bool]) -> None:
        """Let the window do its work until something holds."""
        end = time.perf_counter() + PATIENCE
        while not what():
            self.app.processEvents(self._wait)  # asleep meanwhile: other threads want the interpreter
            if time.perf_counter() > end:
                raise TimeoutError("The window did not get there in time.")

    def rest(self, seconds: float) -> None:
        """Let the window do its work for a while."""
        end = time.perf_counter() + seconds
        self.until(lambda: time.perf_counter() > end)

    def watch(self, widgets: Iterable[Any]) -> list[Any]:
        """Begin to note when these are painted; of a scrolled one, what is in sight of it."""
        found = [widget.viewport() if hasattr(widget, "viewport") else widget for widget in widgets]
        for widget in found:
            widget.installEventFilter(self.spy)
        return found

    def since(self, began: float, widgets: Sequence[Any]) -> float | None:
        """How long after `began` the last of those widgets was painted that have been since; None where none has."""
        return max((at - began for widget in widgets if (at := self.painted.get(widget, 0.0)) >= began), default=None)

    def move(self, index: int, parts: Mapping[str, Sequence[Any]]) -> dict[str, tuple[float, float]]:
        """Move the slider; seconds until each part that changes was painted, and seconds of the processor."""
        lab = self.window.lab
        step, began, used = lab.state.timeline[index].step, time.perf_counter(), time.process_time()
        self.window.time_bar.slider.setValue(index)

        def is_there() -> bool:
            look = lab.looking.look
            return look is not None and look.question.moment.step == step

        self.until(is_there)
        answered = time.perf_counter() - began
        self.rest(0.06)  # what has changed is painted
        busy = time.process_time() - used
        # A part that looks as before, since the answer is as sure as it was, is there when the network has answered.
        return {name: (self.since(began, widgets) or answered, busy) for name, widgets in parts.items()}


def in_window() -> dict[str, list[tuple[float, float]]]:
    """Seconds from each move of the slider until something is on the screen, and of the processor, all threads together."""
    from pyqtgraph import PlotWidget

    from app.core.probe import Kind, Probe
    from app.widgets.confusion import ConfusionMatrix
    from app.widgets.network_map import NetworkMap

    screen = Screen()
    window, lab = screen.window, screen.window.lab
    screen.until(lambda: lab.state.run.value is not None)
    screen.rest(2)
    run = lab.store.get("slider")
    is_open = list[bool]()
    lab.opener.open_run(run, lambda: is_open.append(True))
    screen.until(lambda: bool(is_open) and (view := lab.state.run.value) is not None and bool(view.held_out))
    view = lab.state.run.value
    assert view is not None and view.held_out is not None
    lab.state.show_probe(Probe(view.held_out.images[7], "a held-out image", kind=Kind.DATASET), "the probe")
    found: dict[str, list[tuple[float, float]]] = {}

    def move_over_all(parts: Mapping[str, Sequence[Any]]) -> None:
        for index in [*range(1, len(view.timeline)), 0]:
            if window.time_bar.slider.value() != index:
                for name, seconds in screen.move(index, parts).items():
                    found.setdefault(name, []).append(seconds)

    window.show_panel("inspect")
    screen.rest(2)
    maps = [each for each in window.panel.findChildren(NetworkMap) if not each.visibleRegion().isEmpty()]
    move_over_all({"answer": screen.watch([window.probe.words]), "feature maps": screen.watch(maps)})
    window.show_panel("train")
    screen.rest(2)
    move_over_all({"cursors": screen.watch(window.panel.findChildren(PlotWidget))})
    (confusion,) = window.panel.findChildren(ConfusionMatrix)
    for index in range(1, len(view.timeline) - 1, max(1, len(view.timeline) // EVALUATED)):
        began, used = time.perf_counter(), time.process_time()
        window.time_bar.slider.setValue(index)
        step = view.timeline[index].step
        screen.until(lambda step=step: _is_shown(lab.evaluating.shown, step) and not confusion.is_faded)  # type: ignore[misc]
        found.setdefault("confusion", []).append((time.perf_counter() - began, time.process_time() - used))
    window.close()
    return found


def _is_shown(shown: Any, step: int) -> bool:
    return shown is not None and shown.is_current and shown.step == step


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks slider")
    parser.add_argument("--moments", type=count, default=200, help="about how many are kept")
    parser.add_argument("--only", choices=("train", "window"), help="one part, in this process")
    options = parser.parse_args(arguments)
    if options.only == "train":
        make_run(options.moments)
        return 0
    if options.only == "window":
        print(json.dumps(in_window()))
        return 0
    with a_screen() as environment:
        take_mnist_along(environment)
        command = [sys.executable, "-m", "benchmarks", "slider", "--moments", str(options.moments), "--only"]
        subprocess.run([*command, "train"], env=environment, check=True)
        done = subprocess.run([*command, "window"], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    for name, measured in json.loads(done.stdout.splitlines()[-1]).items():
        seconds, busy = zip(*measured, strict=True)
        wanted, typical, longest = 1000 * WANTED[name], 1000 * statistics.median(seconds), 1000 * max(seconds)
        late = sum(1000 * each >= wanted for each in seconds)
        used = 1000 * statistics.median(busy)
        print(f"{name}: median {typical:.0f} ms ({used:.0f} ms of a core), longest {longest:.0f} ms of {len(seconds)} moves;")
        print(f"  {late} took {wanted:.0f} ms or more; load {load()}")
    return 0
