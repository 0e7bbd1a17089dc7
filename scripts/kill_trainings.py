"""Kill trainings at random moments, resume them, and compare what comes out with a training that was never interrupted.

    python scripts/kill_trainings.py --kills 20 [--data mnist] [--limit 12000]

Needs a system with SIGKILL. Prints a line for each training and a summary; the exit status is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from app.core.runs import RunStore
from app.core.runs.moments import Moments
from nncore.weights import load_weights

KILLS_EACH = 4
"""Kills that one training survives before it is left to finish."""


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "app", *words]


def outcome(
    store: RunStore, name: str
) -> tuple[dict[str, bytes], list[tuple[int, float, float]], list[tuple[int, float, float]], list[int]]:
    """What a run has left: its weights, the curves of training and validation, and the steps of its moments."""
    run = store.get(name)
    network, _ = load_weights(store.weights_of(run))
    weights = {key: value.tobytes() for key, value in network.state_dict().items()}
    return weights, store.metrics(run, "train"), store.metrics(run, "validation"), Moments(store.moments_of(run)).steps()


def is_sound(store: RunStore) -> bool:
    """Whether SQLite finds nothing wrong with the table of runs."""
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database:
        return database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def train_and_kill(name: str, options: list[str], kills: int, longest: float, environment: dict[str, str], store: RunStore) -> int:
    """Train the run `name` to its end, killing it up to `kills` times; how often it was killed in time."""
    done, begun = 0, False
    while True:
        words = ("--resume", name) if begun else (*options, "--run", name)
        process = subprocess.Popen(command("train", *words), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            process.wait(random.uniform(0.5, longest) if done < kills else None)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            done += 1
            begun = any(run.name == name for run in store.list())
            if not is_sound(store):
                raise SystemExit(f"{name}: the table of runs is damaged after {done} kills.") from None
            continue
        if process.returncode:
            raise SystemExit(f"{name}: {process.communicate()[1].decode()}")
        return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--model", default="mnist-cnn")
    parser.add_argument("--limit", default="12000")
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which it kills")
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    options = ["--model", arguments.model, "--data", arguments.data, "--limit", arguments.limit, "--epochs", "2"]
    options += ["--checkpoint-every", "50", "--device", "cpu"]
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "HOME": home,
            "XDG_DATA_HOME": home,
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
        }
        os.environ["XDG_DATA_HOME"] = home
        store = RunStore()
        began = time.monotonic()
        subprocess.run(command("train", *options, "--run", "whole"), env=environment, check=True, capture_output=True)
        longest = time.monotonic() - began
        whole, killed, wrong, number = outcome(store, "whole"), 0, 0, 0
        while killed < arguments.kills:
            number += 1
            name = f"killed-{number}"
            times = train_and_kill(name, options, min(KILLS_EACH, arguments.kills - killed), longest, environment, store)
            killed += times
            found = outcome(store, name)
            same = [ours == theirs for ours, theirs in zip(found[:3], whole[:3], strict=True)]
            wrong += not all(same)
            print(
                f"{name}: killed {times} times; weights, training and validation curves the same: {same}; {len(found[3])} moments"
            )
        print(f"{killed} kills in {number} trainings, {wrong} of them ended in another way than the one never interrupted.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
