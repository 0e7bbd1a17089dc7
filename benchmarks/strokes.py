"""How soon a movement of the pen is answered, with up to five digits on the sheet.

    python -m benchmarks strokes [--turns 5]

In a real window a mouse writes 5, 1, 7, 2 and 4 beside each other, a movement every 16 ms or when the last one has been answered;
then the sheet is cleared, and so on. For each movement the time is noted from the event to the answer to the drawing as it then
is, which comes to the interface thread, and the processor time that all threads took.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from itertools import pairwise

from benchmarks.beside import load
from benchmarks.options import count
from benchmarks.window import a_screen

WANTED = 0.02
"""Seconds that an answer may take at the 95th percentile."""
INTERVAL = 16
"""Milliseconds between two movements: a frame."""
BETWEEN = 6
"""Movements from one point to the next."""
PATIENCE = 2.0
"""Seconds to wait for an answer."""
DIGITS = (
    (((0.66, 0.17), (0.41, 0.18), (0.38, 0.44), (0.55, 0.4), (0.67, 0.54), (0.62, 0.73), (0.44, 0.8), (0.36, 0.77)),),
    (((0.5, 0.15), (0.5, 0.4), (0.5, 0.85)),),
    (((0.35, 0.2), (0.66, 0.2), (0.53, 0.6), (0.48, 0.82)),),
    (((0.36, 0.3), (0.42, 0.2), (0.52, 0.17), (0.65, 0.26), (0.58, 0.48), (0.36, 0.79), (0.67, 0.79)),),
    (((0.42, 0.18), (0.36, 0.55), (0.68, 0.55)), ((0.6, 0.35), (0.57, 0.84))),
)
"""The strokes of each digit: points as shares of a square."""


def in_window(turns: int) -> list[list[tuple[float, float]]]:
    """For each place in the row: seconds to each answer, and seconds of the processor."""
    from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from app.launch import build_window

    app = QApplication.instance() or QApplication([])
    window = build_window(app)  # type: ignore[arg-type]
    window.resize(1280, 800)
    window.show()
    lab = window.lab

    def wait(milliseconds: float) -> None:
        loop, timer = QEventLoop(), QTimer(singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        timer.timeout.connect(loop.quit)
        timer.start(round(milliseconds))
        loop.exec()

    while lab.state.network.value is None:
        wait(100)
    window.show_panel("recognise")
    wait(15_000)  # what is loaded and compiled meanwhile
    canvas = window.panel.canvas
    found: list[list[tuple[float, float]]] = [[] for _ in DIGITS]
    answers: list[tuple[object, float]] = []
    loop, patience = QEventLoop(), QTimer(singleShot=True)
    patience.timeout.connect(loop.quit)
    lab.looking.looked.connect(lambda look: answers.append((look.question.probe, time.perf_counter())))
    lab.looking.looked.connect(lambda _: loop.quit())

    def move(place: QPoint, digit: int) -> None:
        began, used = time.perf_counter(), time.process_time()
        QTest.mouseMove(canvas, place)
        probe = lab.state.probe.value
        wait(INTERVAL)
        while not (answers and answers[-1][0] is probe) and time.perf_counter() - began < PATIENCE:
            patience.start(round(1000 * PATIENCE))
            loop.exec()  # until the next answer, and not in turns, which would keep those from the interpreter who answer
        found[digit].append(((answers[-1][1] if answers else time.perf_counter()) - began, time.process_time() - used))

    for _ in range(turns):
        sheet = canvas.sheet()
        wide, high = sheet.width() / len(DIGITS), min(sheet.height(), 1.7 * sheet.width() / len(DIGITS))
        for number, digit in enumerate(DIGITS):
            middle = sheet.x() + wide * (number + 0.5), sheet.center().y()
            for stroke in digit:
                points = [QPoint(round(middle[0] + (x - 0.5) * high), round(middle[1] + (y - 0.5) * high)) for x, y in stroke]
                QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=points[0])
                for one, other in pairwise(points):
                    for part in range(1, BETWEEN + 1):
                        move(one + (other - one) * (part / BETWEEN), number)
                QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=points[-1])
        wait(200)
        look = lab.looking.look
        print("read:", "".join(str(each.answer.digit) for each in look.digits) if look else "", file=sys.stderr)
        lab.clear_probe()
        wait(200)
    window.close()
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks strokes")
    parser.add_argument("--turns", type=count, default=5)
    parser.add_argument("--here", action="store_true", help="in this process, as JSON")
    options = parser.parse_args(arguments)
    if options.here:
        print(json.dumps(in_window(options.turns)))
        return 0
    before = load()
    command = [sys.executable, "-m", "benchmarks", "strokes", "--here", "--turns", str(options.turns)]
    with a_screen() as environment:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    print(f"load before {before}, now {load()}")
    for number, rows in enumerate(json.loads(done.stdout.splitlines()[-1]), start=1):
        times = sorted(seconds for seconds, _ in rows)
        late = times[min(len(times) - 1, int(0.95 * len(times)))]
        busy = statistics.median(used for _, used in rows)
        verdict = "" if late < WANTED else "   slower than is wanted"
        print(
            f"digit {number}: {len(times)} movements, answered after {1000 * statistics.median(times):.1f} ms in the median, "
            f"{1000 * late:.1f} ms at the 95th percentile, longest {1000 * times[-1]:.1f}; processor {1000 * busy:.1f} ms{verdict}"
        )
    return 0
