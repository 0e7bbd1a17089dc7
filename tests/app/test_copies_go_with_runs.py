"""Copies of the user's own digits that networks have learned go with the last run that refers to them, and not before."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.runs import RunStore
from nncore.data.dataset import Dataset
from nncore.data.own import keep_copy, open_copy
from nncore.errors import DataError


def copy_of(seed: int) -> str:
    """The name of a copy of six digits."""
    images = np.random.default_rng(seed).integers(0, 256, (6, 28, 28, 1), np.uint8)
    return keep_copy(Dataset(images, np.arange(6), "my_digits", "my_digits", tuple("0123456789")))


def test_a_copy_is_removed_with_the_last_run_that_has_learned_it(isolated):
    store, copy, other = RunStore(isolated / "runs"), copy_of(0), copy_of(1)
    taught, again, alone, plain = (
        store.create(None, "mnist-cnn", data, {}) for data in (f"{copy}+mnist", f"{copy}+synthetic", other, "mnist")
    )
    for run in (taught, again, alone, plain):
        store.release(run)
    store.delete(taught)
    assert len(open_copy(copy)) == 6, "another run has learned it, too"
    store.delete(plain)
    store.delete(again)
    with pytest.raises(DataError, match="no copy"):
        open_copy(copy)
    assert len(open_copy(other)) == 6
    store.delete(alone)
    assert not any((isolated / "learned_digits").iterdir())


def test_a_disk_that_refuses_keeps_the_copy_and_deletes_the_run(isolated, monkeypatch):
    store, copy = RunStore(isolated / "runs"), copy_of(0)
    run = store.create(None, "mnist-cnn", f"{copy}+mnist", {})
    store.release(run)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    store.delete(run)
    monkeypatch.undo()
    assert store.list() == [] and len(list(isolated.glob("learned_digits/*.npz"))) == 1
