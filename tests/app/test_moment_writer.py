"""The moments of a training: which are taken, and that taking them neither changes nor ends the training."""

from __future__ import annotations

import shutil
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from app.core.moment_writer import MomentWriter
from app.core.resume import resume
from app.core.runs import RunStore
from app.core.runs.moments import Moments
from models.presets import preset
from nncore.arrays import Array
from nncore.data import synthetic
from nncore.errors import DigitLabError
from nncore.metrics import Evaluation
from nncore.network import Network
from nncore.training.events import EpochEnd, Failed, Finished, Progress, Started, Stopped, Validated
from nncore.training.trainer import Trainer
from tests.app.test_faults import full_disk
from tests.app.test_resume import curves, job, leave_at, run_to_end, weights

pytestmark = pytest.mark.usefixtures("single_steps")


@pytest.fixture
def store(isolated: Path) -> RunStore:
    return RunStore()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that is never full, so that what is taken does not depend on how fast the disk is."""
    monkeypatch.setattr("app.core.moment_writer.WAITING", 10**6)


def moments_of(store: RunStore, name: str) -> Moments:
    return Moments(store.moments_of(store.get(name)))


def same(state: dict[str, Array], other: dict[str, Array]) -> bool:
    return state.keys() == other.keys() and all(value.tobytes() == other[name].tobytes() for name, value in state.items())


def network_of(name: str = "two-layer") -> Network:
    return preset(name).build(0, (28, 28, 1))


def assert_all_whole(moments: Moments) -> None:
    told: list[str] = []
    moments.warn = told.append
    assert all(moments.load(step, network_of()) for step in moments.steps()) and told == []


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """A disk that writes no moment before the second event is set; the first is set once one waits for it."""
    begun, may_go_on = threading.Event(), threading.Event()
    save = Moments.save

    def wait(self: Moments, *arguments: object) -> bool:
        begun.set()
        assert may_go_on.wait(60)
        return save(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Moments, "save", wait)
    return begun, may_go_on


# -- which moments there are


@pytest.mark.usefixtures("patient")
def test_a_training_leaves_the_moments_of_its_looks_with_their_answers(store):
    session = job("r").begin(store)
    states: dict[int, dict[str, Array]] = {}
    found: dict[int, tuple[Evaluation, float]] = {}
    for event in session.events():
        if isinstance(event, Started | Validated | EpochEnd):
            states[event.step] = session.trainer.network.state_dict()
        if isinstance(event, Validated | EpochEnd):
            found[event.step] = (event.evaluation, event.val_accuracy)
    kept = moments_of(store, "r")
    assert kept.steps() == [0, 5, 7, 10, 14, 15, 20, 21]
    for step, state in states.items():
        moment = kept.load(step, session.trainer.network)
        assert same(moment.state, state)
        if step == 0:
            assert moment.evaluation is None and moment.val_accuracy is None
            continue
        evaluation, accuracy = found[step]
        assert moment.val_accuracy == accuracy and moment.evaluation.accuracy == accuracy
        assert moment.evaluation.loss == evaluation.loss and np.array_equal(moment.evaluation.labels, evaluation.labels)
        assert np.array_equal(moment.evaluation.confusion, evaluation.confusion)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("end", [Finished, Stopped])
def test_all_are_there_when_the_end_is_told(store, slow, monkeypatch, end):
    _, may_go_on = slow
    close = MomentWriter.close
    monkeypatch.setattr(MomentWriter, "close", lambda writer: may_go_on.set() or close(writer))
    session = job("r", epochs=1).begin(store)
    for event in session.events():
        if isinstance(event, Progress) and event.step == 6 and end is Stopped:
            session.trainer.control.stop()
        if isinstance(event, end):
            assert moments_of(store, "r").steps() == ([0, 5, 7] if end is Finished else [0, 5, 6])
    assert may_go_on.is_set()


@pytest.mark.usefixtures("patient")
def test_moments_have_a_distance_that_grows_at_the_beginning(store):
    run_to_end(job("r", epochs=60, validate_every=1).begin(store))
    steps = moments_of(store, "r").steps()
    looks = [step for step in steps if step % 7]  # at the end of an epoch there is one in any case
    assert steps[0] == 0 and steps[-1] == 420 and len(steps) <= 200
    assert looks[:6] == [1, 2, 3, 4, 5, 6]
    assert all((later - before) * 200 >= min(420, 20 * later) for before, later in pairwise(looks))
    assert set(range(7, 421, 7)) <= set(steps)


@pytest.mark.usefixtures("patient")
def test_large_networks_have_fewer_moments(store, monkeypatch):
    size = sum(value.nbytes for value in network_of().state_dict().values())
    for name, limit, steps in [
        ("five", 5 * size + 1, [0, 5, 7, 14, 20, 21]),
        ("two", 2 * size + 1, [0, 21]),
        ("one", size + 10**5, [0, 21]),
        ("none", size - 1, []),
    ]:
        monkeypatch.setattr("app.core.session.Moments", lambda folder, limit=limit: Moments(folder, limit))
        taken: list[int] = []
        save = Moments.save
        with monkeypatch.context() as patch:
            patch.setattr(Moments, "save", lambda *a, taken=taken, save=save: taken.append(a[1]) or save(*a))
            run_to_end(job(name).begin(store))
        assert taken == steps
        assert len(moments_of(store, name).steps()) == min(len(taken), {"five": 4}.get(name, 2))


@pytest.mark.usefixtures("patient")
def test_after_the_first_ones_moments_have_a_distance_in_time_but_for_those_of_epochs(store, monkeypatch):
    monkeypatch.setattr("app.core.moment_writer.DENSE", 3)
    monkeypatch.setattr("app.core.moment_writer.SHARE", 1e-9)
    run_to_end(job("r").begin(store))
    assert moments_of(store, "r").steps() == [0, 5, 7, 14, 21], "not 10, 15 and 20, looks at a sample"
    monkeypatch.setattr("app.core.moment_writer.DENSE", 100)
    run_to_end(job("s").begin(store))
    assert moments_of(store, "s").steps() == [0, 5, 7, 10, 14, 15, 20, 21]


def test_a_stop_leaves_a_moment_of_the_last_step(store):
    session = job("r").begin(store)
    for event in session.events():
        if isinstance(event, Progress) and event.step == 9:
            session.trainer.control.stop()
        if isinstance(event, Stopped):
            assert moments_of(store, "r").steps() == [0, 5, 7, 9]
    assert same(moments_of(store, "r").load(9, network_of()).state, session.trainer.network.state_dict())


@pytest.mark.usefixtures("patient")
def test_the_best_weights_are_a_moment_even_between_two(store, monkeypatch):
    monkeypatch.setattr("app.core.moment_writer.MOST", 3)
    session = job("r", epochs=9, learning_rate=1.5, validate_every=1000).begin(store)
    run_to_end(session)
    best = session.trainer.best
    assert best is not None and best.step not in (0, 21, 42, 63), "otherwise this tries nothing"
    kept = moments_of(store, "r")
    assert kept.steps() == sorted([0, 21, 42, 63, best.step])
    moment = kept.load(best.step, network_of())
    assert same(moment.state, best.state) and moment.val_accuracy == best.val_accuracy


@pytest.mark.usefixtures("patient")
def test_the_answers_of_the_best_epoch_stay_where_room_is_scarce(store, monkeypatch):
    room = int(3.5 * sum(value.nbytes for value in network_of().state_dict().values()))
    make_room = Moments._make_room

    def scarce(self: Moments, *arguments: object) -> bool:
        self.limit = room
        return make_room(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Moments, "_make_room", scarce)
    session = job("r", epochs=9, learning_rate=0.5).begin(store)
    run_to_end(session)
    best = session.trainer.best
    assert best is not None and best.step == 21
    kept = moments_of(store, "r")
    assert kept.steps() == [0, 21, 63] and kept.load(21, network_of()).evaluation is not None


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.usefixtures("patient")
def test_a_training_that_diverges_leaves_moments_that_can_be_read(store):
    session = job("r", learning_rate=1e25, validate_every=1).begin(store)
    assert any(isinstance(event, Failed) for event in session.events())
    kept = moments_of(store, "r")
    assert kept.steps()[0] == 0
    assert_all_whole(kept)


# -- nothing of it changes the training


def test_the_training_is_the_same_to_the_last_bit(store):
    asked = job("r", epochs=4)
    alone = Trainer(asked.preset.build(4, (28, 28, 1)), asked.train_data, asked.config)
    rows = [(e.step, e.train_loss) for e in alone.events() if isinstance(e, Progress)]
    session = asked.begin(store)
    assert [(e.step, e.train_loss) for e in session.events() if isinstance(e, Progress)] == rows
    assert same(session.trainer.network.state_dict(), alone.network.state_dict())


def test_where_the_queue_is_full_a_moment_is_skipped_but_no_epochs(store, slow):
    begun, may_go_on = slow
    session = job("r", epochs=1, validate_every=1).begin(store)
    for event in session.events():
        if isinstance(event, Started):
            assert begun.wait(60)  # step 0 is being written, 1 and 2 will wait
        if isinstance(event, Progress) and event.step == 6:
            may_go_on.set()
    steps = moments_of(store, "r").steps()
    assert {0, 1, 2, 7} <= set(steps) and not {3, 4, 5} & set(steps)


@pytest.mark.usefixtures("patient")
def test_checkpoints_wait_for_nothing(store, slow):
    begun, may_go_on = slow
    events = job("r", epochs=1).begin(store, checkpoint_every=3).events()
    for event in events:
        if isinstance(event, EpochEnd):
            break
    assert begun.wait(60) and store.checkpoint_of(store.get("r")).exists()
    assert moments_of(store, "r").steps() == []
    may_go_on.set()
    events.close()
    assert moments_of(store, "r").steps() == [0, 5, 7], "who closes waits for what was taken"
    assert not any(thread.name == "moments" for thread in threading.enumerate())


# -- disks that refuse


def test_a_full_disk_costs_moments_alone_and_is_told_once(store):
    run_to_end(job("straight", epochs=12).begin(store))
    session, told = job("full", epochs=12).begin(store), []
    session.warn = told.append
    for event in (events := session.events()):
        if isinstance(event, Progress) and event.step == 22:
            with full_disk(database=False):
                for event in events:
                    if isinstance(event, Progress) and event.step == 64:
                        break
    assert len(told) == 1 and told[0] == session.warning
    assert "No space left" in told[0] and told[0].endswith("The training goes on; moments that could not be written are left out.")
    kept = moments_of(store, "full")
    assert {0, 7, 77, 84} <= set(kept.steps())
    assert not {28, 35, 42} & set(kept.steps()), "these were written, or rather not, before the queue took those that followed"
    assert_all_whole(kept)
    assert list(kept.folder.glob(".*")) == []
    assert weights(store, store.get("full")) == weights(store, store.get("straight"))
    assert curves(store, store.get("full")) == curves(store, store.get("straight"))


def test_a_folder_that_cannot_be_written_costs_moments_alone(store):
    session, told = job("r").begin(store), []
    session.warn = told.append
    store.moments_of(session.run).write_bytes(b"")
    run_to_end(session)
    assert len(told) == 1 and "Could not write" in told[0] and store.get("r").status == "finished"


def test_a_last_moment_that_is_refused_is_told(store):
    session, told = job("r").begin(store), []
    session.warn = told.append
    write = Moments.save

    def refuse_the_last(self: Moments, step: int, *further: object) -> bool:
        if step == 21:
            raise DigitLabError("The disk is full.")
        return write(self, step, *further)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Moments, "save", refuse_the_last)
        run_to_end(session)
    assert len(told) == 1 and store.get("r").status == "finished" and session.result is not None


def test_a_defect_of_the_writer_does_not_end_the_training(store, monkeypatch, caplog):
    monkeypatch.setattr(Moments, "save", lambda *_: 1 / 0)
    session, told = job("r").begin(store), []
    session.warn = told.append
    run_to_end(session)
    assert store.get("r").status == "finished" and len(told) == 1 and "ZeroDivisionError" in told[0]
    assert "Traceback" in caplog.text, "the log has where it was"


@pytest.mark.usefixtures("patient")
def test_memory_that_runs_out_costs_a_moment_alone(store, monkeypatch):
    session, told = job("r", validate_every=1).begin(store), []
    session.warn = told.append
    copy = Network.state_dict

    def refuse(network: Network) -> dict[str, Array]:
        if network is session.trainer.network and session.trainer.step == 3:
            raise MemoryError
        return copy(network)

    monkeypatch.setattr(Network, "state_dict", refuse)
    run_to_end(session)
    assert len(told) == 1 and "memory" in told[0] and store.get("r").status == "finished"
    assert 3 not in moments_of(store, "r").steps() and 21 in moments_of(store, "r").steps()


# -- runs that go on


@pytest.mark.usefixtures("patient")
def test_a_run_that_is_resumed_forgets_what_lies_beyond_its_checkpoint(store):
    run_to_end(job("straight").begin(store))
    session = job("killed").begin(store, checkpoint_every=9)
    checkpoint = store.checkpoint_of(session.run)
    early = checkpoint.with_name("early")
    for event in session.events():
        if isinstance(event, Progress) and event.step == 10:
            shutil.copyfile(checkpoint, early)
    early.replace(checkpoint)  # as if the process had been killed before the next one
    kept = moments_of(store, "killed")
    kept.save(13, network_of().state_dict())
    for event in resume(store, "killed").events():
        if isinstance(event, Started):
            assert [step for step in kept.steps() if step != 9] == [0, 5, 7]
    straight = moments_of(store, "straight")
    assert [step for step in kept.steps() if step != 9] == straight.steps()
    for step in straight.steps():
        ours, theirs = kept.load(step, network_of()), straight.load(step, network_of())
        assert same(ours.state, theirs.state) and ours.val_accuracy == theirs.val_accuracy


@pytest.mark.usefixtures("patient")
def test_a_run_that_goes_on_adds_to_its_moments(store):
    session = job("r", epochs=1).begin(store)
    run_to_end(session)
    kept = moments_of(store, "r")
    assert kept.steps() == [0, 5, 7]
    times = {path.name: path.stat().st_mtime_ns for path in kept.folder.iterdir()}
    session.trainer.extend(1)
    run_to_end(session)
    assert kept.steps() == [0, 5, 7, 10, 14]
    assert times.items() <= {path.name: path.stat().st_mtime_ns for path in kept.folder.iterdir()}.items()


@pytest.mark.usefixtures("patient")
def test_nothing_is_written_beside_moments_that_could_not_be_forgotten(store, monkeypatch):
    leave_at(job("r").begin(store), 5)
    kept = moments_of(store, "r")
    kept.save(13, network_of().state_dict())
    session, told = resume(store, "r"), []
    session.warn = told.append
    forget = Moments.forget_after

    def refuse(self: Moments, step: int) -> None:
        if session.trainer.step < 14:
            raise DigitLabError("The folder is read-only.")
        forget(self, step)

    monkeypatch.setattr(Moments, "forget_after", refuse)
    for event in session.events():
        if isinstance(event, Progress):
            assert (13 in kept.steps()) is (event.step < 14) or event.step >= 14
            assert event.step >= 14 or not set(kept.steps()) - {0, 5, 13}
    assert 13 not in kept.steps() and {14, 15, 20, 21} & set(kept.steps()) and len(told) == 1


def test_moments_move_with_the_run_and_go_with_it(store):
    session = job("one", epochs=1).begin(store)
    run_to_end(session)
    before = moments_of(store, "one").steps()
    run = store.rename(store.get("one"), "two")
    assert moments_of(store, "two").steps() == before != [] and not (store.folder / "one").exists()
    session.trainer.extend(1)
    run_to_end(session)
    assert set(moments_of(store, "two").steps()) > set(before) and not (store.folder / "one").exists()
    store.delete(run)
    assert not (store.folder / "two").exists()


def test_a_look_at_a_sample_carries_its_answers():
    data = synthetic("train", 240)
    trainer = Trainer(network_of(), data, job("r").config)
    (look, *_) = [event for event in trainer.events() if isinstance(event, Validated)]
    assert len(look.evaluation.labels) == len(trainer.validation_data)
    assert (look.evaluation.accuracy, look.evaluation.loss) == (look.val_accuracy, look.val_loss)
