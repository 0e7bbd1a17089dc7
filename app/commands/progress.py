"""The progress of a training on a terminal: a bar, and below it what was last known of losses and accuracies."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as ProgressBar
from rich.text import Text

from app.commands.output import percent
from app.durations import duration
from nncore.training.events import EpochEnd, Event, Failed, Finished, Progress, Started, Stopped, Validated


class Known:
    """What the events so far have told, as two lines of text."""

    def __init__(self) -> None:
        self._training = self._validation = ""
        self.speed = ""
        """Images a second, and the time that is left."""

    def take(self, event: Event) -> None:
        """Note what an event tells; of the steps of a stretch the mean."""
        match event:
            case Progress():
                self._training = _figures("training", event.train_losses.mean(), event.train_accuracies.mean())
                left = "" if math.isnan(event.seconds_left) else f" · {duration(event.seconds_left)} left"
                self.speed = f"{event.examples_per_second:,.0f} images/s{left}"
            case Validated() | EpochEnd():
                self._validation = _figures("validation", event.val_loss, event.val_accuracy)

    @property
    def figures(self) -> str:
        """Losses and accuracies; those of the validation once held-out images have been looked at."""
        return "; ".join(filter(None, (self._training, self._validation)))


def _figures(part: str, loss: float, accuracy: float) -> str:
    return f"{part} loss {loss:.4f}, {percent(accuracy)} right"


class _Bar(ProgressBar):
    """A bar with a line below it."""

    def __init__(self, console: Console, known: Known) -> None:
        self._known = known
        columns = BarColumn(14), TextColumn("step {task.completed:,.0f} of {task.total:,.0f} · {task.description}")
        super().__init__(*columns, console=console, transient=True, disable=not console.is_terminal)

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield Text(self._known.figures, no_wrap=True, overflow="ellipsis")


@contextmanager
def progress_bar(console: Console, step: int, total_steps: int) -> Iterator[Callable[[Event], None]]:
    """A bar on `console` (none where that is no terminal), at `step` of `total_steps`; yields a function that shows it an event."""
    known = Known()
    with _Bar(console, known) as bar:
        task = bar.add_task("starting", total=total_steps, completed=step)

        def show(event: Event) -> None:
            known.take(event)
            if isinstance(event, Started):
                bar.update(task, total=event.total_steps)
            elif isinstance(event, Progress):
                bar.update(task, completed=event.step, total=event.total_steps, description=known.speed)
            elif isinstance(event, Stopped | Finished | Failed):
                bar.stop()

        yield show
