"""Branching: trainings that begin at a moment of the run in view, in a new run or in the same one."""

from __future__ import annotations

from dataclasses import replace

from app.core.last_time import keep_recipe
from app.core.layer_list import LayerList
from app.core.settings import Settings
from app.core.state import LabState
from app.core.timeline import Moment
from app.training import TrainingController
from nncore.arrays import shape_text


class Branching:
    """Begins a new run with weights of the run in view, those of the moment in view or the first ones, or lets the run in view go
    on from the moment in view; says why it cannot.
    """

    def __init__(self, state: LabState, settings: Settings, training: TrainingController) -> None:
        self._state, self._settings, self._training = state, settings, training

    def branch(self) -> None:
        """Train a new run by the recipe that begins with the weights of the moment in view. Does nothing where `why_no_branch`
        says why; raises ConfigError where there is no data.
        """
        if not self.why_no_branch:
            self._begin(self._state.moment.value)

    def start_over(self) -> None:
        """Train a new run by the recipe that begins with the first weights of the run in view. Does nothing where
        `why_no_start_over` says why; raises ConfigError where there is no data.
        """
        if not self.why_no_start_over:
            self._begin(self._first)

    def continue_here(self) -> None:
        """Train the run in view from the moment in view up to its planned end; what came later is given up. Does nothing where
        `why_not_from_here` says why.
        """
        moment = self._state.moment.value
        if moment is not None and not self.why_not_from_here:
            self._training.go_on_from(moment)

    @property
    def why_not_from_here(self) -> str:
        """Why the run in view cannot go on from the moment in view, in one sentence; empty where it can."""
        run, moment = self._state.run.value, self._state.moment.value
        if self._training.is_active:
            return "A training is running; stop it first."
        if reason := self._training.why_no_more:
            return reason
        if run is None or moment is None or moment.step >= run.history.last_step:
            return "This is the end of the run; one epoch more goes on from here."
        return ""

    @property
    def why_no_branch(self) -> str:
        """Why no new run can begin at the moment in view, in one sentence; empty where one can."""
        run, recipe = self._state.run.value, self._state.recipe.value
        if self._training.is_active:
            return "A training is running; stop it first."
        if run is None or self._state.moment.value is None:
            return "There is no run in view yet; Start trains a new one."
        if recipe.network != run.network.name:
            return f"The recipe is for {recipe.network}, and {run.name} is {run.network.name}; choose that as the recipe's network."
        if recipe.layers is not None and recipe.layers.layers != LayerList.from_config(run.network.architecture).layers:
            return f"{recipe.network} has other layers now than {run.name}; open {run.name} in the Runs panel to have its recipe."
        data = self._state.data.value
        if data is not None and recipe.preset.takes(data.train.image_shape) != run.network.input_shape:
            takes, shape = (shape_text(each) for each in (run.network.input_shape, data.train.image_shape))
            return f"{run.name} takes {takes}, and this data is {shape}; choose data of that shape in the Data panel."
        return ""

    @property
    def why_no_start_over(self) -> str:
        """Why no new run can begin with the first weights of the run in view, in one sentence; empty where one can."""
        run = self._state.run.value
        if reason := self.why_no_branch:
            return reason
        if run is not None and run.run is None:
            return f"{run.name} came without its training, so its first weights are not known; Branch begins with those it has."
        if run is not None and self._first is None:
            return f"The first weights of {run.name} are not kept; Start begins with new ones."
        return ""

    @property
    def _first(self) -> Moment | None:
        """The moment of the run in view before its first step; None where that is not kept."""
        timeline = self._state.timeline
        return timeline[0] if len(timeline) and timeline[0].step == 0 else None

    def _begin(self, moment: Moment | None) -> None:
        """Train a new run by the recipe, from a moment of the run in view. ConfigError where there is no data."""
        run = self._state.run.value
        if run is not None and moment is not None:
            job = self._state.recipe.value.job(self._state.data.value)
            self._training.start(replace(job, weights=moment.state, parent=(run.name, moment.step)))
            keep_recipe(self._settings, self._state.recipe.value)
