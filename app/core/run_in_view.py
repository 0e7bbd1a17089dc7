"""RunInView: the run that every view shows, with all that belongs to it. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.core.history import History
from app.core.in_view import NetworkInView
from app.core.recipe import Recipe
from app.core.runs import Run
from app.core.split import Split
from app.core.timeline import Timeline
from nncore.data.dataset import Dataset
from nncore.losses import Loss
from nncore.metrics import Evaluation

EVALUATION_BYTES = 50 * 2**20
"""Bytes that the evaluations of a run may take; beyond it those that were not asked for longest are dropped."""


class Evaluations:
    """Evaluations of a run's images, by split and step, in bounded memory. The one that was added last always stays."""

    def __init__(self, limit_bytes: int = EVALUATION_BYTES) -> None:
        self._kept: dict[tuple[Split, int], Evaluation] = {}  # those that were asked for last at the end
        self._limit = limit_bytes

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, step: int, evaluation: Evaluation, split: Split = Split.HELD_OUT) -> None:
        """Keep the evaluation of a split after `step`. It replaces one of the same split and step."""
        self._kept.pop((split, step), None)
        self._kept[split, step] = evaluation
        while len(self._kept) > 1 and sum(found.nbytes for found in self._kept.values()) > self._limit:
            del self._kept[next(iter(self._kept))]

    def get(self, step: int, split: Split = Split.HELD_OUT) -> Evaluation | None:
        """The evaluation of a split after `step`; None where it is not known."""
        found = self._kept.pop((split, step), None)
        if found is not None:
            self._kept[split, step] = found
        return found

    def newest(self, split: Split = Split.HELD_OUT) -> tuple[int, Evaluation] | None:
        """The latest step of which the evaluation of a split is known, with it; None where none is."""
        step = max((step for of, step in self._kept if of is split), default=None)
        return None if step is None else (step, self._kept[split, step])

    def forget_after(self, step: int) -> None:
        """Drop the evaluations of later steps."""
        self._kept = {key: found for key, found in self._kept.items() if key[1] <= step}


@dataclass(eq=False)
class RunInView:
    """A network with its training: curves, moments, evaluations, recipe and held-out images.

    Shipped weights and weights files are one too, with one moment and without the rest.
    """

    network: NetworkInView
    run: Run | None = None
    """Its line in the table of runs; None for shipped weights and weights files."""
    recipe: Recipe | None = None
    """What it was trained by; None where that is not known."""
    history: History = field(default_factory=History)
    timeline: Timeline = field(default_factory=Timeline)
    evaluations: Evaluations = field(default_factory=Evaluations)
    held_out: Dataset | None = None
    """The images that its training holds out; None where they are not there, or not yet."""
    damage: str = ""
    """What of it could not be read from the disk, as a sentence; empty where all could, and once it has been told."""
    why_no_images: str = ""
    """Why there are no held-out images, in one sentence; empty while they are there or being opened."""
    why_no_more: str = ""
    """Why it cannot be trained further, in one sentence; empty where nothing is known to speak against it."""

    @property
    def name(self) -> str:
        """The run's name, or the network's where there is no run."""
        return self.network.name if self.run is None else self.run.name

    def is_of(self, run: Run) -> bool:
        """Whether this is what views show of `run`, which may have been renamed or trained further since."""
        return self.run is not None and (self.run.id, self.run.created) == (run.id, run.created)

    def held_out_loss(self) -> Loss | None:
        """What its images are measured by while it is trained, and hence afterwards; None for cross-entropy."""
        return None if self.recipe is None else self.recipe.config.build_held_out_loss()

    def forget_after(self, step: int) -> None:
        """Drop curves, moments and evaluations of later steps, since the training goes on from `step`."""
        self.history.forget_after(step)
        self.timeline.forget_after(step)
        self.evaluations.forget_after(step)
