"""`digitlab train`: train a network and keep it."""

from __future__ import annotations

import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from app.commands.output import console, percent, print_json
from app.commands.settings import add_settings, refuse_settings, settings_given
from app.core.runs import RunStore
from app.core.session import Job, TrainingSession
from models.presets import DEFAULT, PRESETS, preset
from nncore.backend.devices import get_backend
from nncore.data import open_dataset, open_test
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DeviceError
from nncore.training.checkpoint import load_checkpoint
from nncore.training.control import Control
from nncore.training.events import EpochEnd, Event, Failed, Finished, Progress, Stopped
from nncore.training.schedules import describe_schedule
from nncore.training.trainer import Trainer
from nncore.weights import load_weights, save_weights

NAME = "train"
HELP = "Train a network; its weights and its curves are kept as a run."


def add_arguments(parser: ArgumentParser) -> None:
    """Options that are left out take the preset's own values."""
    parser.add_argument(
        "--model", default=DEFAULT, metavar="NAME", help=f"network preset: {', '.join(PRESETS)} (default {DEFAULT})"
    )
    parser.add_argument("--data", default="mnist", metavar="DATA", help="mnist, svhn, synthetic, or a path (default mnist)")
    add_settings(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="use N images of the data only")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute (default auto)")
    parser.add_argument("--run", dest="run_name", metavar="NAME", help="name of the run (default: the model's, numbered)")
    parser.add_argument("--checkpoint-every", type=int, metavar="STEPS", help="write a checkpoint every so many steps")
    parser.add_argument("--resume", metavar="RUN", help="go on with a run from its checkpoint, exactly as if never interrupted")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the weights here as well (safetensors)")
    parser.add_argument("--json", action="store_true", help="print JSON lines and nothing else on standard output")


def run(arguments: Namespace) -> None:
    """Train, printing an epoch a line."""
    if arguments.device == "cuda":
        raise DeviceError("This version of DigitLab trains on the CPU only; use --device cpu or auto.")
    if arguments.checkpoint_every is not None and arguments.checkpoint_every < 1:
        raise ConfigError(f"--checkpoint-every must be at least 1, not {arguments.checkpoint_every}.")
    store = RunStore()
    session = _resumed(arguments, store) if arguments.resume else _job(arguments).begin(store, arguments.checkpoint_every)
    trainer, kept = session.trainer, session.run
    if console.is_terminal:
        console.print(f"Learning rate: {describe_schedule(trainer.config, trainer.steps_per_epoch)}.")
    if console.is_terminal and not get_backend("cpu").is_ready():
        console.print("The first training on a machine compiles the engine for it: about half a minute.")
    with _progress_bar(trainer) as show, _stop_on_interrupt(trainer.control):
        for event in session.events():
            show(event)
            if isinstance(event, EpochEnd):
                _print_epoch(event, arguments.json)
            elif isinstance(event, Failed):
                raise ConfigError(event.reason)
    assert session.result is not None, "a training that has ended has a result"
    weights = session.result.weights
    if arguments.out:
        save_weights(arguments.out, *load_weights(weights))
        weights = arguments.out
    finished = trainer.step >= trainer.total_steps
    if arguments.json:
        print_json(
            {
                "event": "finished" if finished else "stopped",
                "run": kept.name,
                "weights": str(weights),
                "step": trainer.step,
                "val_accuracy": session.result.val_accuracy,
                "test_accuracy": session.result.test_accuracy,
                "seconds": trainer.seconds,
            }
        )
    else:
        test = session.result.test_accuracy
        scores = f"validation {percent(session.result.val_accuracy)}" + (f", test {percent(test)}" if test is not None else "")
        print(
            f"{'Finished' if finished else 'Stopped'} run {kept.name} after {trainer.seconds:,.1f} s: {scores}. Weights: {weights}"
        )


def _job(arguments: Namespace) -> Job:
    chosen = preset(arguments.model)
    config = replace(chosen.training, **settings_given(arguments))
    data = _data(arguments)
    return Job(chosen, arguments.data, data, open_test(arguments.data, data), config, arguments.run_name)


def _resumed(arguments: Namespace, store: RunStore) -> TrainingSession:
    refuse_settings(arguments, ("epochs", "seed"), "--resume goes on as the run was begun")
    kept = store.get(arguments.resume)
    data = _data(arguments)
    trainer = load_checkpoint(store.checkpoint_of(kept), data)
    if arguments.epochs is not None:
        trainer.set_epochs(arguments.epochs)
    return TrainingSession(trainer, store, kept, open_test(arguments.data, data), arguments.checkpoint_every)


def _data(arguments: Namespace) -> Dataset:
    return open_dataset(arguments.data).limit(arguments.limit, arguments.seed or 0)


def _print_epoch(event: EpochEnd, as_json: bool) -> None:
    if as_json:
        fields = ("epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "examples_per_second", "seconds")
        print_json({"event": "epoch_end"} | {name: getattr(event, name) for name in fields})
    else:
        print(
            f"epoch {event.epoch}: training loss {event.train_loss:.4f}, accuracy {percent(event.train_accuracy)}; "
            f"validation loss {event.val_loss:.4f}, accuracy {percent(event.val_accuracy)}; "
            f"{event.examples_per_second:,.0f} images/s",
            flush=True,
        )


@contextmanager
def _progress_bar(trainer: Trainer) -> Iterator[Callable[[Event], None]]:
    """A bar on standard error (none where that is no terminal); yields a function that shows it an event."""
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    with ProgressBar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("training", total=trainer.total_steps, completed=trainer.step)

        def show(event: Event) -> None:
            if isinstance(event, Progress):
                bar.update(task, completed=event.step, total=event.total_steps, description=f"loss {event.train_loss:.3f}")
            elif isinstance(event, Stopped | Finished):
                bar.stop()

        yield show


@contextmanager
def _stop_on_interrupt(control: Control) -> Iterator[None]:
    """The first Ctrl+C stops the training and keeps it; a second one interrupts as usual."""

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        console.print("Stopping after this step; what was trained is kept. Ctrl+C again to break off.")
        control.stop()

    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
