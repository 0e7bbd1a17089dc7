"""Tags and notes on runs."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from app.core.runs import DAMAGED, RunStore
from app.core.runs.run import LONGEST_NOTE, LONGEST_TAG, MOST_TAGS
from nncore.errors import ConfigError


@pytest.fixture
def store(tmp_path) -> RunStore:
    return RunStore(tmp_path / "runs")


def test_tags_are_put_on_and_taken_off(store):
    run = store.create("one", "m", "d", {})
    other = store.create("two", "m", "d", {})
    assert store.tag(run, ["deep", " best ", "deep"]).tags == ("best", "deep")
    assert store.tag(run, ["first"], ["deep", "never there"]).tags == ("best", "first")
    assert store.get("one").tags == ("best", "first") and store.get("two").tags == other.tags == ()


def test_a_run_in_training_can_be_tagged_and_noted(store):
    run = store.create("one", "m", "d", {})
    store.hold(run)
    tagged = store.note(store.tag(run, ["now"]), "going well")
    assert (tagged.tags, tagged.notes, tagged.status) == (("now",), "going well", "running")


@pytest.mark.parametrize("tag", ["", "  ", "a,b", "two\nlines", "\x1b[31m", "\u202egnp", "\ud800", "x" * (LONGEST_TAG + 1)])
def test_a_tag_that_is_no_word_is_refused(store, tag):
    run = store.create("one", "m", "d", {})
    with pytest.raises(ConfigError, match="tag"):
        store.tag(run, ["fine", tag])
    assert store.get("one").tags == ()


def test_too_many_tags_are_refused(store):
    run = store.tag(store.create("one", "m", "d", {}), map(str, range(MOST_TAGS)))
    with pytest.raises(ConfigError, match="50 tags"):
        store.tag(run, ["one more"])
    assert len(store.tag(run, ["one more"], ["7"]).tags) == MOST_TAGS


def test_notes_are_text_of_several_lines(store):
    run = store.create("one", "m", "d", {})
    assert store.note(run, "  first\r\nsecond, größer <b>\n").notes == "first\nsecond, größer <b>"
    assert store.note(run, "").notes == ""
    for text in ("x" * (LONGEST_NOTE + 1), "\x1b[2J", "\0"):
        with pytest.raises(ConfigError, match="notes"):
            store.note(run, text)


def test_what_is_said_of_a_run_that_is_gone_is_refused(store):
    run = store.create("one", "m", "d", {})
    store.delete(run)
    with pytest.raises(ConfigError, match="deleted"):
        store.tag(run, ["best"])
    with pytest.raises(ConfigError, match="deleted"):
        store.note(run, "gone")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tags", "{"),
        ("tags", "{}"),
        ("tags", '["a", 5]'),
        ("tags", '["a\\u0007"]'),
        ("tags", json.dumps([str(i) for i in range(MOST_TAGS + 1)])),
        ("tags", "[" * 100_000),
        ("notes", b"\x00"),
        ("notes", "\x1b[2J"),
        ("notes", "x" * (LONGEST_NOTE + 1)),
    ],
)
def test_damaged_tags_and_notes_cost_their_row_alone_and_can_be_written_anew(store, column, value):
    store.create("one", "m", "d", {})
    run = store.create("two", "m", "d", {})
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database, database:
        database.execute(f"UPDATE runs SET {column} = ? WHERE name = 'two'", (value,))
    assert [(kept.name, kept.status == DAMAGED) for kept in store.list()] == [("two", True), ("one", False)]
    store.note(store.tag(run, ["again"]), "again")
    assert (store.get("two").tags, store.get("two").notes, store.get("two").status) == (("again",), "again", "interrupted")
