"""The loss of a moment is that of its run, whether it was kept while training or computed again."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.in_view import NetworkInView
from app.core.recipe import Recipe
from app.core.report import gather
from app.core.run_in_view import RunInView
from app.core.session import Job
from app.core.timeline import Moment
from models.presets import preset
from nncore.data import open_dataset, synthetic
from nncore.losses import TRAINING_LOSSES, HingeLoss
from nncore.prediction import Predictor
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd
from nncore.training.trainer import Trainer

SETTINGS = [*({"loss": name} for name in TRAINING_LOSSES), {"label_smoothing": 0.2}]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_what_is_computed_again_is_what_the_training_told(lab, qtbot, settings):
    config = TrainConfig(epochs=1, batch_size=50, validation=0.25, **settings)
    network = preset("mlp").build()
    trainer = Trainer(network, open_dataset("synthetic").limit(400, 0), config)
    told = next(event.evaluation for event in trainer.events() if isinstance(event, EpochEnd))
    run = RunInView(NetworkInView.of(network, "mlp", "a test"), recipe=Recipe("mlp", config), held_out=trainer.validation_data)
    run.timeline.add(Moment(6, network.state_dict()))
    lab.state.show_run(run, run.timeline[0])
    lab.evaluating.want(True)
    qtbot.waitUntil(lambda: lab.evaluating.shown is not None, timeout=20_000)
    found = lab.evaluating.shown.evaluation
    assert found.loss == pytest.approx(told.loss, rel=1e-5) and np.allclose(found.probabilities, told.probabilities, atol=1e-6)
    assert np.array_equal(found.labels, told.labels)


def test_the_report_measures_a_run_by_its_own_loss(lab):
    data, test, config = open_dataset("synthetic").limit(200, 0), synthetic("test", 100), TrainConfig(epochs=1, loss="hinge")
    session = Job(preset("mlp"), "synthetic", data, test, config, image_limit=200).begin(lab.store)
    assert list(session.events())
    facts = gather(lab.store, session.run)
    wanted = Predictor(facts.network).evaluate(facts.data.measured, HingeLoss())
    assert facts.data.evaluation.loss == pytest.approx(wanted.loss) and facts.data.measured_part == "test"
