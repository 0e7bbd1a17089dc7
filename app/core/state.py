"""The state of the window: run, moment, probe, data, recipe. Qt-free.

Every panel shows this state and listens to it. Panels do not listen to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from app.core.corrections import Corrections
from app.core.draft import Draft
from app.core.edits import NO_EDITS, Edits
from app.core.in_view import DataInView, NetworkInView
from app.core.observable import Observable
from app.core.probe import Kind, Probe
from app.core.recent import Recent
from app.core.recipe import Recipe
from app.core.run_in_view import RunInView
from app.core.timeline import Moment, Timeline
from app.core.undo import Act, UndoStack
from models.presets import PRESETS


class LabState:
    """The window's state. Set its fields from the interface thread only."""

    def __init__(self) -> None:
        self.run: Observable[RunInView | None] = Observable(None)
        """The run in view. Whoever changes a part of it calls `run.tell`."""
        self.network: Observable[NetworkInView | None] = Observable(None)
        """The network of the run in view."""
        self.moment: Observable[Moment | None] = Observable(None)
        """The moment of the run in view."""
        self.edits: Observable[Edits] = Observable(NO_EDITS)
        """What is changed in the network in view when it looks at the probe. They stay from moment to moment of a run, so that one
        sees what a change does early and late, and go with the run; neither run nor training is touched."""
        self.probe: Observable[Probe] = Observable(Probe())
        self.chosen: Observable[int | None] = Observable(None)
        """Which of the things on the probe is looked at, from 0 in reading order; None, as with each new probe, where nobody has
        chosen: then it is the first digit."""
        self.probe.subscribe(lambda _: self.choose(None), now=False)
        self.corrections = Corrections()
        """What the user says of digits on pictures."""
        self.recent = Recent(self.probe)
        """The last pictures and drawings."""
        self.data: Observable[DataInView | None] = Observable(None)
        self.recipe: Observable[Recipe] = Observable(Recipe.of(next(iter(PRESETS))))
        """The settings of the next training."""
        self.draft: Observable[Draft | None] = Observable(None)
        """What is edited in the editor of layers and not saved yet; None where nothing is."""
        self._no_moments = Timeline()
        self.acts = UndoStack()
        """What was done to the probe and the user's own digits."""

    @property
    def timeline(self) -> Timeline:
        """The moments of the run in view; none where there is no run."""
        return self._no_moments if self.run.value is None else self.run.value.timeline

    def choose(self, index: int | None) -> None:
        """Look at another of the probe's digits; None: at the first."""
        if index != self.chosen.value:
            self.chosen.set(index)

    def show_probe(self, probe: Probe, words: str, before: Probe | None = None) -> None:
        """Make something the probe, so that undo brings back what was there before: `before`, or else the present probe.

        `words` say what was done: `stroke`, `picture a.png`. A probe that shows the same as the one before is no act.
        """
        old = self.probe.value if before is None else before
        shows_same = probe.shows_same(old)
        if shows_same and probe.kind is Kind.PICTURE:
            probe = replace(probe, picture=old.picture)  # one copy is enough
        self.probe.set(probe)
        if not shows_same:
            self._note(words, old, probe)

    def _note(self, words: str, old: Probe, new: Probe) -> None:
        """Note that a probe has taken the place of another."""
        self.acts.add(Act(words, lambda: self.probe.set(old), lambda: self.probe.set(new), old.nbytes + new.nbytes))

    def show_again(self, probes: Sequence[Probe]) -> None:
        """Show the last of some probes, one at least, each of which is the one before and a stroke; undo goes back one by one."""
        self.probe.set(probes[-1])
        for old, new in pairwise(probes):
            self._note("stroke", old, new)

    def edit(self, edits: Edits, words: str) -> None:
        """Change the network in view, so that undo brings back what was there before. `words` say what was done."""
        run, before = self.run.value, self.edits.value
        if edits == before:
            return

        def show(wanted: Edits) -> None:
            if self.run.value is run:  # the edits of another run are gone with it
                self.edits.set(wanted)

        self.edits.set(edits)
        self.acts.add(Act(words, lambda: show(before), lambda: show(edits)))

    def change_recipe(self, **settings: Any) -> None:
        """Set fields of the recipe's TrainConfig, by name. Raises ConfigError for values that make no sense."""
        self.recipe.set(self.recipe.value.with_settings(**settings))

    def show_run(self, run: RunInView, moment: Moment) -> None:
        """Show a run as it was at `moment`, which its timeline holds from then on."""
        is_other_run = run is not self.run.value
        is_another = is_other_run or run.network is not self.network.value
        run.timeline.add(moment)
        # All are in place before anyone is told: nobody must see one network with the weights of another.
        self.run.put(run)
        self.network.put(run.network)
        self.moment.put(moment)
        lost_edits = is_other_run and bool(self.edits.value)
        if lost_edits:
            self.edits.put(NO_EDITS)
        self.run.tell()
        if is_another:
            self.network.tell()
        if lost_edits:
            self.edits.tell()
        self.moment.tell()

    def show_network(self, view: NetworkInView, moment: Moment) -> None:
        """Show a network that came without a training: shipped weights, or a file."""
        self.show_run(RunInView(view), moment)

    def show_moment(self, index: int) -> None:
        """Show the moment at `index` of the timeline, or its first or last where the index lies outside."""
        if len(self.timeline):
            self.moment.set(self.timeline[min(max(index, 0), len(self.timeline) - 1)])
