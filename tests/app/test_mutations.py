"""Checkpoints and databases that were damaged at random: each is one line or an answer, soon, and in little memory.

`DIGITLAB_MUTATIONS` says how many of each are tried (100), `DIGITLAB_SEED` which (0).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.runs import RunStore
from tests.app.mutations import prepare
from tests.app.test_resume import job, leave_at

COUNT = int(os.environ.get("DIGITLAB_MUTATIONS", "100"))
SEED = int(os.environ.get("DIGITLAB_SEED", "0"))
BATCH = 200
"""Files that one process tries."""


@pytest.mark.timeout(60 + COUNT * 5)
@pytest.mark.parametrize("kind", ["checkpoints", "databases"])
def test_damaged_files_are_one_line_or_an_answer(isolated: Path, tmp_path: Path, kind: str) -> None:
    store = RunStore()
    leave_at(job("r", epochs=4).begin(store), 12)
    for number in range(4):
        store.create(None, "m", "d", {"number": number})
    prepare(store.folder, tmp_path / "sound")
    for first in range(0, COUNT, BATCH):
        arguments = [kind, str(tmp_path / "sound"), str(tmp_path / "work"), str(SEED), str(first), str(min(first + BATCH, COUNT))]
        command = [sys.executable, "-m", "tests.app.mutations", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60 + BATCH * 5, check=False)
        assert done.returncode == 0, f"seed {SEED}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        assert f"{min(BATCH, COUNT - first)} tried" in done.stdout
