"""The user's own digits mixed into other data."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nncore.data import open_dataset, open_test
from nncore.data.catalogue import lasting_name, own_datasets, title_of
from nncore.data.dataset import Dataset
from nncore.data.mixed import LEAST_OTHERS, OWN_SHARE, mixed
from nncore.data.own import keep_copy
from nncore.data.synthetic import synthetic
from nncore.errors import ConfigError, DataError


def own(count: int = 7, shape: tuple[int, ...] = (28, 28, 1)) -> Dataset:
    """Digits that no other data holds: a bar in the middle, as wide as their number and one more."""
    images = np.zeros((count, *shape), np.uint8)
    for number in range(count):
        images[number, 10:18, 10 : 11 + number] = 251
    return Dataset(images, np.arange(count) % 10, "my_digits", "here")


def keep(folder, data: Dataset) -> None:
    for number, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / str(label) / f"{number}.png")


def is_own(images) -> np.ndarray:
    return (images[:, 10:18, 10, 0] == 251).all(axis=1)


def test_own_digits_are_learned_from_often_and_never_held_out():
    others = synthetic(count=500)
    rest, held = mixed(own(), others).split(100, seed=3)
    assert np.array_equal(held.images, others.split(100, seed=3)[1].images), "the others hold out what they always do"
    mine = is_own(rest.images)
    assert OWN_SHARE <= mine.mean() < OWN_SHARE + 0.01 and (~mine).sum() >= LEAST_OTHERS
    shown = np.unique(rest.images[mine].reshape(mine.sum(), -1), axis=0, return_counts=True)[1]
    assert len(shown) == 7 and np.ptp(shown) == 0, "each as often as any other"
    assert all((image[12] > 0).sum() == label + 1 for image, label in zip(rest.images[mine], rest.labels[mine], strict=True))
    with pytest.raises(ConfigError, match="both parts need at least one"):
        mixed(own(), others).split(500)


def test_a_limit_is_one_of_the_others():
    others = synthetic(count=500)
    limited = mixed(own(), others).limit(50, seed=2)
    assert np.array_equal(limited.images[:50], others.limit(50, seed=2).images) and is_own(limited.images[50:]).all()
    assert len(limited.split(10, 2)[1]) == 10 and not is_own(limited.split(10, 2)[1].images).any()


def test_a_mixture_is_opened_by_its_name_and_tested_on_the_others(isolated):
    keep(isolated / "my_digits", own())
    found = open_dataset("my_digits+synthetic")
    assert len(found) == 10_007 and is_own(found.images[-7:]).all() and list(found.labels[-7:]) == list(range(7))
    test = open_test("my_digits+synthetic", found)
    assert test is not None and np.array_equal(test.images, synthetic("test").images)
    assert title_of("my_digits+synthetic") == "Your own digits + Drawn digits"
    assert lasting_name("my_digits+synthetic") == "my_digits+synthetic"


def test_a_copy_stays_as_it_was_and_a_damaged_one_is_refused(isolated):
    keep(isolated / "my_digits", own(5))
    name = keep_copy(open_dataset("my_digits"))
    keep(isolated / "my_digits", own(9))
    again = open_dataset(f"{name}+synthetic")
    assert again.own == 5 and len(open_dataset(name)) == 5 and title_of(name) == "Your own digits"
    assert keep_copy(open_dataset("my_digits")) != name and list(own_datasets()) == ["my_digits"]
    (file,) = (path for path in (isolated / "learned_digits").iterdir() if path.stem == name[-12:])
    file.write_bytes((isolated / "learned_digits").joinpath(f"{keep_copy(own(8))[-12:]}.npz").read_bytes())
    with pytest.raises(DataError, match="damaged"):
        open_dataset(name)
    file.unlink()
    with pytest.raises(DataError, match="teach the network again"):
        open_dataset(f"{name}+synthetic")


@pytest.mark.parametrize(
    ("digits", "words"),
    [(own(3, (32, 32, 3)), "cannot be mixed"), (own(0), "no digits of your own")],
)
def test_what_cannot_be_mixed_is_told(digits, words):
    with pytest.raises(DataError, match=words):
        mixed(digits, synthetic(count=20))


def test_classes_are_joined_by_their_names_and_others_refused():
    letters = Dataset(np.zeros((3, 28, 28, 1), np.uint8), np.arange(3), "letters", class_names=("a", "7", "b"))
    seven = Dataset(own(1).images, np.array([7]), "my_digits")
    assert list(mixed(seven, letters).labels) == [0, 1, 2, 1]
    with pytest.raises(DataError, match="There is a 0 among your own digits"):
        mixed(own(1), letters)


@pytest.mark.parametrize("name", ["my_digits+my_digits", "my_digits+my_digits+mnist", "my_digits+", "my_digits@12+mnist"])
def test_a_name_that_mixes_nothing_is_refused(name):
    with pytest.raises(DataError, match="no dataset, folder or file"):
        open_dataset(name)
