"""What was read on a picture, what the user says of it, and the last pictures: without a window."""

from __future__ import annotations

import csv
import gc
import io

import numpy as np
import pytest

from app.core.corrections import Corrections
from app.core.observable import Observable
from app.core.probe import NO_DRAWING, Kind, Probe
from app.core.reading import COLUMNS, Reading
from app.core.recent import MOST, MOST_BYTES, Recent
from nncore.recognition import Answer, Digit, Verdict

SURE, UNSURE = 0.97, 0.62


def digit(value: int, place: int, line: int = 0, probability: float = SURE, second: int = 1) -> Digit:
    """A digit at a place of its own, with what is left of the probability at a second one."""
    probabilities = np.zeros(10, np.float32)
    probabilities[[value, second]] = probability, 1 - probability
    return Digit((20 * place, 10 * line, 12, 16), np.zeros((28, 28, 1), np.uint8), Answer.of(probabilities), line)


@pytest.fixture
def page() -> list[Digit]:
    """Two lines, 2 4 and 7 9 8, of which the 7 may be a 1."""
    return [digit(2, 0), digit(4, 1), digit(7, 0, 1, UNSURE), digit(9, 1, 1), digit(8, 2, 1)]


def test_lines_text_and_places_are_those_of_the_picture(page):
    reading = Reading.of(page, {})
    assert reading.text == "24\n798" and [len(line) for line in reading.lines] == [2, 3]
    assert reading.where(3) == "line 2, digit 2 of 3"
    assert reading.counts == "4 sure" and reading.to_check(-1) == "1 to check: line 2, “7 or 1”"


def test_a_correction_changes_the_text_and_needs_no_more_checking(page):
    reading = Reading.of(page, {page[2].box: 1})
    assert reading.text == "24\n198" and reading.unsure == () and reading.to_check(-1) == ""
    assert reading.counts == "4 sure · 1 corrected by you" and reading.found[2].words == "1, corrected by you"


def test_the_next_unsure_digit_begins_again_at_the_first(page):
    page[4] = digit(8, 2, 1, UNSURE, 3)
    reading = Reading.of(page, {})
    assert [reading.next_unsure(after).index for after in (-1, 1, 2, 4)] == [2, 2, 4, 2]
    assert Reading.of(page[:2], {}).next_unsure(0) is None


def test_what_is_no_digit_is_not_in_the_text_until_the_user_says_what_it_is(page, monkeypatch):
    verdict = Digit.verdict.func
    monkeypatch.setattr(Digit, "verdict", property(lambda each: Verdict.NO_DIGIT if each in page[:2] else verdict(each)))
    reading = Reading.of(page, {})
    assert reading.text == "798" and reading.where(2) == "line 1, digit 1 of 3" and reading.where(0) == ""
    assert reading.found[0].words == "no digit" and reading.counts == "2 sure · 2 no digit"
    assert Reading.of(page, {page[1].box: 5}).text == "5\n798"


def test_the_table_holds_every_digit_with_its_box_and_what_was_corrected(page):
    rows = [*csv.reader(io.StringIO(Reading.of(page, {page[0].box: 1}).csv()))]
    assert tuple(rows[0]) == COLUMNS and len(rows) == 6
    assert rows[1] == ["1", "1", "1", "0.0300", "true", "2", "0", "0", "12", "16", "true"]
    assert rows[3] == ["2", "1", "7", "0.6200", "false", "1", "0", "10", "12", "16", "false"]


def test_a_digit_that_the_network_does_not_know_has_no_probability():
    few = Digit((0, 0, 9, 9), np.zeros((28, 28, 1), np.uint8), Answer.of(np.float32([0.2, 0.7, 0.1])))
    (_, row) = csv.reader(io.StringIO(Reading.of([few], {few.box: 9}).csv()))
    assert row[2:6] == ["9", "0.0000", "true", "1"]


def test_corrections_belong_to_a_picture_and_go_on_with_its_drawing():
    corrections, told = Corrections(), []
    corrections.changed.subscribe(told.append, now=False)
    stroke, pixels, box = object(), np.ones((9, 9, 1), np.uint8), (1, 2, 3, 4)
    old, other = Probe(pixels, kind=Kind.DRAWING, strokes=(stroke,)), Probe(pixels)
    corrections.say(old, box, 7)
    new = Probe(pixels, kind=Kind.DRAWING, strokes=(stroke, object()))
    corrections.carry(old, new)
    corrections.carry(old, other)
    corrections.say(old, box, None)
    assert dict(corrections.of(new)) == {box: 7} and not corrections.of(old) and not corrections.of(other) and len(told) == 2
    del new
    gc.collect()
    assert len(corrections._said) == 1, "forgotten with its picture"


def test_the_last_pictures_are_kept_and_a_drawing_that_goes_on_is_one():
    shown: Observable[Probe] = Observable(Probe())
    recent, pixels = Recent(shown), np.ones((9, 9, 1), np.uint8)
    first, second = object(), object()
    photo = Probe(pixels, "a.png")
    for strokes in ((), (first,), (first, second), (first,), (first, second)):
        shown.set(Probe(pixels, "drawing", kind=Kind.DRAWING, strokes=strokes))
    for probe in (photo, NO_DRAWING, Probe(pixels, kind=Kind.DATASET)):
        shown.set(probe)
    for strokes in ((), (second,)):  # the first stroke is being drawn, then it is there
        shown.set(Probe(pixels, "drawing", kind=Kind.DRAWING, strokes=strokes))
    shown.set(photo)
    kept = recent.probes.value
    assert [each.origin for each in kept] == ["drawing", "a.png", "drawing"] and kept[2].strokes == (first, second)


def test_the_last_pictures_are_bounded_in_number_and_in_memory(monkeypatch):
    shown: Observable[Probe] = Observable(Probe())
    recent = Recent(shown)
    for _ in range(MOST + 5):
        shown.set(Probe(np.zeros((2, 2, 1), np.uint8)))
    assert len(recent.probes.value) == MOST
    large = np.broadcast_to(np.uint8(0), (MOST_BYTES // 2 + 1, 1, 1))
    for _ in range(2):
        shown.set(Probe(large))
    assert len(recent.probes.value) == 1
