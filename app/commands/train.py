"""`digitlab train`: train a network and keep it."""

from __future__ import annotations

import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.commands.device import add_device, say_device
from app.commands.output import MISTAKE, complain, console, percent, print_json, print_line
from app.commands.progress import progress_bar
from app.commands.settings import add_settings, settings_given
from app.core import own_networks
from app.core.recipe_file import RecipeFile, read_recipe
from app.core.resume import resume
from app.core.runs import Run, RunStore
from app.core.session import Job, TrainingSession
from models.presets import DEFAULT, PRESETS, RECOMMENDED, TEMPLATES
from nncore.backend.devices import choose_device, get_backend
from nncore.data import open_dataset, open_test
from nncore.errors import ConfigError, DeviceError, DigitLabError
from nncore.files import shown
from nncore.training.config import SETTINGS, TrainConfig
from nncore.training.control import Control
from nncore.training.events import EpochEnd, Failed, Finished
from nncore.training.schedules import describe_schedule
from nncore.weights import load_weights, save_weights

NAME = "train"
HELP = "Train a network; its weights and its curves are kept as a run."
MODEL = f"network: a preset ({', '.join(PRESETS)}; default {DEFAULT}), one of your own by name, or its file (.json)"


def add_arguments(parser: ArgumentParser) -> None:
    """Options that are left out take what the recipe says, or the preset's own values."""
    parser.add_argument("--model", metavar="NAME", help=MODEL)
    parser.add_argument(
        "--template", choices=TEMPLATES, help=f"the preset's settings: what works well, or its source's (default {RECOMMENDED})"
    )
    parser.add_argument(
        "--recipe",
        type=Path,
        metavar="FILE",
        help="take all that no option names from a recipe in TOML (`digitlab runs recipe` writes one)",
    )
    parser.add_argument("--data", metavar="DATA", help="mnist, svhn, synthetic, or a path (default mnist)")
    add_settings(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="use N images of the data only")
    add_device(parser, "auto")
    parser.add_argument("--run", dest="run_name", metavar="NAME", help="name of the run (default: the model's, numbered)")
    parser.add_argument("--checkpoint-every", type=int, metavar="STEPS", help="write a checkpoint every so many steps")
    parser.add_argument("--resume", metavar="RUN", help="go on with a run as if never interrupted; its settings and data are known")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the weights here as well (safetensors)")
    parser.add_argument("--json", action="store_true", help="print JSON lines and nothing else on standard output")


def run(arguments: Namespace) -> int:
    """Train, printing an epoch a line. The exit status is 2 where standard output stopped taking lines on the way."""
    device = choose_device(arguments.device)
    say_device(arguments.device, device)
    if arguments.checkpoint_every is not None and arguments.checkpoint_every < 1:
        raise ConfigError(f"--checkpoint-every must be at least 1, not {arguments.checkpoint_every}.")
    store = RunStore()
    if arguments.resume:
        session = _resumed(arguments, store, device)
    else:
        session = _job(arguments, device).begin(store, arguments.checkpoint_every)
    session.warn = complain
    if console.is_terminal:
        trainer = session.trainer
        console.print(f"Learning rate: {describe_schedule(trainer.config, trainer.steps_per_epoch)}.")
    if console.is_terminal and not get_backend(device).is_ready():
        console.print("The first training on a machine compiles the engine for it: about half a minute.")
    report = _Report(arguments.json)
    try:
        _train(session, report)
    except (BrokenPipeError, KeyboardInterrupt):
        complain(_how_to_go_on(session.run))
        raise
    except ConfigError:
        raise
    except DeviceError as error:
        raise DeviceError(f"{error} `digitlab train --resume {_name(session.run)} --device cpu` goes on with it.") from error
    except DigitLabError as error:  # the disk refused the weights
        raise DigitLabError(f"{error} {_how_to_go_on(session.run)}") from error
    assert session.result is not None, "a training that has ended has a result"
    weights = session.result.weights
    if arguments.out:
        try:
            save_weights(arguments.out, *load_weights(weights))
        except DigitLabError:
            report.end(session, weights)  # the run is whole all the same
            raise
        weights = arguments.out
    report.end(session, weights)
    return MISTAKE if report.is_lost else 0


def _train(session: TrainingSession, report: _Report) -> None:
    """Train to the end, or to the first Ctrl+C. ConfigError where the training itself fails."""
    failed: Failed | None = None
    trainer = session.trainer
    bar = progress_bar(console, trainer.step, trainer.total_steps)
    with bar as show, _stop_on_signals(trainer.control), closing(session.events()) as events:
        for event in events:
            show(event)
            if isinstance(event, EpochEnd):
                report.epoch(event)
            elif isinstance(event, Finished):
                report.reason = event.reason
            elif isinstance(event, Failed):
                failed = event
    if failed is not None:
        kept = f" Weights: {shown(session.result.weights)}" if failed.kept_step is not None and session.result else ""
        rate = SETTINGS["learning_rate"]
        option = "" if failed.learning_rate is None else f" The option is `{rate.option} {rate.kind.show(failed.learning_rate)}`."
        raise ConfigError(f"{failed.reason}{option}{kept}")


class _Report:
    """What is printed of a training. Where standard output takes no more, that is told once and the training goes on."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self.is_lost = False
        self.reason = ""
        """Why a setting has ended the training, as a sentence; empty where none has."""

    def epoch(self, event: EpochEnd) -> None:
        fields = ("epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "examples_per_second", "seconds")
        self._print(
            {"event": "epoch_end"} | {name: getattr(event, name) for name in fields},
            f"epoch {event.epoch:,}: training loss {event.train_loss:.4f}, accuracy {percent(event.train_accuracy)}; "
            f"validation loss {event.val_loss:.4f}, accuracy {percent(event.val_accuracy)}; "
            f"{event.examples_per_second:,.0f} images/s",
        )

    def end(self, session: TrainingSession, weights: Path) -> None:
        trainer, result, name = session.trainer, session.result, session.run.name
        assert result is not None, "told by the caller"
        finished = trainer.step >= trainer.total_steps
        values = {
            "event": "finished" if finished else "stopped",
            "run": name,
            "weights": str(weights),
            "step": trainer.step,
            "val_accuracy": result.val_accuracy,
            "test_accuracy": result.test_accuracy,
            "seconds": trainer.seconds,
        }
        if self.reason:
            values["reason"] = self.reason
        test = "" if result.test_accuracy is None else f", test {percent(result.test_accuracy)}"
        self._print(
            values,
            f"{'Finished' if finished else 'Stopped'} run {name} after {trainer.seconds:,.1f} s: "
            f"validation {percent(result.val_accuracy)}{test}. {self.reason}{' ' * bool(self.reason)}Weights: {shown(weights)}",
        )

    def _print(self, values: dict[str, Any], text: str) -> None:
        try:
            if self._as_json:
                print_json(values)
            else:
                print_line(text)
        except DigitLabError as error:
            if not self.is_lost:
                complain(f"{error} The training goes on.")
            self.is_lost = True


def _job(arguments: Namespace, device: str) -> Job:
    given = read_recipe(arguments.recipe) if arguments.recipe else RecipeFile()
    chosen = own_networks.find(arguments.model or given.network or DEFAULT)
    usual = chosen.recipe(arguments.template or given.template or RECOMMENDED)
    config = replace(usual, **given.settings | settings_given(arguments))
    spec = arguments.data or given.data or "mnist"
    limit = given.limit if arguments.limit is None else arguments.limit
    data = open_dataset(spec).limit(limit, config.seed)
    return Job(chosen, spec, data, open_test(spec, data), config, arguments.run_name or given.name, limit, device)


def _resumed(arguments: Namespace, store: RunStore, device: str) -> TrainingSession:
    kept = store.get(arguments.resume)
    for option, said in (("--template", arguments.template), ("--recipe", arguments.recipe)):
        if said is not None:
            raise ConfigError(f"The run {kept.name} goes on with its own settings; leave {option} out, or begin a new run.")
    for option, asked, had in _contradictions(arguments, kept):
        raise ConfigError(
            f"The run {kept.name} was begun with {option} {had}, not {asked}; leave {option} out, or begin a new run."
        )
    return resume(
        store,
        kept.name,
        data_spec=arguments.data,
        image_limit=arguments.limit,
        epochs=arguments.epochs,
        checkpoint_every=arguments.checkpoint_every,
        device=device,
    )


def _contradictions(arguments: Namespace, kept: Run) -> Iterator[tuple[str, object, object]]:
    """(option, what was asked for, what the run has) for each option that says something else than the run.

    Where the data lies now and how many epochs there shall be may be said anew.
    """
    if arguments.run_name not in (None, kept.name):
        yield "--run", shown(arguments.run_name), kept.name
    if arguments.model not in (None, kept.network):
        yield "--model", shown(arguments.model), kept.network
    if arguments.limit is not None and kept.checksum is not None and arguments.limit != kept.image_limit:
        yield "--limit", arguments.limit, kept.image_limit or "(all images)"
    config = TrainConfig.from_dict(kept.config)
    for name, asked in settings_given(arguments).items():
        had = getattr(config, name)
        if name != "epochs" and asked != had:
            yield SETTINGS[name].option, SETTINGS[name].kind.show(asked), SETTINGS[name].kind.show(had)


def _how_to_go_on(kept: Run) -> str:
    return f"The run {kept.name} was cut off; `digitlab train --resume {_name(kept)}` goes on with it."


def _name(kept: Run) -> str:
    """The run's name as it is typed."""
    return f'"{kept.name}"' if " " in kept.name else kept.name


@contextmanager
def _stop_on_signals(control: Control) -> Iterator[None]:
    """The first Ctrl+C, polite kill or closed terminal stops the training and keeps it; a second one breaks off."""
    known = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # Whoever started the program may want some of them to be ignored, as nohup does.
    numbers = [number for number in known if signal.getsignal(number) not in (signal.SIG_IGN, None)]

    def stop(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.default_int_handler)
        with suppress(OSError):
            console.print("Stopping after this step; what was trained is kept. Ctrl+C again to break off.")
        control.stop()

    previous = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
