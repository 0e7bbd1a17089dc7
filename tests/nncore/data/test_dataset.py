"""Datasets in memory: parting them, counting them, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nncore.data.dataset import UNKNOWN, Dataset
from nncore.errors import ConfigError, DataError


def dataset(labels: np.ndarray) -> Dataset:
    """Images that can be told apart: each holds its own number."""
    labels = np.asarray(labels, np.int64)
    images = np.arange(len(labels), dtype=np.uint32)[:, None].view(np.uint8).reshape(-1, 2, 2, 1)
    return Dataset(images, labels, "digits")


def numbers(data: Dataset) -> list[int]:
    return data.images.reshape(-1, 4).copy().view(np.uint32)[:, 0].tolist()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(UNKNOWN, 9), min_size=2, max_size=300), st.data())
def test_a_split_parts_each_class_in_its_share(labels, draw):
    data = dataset(np.array(labels))
    wanted = draw.draw(st.integers(1, len(data) - 1))
    rest, held_out = data.split(wanted, seed=draw.draw(st.integers(0, 5)))
    assert len(held_out) == wanted and sorted(numbers(rest) + numbers(held_out)) == list(range(len(data)))
    assert numbers(rest) == sorted(numbers(rest)), "the order is kept"
    for label in set(labels):
        members = int((data.labels == label).sum())
        assert abs(int((held_out.labels == label).sum()) - members * wanted / len(data)) <= 1.5


def test_a_split_is_fixed_by_its_seed_and_takes_counts_and_shares():
    data = dataset(np.arange(1000) % 10)
    assert numbers(data.split(0.2, 3)[1]) == numbers(data.split(200, 3)[1]) != numbers(data.split(200, 4)[1])
    assert set(data.split(200, 3)[1].class_counts()) == {20}


@pytest.mark.parametrize("held_out", [0, 10, 11, -1, 0.0, 0.01])
def test_a_part_without_images_is_refused(held_out):
    with pytest.raises(ConfigError, match="both parts need at least one"):
        dataset(np.arange(10)).split(held_out)


def test_counts_and_means_leave_out_what_is_unknown(monkeypatch):
    monkeypatch.setattr("nncore.data.dataset.AT_ONCE", 2)
    data = dataset([3, 3, UNKNOWN, 3, 7, 3])
    assert data.class_counts().tolist() == [0, 0, 0, 4, 0, 0, 0, 1, 0, 0] and not data.is_labelled
    expected = data.images[[0, 1, 3, 5]].mean(axis=0)
    np.testing.assert_allclose(data.class_means()[3], expected)
    assert not data.class_means()[0].any() and [data.class_name(i) for i in (1, 2, 4)] == ["3", "?", "7"]


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.zeros((2, 4, 4), np.uint8), [0, 1]),
        (np.zeros((2, 4, 4, 2), np.uint8), [0, 1]),
        (np.zeros((2, 4, 4, 1), np.float32), [0, 1]),
        (np.zeros((2, 4, 4, 1), np.uint8), [0]),
        (np.zeros((2, 4, 4, 1), np.uint8), [0, 10]),
        (np.zeros((2, 4, 4, 1), np.uint8), [0, -2]),
    ],
)
def test_what_does_not_belong_together_is_refused(images, labels):
    with pytest.raises(DataError, match="digits"):
        Dataset(images, np.array(labels, np.int64), "digits")
