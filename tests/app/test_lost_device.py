"""A device that is lost in the middle of a training: the run is kept up to the stretch before, and goes on on another device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.runs import INTERRUPTED, RunStore
from app.core.session import TrainingSession
from nncore.errors import DeviceError, DigitLabError
from nncore.plan import Plan
from nncore.prediction import Predictor
from nncore.training.events import Event, Finished, Progress, Validated
from tests.app.test_resume import curves, job, resume, run_to_end, weights

pytestmark = pytest.mark.usefixtures("single_steps")

LOST = "The GPU was lost."


@pytest.fixture
def store(isolated: Path) -> RunStore:
    return RunStore()


@contextmanager
def lost_after(steps: int) -> Iterator[None]:
    """Every device is lost when so many steps have been taken; nothing has been touched by the one that is refused."""
    take, taken = Plan.steps, 0

    def refuse(self, *arguments):
        nonlocal taken
        if taken == steps:
            raise DeviceError(LOST)
        taken += 1
        return take(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plan, "steps", refuse)
        yield


def lose(session: TrainingSession, steps: int) -> str:
    """Train until the device is lost after so many steps more; what is told then."""
    with lost_after(steps), pytest.raises(DeviceError) as caught:
        run_to_end(session)
    return str(caught.value)


@pytest.mark.parametrize("step", [0, 1, 5, 6, 7, 14, 20])
def test_a_training_whose_device_is_lost_ends_as_if_it_had_not_been(store, step):
    """5 and 20 are the steps of looks at held-out images, 7 and 14 the ends of epochs: all of them belong to the checkpoint."""
    run_to_end(job("straight").begin(store))
    session = job("lost").begin(store)
    assert lose(session, step) == f"{LOST} The run lost is kept up to step {step}."
    lost = store.get("lost")
    assert lost.status == INTERRUPTED and lost.steps == step
    resumed = resume(store, "lost")
    assert resumed.trainer.step == step, "no step is taken twice"
    run_to_end(resumed)
    straight, lost = store.get("straight"), store.get("lost")
    assert lost.status == "finished"
    assert weights(store, lost) == weights(store, straight) and curves(store, lost) == curves(store, straight)


def test_a_device_is_lost_again_and_the_same_session_goes_on_on_another(store):
    run_to_end(job("straight").begin(store))
    session = job("lost").begin(store)
    lose(session, 3)
    assert lose(session, 4).endswith("up to step 7.")
    session.trainer.to("reference")
    predictor = session.trainer.predictor
    assert session.trainer.device == predictor.device == "reference"
    session.trainer.to("reference")
    assert session.trainer.predictor is predictor, "the same device once more changes nothing"
    run_to_end(session)
    straight, lost = store.get("straight"), store.get("lost")
    assert lost.status == "finished" and lost.steps == straight.steps
    for found, expected in zip(curves(store, lost), curves(store, straight), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_where_the_disk_refuses_as_well_the_last_checkpoint_stays(store, monkeypatch):
    session = job("lost").begin(store, checkpoint_every=4)

    def refuse(*_: object) -> None:
        raise DigitLabError("The disk is full.")

    for event in (events := session.events()):
        if isinstance(event, Progress) and event.step == 6:
            break
    monkeypatch.setattr("app.core.session.save_checkpoint", refuse)
    with lost_after(0), pytest.raises(DeviceError) as caught:
        next(events)
    assert str(caught.value) == f"{LOST} The run lost is kept up to step 4."
    assert store.get("lost").status == INTERRUPTED and resume(store, "lost").trainer.step == 4


def test_a_mistake_in_a_step_still_leaves_no_checkpoint(store, monkeypatch):
    """Only a DeviceError says that the trainer is whole."""
    session = job("broken").begin(store)
    monkeypatch.setattr(Plan, "steps", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        run_to_end(session)
    with pytest.raises(DigitLabError, match="broken off"):
        session.trainer.state_dict()


def test_a_device_lost_at_a_look_costs_neither_look_nor_result(store, monkeypatch):
    """Held-out and test images are then looked at by the CPU; with the next step the loss is told."""
    evaluate, looked = Predictor.evaluate, []

    def refuse(self, data, loss=None):
        looked.append(self.device)
        if self.device == "reference":
            raise DeviceError(LOST)
        return evaluate(self, data, loss)

    monkeypatch.setattr(Predictor, "evaluate", refuse)
    asked = job("lost")
    asked = replace(asked, device="reference", test_data=asked.train_data)
    happened: list[Event] = list(asked.begin(store).events())
    assert any(isinstance(event, Validated) for event in happened) and isinstance(happened[-2], Finished)
    assert looked[:2] == ["reference", "cpu"] and set(looked[1:]) == {"cpu"}
    run = store.get("lost")
    assert run.status == "finished" and run.test_accuracy is not None
