"""PixelCard: one number of the network explained, forwards, and for a weight that is chosen in it backwards."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea

from app.core.look import Look
from app.lab import Lab
from app.panels.inspect.backwards import Backwards, next_step
from app.panels.inspect.card import InspectCard
from app.panels.inspect.crumbs import Crumbs
from app.panels.inspect.explained import sections_of, table_of
from app.panels.inspect.inspected import Inspected, Unit, Weight
from app.panels.inspect.weight_page import weight_sections, weight_table
from app.widgets.export import Export
from app.widgets.sheet import Sheet

HEIGHTS, NO_FORMULA = (150, 126, 108, 96, 84, 78, 72), 78
"""Pixels that grids of numbers may be high: as many as let all be seen without scrolling; and up to how many the general formula
is left to a tooltip."""
HINT = "Click a value of the network: how it was made appears here."
NOTION = "Click a number that this one was made of to see how that was made; click a weight to see what the loss wants of it."


class PixelCard(InspectCard):
    """The parts of the chosen unit's number."""

    name = "One number explained"
    least_height = 230

    def __init__(self, lab: Lab, inspected: Inspected) -> None:
        super().__init__(lab, inspected)
        self.crumbs = Crumbs()
        self.crumbs.gone_back.connect(self._go_back)
        self.backwards = Backwards(lab, self)
        self.backwards.found.connect(self.refresh)
        self.sheet = Sheet("one number explained", "number")
        self.sheet.notion = NOTION
        self.sheet.clicked.connect(self._follow)
        self._channel: tuple[Unit, int] | None = None
        """The slice that is shown large, and of which unit; None: the strongest."""
        self.port = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self.port.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.port.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.port.setWidget(self.sheet)
        self.body.setSpacing(6)
        self.body.addWidget(self.crumbs)
        self.body.addWidget(self.port, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refresh()

    def draw(self) -> None:
        look, done, unit = self.inspected.look.value, self.inspected.forward_pass, self.inspected.unit
        if look is None or look.digit is None or done is None or unit is None:
            self.crumbs.show_way((), HINT)
            self.sheet.show_sections(())
            return
        weight, trail = self.inspected.weight.value, self.inspected.trail.value
        if weight is not None and weight.parameter in done.state:
            self._draw_weight(look, weight)
            return
        self.crumbs.show_way([_short(step) for step in trail[:-1]], str(unit))
        channel = self._channel[1] if self._channel is not None and self._channel[0] == unit else None
        for highest in HEIGHTS:
            sections = sections_of(done, unit, look.digit.image, channel, highest)
            if highest <= NO_FORMULA and len(sections) > 1:
                sections = sections[:-1]
            if self.sheet.height_of(sections) <= self.port.height():
                break
        self.sheet.show_sections(sections)
        self.sheet.rows = lambda: table_of(done, unit)

    def _draw_weight(self, look: Look, weight: Weight) -> None:
        """What the loss wants of a weight, as soon as that is known; until then what was known last, pale."""
        self.backwards.ask(look)
        asked, found, run = self.backwards.asked, self.backwards.result, self.lab.state.run.value
        where = ", ".join(map(str, weight.index))
        unit = self.inspected.unit
        self.crumbs.show_way([] if unit is None else [_short(unit)], f"{weight.parameter}[{where}]")
        if asked is None or found is None or asked.look.question.network is not look.question.network:
            self.sheet.show_sections(self.sheet.sections, is_faded=True)
            return
        layer = found.done.layers[found.done.place(weight.parameter.partition(".")[0]) - 1]
        own_decay = float(getattr(layer, "weight_decay", 0.0)) if weight.parameter.endswith(".weight") else 0.0
        following = next_step(self.lab, run, found, weight, asked.look.question.moment.step, own_decay)
        self.sheet.show_sections(weight_sections(asked, found, weight, following), is_faded=asked.look is not look)
        self.sheet.rows = lambda: weight_table(found, weight)

    def _go_back(self, steps: int) -> None:
        """From a weight to its unit, or from a unit to one before."""
        if self.inspected.weight.value is not None:
            self.inspected.choose_weight(None)
        else:
            self.inspected.go_back(steps)

    def export(self) -> Export | None:
        done, unit = self.inspected.forward_pass, self.inspected.unit
        return None if done is None or unit is None else Export("number", self.sheet, self.sheet.table)

    def _follow(self, key: Any) -> None:
        """Go where a click leads."""
        match key:
            case ("unit", Unit() as unit):
                self.inspected.walk_to(unit)
            case ("weight", Weight() as weight):
                self.inspected.choose_weight(weight)
            case ("slice", int() as channel) if self.inspected.unit is not None:
                self._channel = self.inspected.unit, channel
                self.refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Backspace:
            self._go_back(1)
        else:
            super().keyPressEvent(event)


def _short(unit: Unit) -> str:
    return f"{unit.layer} · {unit.unit}"
