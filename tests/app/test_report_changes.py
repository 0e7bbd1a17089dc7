"""A report tells of settings that were changed while the run was trained."""

from __future__ import annotations

from app.core.report import gather, html_page, report
from app.core.runs import RunStore
from app.core.session import Job
from models.presets import preset
from nncore.data import open_dataset
from nncore.training.config import TrainConfig
from nncore.training.events import Progress


def test_a_report_counts_the_images_of_every_batch_size_and_says_what_its_command_leaves_out(isolated):
    store, data = RunStore(), open_dataset("synthetic").limit(240, 0)
    config = TrainConfig(epochs=2, batch_size=16, learning_rate=0.01)
    session = Job(preset("two-layer"), "synthetic", data, None, config, image_limit=240).begin(store, checkpoint_every=1)
    for event in session.events():
        if isinstance(event, Progress) and event.step == 3:
            session.trainer.control.change("batch_size", 64)
            session.trainer.control.change("learning_rate", 0.005)
            session.trainer.control.change("batch_size", 50)
    run = store.get(session.run.name)
    assert run.steps == 3 + 4 + 4
    page = html_page(report(gather(store, run)))
    assert "Changed while it was trained, which the command does not repeat: learning rate and batch size." in page
    assert "give the same weights" not in page
    row = page[page.index("images seen in training") :]
    assert "400" in row[:120]
