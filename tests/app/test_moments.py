"""Moments on disk: written whole, read with suspicion, and never too many."""

from __future__ import annotations

import errno
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.leftovers import clear_all_leftovers
from app.core.runs.moments import FORMAT, Moments, StoredMoment, surplus_steps
from nncore.errors import DigitLabError
from nncore.files import ABANDONED, TEMPORARY
from nncore.layers import BatchNorm, Flatten, Linear
from nncore.metrics import Evaluation
from nncore.network import Network
from nncore.weights import packed


def network(seed: int = 0, hidden: int = 3) -> Network:
    return Network([Flatten(), Linear(hidden), BatchNorm(), Linear(4)], (2, 2, 1), seed)


def evaluation(count: int = 6, seed: int = 0) -> Evaluation:
    rng = np.random.default_rng(seed)
    scores = rng.random((count, 4), np.float32)
    return Evaluation(0.75, scores / scores.sum(axis=1, keepdims=True), rng.integers(0, 4, count))


@pytest.fixture
def moments(tmp_path: Path) -> Moments:
    """Those of a run that has none yet. What is told is in `told`."""
    made = Moments(tmp_path / "runs" / "r" / "moments")
    made.told = []  # type: ignore[attr-defined]
    made.warn = made.told.append  # type: ignore[attr-defined]
    return made


def path_of(moments: Moments, step: int) -> Path:
    return moments.folder / f"{step:08}.safetensors"


def all_bytes(moments: Moments) -> int:
    return sum(path.stat().st_size for path in moments.folder.iterdir())


def assert_makes_sense(moment: StoredMoment | None) -> None:
    if moment is None:
        return
    assert all(np.isfinite(value).all() and value.dtype == np.float32 for value in moment.state.values())
    network().load_state_dict(moment.state)
    assert moment.val_accuracy is None or 0 <= moment.val_accuracy <= 1
    if moment.evaluation is not None:
        assert 0 <= moment.evaluation.accuracy <= 1 and moment.evaluation.confusion.shape == (4, 4)


# -- writing and reading


def test_a_moment_is_read_as_it_was_written(moments):
    state, answers = network(1).state_dict(), evaluation()
    assert moments.save(12, state, answers, 0.5) and moments.save(0, network(2).state_dict())
    assert moments.steps() == [0, 12]
    found = moments.load(12, network())
    assert found.step == 12 and found.val_accuracy == 0.5 and found.state.keys() == state.keys()
    for name, value in state.items():
        assert found.state[name].tobytes() == value.tobytes() and found.state[name].dtype == value.dtype
    again = found.evaluation
    assert again.loss == 0.75 and np.array_equal(again.labels, answers.labels) and again.labels.dtype == np.int64
    assert again.probabilities.dtype == np.float32 and np.abs(again.probabilities - answers.probabilities).max() < 1e-3
    first = moments.load(0, network())
    assert first.evaluation is None and first.val_accuracy is None and moments.told == []


@given(seed=st.integers(0, 2**32 - 1), spread=st.sampled_from([1e-6, 1e-4, 1e-2, 10]))
def test_rounding_changes_no_answer(tmp_path_factory, seed, spread):
    scores = np.exp(np.random.default_rng(seed).random((50, 4)) * spread).astype(np.float32)
    answers = Evaluation(0.0, scores / scores.sum(axis=1, keepdims=True), np.zeros(50, np.int64))
    kept = Moments(tmp_path_factory.mktemp("moments"))
    kept.save(1, network().state_dict(), answers)
    assert np.array_equal(kept.load(1, network()).evaluation.predicted, answers.predicted)


def test_a_network_of_many_classes(moments):
    wide = Network([Flatten(), Linear(300)], (2, 2, 1))
    labels = np.array([0, 255, 256, 299])
    moments.save(1, wide.state_dict(), Evaluation(0.0, np.full((4, 300), 1 / 300, np.float32), labels))
    assert moments.load(1, wide).evaluation.labels.tolist() == labels.tolist()


def test_a_loss_that_is_no_number_is_kept_as_such(moments):
    answers = evaluation()
    moments.save(1, network().state_dict(), Evaluation(float("inf"), answers.probabilities, answers.labels))
    assert np.isnan(moments.load(1, network()).evaluation.loss)


def test_what_is_not_finite_is_not_kept(moments):
    state = network().state_dict()
    state["linear1.weight"][0, 0] = np.inf
    assert not moments.save(3, state) and moments.steps() == []
    answers = evaluation()
    answers.probabilities[2] = np.nan
    assert moments.save(3, network().state_dict(), answers, 0.25)
    assert moments.load(3, network()).evaluation is None and moments.told == []


def test_a_moment_takes_the_place_of_one_of_its_step(moments):
    moments.save(3, network(1).state_dict())
    moments.save(3, network(2).state_dict(), evaluation(), 0.5)
    found = moments.load(3, network())
    assert np.array_equal(found.state["linear1.weight"], network(2).state_dict()["linear1.weight"]) and found.val_accuracy == 0.5


def test_the_nearest_and_those_that_are_forgotten(moments):
    assert moments.nearest(5) is None and moments.steps() == [] and moments.load(5, network()) is None
    for step in (0, 10, 20, 123_456_789_012):
        moments.save(step, network(step % 7).state_dict())
    assert [moments.nearest(step) for step in (0, 4, 5, 6, 16, 10**13)] == [0, 0, 0, 10, 20, 123_456_789_012]
    moments.forget_after(10)
    assert moments.steps() == [0, 10]


# -- the limit


@given(sizes=st.dictionaries(st.integers(0, 10**6), st.integers(1, 50), max_size=40), limit=st.integers(1, 300), data=st.data())
def test_what_stays_fits_and_is_worth_most(sizes, limit, data):
    steps = sorted(sizes)
    best = data.draw(st.none() | st.sampled_from(steps)) if steps else None
    gone = surplus_steps(sizes, limit, best)
    kept = [step for step in steps if step not in gone]
    assert len(gone) == len(set(gone)) and set(gone) <= set(steps)
    assert sum(sizes[step] for step in kept) <= limit or kept in ([], steps[:1], [steps[0], steps[-1]])
    assert not {*steps[:1], *steps[-1:]} & set(gone), "first and last stay"
    if best in gone:
        assert gone[-1] == best and len(kept) == 2, "the best goes when nothing else is left to go"
    there = steps
    for step in gone:
        assert sum(sizes[one] for one in there) > limit, "none goes without need"
        spread = {b: (c - a) / b for a, b, c in zip(there, there[1:], there[2:], strict=False) if b != best or len(there) == 3}
        assert spread[step] == min(spread.values())
        there = [one for one in there if one != step]


def test_what_stays_lies_denser_at_the_beginning():
    there: dict[int, int] = {}
    for step in range(0, 20_001, 100):
        there[step] = 1
        for gone in surplus_steps(there, 30):
            del there[gone]
    assert len(there) == 30 and {0, 100, 20_000} <= there.keys()
    assert sum(step <= 5000 for step in there) > 15


def test_a_run_stays_under_the_limit_at_every_moment(moments):
    moments.save(0, network().state_dict(), evaluation())
    moments.limit = 10 * all_bytes(moments) + 50
    for step in range(1, 60):
        best = step - step % 13 if step >= 13 else None
        assert moments.save(step, network(step).state_dict(), evaluation(seed=step), 0.5, best)
        assert all_bytes(moments) <= moments.limit
        assert {0, step, *([best] if best else [])} <= set(moments.steps())
    assert 8 <= len(moments.steps()) <= 10
    assert all(moments.load(step, network()) for step in moments.steps())


def test_a_moment_that_would_have_to_go_at_once_is_not_written(moments):
    for step in (0, 10, 100):
        moments.save(step, network().state_dict())
    moments.limit = all_bytes(moments)
    assert not moments.save(99, network().state_dict()) and moments.steps() == [0, 10, 100]
    assert moments.save(50, network().state_dict(), best=50) and moments.steps() == [0, 50, 100]


def test_of_large_networks_only_first_and_last_or_none(moments):
    moments.save(0, network().state_dict())
    size = all_bytes(moments)
    moments.limit = int(size / 0.6)
    for step in (1, 2, 3):
        assert moments.save(step, network().state_dict(), best=1) and moments.steps() == [0, step]
    moments.limit = size - 1
    assert not moments.save(4, network().state_dict()) and not path_of(moments, 4).exists()


# -- damage


def test_every_damaged_byte_of_the_header(moments):
    moments.save(7, network(1).state_dict(), evaluation(), 0.5)
    path = path_of(moments, 7)
    sound = path.read_bytes()
    end = 8 + struct.unpack("<Q", sound[:8])[0]
    left_out = 0
    for place in range(end):
        for change in (1, 0x80):
            path.write_bytes(sound[:place] + bytes([sound[place] ^ change]) + sound[place + 1 :])
            told: list[str] = []
            fresh = Moments(moments.folder)
            fresh.warn = told.append
            found = fresh.load(7, network())
            assert_makes_sense(found)
            assert len(told) == (found is None) and all(text.count("\n") == 0 for text in told)
            left_out += found is None
            assert fresh.steps() == ([] if found is None else [7])
    assert left_out > 1.5 * end, "what is left are other accuracies, losses, and spaces between"


def test_a_truncated_moment_is_left_out(moments):
    moments.save(7, network(1).state_dict(), evaluation(), 0.5)
    sound = path_of(moments, 7).read_bytes()
    for length in [*range(0, len(sound), 7), len(sound) - 1]:
        path_of(moments, 7).write_bytes(sound[:length])
        fresh = Moments(moments.folder)
        assert fresh.load(7, network()) is None and fresh.steps() == []


def sound_tensors() -> dict[str, np.ndarray]:
    tensors = {f"network/{name}": value for name, value in network(1).state_dict().items()}
    answers = evaluation()
    tensors["evaluation/probabilities"] = answers.probabilities.astype(np.float16)
    return tensors | {"evaluation/labels": answers.labels.astype(np.uint8)}


SOUND = {"format": FORMAT, "step": 7, "val_accuracy": 0.5, "loss": 1.0}
BIAS, ANSWERS, LABELS = "network/linear1.bias", "evaluation/probabilities", "evaluation/labels"


@pytest.mark.parametrize(
    ("tensors", "metadata"),
    [
        ({BIAS: None}, {}),
        ({BIAS: np.zeros(4, np.float32)}, {}),
        ({BIAS: np.zeros(3, np.float64)}, {}),
        ({BIAS: np.array([0, 0, np.nan], np.float32)}, {}),
        ({BIAS: np.array([0, 0, np.inf], np.float32)}, {}),
        ({"network/norm1.running_var": np.full(3, -1, np.float32)}, {}),
        ({"network/other": np.zeros(3, np.float32)}, {}),
        ({"other": np.zeros(3, np.float32)}, {}),
        ({ANSWERS: None}, {}),
        ({LABELS: None}, {}),
        ({"evaluation/more": np.zeros(3, np.float16)}, {}),
        ({ANSWERS: np.full((6, 4), np.nan, np.float16)}, {}),
        ({ANSWERS: np.full((6, 4), -0.5, np.float16)}, {}),
        ({ANSWERS: np.full((6, 4), 1.5, np.float16)}, {}),
        ({ANSWERS: np.full((6, 3), 0.25, np.float16)}, {}),
        ({ANSWERS: np.full((5, 4), 0.25, np.float16)}, {}),
        ({ANSWERS: np.full((6, 4), 0.25, np.float32)}, {}),
        ({LABELS: np.full(6, 4, np.uint8)}, {}),
        ({LABELS: np.full(6, 1, np.float32)}, {}),
        ({LABELS: np.full((6, 1), 1, np.uint8)}, {}),
        ({LABELS: np.array(1, np.uint8)}, {}),
        ({LABELS: np.full(6, 1, np.int64)}, {}),
        ({}, {"format": "digitlab-weights/1"}),
        ({}, {"step": 8}),
        ({}, {"step": True}),
        ({}, {"step": None}),
        ({}, {"val_accuracy": 1.5}),
        ({}, {"val_accuracy": "0.5"}),
        ({}, {"loss": [1.0]}),
    ],
)
def test_every_value_is_checked(moments, tensors, metadata):
    moments.folder.mkdir(parents=True)
    path_of(moments, 7).write_bytes(packed(sound_tensors(), **SOUND))
    assert moments.load(7, network()) is not None
    changed = {name: value for name, value in (sound_tensors() | tensors).items() if value is not None}
    path_of(moments, 7).write_bytes(packed(changed, **(SOUND | metadata)))
    assert moments.load(7, network()) is None and moments.steps() == []
    assert len(moments.told) == 1 and "moment of step 7" in moments.told[0]


def test_damage_is_told_once_and_mended_by_a_new_moment(moments):
    for step in (1, 2, 3):
        moments.save(step, network().state_dict())
    for step in (1, 2):
        path_of(moments, step).write_bytes(b"no moment")
    assert [moments.load(step, network()) is None for step in (1, 1, 2, 3)] == [True, True, True, False]
    assert len(moments.told) == 1 and moments.steps() == [3] and moments.nearest(1) == 3
    moments.save(2, network().state_dict())
    assert moments.steps() == [2, 3] and moments.load(2, network()) is not None


def test_a_moment_of_another_network_is_left_out(moments):
    moments.save(1, network(hidden=5).state_dict())
    assert moments.load(1, network()) is None and len(moments.told) == 1


def test_a_moment_that_has_just_been_removed_is_no_damage(moments, monkeypatch):
    moments.save(1, network().state_dict())
    monkeypatch.setattr(moments, "steps", lambda: [1, 2])
    assert moments.load(2, network()) is None and moments.told == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_what_is_foreign_is_passed_over_and_left_alone(moments, tmp_path):
    moments.save(1, network().state_dict())
    elsewhere = tmp_path / "elsewhere.safetensors"
    elsewhere.write_bytes(path_of(moments, 1).read_bytes())
    foreign = [
        "notes.txt",
        "2.safetensors",
        "000000002.safetensors",
        "00000002.safetensors.bak",
        "-0000002.safetensors",
        "٠٠٠٠٠٠٠٢.safetensors",
    ]
    for name in foreign:
        (moments.folder / name).write_bytes(b"foreign")
    (moments.folder / f"{TEMPORARY}half").write_bytes(b"half")
    path_of(moments, 3).symlink_to(elsewhere)
    path_of(moments, 4).mkdir()
    os.mkfifo(path_of(moments, 5))
    with path_of(moments, 6).open("wb") as huge:
        huge.truncate(moments.limit + 1)
    assert moments.steps() == [1] and all(moments.load(step, network()) is None for step in range(2, 7))
    moments.forget_after(0)
    assert moments.steps() == [] and moments.told == []
    assert {path.name for path in moments.folder.iterdir()} >= {*foreign, f"{TEMPORARY}half", "00000003.safetensors"}
    for step in (3, 5, 6):
        assert moments.save(step, network().state_dict(), evaluation(), 0.5)
    with pytest.raises(DigitLabError, match=r"Could not write .*00000004"):
        moments.save(4, network().state_dict())
    assert moments.steps() == [3, 5, 6] and elsewhere.read_bytes() != path_of(moments, 3).read_bytes()


def test_a_file_where_the_folder_belongs(moments):
    moments.folder.parent.mkdir(parents=True)
    moments.folder.write_bytes(b"")
    assert moments.steps() == []
    moments.forget_after(0)
    with pytest.raises(DigitLabError, match="Could not write"):
        moments.save(1, network().state_dict())


def test_a_folder_that_lets_nothing_be_removed_is_one_sentence(moments, monkeypatch):
    for step in (0, 10, 20):
        moments.save(step, network().state_dict())

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(DigitLabError, match=r"Could not remove .*00000020.*: Permission denied"):
        moments.forget_after(10)
    moments.limit = all_bytes(moments)
    with pytest.raises(DigitLabError, match=r"Could not write .*00000030.*: Permission denied"):
        moments.save(30, network().state_dict())
    assert moments.steps() == [0, 10, 20]


# -- programs that are killed

DYING = """
import os, signal, sys
from pathlib import Path
from app.core.runs.moments import Moments
from tests.app.test_moments import evaluation, network
rename, count = os.replace, 0
def replace(*paths):
    global count
    count += 1
    if count == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(*paths)
os.replace = replace
for step in range(9):
    Moments(Path(sys.argv[1])).save(step, network(step).state_dict(), evaluation(), 0.5)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_program_killed_while_writing_leaves_no_half_moment(isolated):
    kept = Moments(isolated / "runs" / "r" / "moments")
    done = subprocess.run([sys.executable, "-c", DYING, str(kept.folder)], timeout=100, check=False)
    assert done.returncode == -signal.SIGKILL
    assert kept.steps() == [0, 1] and all(kept.load(step, network()) for step in (0, 1))
    (half,) = kept.folder.glob(f"{TEMPORARY}*")
    os.utime(half, (1, 1))
    assert ABANDONED > 3600
    clear_all_leftovers()
    assert not half.exists() and kept.steps() == [0, 1]
