"""A run whose training was cut off, by a crash or a power cut: which one to offer at the next start. Qt-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.runs import INTERRUPTED, Run, RunStore
from nncore.errors import DigitLabError
from nncore.files import is_file
from nncore.training.checkpoint import FORMAT
from nncore.training.values import is_whole
from nncore.weights import read_tensors


@dataclass(frozen=True)
class CutOff:
    """A run that was cut off and can go on."""

    run: Run
    step: int
    """The step of its checkpoint."""
    total_steps: int

    @property
    def key(self) -> str:
        """What tells this end of the run from others, of it or of other runs."""
        return f"{self.run.id} {self.run.updated}"


def newest_cut_off(store: RunStore) -> CutOff | None:
    """The newest run, where it was cut off and has a checkpoint to go on from; None otherwise.

    Only the newest: whoever has trained another since then has decided. Raises DigitLabError where the table of runs cannot be
    read.
    """
    runs = [run for run in store.list() if not run.is_read_only]
    run = max(runs, key=lambda run: run.updated, default=None)
    if run is None or run.status != INTERRUPTED or not is_file(store.checkpoint_of(run)):
        return None
    try:
        _, metadata = read_tensors(store.checkpoint_of(run), FORMAT)
    except DigitLabError:  # it is told when the run is looked at
        return None
    position = metadata.get("position")
    step, total = (position.get(name) for name in ("step", "total_steps")) if isinstance(position, Mapping) else (None, None)
    if not (is_whole(step) and is_whole(total) and 0 <= step < total):
        return None
    return CutOff(run, step, total)
