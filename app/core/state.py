"""What the window is looking at: the network, the moment of its training, the probe, the data and the recipe. Qt-free.

Every panel shows the same things; panels listen here and never to each other.
"""

from __future__ import annotations

from typing import Any

from app.core.in_view import DataInView, NetworkInView
from app.core.observable import Observable
from app.core.probe import Probe
from app.core.recipe import Recipe
from app.core.timeline import Moment, Timeline
from models.presets import PRESETS


class LabState:
    """The window's state. Set its fields from the interface thread only."""

    def __init__(self) -> None:
        self.network: Observable[NetworkInView | None] = Observable(None)
        self.moment: Observable[Moment | None] = Observable(None)
        self.probe: Observable[Probe] = Observable(Probe())
        self.data: Observable[DataInView | None] = Observable(None)
        self.recipe: Observable[Recipe] = Observable(Recipe.of(next(iter(PRESETS))))
        """How the next training goes."""
        self.timeline = Timeline()

    def change_recipe(self, **settings: Any) -> None:
        """Set fields of the recipe's TrainConfig, by name. Raises ConfigError for values that make no sense."""
        self.recipe.set(self.recipe.value.with_settings(**settings))

    def show_network(self, view: NetworkInView, moment: Moment) -> None:
        """Look at another network: its moments begin anew with `moment`."""
        self.timeline.clear()
        self.timeline.add(moment)
        # Both are in place before anyone is told: nobody must see one network with the weights of another.
        self.network.put(view)
        self.moment.put(moment)
        self.network.tell()
        self.moment.tell()

    def show_moment(self, index: int) -> None:
        """Look at the moment at `index` of the timeline; beyond its ends at the nearest."""
        if len(self.timeline):
            self.moment.set(self.timeline[min(max(index, 0), len(self.timeline) - 1)])
