"""MapCard: the map of digits as a page of the panel."""

from __future__ import annotations

from app.core.digit_map import table_of
from app.core.look import LAYERS
from app.lab import Lab
from app.panels.inspect.card import InspectCard
from app.panels.inspect.inspected import Inspected
from app.panels.inspect.map_view import MapView
from app.widgets.export import Export


class MapCard(InspectCard):
    """The digits of a dataset as a layer sees them, and among them the one that is looked at."""

    name = "Map of digits"
    wants = frozenset({LAYERS})

    def __init__(self, lab: Lab, inspected: Inspected) -> None:
        super().__init__(lab, inspected)
        self._maximise.hide()  # it has the panel to itself
        self.map = MapView(lab)
        self.map.making.changed.connect(self.refresh)
        self.body.addWidget(self.map)

    def draw(self) -> None:
        self.map.show_look(self.inspected.look.value)

    def export(self) -> Export | None:
        found = self.map.found
        if found is None:
            return None
        arrays = {"positions": found.positions, "images": found.wanted.indices, "labels": found.labels, "answers": found.answers}
        return Export("map", self.map.scatter, lambda: table_of(found), arrays)
