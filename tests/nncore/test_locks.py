"""Locks between processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from nncore.locks import acquire, is_held, release_and_remove

COUNTING = """
import sys
from pathlib import Path
from nncore.locks import acquire, release_and_remove
path = Path(sys.argv[1])
for _ in range(60):
    lock = acquire(path.with_suffix(".lock"), 60)
    assert lock is not None
    path.write_text(str(int(path.read_text()) + 1))
    release_and_remove(path.with_suffix(".lock"), lock)
"""

HOLDING = """
import sys
from pathlib import Path
from nncore.locks import acquire
lock = acquire(Path(sys.argv[1]))
print(1, flush=True)
sys.stdin.read()
"""


def test_one_at_a_time_though_the_file_is_removed_each_time(tmp_path: Path) -> None:
    path = tmp_path / "count"
    path.write_text("0")
    going = [subprocess.Popen([sys.executable, "-c", COUNTING, str(path)], stderr=subprocess.PIPE) for _ in range(3)]
    for process in going:
        _, said = process.communicate(timeout=100)
        assert process.returncode == 0, said
    assert path.read_text() == "180" and not path.with_suffix(".lock").exists()


def test_a_lock_is_held_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path) and not path.exists()
    lock = acquire(path, 0)
    assert lock is not None and is_held(path) and acquire(path, 0) is None
    lock.release()
    assert not is_held(path)
    again = acquire(path, 0)
    assert again is not None
    release_and_remove(path, again)
    assert not path.exists() and not is_held(path)


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDING, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        assert is_held(tmp_path / "lock")
        process.kill()
    assert not is_held(tmp_path / "lock")
