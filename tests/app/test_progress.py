"""What `digitlab train` shows on a terminal while it trains."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from rich.console import Console

from app.commands.progress import Known, progress_bar
from app.durations import duration
from nncore.metrics import Evaluation
from nncore.training.events import Progress, Started, Stopped, Validated

NOTHING = Evaluation(0.25, np.zeros((0, 10), np.float32), np.zeros(0, np.int64))


def stretch(step: int, seconds_left: float = 125.0) -> Progress:
    steps = np.arange(step - 1, step + 1)
    return Progress(steps, np.array([0.25, 0.75]), np.array([0.5, 1.0]), np.array([0.1, 0.1]), 1200, 1, 17_400.0, seconds_left)


def test_it_tells_both_losses_both_accuracies_speed_and_time_left():
    known = Known()
    known.take(stretch(10))
    assert known.figures == "training loss 0.5000, 75.00 % right" and known.speed == "17,400 images/s · 2 min 05 s left"
    known.take(Validated(10, 0.25, 0.975, NOTHING))
    assert known.figures == "training loss 0.5000, 75.00 % right; validation loss 0.2500, 97.50 % right"
    known.take(stretch(12, float("nan")))
    assert known.speed == "17,400 images/s", "nothing can be said of the time yet"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_bar_has_two_lines_which_end_in_dots_on_a_narrow_terminal(width):
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, highlight=False)
    with progress_bar(console, 0, 1000) as show:
        for event in (Started(0, 1200, 60, 900, 100), stretch(10), Validated(10, 0.25, 0.975, NOTHING), stretch(1100)):
            show(event)
        show(Stopped(1100, 3.0))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", out.getvalue())
    lines = [line for line in re.split(r"[\r\n]+", shown) if line.strip()]
    assert max(map(len, lines)) <= width and "100 of 1,200" in shown and "17,400 images/s" in "".join(lines).replace("\n", "")
    assert ("validation loss 0.2500, 97.50 % right" in shown) == (width >= 80)
    assert ("training loss 0.5000, 75.00 % right; validation loss 0.2500…" in shown) == (width < 80), "not wrapped"


def test_nothing_is_drawn_where_there_is_no_terminal():
    out = io.StringIO()
    with progress_bar(Console(file=out, width=80), 0, 1000) as show:
        show(stretch(10))
    assert not out.getvalue().strip()


@pytest.mark.parametrize(("seconds", "words"), [(3.4, "3 s"), (125, "2 min 05 s"), (4321, "1 h 12 min")])
def test_times_in_words(seconds, words):
    assert duration(seconds) == words
