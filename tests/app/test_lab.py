"""The lab: what stands between state and panels."""

from __future__ import annotations

import numpy as np

from app.core.in_view import NetworkInView
from app.core.probe import Probe
from app.core.timeline import Moment
from models.presets import preset


def test_looks_never_pile_up_and_the_last_question_is_answered(lab, qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(lab.looking._worker, "ask", asked.append)
    network = preset("mnist-cnn").build()
    lab.state.show_network(NetworkInView.of(network, "mnist-cnn", "a test"), Moment(0, network.state_dict()))
    probes = [Probe(np.full((4, 4, 1), n, np.uint8), f"picture {n}") for n in range(5)]
    for probe in probes:
        lab.state.probe.set(probe)
    assert len(asked) == 1, "one look at a time"
    lab.looking._take_look(object())
    qtbot.waitUntil(lambda: len(asked) == 2, timeout=2000)
    assert asked[-1].probe is probes[-1], "what was asked in between is forgotten, the last question is not"
    lab.looking._take_look(object())
    qtbot.wait(30)
    assert len(asked) == 2, "nothing new, nothing asked"
