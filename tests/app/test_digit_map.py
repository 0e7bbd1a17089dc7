"""The map of digits, without its views: places, answers, and how a map is laid over the one before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.core import engine
from app.core.alignment import matching_axes, matching_turn
from app.core.digit_map import (
    INPUT,
    DigitMap,
    MapMaker,
    Method,
    Progress,
    Wanted,
    as_vectors,
    has_tsne,
    images_for,
    last_hidden,
    layers_offered,
    table_of,
)
from app.core.in_view import NetworkInView
from app.core.timeline import Moment
from models.presets import PRESETS
from models.shipped import open_weights
from nncore.data import open_dataset, synthetic
from nncore.errors import ConfigError, DataError
from nncore.explain.embedding import grid_of
from nncore.network import Network
from nncore.prediction import Predictor


@pytest.fixture(autouse=True)
def by_the_readable_path(monkeypatch) -> None:
    """Nothing is compiled for a few images."""
    monkeypatch.setattr(engine, "is_ready", lambda: False)


def view_of(name: str) -> NetworkInView:
    preset = PRESETS[name]
    return NetworkInView.of(Network(preset.layers(), preset.input_shape), name, "a test")


@pytest.fixture(scope="module")
def network() -> Network:
    return open_weights("mnist-cnn")[0]


@pytest.fixture(scope="module")
def wanted(network) -> Wanted:
    view, images = NetworkInView.of(network, "n", "a test"), synthetic("test")
    return Wanted(view, Moment(3, network.state_dict()), images, images_for(images, 200), "relu2")


def made(wanted: Wanted, before: DigitMap | None = None) -> DigitMap:
    *told, found = MapMaker().make(wanted, before)
    assert all(isinstance(each, Progress) for each in told) and isinstance(found, DigitMap)
    return found


@pytest.mark.parametrize("layer", [INPUT, "conv1", "relu2", "linear2"])
def test_places_are_the_layers_outputs_on_the_principal_components(network, wanted, layer):
    found = made(replace(wanted, layer=layer))
    images = wanted.images.images[wanted.indices]
    outputs = images / 255 if layer == INPUT else Predictor(network).look(images)[1][layer]
    flat = as_vectors(outputs).astype(np.float64)
    _, values, rows = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    expected = (flat - flat.mean(axis=0)) @ rows[:2].T
    signs = np.sign((expected * found.positions).sum(axis=0))
    np.testing.assert_allclose(found.positions, expected * signs, atol=2e-3 * np.abs(expected).max())
    np.testing.assert_allclose(found.explained, (values**2 / (values**2).sum())[:2], rtol=1e-3)


def test_answers_are_those_of_the_predictor_and_stand_in_the_table(network, wanted):
    found = made(wanted)
    probabilities = Predictor(network).predict(wanted.images.images[wanted.indices])
    assert (found.answers == probabilities.argmax(axis=1)).all()
    np.testing.assert_allclose(found.sureness, probabilities.max(axis=1), atol=1e-5)
    head, first = list(table_of(found))[:2]
    assert head == ("image", "x", "y", "label", "answer", "probability")
    assert first[0] == wanted.indices[0] and float(first[1]) == pytest.approx(found.positions[0, 0], rel=1e-4)


def test_a_picture_lies_where_the_same_image_of_the_map_lies(network, wanted):
    found = made(wanted)
    image = wanted.images.images[wanted.indices[17]]
    values = Predictor(network).look(image[None])[1]["relu2"][0]
    np.testing.assert_allclose(found.place(values), found.positions[17], atol=1e-3)


def test_a_map_is_laid_over_the_one_before_so_that_it_does_not_flip(wanted):
    first = made(wanted)
    flipped = replace(first, positions=first.positions[:, ::-1] * (-1, 1))
    second = made(wanted, flipped)
    np.testing.assert_allclose(second.positions, flipped.positions, atol=1e-6)
    assert second.components == (2, 1) and second.explained == first.explained[::-1]
    others = replace(wanted, indices=wanted.indices[1:])
    assert (made(others, flipped).turn == np.eye(2)).all(), "with other images there is nothing to be laid over"


def test_axes_stay_axes_and_a_turn_is_found_whatever_the_scale():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(50, 2)) * (3, 1)
    assert np.array_equal(matching_axes(before[:, ::-1] * (5, -5), before), [[0, -1], [1, 0]])
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(matching_turn(9 * before @ turn + 4, before), turn, atol=1e-9)


def test_other_weights_of_the_same_network_give_another_map(wanted):
    maker = MapMaker()
    *_, first = maker.make(wanted)
    other = {name: array * np.float32(0.5) for name, array in wanted.moment.state.items()}
    *_, second = maker.make(replace(wanted, moment=Moment(4, other)))
    assert not np.allclose(first.positions, second.positions)


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_offers_its_layers_and_begins_with_the_last_hidden_one(name):
    view = view_of(name)
    offered = layers_offered(view)
    assert next(iter(offered)) == INPUT and not any("flatten" in layer or "dropout" in layer for layer in offered)
    assert last_hidden(view) in offered and last_hidden(view) != view.summary[-1].name


def test_at_most_so_many_images_are_taken_the_same_each_time_and_too_few_are_refused():
    images = open_dataset("synthetic")
    assert len(images_for(images, 30)) == 30 and np.array_equal(images_for(images, 30), images_for(images, 30))
    assert np.array_equal(images_for(images, len(images) + 5), np.arange(len(images)))
    with pytest.raises(DataError, match="at least 10"):
        images_for(images.subset(slice(9)))


def test_a_large_feature_map_is_averaged_over_cells_and_a_small_one_taken_as_it_is():
    small = np.arange(2 * 3 * 3 * 4, dtype=np.float32).reshape(2, 3, 3, 4)
    assert np.array_equal(as_vectors(small), small.reshape(2, -1))
    large = np.random.default_rng(0).normal(size=(2, 28, 28, 16)).astype(np.float32)
    rows, columns = grid_of((28, 28, 16))
    vectors = as_vectors(large).reshape(2, rows, columns, 16)
    edges = [n * 28 // rows for n in range(rows)] + [28]
    expected = large[:, edges[1] : edges[2], edges[2] : edges[3]].mean(axis=(1, 2))
    np.testing.assert_allclose(vectors[:, 1, 2], expected, rtol=1e-4)


@pytest.mark.skipif(not has_tsne(), reason="openTSNE is not installed")
def test_tsne_ends_where_its_own_points_are_found_again(network, wanted):
    *told, found = MapMaker().make(replace(wanted, method=Method.TSNE, layer="relu3"))
    assert told[-1].done == told[-1].total and found.explained is None
    assert np.array_equal(found.positions, told[-1].found.positions)
    image = wanted.images.images[wanted.indices[17]]
    place = found.place(Predictor(network).look(image[None])[1]["relu3"][0])
    assert np.linalg.norm(place - found.positions[17]) < 0.05 * np.ptp(found.positions)


def test_a_network_that_takes_other_images_says_so(wanted):
    colour = view_of("svhn-lenet")
    state = Network.from_config(colour.architecture).state_dict()
    with pytest.raises(ConfigError, match="the network takes"):
        list(MapMaker().make(replace(wanted, network=colour, moment=Moment(0, state), layer="conv1")))
