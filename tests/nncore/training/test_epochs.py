"""Epochs: where each step lies, with batch sizes that change on the way."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nncore.training.epochs import Epochs, Place

COUNTS, SIZES = st.integers(1, 60), st.integers(1, 25)
CHANGES = st.lists(st.tuples(st.integers(0, 60), SIZES), max_size=4, unique_by=lambda change: change[0]).map(sorted)


@given(COUNTS, SIZES, CHANGES)
def test_places_are_those_that_counting_step_by_step_gives(count, size, changes):
    epochs, at, sizes = Epochs(count, size, changes), Place(0, 0), dict(changes)
    for step in range(100):
        size = sizes.get(step, size)
        assert epochs.place(step) == at and epochs.segment(step).batch_size == size
        assert epochs.epoch_of(step) == at.epoch and epochs.is_end(step) == (step > 0 and at.taken == 0)
        taken = at.taken + size
        at = Place(at.epoch, taken) if taken < count else Place(at.epoch + 1, 0)


@given(COUNTS, SIZES, CHANGES, st.integers(0, 200))
def test_the_step_of_a_place_is_the_first_that_is_not_before_it(count, size, changes, later):
    epochs = Epochs(count, size, changes)
    last = changes[-1][0] if changes else 0
    place = epochs.place(last + later)
    assert epochs.step_at(place) == last + later
    between = Place(place.epoch, min(place.taken + 1, count - 1))
    step = epochs.step_at(between)
    assert epochs.place(step) >= between and (step == last or epochs.place(step - 1) < between)


@given(COUNTS, SIZES, CHANGES)
def test_an_epoch_ends_where_the_next_begins_or_the_batch_size_changes(count, size, changes):
    epochs = Epochs(count, size, changes)
    ends = [step for step in range(1, 100) if epochs.is_end(step) or step in dict(changes)]
    for begun, end in pairwise([0, *ends]):
        assert all(epochs.end_of_epoch(step) == end for step in range(begun, end))


def test_a_change_at_the_same_step_takes_the_place_of_the_one_before():
    assert Epochs(100, 10).changed(3, 20).changed(3, 25).changes == ((3, 25),)
    assert Epochs(100, 10).changed(0, 20).steps_per_epoch == 5
