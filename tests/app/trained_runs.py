"""Runs that have been trained, for tests of what is told of them."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from app.core.runs import Run, RunStore
from app.core.session import Job
from models.presets import preset
from nncore.data import open_dataset, open_test
from nncore.training.config import TrainConfig


def train(store: RunStore, spec: str = "synthetic", network: str = "mnist-cnn", name: str | None = None, **settings) -> Run:
    """A run of one epoch on 240 images, of a folder on 80: each of its pictures is prepared as a photograph would be.

    The first of a test, where it is an ordinary one, is a copy of one that was trained.
    """
    if (spec, settings) != ("synthetic", {}) or store.list():
        return trained(store, spec, network, name, **settings)
    shutil.copytree(trained_once(network, name).name, store.folder, dirs_exist_ok=True)
    return store.list()[0]


@cache
def trained_once(network: str, name: str | None) -> TemporaryDirectory:
    """The folder of a run on the drawn digits, which a process trains once."""
    folder = TemporaryDirectory()
    trained(RunStore(Path(folder.name)), "synthetic", network, name)
    return folder


def trained(store: RunStore, spec: str, network: str, name: str | None, **settings) -> Run:
    config = TrainConfig(**{"epochs": 1, "batch_size": 16, "validate_every": 5} | settings)
    count = 240 if spec == "synthetic" else 80
    data = open_dataset(spec).limit(count, config.seed)
    session = Job(preset(network), spec, data, open_test(spec, data), config, name, image_limit=count).begin(store)
    for _ in session.events():
        pass
    return store.get(session.run.name)
