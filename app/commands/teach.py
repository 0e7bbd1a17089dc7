"""`digitlab teach`: a network learns the user's own handwriting."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from contextlib import closing
from pathlib import Path

from app.commands.device import add_device, say_device
from app.commands.output import complain, console, print_json, print_line
from app.commands.progress import progress_bar
from app.core.runs import RunStore
from app.core.teaching import Lesson, Pupil, note_on, prepare, read_own
from app.core.teaching_figures import Taught
from app.core.teaching_in_turn import held_out_in_turn
from models.shipped import DEFAULT_PICTURE_NETWORK, open_weights
from nncore.backend.devices import choose_device
from nncore.data.catalogue import OWN_DIGITS
from nncore.errors import ConfigError
from nncore.files import shown
from nncore.training.events import Failed

NAME = "teach"
HELP = "Let a network learn your own handwriting: a short training on the digits that you have corrected, kept as a run."


def add_arguments(parser: ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--weights", metavar="W", help=f"a weights file, or shipped weights by name (default {DEFAULT_PICTURE_NETWORK})"
    )
    which.add_argument("--run", dest="run_name", metavar="RUN", help="the network of a run, as it did best")
    parser.add_argument(
        "--digits",
        default=OWN_DIGITS,
        metavar="FOLDER",
        help="pictures in one folder a digit (default: the digits that you have kept)",
    )
    parser.add_argument("--name", metavar="NAME", help="name of the new run (default: my handwriting)")
    add_device(parser, "auto")
    parser.add_argument("--json", action="store_true", help="print one JSON line")


def run(arguments: Namespace) -> None:
    """Teach, and print how the network did before and after."""
    began = time.monotonic()
    device = choose_device(arguments.device)
    say_device(arguments.device, device)
    store = RunStore()
    pupil = _pupil(arguments, store)
    lesson = prepare(store, pupil, read_own(arguments.digits), device=device, run_name=arguments.name)
    if lesson.note:
        complain(lesson.note)
    session = lesson.job.begin(store)
    session.warn = complain
    with progress_bar(console, 0, session.trainer.total_steps) as show, closing(session.events()) as events:
        for event in events:
            show(event)
            if isinstance(event, Failed):
                raise ConfigError(event.reason)
    taught = lesson.taught(session)
    *_, taught = taught, *held_out_in_turn(lesson, taught, began)
    note_on(store, session.run, taught)
    assert session.result is not None, "a training that has ended has a result"
    _tell(arguments.json, lesson, taught, session.run.name, session.result.weights, time.monotonic() - began)


def _tell(as_json: bool, lesson: Lesson, taught: Taught, name: str, weights: Path, seconds: float) -> None:
    if as_json:
        held_out = taught.held_out and {"before": taught.held_out.before, "after": taught.held_out.after}
        print_json(
            {
                "event": "finished",
                "run": name,
                "weights": str(weights),
                "digits": taught.count,
                "own": {"before": taught.own.before, "after": taught.own.after},
                "held_out_in_turn": held_out and held_out | {"count": taught.held_out_count},
                "others": {"data": lesson.test_title, "before": taught.others.before, "after": taught.others.after},
                "is_worse": taught.is_worse,
                "seconds": seconds,
            }
        )
        return
    words = filter(None, (f"all {taught.own_words()}", taught.held_out_words(), taught.others_words()))
    print_line(
        f"Run {name} has learned {taught.count:,} digits in {seconds:,.1f} s: {' · '.join(words)}. Weights: {shown(weights)}"
    )
    if taught.is_worse:
        complain(f"{taught.fall()}; if that is too much, `digitlab runs delete` takes the run away.")


def _pupil(arguments: Namespace, store: RunStore) -> Pupil:
    """The network that the options name."""
    if arguments.run_name is not None:
        from app.core.stored_run import best_network  # only where there is a run to read

        kept = store.get(arguments.run_name)
        network = best_network(store, kept)
        return Pupil(kept.network, network.config(), network.state_dict(), kept.name, kept.steps, kept)
    name = arguments.weights or DEFAULT_PICTURE_NETWORK
    network, info = open_weights(name)
    called = str(info.get("network") or Path(name).stem)
    return Pupil(called, network.config(), network.state_dict(), called, int(info.get("step") or 0))
