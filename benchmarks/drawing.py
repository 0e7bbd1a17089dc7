"""What a training pays for what the window draws.

    python -m benchmarks drawing [--turns 20] [--seconds 3] [--panel train]

One training of `mnist-cnn` in a real window, which is in sight and out of sight in turns; a pair of neighbouring turns gives a
ratio. Both are of one process, whose speed differs from that of another by more than what is measured. The window needs a
display: that of DISPLAY, or an Xvfb of its own where there is none.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

from benchmarks.options import count
from benchmarks.window import CONFIG, IMAGES, a_screen

SETTLING = 500
"""Milliseconds between two turns: to show a window is to draw all of it once, which is no part of drawing a training."""


def in_turns(turns: int, seconds: float, panel: str) -> dict[str, list[float]]:
    """Images a second in each turn, those in sight first, and which share of a core the interface thread took in it."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from app.core.recipe import Recipe
    from app.launch import build_window

    app = QApplication.instance() or QApplication([])
    window = build_window(app)  # type: ignore[arg-type]
    window.resize(1280, 800)
    window.show()
    window.show_panel(panel)
    marks: list[tuple[float, float, int]] = []
    found: dict[str, list[float]] = {"rates": [], "interface": []}

    def begin() -> None:
        state = window.lab.state
        if state.data.value is None or state.data.value.spec != "synthetic":
            QTimer.singleShot(100, begin)
            return
        state.recipe.set(Recipe("mnist-cnn", CONFIG, IMAGES))
        window.lab.start_training()
        wait()

    def wait() -> None:
        if window.lab.training.last is None:
            QTimer.singleShot(100, wait)
        else:
            QTimer.singleShot(3000, begin_turn)

    def begin_turn() -> None:
        marks[:] = [mark()]
        QTimer.singleShot(round(1000 * seconds), end_turn)

    def mark() -> tuple[float, float, int]:
        session = window.lab.training.session
        assert session is not None, "it has taken steps"
        return time.perf_counter(), time.thread_time(), session.trainer.step

    def end_turn() -> None:
        (began, busy, first), (ended, busy_then, last) = *marks, mark()
        found["rates"].append((last - first) * CONFIG.batch_size / (ended - began))
        found["interface"].append((busy_then - busy) / (ended - began))
        if len(found["rates"]) == turns:
            window.close()
            app.quit()
            return
        window.setVisible(len(found["rates"]) % 2 == 0)
        QTimer.singleShot(SETTLING, begin_turn)

    window.lab.opener.open_data("synthetic")
    begin()
    app.exec()
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks drawing")
    parser.add_argument("--turns", type=count, default=20)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--panel", default="train")
    parser.add_argument("--here", action="store_true", help="in this process, as JSON")
    options = parser.parse_args(arguments)
    if options.here:
        print(json.dumps(in_turns(options.turns, options.seconds, options.panel)))
        return 0
    command = [sys.executable, "-m", "benchmarks", "drawing", "--here", "--panel", options.panel]
    command += ["--turns", str(options.turns), "--seconds", str(options.seconds)]
    with a_screen() as environment:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    rates, interface = found["rates"], found["interface"]
    # Each turn in sight against the mean of those out of sight around it: what changes slowly cancels.
    ratios = [rates[n] / statistics.mean((rates[n - 1], rates[n + 1])) for n in range(2, len(rates) - 1, 2)]
    print(" ".join(f"{ratio:.3f}" for ratio in ratios))
    middle, spread = statistics.median(ratios), statistics.stdev(ratios) / len(ratios) ** 0.5
    print(
        f"{options.panel} in sight: {middle:.3f} of the speed out of sight (median of {len(ratios)} turns, standard error "
        f"{spread:.3f}); the interface thread takes {statistics.mean(interface[2::2]):.1%} of a core in sight, "
        f"{statistics.mean(interface[1::2]):.1%} out of sight"
    )
    return 0
