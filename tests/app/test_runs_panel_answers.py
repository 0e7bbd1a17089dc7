"""What the ticked runs say of the probe, in the probe dock."""

from __future__ import annotations

import threading

import numpy as np

from app.core.comparing import Comparer
from app.core.probe import Kind, Probe
from app.core.runs import Run, RunStore
from app.placing import FRAME
from models.presets import PRESETS
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.weights import save_weights
from tests.app.runs_table import show_runs

IMAGE = np.random.default_rng(3).integers(0, 256, (28, 28, 1), np.uint8)
OTHER = np.random.default_rng(4).integers(0, 256, (28, 28, 1), np.uint8)


def run_that_says(store: RunStore, name: str, digit: int) -> tuple[Run, Network]:
    """A run whose network takes every picture for the same digit."""
    network = PRESETS["mlp"].build(seed=digit)
    network.layers[-1].bias.data[digit] += 100
    run = store.create(name, "mlp", "synthetic", PRESETS["mlp"].training.as_dict())
    save_weights(store.weights_of(run), network, {"step": 1})
    store.update(run, status="finished", steps=1)
    return store.get(name), network


def test_each_run_answers_by_its_own_weights(tmp_path):
    store, probe = RunStore(tmp_path), Probe(IMAGE, kind=Kind.DATASET)
    three, network = run_that_says(store, "three", 3)
    bare = store.create("bare", "mlp", "synthetic", {})
    comparer = Comparer(store)
    answer, none = comparer.answers([three, bare], probe)
    assert answer.answer.digit == 3 and np.allclose(answer.answer.probabilities, Predictor(network).predict(IMAGE[None])[0])
    assert none.answer is None and "bare has no weights yet" in none.why_not
    network.layers[-1].bias.data[8] += 200
    save_weights(store.weights_of(three), network, {"step": 2})
    assert comparer.answers([three], probe)[0].answer.digit == 8, "the weights of now, not those read before"
    assert comparer.answers([three], Probe())[0].answer is None
    assert comparer.answers([three], probe, lambda: True) is None


def test_the_dock_shows_the_answers_of_ticked_runs_in_every_panel(window, qtbot):
    lab = window.lab
    runs = [run_that_says(lab.store, f"says {digit}", digit)[0] for digit in range(8)]
    lines = window.probe.ticked.lines
    assert not lines.isVisible(), "nothing while no run is ticked"
    show_runs(qtbot, window)
    lab.state.show_probe(Probe(IMAGE, kind=Kind.DATASET), "picture")
    lab.comparing.tick(runs)
    window.show_panel("inspect")
    qtbot.waitUntil(lambda: [line.words for line in lines.lines] == [f"{digit} · 100 %" for digit in range(6)], timeout=10_000)
    assert lines.isVisible() and lines.uncounted == 2 and [line.color for line in lines.lines[:2]] == ["accent", "second"]
    window.resize(1280, 800)
    assert window.height() == 800 and window.minimumSizeHint().height() <= 768 - FRAME[1], "it fits a small screen"
    lab.comparing.tick(runs, False)
    assert not lines.isVisible() and lab.comparing.answers == ()


def test_only_the_latest_probe_is_answered(window, qtbot, monkeypatch):
    lab = window.lab
    run, _ = run_that_says(lab.store, "three", 3)
    asked, may_go_on, answers = [], threading.Event(), Comparer.answers

    def slow(comparer: Comparer, runs, probe, *more):
        asked.append(probe)
        may_go_on.wait(60)
        return answers(comparer, runs, probe, *more)

    monkeypatch.setattr(Comparer, "answers", slow)
    lab.comparing.tick([run])
    qtbot.waitUntil(lambda: len(asked) == 1, timeout=5000)
    probes = [Probe(image, kind=Kind.DATASET) for image in (IMAGE, OTHER, IMAGE)]
    for probe in probes:
        lab.state.show_probe(probe, "picture")
    may_go_on.set()
    qtbot.waitUntil(lambda: bool(lab.comparing.answers) and lab.comparing.answers[0].answer is not None, timeout=5000)
    assert len(asked) == 2 and asked[1] is probes[2]
