"""Damages a checkpoint or a database of runs in many ways and opens each; run as a program, in a process of limited memory."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import struct
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from app.core.runs import RunStore
from nncore.backend.devices import get_backend
from nncore.data import synthetic
from nncore.data.dataset import Dataset
from nncore.errors import DigitLabError
from nncore.training.checkpoint import load_checkpoint
from nncore.weights import DIGEST, HEADER_DIGEST

SECONDS = 5
"""Of the processor's time, which a busy machine does not change."""
MEMORY = 2**30
"""Bytes more than at the start."""
NUMBERS: list[Any] = [0, -1, 1, 2, 3, 1.5, 1e300, -1e300, float("nan"), 2**31, 2**63, 2**70, 10**400]
VALUES = [*NUMBERS, "x", "", None, True, [], {}, [[]], [1, 2], {"a": 1}]
WRONG = [0, -1, 2**62, 1e300, float("inf"), "x", "", "../../x", b"\xff\xfe", "[" * 50_000, "x" * 10**6, "{}", None]
"""What is put into the columns of rows."""


class TooLate(BaseException):
    """A file has taken longer than it may; no handler of the program's catches this."""


def prepare(runs: Path, sound: Path) -> None:
    """Copy the database and the checkpoint of the run `r`, whole, to where `main` finds them."""
    sound.mkdir()
    with closing(sqlite3.connect(runs / "runs.sqlite")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(runs / "runs.sqlite", sound / "runs.sqlite")
    shutil.copyfile(runs / "r" / "checkpoint.safetensors", sound / "checkpoint.safetensors")


def damage_bytes(content: bytes, rng: random.Random) -> bytes:
    """Change, cut, repeat or overwrite a few places of a file."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 5, 40))):
        place = rng.randrange(len(changed)) if rng.random() < 0.5 else rng.randrange(min(len(changed), 2000))
        match rng.randrange(5):
            case 0:
                changed[place] ^= 1 << rng.randrange(8)
            case 1:
                changed[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                changed[place : place + rng.randrange(1, 9)] = rng.randbytes(rng.randrange(9))
            case 3:
                changed[place : place + 512] = rng.choice((b"\0", b"\xff")) * 512
            case 4:
                end = len(changed) if rng.random() < 0.3 else place + rng.randrange(1, 600)
                del changed[max(1, place) : end]
        changed = changed or bytearray(b"\0")
    return bytes(changed)


def damage_json(value: Any, rng: random.Random) -> Any:
    """Change one value, somewhere in a tree of JSON."""
    if isinstance(value, dict | list) and value and rng.random() < 0.9:
        key = rng.choice(list(value) if isinstance(value, dict) else list(range(len(value))))
        changed = dict(value) if isinstance(value, dict) else list(value)
        if isinstance(value, dict) and rng.random() < 0.1:
            del changed[key]
        else:
            changed[key] = damage_json(value[key], rng)
        return changed
    return rng.choice(VALUES)


def damage_checkpoint(content: bytes, rng: random.Random) -> bytes:
    """A damaged safetensors file: in its bytes, or, more cunningly, in what its header says, and half of the time without the
    checksum of its numbers.
    """
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    if rng.random() < 0.5:
        del header["__metadata__"][DIGEST], header["__metadata__"][HEADER_DIGEST]
        written = json.dumps(header).encode()
        content = struct.pack("<Q", len(written)) + written + content[8 + length :]
        length = len(written)
    if rng.random() < 0.4:
        return damage_bytes(content, rng)
    if rng.random() < 0.8:
        name = rng.choice(list(header["__metadata__"]))
        header["__metadata__"][name] = json.dumps(damage_json(json.loads(header["__metadata__"][name]), rng))
        if rng.random() < 0.05:
            header["__metadata__"][name] = rng.choice(("[" * 100_000, "NaN", "Infinity", "", "{"))
    else:
        header = damage_json(header, rng)
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + content[8 + length :]


def damage_rows(path: Path, rng: random.Random) -> None:
    """Put a wrong value into a column of a row."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        table = rng.choice(("runs", "runs", "metrics"))
        column = rng.choice([row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] != "id"])
        value = rng.choice(WRONG)
        try:
            database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, rng.randrange(1, 6)))
        except sqlite3.IntegrityError:
            database.execute(f"UPDATE {table} SET {column} = CAST(x'ff80' AS TEXT) WHERE rowid = 2")


def try_checkpoint(work: Path, sound: Path, rng: random.Random, data: Dataset) -> None:
    path = work / "checkpoint.safetensors"
    path.write_bytes(damage_checkpoint((sound / path.name).read_bytes(), rng))
    trainer = load_checkpoint(path, data)
    events = trainer.events()
    for _ in range(3):
        next(events, None)
    events.close()


def try_database(work: Path, sound: Path, rng: random.Random, data: Dataset) -> None:
    path = work / "runs.sqlite"
    shutil.copyfile(sound / path.name, path)
    if rng.random() < 0.4:
        damage_rows(path, rng)
        for side in work.glob("runs.sqlite-*"):
            side.unlink()
    else:
        path.write_bytes(damage_bytes(path.read_bytes(), rng))
    store = RunStore(work)
    runs = store.list()
    created = store.create(None, "new", "d", {})
    store.add_metrics(created, [("train", 1, 1.0, 1.0)])
    for run in runs:
        store.metrics(run, "train")
        store.weights_of(run)
    if runs:
        store.delete(runs[0])
    names = {run.name for run in store.list()}
    assert created.name in names, f"{created.name} is not among {sorted(names)}, which began with {[run.name for run in runs]}"


def outcome_of(action: Callable[[], object]) -> str:
    """What opening a damaged file comes to: "answers", "lines" for an error of one line, or what was wrong with it."""
    try:
        action()
    except DigitLabError as error:
        return str(error) if "\n" in str(error) or len(str(error)) > 1000 else "lines"
    except BaseException as error:
        return f"{type(error).__name__}: {error!s:.300}"
    return "answers"


def main(kind: str, sound: str, work: str, seed: str, first: str, last: str) -> None:
    """Try the damaged files numbered `first` to `last`; prints each that is neither one line nor an answer, and exits with 1."""
    attempt: Callable[..., None] = {"checkpoints": try_checkpoint, "databases": try_database}[kind]
    data = synthetic("train").limit(120, 4)
    if kind == "checkpoints":
        get_backend("cpu").prepare()  # once a machine, and that takes longer than a file may
        for event in load_checkpoint(Path(sound) / "checkpoint.safetensors", data).events():
            del event
    limit_memory()
    outcomes = {"answers": 0, "lines": 0}
    failures = []
    for number in range(int(first), int(last)):
        folder = Path(work) / str(number)
        folder.mkdir(parents=True)
        set_timer(SECONDS)
        rng = random.Random(f"{seed} {kind} {number}")
        outcome = outcome_of(partial(attempt, folder, Path(sound), rng, data))
        set_timer(0)
        if outcome in outcomes:
            outcomes[outcome] += 1
        else:
            failures.append(f"{number}: {outcome}")
        shutil.rmtree(folder)
    print(*failures, f"{int(last) - int(first)} tried: {outcomes}", sep="\n")
    sys.exit(bool(failures))


def limit_memory() -> None:
    """Let this process have `MEMORY` more than it has, and fail where it takes longer than it may (where the system can)."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    def late(*_: object) -> None:
        raise TooLate

    signal.signal(signal.SIGPROF, late)


def set_timer(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
