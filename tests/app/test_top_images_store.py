"""What excites units most is kept on the disk, and believed only where it makes sense."""

from __future__ import annotations

import os

import numpy as np
import pytest

from app.core.top_images_store import FORMAT, TopImagesStore, key_of
from models.presets import PRESETS
from nncore.data import Dataset, synthetic
from nncore.explain.top_images import TopImages, top_images
from nncore.prediction import Predictor
from nncore.weights import write_tensors

LAYER = "relu2"


@pytest.fixture(scope="module")
def data() -> Dataset:
    return synthetic("test", 60)


@pytest.fixture(scope="module")
def top(data) -> TopImages:
    *_, last = top_images(Predictor(PRESETS["mnist-cnn"].build()), data, LAYER, 3)
    return last.result


@pytest.fixture
def store(tmp_path) -> TopImagesStore:
    return TopImagesStore(tmp_path)


def test_what_is_read_is_what_was_found(store, top, data):
    store.write("a", top)
    found = store.read("a", LAYER, 32, data)
    for name in ("indices", "values", "rows", "columns"):
        assert np.array_equal(getattr(found, name), getattr(top, name))
    assert found.fields == top.fields and found.layer == LAYER
    assert store.read("b", LAYER, 32, data) is None


def test_a_file_that_is_damaged_or_does_not_fit_is_not_believed(store, top, data):
    store.write("a", top)
    path = store.folder / "a.safetensors"
    assert store.read("a", LAYER, 31, data) is None, "of another number of units"
    assert store.read("a", LAYER, 32, data.subset(slice(0, 2))) is None, "of images that are not there"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert store.read("a", LAYER, 32, data) is None and not path.exists()
    arrays = {name: getattr(top, name) for name in ("indices", "values", "rows", "columns")}
    fields = np.zeros((32, 3, 4), np.int64) + np.array([20, 20, 9, 8])
    write_tensors(path, {**arrays, "fields": fields}, format=FORMAT)
    assert store.read("a", LAYER, 32, data) is None, "a patch beyond the edge"


def test_files_that_were_used_longest_ago_go_first(store, top, data):
    store.write("a", top)
    size = (store.folder / "a.safetensors").stat().st_size
    small = TopImagesStore(store.folder, limit=2 * size)
    small.write("b", top)
    for age, name in ((300, "b"), (400, "a")):
        os.utime(store.folder / f"{name}.safetensors", (age, age))
    assert small.read("a", LAYER, 32, data) is not None  # used just now
    small.write("c", top)
    assert {path.stem for path in store.folder.glob("*.safetensors")} == {"a", "c"}


def test_other_weights_data_or_layers_have_other_files(data):
    network = PRESETS["mnist-cnn"].build()
    state, config = network.state_dict(), network.config()
    other = {**state, "conv1.bias": state["conv1.bias"] + 1}
    fewer = data.subset(slice(0, 59))
    assert len({key_of(config, s, d, l) for s in (state, other) for d in (data, fewer) for l in ("relu1", LAYER)}) == 8
