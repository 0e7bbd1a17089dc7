"""What a thread raises and nobody catches is told in the interface thread, whatever thread it was."""

from __future__ import annotations

import sys
import threading
from threading import Thread, current_thread

import pytest
from PySide6.QtCore import QThread

from app.core.in_view import NetworkInView
from app.core.look import Looker
from app.core.probe import Probe
from app.core.timeline import Moment
from app.errors import Problem, catch_everything
from models.shipped import open_weights
from nncore.data import synthetic
from nncore.errors import DeviceError


class Window:
    """Where problems are shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.threads: set[Thread] = set()

    def show_problem(self, problem: Problem) -> None:
        self.shown.append(problem.message)
        self.threads.add(current_thread())


@pytest.fixture
def window(qapp, monkeypatch) -> Window:
    for module in (sys, threading):
        monkeypatch.setattr(module, "excepthook", module.excepthook)
    made = Window()
    catch_everything(made.show_problem)
    return made


def fail() -> None:
    raise DeviceError("The GPU is gone.")


class Failing(QThread):
    def run(self) -> None:
        try:
            fail()
        except DeviceError:
            sys.excepthook(*sys.exc_info())


@pytest.mark.parametrize("kind", [Failing, lambda: Thread(target=fail)], ids=["of Qt", "of Python"])
def test_what_a_thread_raises_is_shown_by_the_interface_thread(window, qtbot, kind):
    thread = kind()
    thread.start()
    (thread.wait if isinstance(thread, QThread) else thread.join)()
    assert not window.shown, "not by the thread itself"
    qtbot.waitUntil(lambda: window.shown == ["The GPU is gone."])
    assert window.threads == {current_thread()}


def test_a_look_is_answered_although_nothing_could_be_loaded_early(window, lab, qtbot, monkeypatch):
    monkeypatch.setattr(Looker, "warm_up", lambda looker: fail())
    network, _ = open_weights("mnist-cnn")
    lab.state.probe.set(Probe(synthetic("test", 1).images[0], "a digit"))
    lab.state.show_network(NetworkInView.of(network, "mnist-cnn", "a test"), Moment(0, network.state_dict()))
    lab.looking.start()
    qtbot.waitUntil(lambda: lab.looking.look is not None and window.shown == ["The GPU is gone."])
    assert window.threads == {current_thread()}
