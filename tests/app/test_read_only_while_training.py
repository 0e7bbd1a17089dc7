"""A folder that becomes read-only while a network is trained into it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from app.core.runs import RunStore
from nncore import files
from nncore.training.events import Progress
from tests.app.test_resume import curves, job, resume, run_to_end, weights

pytestmark = pytest.mark.usefixtures("single_steps")


@contextmanager
def read_only() -> Iterator[None]:
    """A disk that refuses every new file and every change of the database, as one does that was mounted again read-only."""
    connect = sqlite3.connect

    def reading(*arguments: object, **settings: object) -> sqlite3.Connection:
        connection = connect(*arguments, **settings)  # type: ignore[call-overload]
        connection.execute("PRAGMA query_only = ON")
        return connection

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.core.runs.store.sqlite3.connect", reading)
        patch.setattr(files.tempfile, "mkstemp", refuse)
        yield


def test_it_is_told_once_and_the_checkpoint_from_before_is_whole_and_goes_on(isolated):
    store, settings = RunStore(), {"epochs": 20, "batch_size": 16}
    run_to_end(job("straight", **settings).begin(store))
    session = job("r", **settings).begin(store, checkpoint_every=10)
    told: list[str] = []
    session.warn = told.append
    events, path = session.events(), store.checkpoint_of(session.run)
    for event in events:
        if isinstance(event, Progress) and event.step == 25:
            break
    before = path.read_bytes()
    with read_only():
        for event in events:
            if isinstance(event, Progress) and event.step == 75:
                break
        assert len(told) == 1 and told[0].count("The training goes on") == 1
        assert path.read_bytes() == before and resume_step(store) == 20
        with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for _ in events:
        pass
    straight, run = store.get("straight"), store.get("r")
    assert len(told) == 1 and run.status == "finished"
    assert weights(store, run) == weights(store, straight) and curves(store, run) == curves(store, straight)


def resume_step(store: RunStore) -> int:
    """The step from which the run would go on, were its process killed now."""
    run = store.get("r")
    store.release(run)
    other = resume(store, "r")
    store.release(other.run)
    store.hold(run)
    return other.trainer.step
