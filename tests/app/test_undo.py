"""What was done can be taken back, in its order, and done again; and the files of the user's own digits with it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from app.core import own_digits, undo
from app.core.probe import NO_DRAWING, Kind, Probe
from app.core.state import LabState
from app.core.undo import Act, UndoStack
from nncore.data import open_dataset
from nncore.errors import DigitLabError
from tests.app.test_faults import full_disk

DIGIT = np.arange(28 * 28, dtype=np.uint16).reshape(28, 28, 1).astype(np.uint8)


def act(words: str, log: list[str], nbytes: int = 0) -> Act:
    return Act(words, lambda: log.append(f"-{words}"), lambda: log.append(f"+{words}"), nbytes)


def test_acts_are_undone_from_the_last_on_and_done_again_in_their_order():
    stack, log = UndoStack(), []
    assert stack.undo() is None and stack.redo() is None and stack.last.value is None
    for words in "abc":
        stack.add(act(words, log))
    for _ in range(4):
        stack.undo()
    assert stack.last.value is None and stack.next.words == "a"
    stack.redo()
    stack.redo()
    assert log == ["-c", "-b", "-a", "+a", "+b"] and stack.last.value.words == "b" and stack.next.words == "c"
    stack.add(act("d", log))
    assert stack.next is None and stack.redo() is None, "what was undone is forgotten when something else is done"
    assert [stack.undo().words for _ in range(3)] == ["d", "b", "a"]


def test_whoever_listens_hears_of_every_act_after_it_is_done():
    stack, log = UndoStack(), []
    stack.last.subscribe(lambda last: log.append(f"last {last.words if last else None}"), now=False)
    stack.add(act("a", log))
    stack.undo()
    stack.redo()
    assert log == ["last a", "-a", "last None", "+a", "last a"]


def test_memory_is_bounded_and_the_last_act_stays(monkeypatch):
    monkeypatch.setattr(undo, "MOST_ACTS", 3)
    stack, log = UndoStack(), []
    for words in "abcde":
        stack.add(act(words, log))
    assert [stack.undo().words for _ in range(3)] == ["e", "d", "c"] and stack.undo() is None
    stack.add(act("small", log, undo.MOST_BYTES // 2))
    stack.add(act("large", log, 2 * undo.MOST_BYTES))
    assert stack.undo().words == "large" and stack.undo() is None


def test_the_probe_before_comes_back_and_the_same_probe_again_is_no_act():
    state = LabState()
    first, second = (Probe(np.full((4, 4, 1), n, np.uint8), f"image {n}", kind=Kind.DATASET) for n in (1, 2))
    state.show_probe(NO_DRAWING, "back to the sheet")
    assert state.acts.last.value is None, "an empty sheet in place of nothing"
    state.show_probe(first, "first")
    state.show_probe(Probe(first.picture.copy(), "image 1", kind=Kind.DATASET), "first")
    state.show_probe(second, "second")
    state.acts.undo()
    assert np.array_equal(state.probe.value.picture, first.picture) and state.acts.last.value.words == "first"
    state.acts.undo()
    assert state.probe.value.picture is None and state.acts.last.value is None
    state.acts.redo()
    state.acts.redo()
    assert state.probe.value is second


def test_a_digit_is_kept_relabelled_removed_and_all_of_it_taken_back(isolated):
    root = isolated / "my_digits"
    kept = own_digits.keeping(4, DIGIT)
    kept.do()
    (path,) = own_digits.files()
    content = path.read_bytes()
    assert path.parent == root / "4" and np.array_equal(np.array(Image.open(path)), DIGIT[..., 0])
    moved = own_digits.relabelling([path], 7)
    moved.do()
    (there,) = own_digits.files()
    assert there == root / "7" / path.name and there.read_bytes() == content
    removed = own_digits.removing([there])
    removed.do()
    removed.do()
    assert own_digits.files() == ()
    removed.undo()
    assert own_digits.files() == (there,) and there.read_bytes() == content
    moved.undo()
    assert own_digits.files() == (path,) and path.read_bytes() == content
    kept.undo()
    assert own_digits.files() == ()


def test_no_other_digit_is_overwritten_by_a_new_label(isolated):
    for digit in (4, 7):
        (isolated / "my_digits" / str(digit)).mkdir(parents=True)
        (isolated / "my_digits" / str(digit) / "a.png").write_bytes(bytes([digit]))
    own_digits.relabelling([isolated / "my_digits" / "4" / "a.png"], 7).do()
    assert sorted(path.read_bytes() for path in own_digits.files()) == [bytes([4]), bytes([7])]
    assert own_digits.relabelling(own_digits.files(), 7).brought == {}, "they have that label already"


@pytest.mark.parametrize("what", ["relabelling", "bringing back"])
def test_nothing_is_lost_where_the_disk_is_full(isolated, what):
    own_digits.keeping(4, DIGIT).do()
    files = own_digits.files()
    contents = [path.read_bytes() for path in files]
    change = own_digits.relabelling(files, 7) if what == "relabelling" else own_digits.removing(files)
    if what == "bringing back":
        change.do()
    with full_disk(), pytest.raises(DigitLabError, match="Could not write"):
        change.do() if what == "relabelling" else change.undo()
    if what == "bringing back":
        change.undo()
    assert own_digits.files() == files and [path.read_bytes() for path in files] == contents


def test_the_files_stand_in_the_order_of_the_images(isolated, rng):
    for digit in (9, 3, 3, 0):
        own_digits.keeping(digit, rng.integers(0, 256, (28, 28, 1), np.uint8)).do()
    data, files = open_dataset("my_digits"), own_digits.files()
    assert [int(path.parent.name) for path in files] == data.labels.tolist() == [0, 3, 3, 9]
    assert own_digits.is_own("my_digits") and own_digits.is_own(str(isolated / "my_digits")) and not own_digits.is_own("mnist")
