"""The window as tests use it: offscreen, isolated, and closed again."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from pytestqt.wait_signal import SignalBlocker

from app import opening, theme
from app.core.look import Looker
from app.core.runs import RunStore
from app.core.settings import Settings
from app.garbage import GarbageCollector
from app.lab import Lab
from app.launch import build_window
from app.panels.train.mistakes import Mistakes
from app.threads.task import Task
from app.widgets.canvas import Canvas
from app.window import Window
from nncore.data import Dataset, catalogue, synthetic, synthetic_street
from nncore.training.events import EpochEnd, Event, Progress, Started
from nncore.training.trainer import Trainer

FIVE = (
    (0.68, 0.18),
    (0.42, 0.18),
    (0.38, 0.42),
    (0.5, 0.37),
    (0.62, 0.42),
    (0.68, 0.55),
    (0.66, 0.7),
    (0.55, 0.8),
    (0.42, 0.8),
    (0.33, 0.72),
)
PATIENCE = 60_000
"""Milliseconds that a test waits for what must come."""
ONE = ((0.5, 0.15), (0.5, 0.4), (0.5, 0.65), (0.5, 0.85))


def draw(canvas: Canvas, points: tuple[tuple[float, float], ...], button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
    """Move the pen through points given as shares of the square in the middle of the sheet."""
    sheet, side = canvas.sheet(), canvas.sheet().height()
    left = sheet.center().x() - side // 2
    places = [QPoint(left + round(x * side), sheet.y() + round(y * side)) for x, y in points]
    QTest.mousePress(canvas, button, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, button, pos=places[-1])


WARM_UP = Looker.warm_up
PREPARE_PANELS = Window.prepare_panels
"""What builds the panels that nobody has asked for yet."""
DRAWN = {"synthetic": synthetic, "synthetic-street": partial(synthetic_street, count=500)}


@cache
def warmed_up() -> None:
    """Load what reading pictures needs. That is the process's, and loading it again for each window takes a tenth of a second."""
    WARM_UP(Looker())


@cache
def drawn(name: str, split: str) -> Dataset:
    """The digits that are drawn by code, of those of the street few. Drawing all takes seconds, and each time gives the same."""
    return DRAWN[name](split)


@pytest.fixture(autouse=True)
def a_core_of_its_own() -> Iterator[None]:
    """Where several processes run the tests, each has one core for tests of the program: otherwise every training has a thread for
    each core, and these wait for each other. Tests of the engine have all cores.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if not worker or not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(worker) % len(cores)]})
    yield
    os.sched_setaffinity(0, cores)


@pytest.fixture(autouse=True)
def drawn_once(monkeypatch) -> None:
    """Every opening of digits that are drawn by code gets a copy of its own of those that are drawn once in a process."""

    def copied(name: str, split: str = "train") -> Dataset:
        kept = drawn(name, split)
        return replace(kept, images=kept.images.copy(), labels=kept.labels.copy())

    for name in DRAWN:
        monkeypatch.setitem(catalogue.IN_CODE, name, partial(copied, name))


class PatientBot(QtBot):
    """Waits a minute, also where a test says less: a machine may be busy, and what comes in time costs nothing."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = PATIENCE) -> None:
        super().waitUntil(callback, timeout=max(timeout, PATIENCE))

    def waitSignal(self, signal: object, *, timeout: int = PATIENCE, raising: bool = True, **how: object) -> SignalBlocker:
        return super().waitSignal(signal, timeout=max(timeout, PATIENCE) if raising else timeout, raising=raising, **how)


@pytest.fixture
def qtbot(qapp, request) -> PatientBot:
    return PatientBot(request)


@pytest.fixture
def heard_signals() -> Iterator[None]:
    """Programs that a test starts are ended by SIGINT and SIGHUP, also where those that run the tests (in the background, by nohup)
    ignore them, which programs inherit.
    """
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def delete_closed() -> None:
    """Delete the widgets of the test before at once: a theme is given to every widget that there is, and pytest's own loop deletes
    none. Some, such as the menus of plots, are only deleted with the objects around them.
    """
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    gc.freeze()  # what is left, such as modules, need not be gone through again


@pytest.fixture
def themed(qapp):
    """The theme, for tests of single widgets."""
    delete_closed()
    return theme.install(qapp, "dark")


@pytest.fixture
def lab(qapp, themed, tmp_path) -> Iterator[Lab]:
    """A lab without a window."""
    made = Lab(Settings(tmp_path / "config"), RunStore(tmp_path / "runs"))
    yield made
    made.close()
    made.deleteLater()  # with its connections, which hold what is connected to it: Python's collector does not see these references


@pytest.fixture
def cards(lab, run, qtbot) -> Mistakes:
    """The confusion and the mistakes of the test's own `run`."""
    panel = QWidget()
    qtbot.addWidget(panel)
    made = Mistakes(lab, panel)
    made.panel = panel  # which must live as long
    for card in (made.confusion_card, made.mistakes_card):
        qtbot.addWidget(card)
        card.resize(320, 300)
        card.show()
    return made


@pytest.fixture
def make_window(qtbot, qapp, monkeypatch) -> Iterator[Callable[[], Window]]:
    """Opens windows, as `digitlab` does, and closes and deletes them at the end."""
    # A full collection of all that tests have imported takes a third of a second, and a window makes several.
    monkeypatch.setattr(GarbageCollector, "settle", lambda garbage: garbage._collect())
    monkeypatch.setattr(gc, "unfreeze", lambda: None)
    # A test builds the panels that it looks at.
    monkeypatch.setattr(Window, "prepare_panels", lambda window: None)
    monkeypatch.setattr(Looker, "warm_up", lambda looker: warmed_up())
    # A small network of few layers, whose kernels are quick to load.
    monkeypatch.setattr(opening, "DEFAULT_PICTURE_NETWORK", "mnist-cnn")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # each window catches what nobody else does
    opened: list[Window] = []

    def make() -> Window:
        if opened and not opened[-1].isVisible():
            delete(opened.pop())
        delete_closed()
        raised = threading.excepthook
        window = build_window(qapp)
        threading.excepthook = raised  # pytest's own: a thread that ends by an error fails its test
        opened.append(window)
        window.show()
        qtbot.waitExposed(window)
        qtbot.waitUntil(lambda: window.lab.state.network.value is not None, timeout=20_000)
        qtbot.waitUntil(lambda: window.lab.state.data.value is not None, timeout=20_000)
        return window

    def delete(window: Window) -> None:
        qtbot.waitUntil(lambda: not Task._alive, timeout=20_000)  # they bring their results to the window
        window.deleteLater()
        delete_closed()

    yield make
    for window in opened:
        window.close()
        delete(window)


@pytest.fixture
def window(make_window) -> Window:
    """One window."""
    return make_window()


@pytest.fixture
def stop_at(monkeypatch) -> dict[str, int]:
    """Under `step`: the step after which each training stops, the first of an epoch. Until it is set there is none."""
    wanted: dict[str, int] = {}
    events = Trainer.events

    def watched(trainer: Trainer) -> Iterator[Event]:
        for event in events(trainer):
            if isinstance(event, Started | EpochEnd):
                trainer.pace.steps = 1  # so that the next stretch is one step
            if isinstance(event, Progress) and event.step == wanted.get("step"):
                trainer.control.stop()
            yield event

    monkeypatch.setattr(Trainer, "events", watched)
    return wanted
