"""Hostile weights files: whatever is in one, it is refused in one line or gives a network, in little time and memory.

`make test` tries 200 of them; for more, set DIGITLAB_MUTATIONS to their number and DIGITLAB_SEED to another seed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COUNT, SEED = int(os.environ.get("DIGITLAB_MUTATIONS", "200")), int(os.environ.get("DIGITLAB_SEED", "20261124"))
GIGABYTE = 2**30


def test_damaged_and_hostile_files(tmp_path: Path) -> None:
    """In a process of its own, so that its memory can be measured; `seconds` are of the processor, and for whoever reads them."""
    answer = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("mutate_weights.py")), str(tmp_path), str(SEED), str(COUNT)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    assert answer.stderr == ""
    result = json.loads(answer.stdout)
    print(f"seed {SEED}: {answer.stdout}")
    assert sum(sum(found.values()) for found in result["found"].values()) == COUNT
    # Most of what is damaged is found out, but not by refusing all that comes.
    assert all(found["error"] and found["network"] for found in result["found"].values())
    assert result["memory"] < GIGABYTE
