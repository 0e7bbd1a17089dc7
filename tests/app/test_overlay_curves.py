"""Curves of runs along steps, time and images."""

from __future__ import annotations

from app.core.overlay import AXES, IMAGES, QUANTITIES, STEP, TIME, read_curves
from app.core.runs import RunStore
from app.core.runs.marks import Mark


def test_images_are_counted_by_the_batch_size_that_held_at_each_step(tmp_path):
    store = RunStore(tmp_path / "runs")
    run = store.create("one", "mlp", "synthetic", {"batch_size": 10})
    store.add_metrics(run, [("validation", step, 1.0, 0.5) for step in (5, 20, 30, 40)])
    store.add_marks(run, [Mark(20, "batch_size", 50.0), Mark(20, "momentum", 0.5), Mark(30, "batch_size", 20.0)])
    store.update(run, steps=40, seconds=8.0)
    curves = read_curves(store, store.get("one"))
    found = {axis: curves.curve(QUANTITIES[0], axis)[0].tolist() for axis in AXES}
    assert found == {STEP: [5, 20, 30, 40], TIME: [1.0, 4.0, 6.0, 8.0], IMAGES: [50, 200, 700, 900]}
