"""Kill trainings at random moments, resume them, and compare what comes out with a training that was never interrupted.

    python scripts/kill_trainings.py --kills 20 [--data mnist] [--limit 12000] [--window]

With --window the window trains, offscreen, and writes a checkpoint every second instead of every 30.
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
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from app.core.runs import RunStore
from app.core.runs.moments import Moments
from nncore.weights import load_weights

KILLS_EACH = 4
"""Kills that one training survives before it is left to finish."""
WINDOW = """
import sys
from dataclasses import replace
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from app.core import session
from app.core.recipe import Recipe
from app.launch import build_window
session.INTERVAL = 1.0
name, model, data, limit = sys.argv[1:]
application = QApplication([])
window = build_window(application)
window.show()
window.show_panel("train")
lab = window.lab
lab.problem.connect(lambda problem: (print(problem.message, file=sys.stderr), application.exit(1)))
lab.opener.open_data(data)
timer = QTimer()

def begin():
    view = lab.state.data.value
    if view is None or view.spec != data or lab.state.network.value is None:
        return
    timer.stop()
    lab.training.ended.connect(window.close)
    found = [run for run in lab.store.list() if run.name == name]
    if found:
        lab.continue_run(found[0])
    else:
        recipe = Recipe.of(model).with_settings(epochs=2).with_limit(int(limit))
        lab.training.start(replace(recipe.job(view), run_name=name))

timer.timeout.connect(begin)
timer.start(20)
sys.exit(application.exec())
"""
"""The program that trains a run in a window: from the start where there is none of its name, else from its checkpoint."""


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


def train_and_kill(
    name: str, start: Callable[[str, bool], list[str]], kills: int, longest: float, environment: dict[str, str], store: RunStore
) -> int:
    """Train the run `name` to its end, killing it up to `kills` times; how often it was killed in time.

    `start(name, begun)` is the command that trains the run, which may have been begun already.
    """
    done, begun = 0, False
    while True:
        process = subprocess.Popen(start(name, begun), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
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
        if process.returncode or store.get(name).status != "finished":
            raise SystemExit(f"{name}: {process.communicate()[1].decode()}")
        return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--model", default="mnist-cnn")
    parser.add_argument("--limit", default="12000")
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which it kills")
    parser.add_argument("--window", action="store_true", help="train in the window instead of on the command line")
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    options = ["--model", arguments.model, "--data", arguments.data, "--limit", arguments.limit, "--epochs", "2"]
    options += ["--checkpoint-every", "50", "--device", "cpu"]

    def start(name: str, begun: bool) -> list[str]:
        if arguments.window:
            return [sys.executable, "-c", WINDOW, name, arguments.model, arguments.data, arguments.limit]
        return command("train", *(("--resume", name) if begun else (*options, "--run", name)))

    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "HOME": home,
            "XDG_DATA_HOME": home,
            "XDG_CONFIG_HOME": home,
            "QT_QPA_PLATFORM": "offscreen",
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
        }
        os.environ["XDG_DATA_HOME"] = home
        store = RunStore()
        for run in ("first", "whole"):  # the first may have to compile kernels, which would make it last longer than any other
            began = time.monotonic()
            subprocess.run(command("train", *options, "--run", run), env=environment, check=True, capture_output=True)
            longest = time.monotonic() - began
        whole, killed, wrong, number = outcome(store, "whole"), 0, 0, 0
        while killed < arguments.kills:
            number += 1
            name = f"killed-{number}"
            times = train_and_kill(name, start, min(KILLS_EACH, arguments.kills - killed), longest, environment, store)
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
