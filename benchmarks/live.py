"""How lively Inspect is while a network trains, and what the training pays for it.

    python -m benchmarks live [gaps|speed|strokes|map] [--views network,number,…] [--seconds 30] [--pairs 8]

In a real window `mnist-cnn` trains on MNIST (on digits drawn by code, where that is not here) at full speed.

`gaps`: with each view of Inspect in sight, the times between two calls of a 5 ms timer of the interface, as `gaps` measures them.
`speed`: the view and the Data panel are in sight in turns; each turn of the view is held against those of Data around it.
`strokes`: a mouse draws at 60 movements a second; from each movement to the paint of the feature maps of the drawing as it then is,
and how many such paints there are in a second; with no training, and while one runs. `map`: gaps while a map of 10,000 digits is
made, pointed at, moved about in, and while it follows the time slider; no training.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.beside import load
from benchmarks.gaps import TICK, TOLD, WANTED, Gaps
from benchmarks.inspect_views import CONFIG, VIEWS, LiveWindow
from benchmarks.options import count, names
from benchmarks.window import a_screen, take_mnist_along

SETTLE = 2.0
"""Seconds in a view before it is measured."""
TURN, AFTER = 2.0, 0.5
"""Seconds of a turn of `speed`, and between two."""
MOVEMENT = 1 / 60
"""Seconds between two movements of the mouse."""
DRAWN = 5.0
"""Seconds for which is drawn."""
KEPT = {"speed": 0.9, "rate": 20.0, "delay": 0.03}
"""Wanted: the share of the speed, paints a second, seconds from a movement to the maps."""
Found = list[tuple[float, float, str]]


@contextmanager
def watched(live: LiveWindow) -> Iterator[Gaps]:
    """Notes gaps meanwhile."""
    from PySide6.QtCore import Qt, QTimer

    gaps, timer = Gaps(), QTimer(interval=TICK, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(gaps.tick)
    timer.start()
    gaps.start()
    yield gaps
    gaps.stop()
    timer.stop()


def gaps_of(live: LiveWindow, views: Sequence[str], seconds: float) -> dict[str, Found]:
    """The gaps in each view while the network trains, the longest first."""
    found = {}
    live.train()
    for view in views:
        live.show(view)
        live.rest(SETTLE)
        with watched(live) as gaps:
            live.rest(seconds)
        found[view] = long_ones(gaps)
    return found


def long_ones(gaps: Gaps) -> Found:
    """All gaps that are too long, and at least TOLD; the longest first."""
    measured = gaps.stop()
    return measured[: max(TOLD, sum(length > WANTED for length, _, _ in measured))]


def speed_of(live: LiveWindow, views: Sequence[str], pairs: int) -> dict[str, list[list[float]]]:
    """For each view images a second and the interface thread's share of a core in turns: Data's, the view's, Data's, and so on."""
    found: dict[str, list[list[float]]] = {}
    live.train()
    live.rest(SETTLE)
    for view in views:
        turns = found[view] = []
        live.show(view)
        live.rest(SETTLE)
        for turn in range(2 * pairs + 1):
            live.window.show_panel("inspect" if turn % 2 else "data")
            live.rest(AFTER)
            began, busy, first = time.perf_counter(), time.thread_time(), live.step
            live.rest(TURN)
            passed = time.perf_counter() - began
            turns.append([(live.step - first) * CONFIG.batch_size / passed, (time.thread_time() - busy) / passed])
    return found


def strokes_of(live: LiveWindow, views: Sequence[str]) -> dict[str, dict[str, Any]]:
    """For each view, without and with a training: seconds from movements to their maps, and paints of new maps a second."""
    found = {}
    for is_training in (False, True):
        if is_training:
            live.train()
        for view in views:
            live.show(view)
            live.rest(SETTLE)
            found[f"{view}, {'training' if is_training else 'no training'}"] = drawn(live)
            live.lab.clear_probe()
    return found


def drawn(live: LiveWindow) -> dict[str, Any]:
    """Draw for a while, and note when the maps of each state of the drawing were painted."""
    from PySide6.QtCore import QEvent, QObject, QPoint, Qt
    from PySide6.QtTest import QTest

    canvas, inspect = live.window.panel_named("recognise").canvas, live.inspect  # type: ignore[attr-defined]
    shown, asked = dict[int, float](), list[tuple[float, object]]()

    class Spy(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            look = inspect.inspected.look.value
            if event.type() == QEvent.Type.Paint and look is not None and look.digit is not None:
                shown.setdefault(id(look.question.probe), time.perf_counter())
                kept.append(look.question.probe)
            return False

    spy, kept = Spy(), list[object]()
    inspect.network.map.installEventFilter(spy)
    sheet = canvas.sheet()
    path = zigzag(sheet.x() + sheet.width() // 2, sheet.y(), sheet.height())
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(*path[0]))
    with watched(live) as gaps:
        end = time.perf_counter() + DRAWN
        for number in range(1, 1_000_000):
            began = time.perf_counter()
            if began > end:
                break
            QTest.mouseMove(canvas, QPoint(*path[number % len(path)]))
            asked.append((began, live.lab.state.probe.value))
            live.rest(max(began + MOVEMENT - time.perf_counter(), 0.001))
        live.rest(0.3)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(*path[0]))
    inspect.network.map.removeEventFilter(spy)
    delays = [shown[id(probe)] - began for began, probe in asked if id(probe) in shown]
    return {"delays": delays, "rate": len(delays) / DRAWN, "moves": len(asked), "gaps": long_ones(gaps)}


def zigzag(middle: int, top: int, height: int) -> list[tuple[int, int]]:
    """A path down the middle of a sheet, to one side and the other, and up again: one digit's worth of ink."""
    aside = [round(height * 0.12 * (1 - abs(n % 40 - 20) / 10)) for n in range(120)]
    down = [(middle + away, top + height // 5 + n * height // 200) for n, away in enumerate(aside)]
    return down + down[::-1]


def map_of(live: LiveWindow, seconds: float) -> dict[str, Found]:
    """The gaps while a map is made, pointed at, zoomed into, and while it follows the slider."""
    from PySide6.QtCore import QPoint
    from PySide6.QtTest import QTest

    found = {}
    live.train()
    live.rest(4)
    live.lab.training.stop()
    live.until(lambda: not live.lab.training.is_active)
    live.rest(SETTLE)
    with watched(live) as gaps:
        live.show("map")
        live.rest(1)
    found["made"] = long_ones(gaps)
    view, slider = live.inspect.pages[0].map, live.window.time_bar.slider  # type: ignore[attr-defined]
    scatter = view.scatter

    def moving(parts: int, act: Any) -> Found:
        with watched(live) as gaps:
            for number in range(parts):
                act(number)
                live.rest(seconds / parts)
        return long_ones(gaps)

    def point(number: int) -> None:
        x, y = (scatter.width() * (0.2 + 0.6 * (number * share % 1)) for share in (0.013, 0.021))
        QTest.mouseMove(scatter, QPoint(round(x), round(y * scatter.height() / scatter.width())))

    found["pointed at"] = moving(round(60 * seconds), point)
    found["zoomed"] = moving(round(30 * seconds), lambda number: scatter.zoom(1.1 if number % 40 < 20 else 1 / 1.1))
    last = slider.maximum()
    found["following the slider"] = moving(round(2 * seconds), lambda number: slider.setValue(last - 1 - number % max(last, 1)))
    return found


def run(what: str, views: Sequence[str], seconds: float, pairs: int) -> dict[str, Any]:
    """One of the measurements, in this process."""
    live = LiveWindow()
    live.window.prepare_panels()
    live.rest(SETTLE)
    made: dict[str, Any]
    if what == "gaps":
        made = gaps_of(live, views, seconds)
    elif what == "speed":
        made = speed_of(live, views, pairs)
    elif what == "strokes":
        made = strokes_of(live, views)
    else:
        made = map_of(live, seconds)
    live.close()
    return made


def tell(what: str, found: dict[str, Any]) -> None:
    """Say what was measured."""
    for name, measured in found.items():
        if what == "speed":
            tell_speed(name, measured)
        elif what == "strokes":
            tell_strokes(name, measured)
        else:
            tell_gaps(f"{what} {name}" if what == "map" else name, measured)


def tell_gaps(name: str, found: Found) -> None:
    late = [length for length, _, _ in found if length > WANTED]
    own = sum(busy > WANTED for _, busy, _ in found)
    busiest = max(busy for _, busy, _ in found)
    print(
        f"{name}: {len(late)} gaps over {1000 * WANTED:.0f} ms, the longest {1000 * found[0][0]:.0f}; {own} of them by what the "
        f"interface itself did, which took at most {1000 * busiest:.0f} ms of the processor; load {load()}"
    )
    for length, busy, doing in found[:TOLD]:
        print(f"  {1000 * length:.0f} ms, of which {1000 * busy:.0f} on a core{': ' if doing else ''}{doing}")


def tell_speed(name: str, turns: list[list[float]]) -> None:
    rates, shares = ([turn[n] for turn in turns] for n in (0, 1))
    ratios = [rates[n] / statistics.mean((rates[n - 1], rates[n + 1])) for n in range(1, len(rates) - 1, 2)]
    spread = statistics.stdev(ratios) / len(ratios) ** 0.5 if len(ratios) > 1 else float("nan")
    verdict = "" if statistics.median(ratios) > KEPT["speed"] else f", wanted above {KEPT['speed']}"
    print(
        f"{name}: {statistics.median(ratios):.3f} of the speed with Data in sight{verdict} (median of {len(ratios)}, standard "
        f"error {spread:.3f}); the interface thread takes {statistics.mean(shares[1::2]):.1%} of a core, "
        f"{statistics.mean(shares[::2]):.1%} with Data; load {load()}"
    )


def tell_strokes(name: str, found: dict[str, Any]) -> None:
    delays = sorted(found["delays"])
    if delays:
        late = delays[min(len(delays) - 1, int(0.95 * len(delays)))]
        verdict = "" if statistics.median(delays) < KEPT["delay"] and found["rate"] >= KEPT["rate"] else ", slower than is wanted"
        print(
            f"{name}: maps after {1000 * statistics.median(delays):.0f} ms in the median, {1000 * late:.0f} ms at the 95th "
            f"percentile; {found['rate']:.1f} updates a second at {found['moves'] / DRAWN:.0f} movements{verdict}"
        )
    tell_gaps("  meanwhile", found["gaps"])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks live")
    parser.add_argument("what", nargs="?", choices=("gaps", "speed", "strokes", "map"), help="one of the four; all unless given")
    parser.add_argument("--views", type=names(VIEWS), default=VIEWS, help="separated by commas")
    parser.add_argument("--seconds", type=count, default=30, help="in each view")
    parser.add_argument("--pairs", type=count, default=8, help="turns of each view in `speed`")
    parser.add_argument("--here", action="store_true", help="in this process, as JSON")
    options = parser.parse_args(arguments)
    if options.here:
        print(json.dumps(run(options.what, options.views, options.seconds, options.pairs)))
        return 0
    for what in (options.what,) if options.what else ("gaps", "speed", "strokes", "map"):
        with a_screen() as environment:
            take_mnist_along(environment)
            command = [sys.executable, "-m", "benchmarks", "live", what, "--here", "--views", ",".join(options.views)]
            command += ["--seconds", str(options.seconds), "--pairs", str(options.pairs)]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        tell(what, json.loads(done.stdout.splitlines()[-1]))
    return 0
