"""The lab: what stands between state and panels."""

from __future__ import annotations

import threading
import time

import numpy as np

from app.core.in_view import NetworkInView
from app.core.look import Look
from app.core.probe import Probe
from app.core.session import Job
from app.core.timeline import Moment
from models.presets import preset
from nncore.data import synthetic
from nncore.errors import DigitLabError
from nncore.layers import Flatten, Linear
from nncore.network import Network
from nncore.training.config import TrainConfig


def test_looks_never_pile_up_and_the_last_question_is_answered(lab, qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(lab.looking._worker, "ask", asked.append)
    network = preset("mnist-cnn").build()
    lab.state.show_network(NetworkInView.of(network, "mnist-cnn", "a test"), Moment(0, network.state_dict()))
    probes = [Probe(np.full((4, 4, 1), n, np.uint8), f"picture {n}") for n in range(5)]
    for probe in probes:
        lab.state.probe.set(probe)
    assert len(asked) == 1, "one look at a time"
    lab.looking._take_look(Look(asked[-1]))
    qtbot.waitUntil(lambda: len(asked) == 2, timeout=2000)
    assert asked[-1].probe is probes[-1], "what was asked in between is forgotten, the last question is not"
    lab.looking._take_look(Look(asked[-1]))
    qtbot.wait(30)
    assert len(asked) == 2, "nothing new, nothing asked"


def test_a_probe_that_cannot_be_shown_is_said_and_has_no_answer(lab, qtbot):
    network = Network([Flatten(), Linear(10)], (8, 8, 1))
    lab.looking.start()
    looks, problems = [], []
    lab.looking.looked.connect(looks.append)
    lab.problem.connect(problems.append)
    lab.state.probe.set(Probe(np.full((50, 50, 1), 7, np.uint8), "a picture"))
    lab.state.show_network(NetworkInView.of(network, "tiny", "a test"), Moment(0, network.state_dict()))
    qtbot.waitUntil(lambda: bool(problems), timeout=5000)
    assert "8×8×1" in problems[0].message and looks[-1].digit is None, "the answer of the network before must not stay"


def test_a_full_disk_is_told_after_a_training_that_went_on_all_the_same(lab, qtbot, monkeypatch):
    def refuse(*_):
        raise DigitLabError("The disk is full.")

    problems = []
    lab.problem.connect(problems.append)
    monkeypatch.setattr(lab.store, "add_metrics", refuse)
    data = synthetic("train", 100)
    lab.training.start(Job(preset("two-layer"), "synthetic", data, None, TrainConfig(epochs=2)))
    qtbot.waitUntil(lambda: bool(problems) and not lab.training.is_active, timeout=100_000)
    assert len(problems) == 1 and problems[0].message.startswith("The disk is full. The training goes on")
    assert lab.store.list()[0].status == "finished" and lab.training.last.step == lab.training.last.total_steps


def test_closing_while_a_training_is_made_ready_stops_it_before_its_first_step(lab, qtbot, monkeypatch):
    begin, making = Job.begin, threading.Event()

    def late(job: Job, *arguments: object):
        making.set()
        while not lab.training._worker.isInterruptionRequested():
            time.sleep(0.005)
        return begin(job, *arguments)

    monkeypatch.setattr(Job, "begin", late)
    lab.training.start(Job(preset("two-layer"), "synthetic", synthetic("train", 100), None, TrainConfig(epochs=2)))
    qtbot.waitUntil(making.is_set, timeout=100_000)
    lab.training.close()
    (run,) = lab.store.list()
    assert (run.status, run.steps) == ("stopped", 0)
