"""Whether a network learns odd hands from 20 digits each, and what it forgets meanwhile.

    python -m benchmarks teach [--weights W] [--styles mirrored "crossed 0s"] [--digits 20]

For each hand of `odd_digits.py`: the share of the digits that is read correctly before and after one lesson; of digits that were
held out in turn; of 100 further digits of that hand; of MNIST's test digits (of drawn digits where MNIST is not here); and how
long the lesson took, without and with what is held out in turn, which no further part of is begun after 28 s.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from app.core.runs import RunStore
from app.core.teaching import Pupil, prepare
from app.core.teaching_figures import MOST_LOST, Figure
from app.core.teaching_in_turn import held_out_in_turn
from benchmarks.odd_digits import STYLES, OddStyle
from benchmarks.options import count
from benchmarks.report import machine, write
from models.shipped import DEFAULT_PICTURE_NETWORK, open_weights
from nncore.backend.threads import cores
from nncore.paths import data_folder
from nncore.prediction import Predictor

WANTED_SECONDS = 30.0
FURTHER = 100


def lesson_on(style: OddStyle, pupil: Pupil, digits: int) -> dict[str, object]:
    """The figures of one lesson."""
    began, processor = time.monotonic(), time.process_time()
    store = RunStore()
    lesson = prepare(store, pupil, style.draw(digits, 1))
    session = lesson.job.begin(store)
    for _ in session.events():
        pass
    taught = lesson.taught(session)
    learned = time.monotonic() - began
    *_, taught = taught, *held_out_in_turn(lesson, taught, began)
    seconds, processor = time.monotonic() - began, time.process_time() - processor
    further = style.draw(FURTHER, 2)
    shares = Figure(
        Predictor(pupil.build()).check_accuracy(further),
        Predictor(session.trainer.network, session.trainer.device).check_accuracy(further),
    )
    return {
        "own": vars(taught.own),
        "held out in turn": taught.held_out and vars(taught.held_out) | {"count": taught.held_out_count},
        "further": vars(shares),
        "others": vars(taught.others) | {"data": taught.others_title},
        "learned after": learned,
        "seconds": seconds,
        "processor seconds": processor,
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks teach", description="Teach a network odd hands.")
    parser.add_argument("--weights", default=DEFAULT_PICTURE_NETWORK, metavar="W", help="the network that is taught")
    parser.add_argument("--styles", nargs="+", choices=[style.name for style in STYLES], help="some of the hands only")
    parser.add_argument("--digits", type=count, default=20, help="digits that are learned (default 20)")
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/<machine>-teach.json)")
    options = parser.parse_args(arguments)
    network, info = open_weights(options.weights)
    pupil = Pupil(str(info.get("network") or "network"), network.config(), network.state_dict(), Path(options.weights).stem)
    print(f"{machine()}, {cores()} cores; {options.weights}, {options.digits} digits of each hand")
    figures = {}
    with tempfile.TemporaryDirectory() as folder:  # runs and copies of digits go there
        mnist = data_folder() / "mnist"
        if mnist.is_dir():
            (Path(folder) / "mnist").symlink_to(mnist.absolute())
        os.environ["DIGITLAB_DATA"] = folder
        for style in STYLES:
            if options.styles is None or style.name in options.styles:
                figures[style.name] = found = lesson_on(style, pupil, options.digits)
                print(_line(style.name, found), flush=True)
    write("teach", {"weights": options.weights, "digits": options.digits, "hands": figures}, options.out)
    return 0


def _line(name: str, found: dict[str, object]) -> str:
    def words(what: str, decimals: int) -> str:
        part = found[what]
        return Figure(part["before"], part["after"]).words(decimals) if isinstance(part, dict) else "–"

    own, others, seconds = found["own"], found["others"], found["seconds"]
    processor = found["processor seconds"]
    assert isinstance(own, dict) and isinstance(others, dict) and isinstance(seconds, float)
    short = [
        *(["not all are read"] if own["after"] < 1 else []),
        *(["too much forgotten"] if others["before"] - others["after"] > MOST_LOST else []),
        *(["too slow"] if seconds > WANTED_SECONDS else []),
    ]
    return (
        f"{name:20} yours {words('own', 1):12} held out {words('held out in turn', 1):12} further {words('further', 1):12} "
        f"{others['data']} {words('others', 2):16} {found['learned after']:5.1f} s, in all {seconds:5.1f} s "
        f"({processor:.1f} s of cores)" + (f"   {', '.join(short)}" if short else "")
    )
