"""OffRow: a button that switches the chosen unit off or on, and what that does to the accuracy."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.ablating import Ablating
from app.core.edits import Edits, owner_of
from app.lab import Lab
from app.panels.inspect.inspected import Inspected
from app.widgets.elided import Elided
from nncore.explain.ablation import Silent

SWITCH = (
    "A unit that is off gives zero to all that comes after it. If the answers hardly change, the network did not need it; if one "
    "digit suffers, you have found what the unit is for. The run itself is not changed, and Undo takes it back."
)
MEASURE = "Answer the images once as the network was trained and once as it is changed, and compare how many are right."


class OffRow(QWidget):
    """Follows the chosen unit and the edits."""

    def __init__(self, lab: Lab, inspected: Inspected) -> None:
        super().__init__()
        self._lab, self._inspected = lab, inspected
        self.switch, self.words, self.measure = QPushButton(), Elided(), QPushButton("Accuracy")
        self.switch.setToolTip(SWITCH)
        self.measure.setToolTip(MEASURE)
        self.switch.clicked.connect(self._switch)
        self.measure.clicked.connect(lambda: start_or_cancel(lab.ablating))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.switch)
        row.addWidget(self.words, 1)
        row.addWidget(self.measure)
        inspected.trail.subscribe(lambda _: self._show(), now=False)
        inspected.look.subscribe(lambda _: self._show(), now=False)
        lab.ablating.changed.connect(self._show)
        self._show()

    @property
    def unit(self) -> Silent | None:
        """The chosen unit as one that is off; None where none is chosen that has weights."""
        network, unit = self._lab.state.network.value, self._inspected.unit
        owner = None if network is None or unit is None else owner_of(network.summary, unit.layer, unit.unit)
        return None if owner is None else Silent(*owner)

    def _switch(self) -> None:
        unit = self.unit
        if unit is not None:
            flip(self._lab, unit)

    def _show(self) -> None:
        unit, edits = self.unit, self._lab.state.edits.value
        self.switch.setText("Switch unit off" if unit is None else switch_words(edits, unit))
        self.switch.setEnabled(unit is not None)
        self.measure.setText("Cancel" if self._lab.ablating.is_busy else "Accuracy")
        self.measure.setEnabled(self._lab.ablating.is_busy or self._lab.ablating.can_measure)
        self.words.show_words(effect_words(self._lab.ablating))


def switch_words(edits: Edits, part: Silent) -> str:
    """What the button for a unit or a layer does: `Switch conv2 unit 3 off`."""
    name = part.layer if part.unit is None else f"{part.layer} unit {part.unit}"
    return f"Switch {name} {'on' if part in edits.steps else 'off'}"


def flip(lab: Lab, part: Silent) -> None:
    """Switch a unit or a layer off, or on again."""
    edits = lab.state.edits.value
    words = switch_words(edits, part)
    lab.state.edit(edits.minus(part) if part in edits.steps else edits.plus(part), words[0].lower() + words[1:])


def start_or_cancel(ablating: Ablating) -> None:
    """What the button to measure does."""
    if ablating.is_busy:
        ablating.cancel()
    else:
        ablating.start()


def effect_words(ablating: Ablating) -> str:
    """What is known of the accuracy in words: `99.06 → 98.91 %`."""
    if ablating.is_busy:
        return f"{ablating.done:,} of {ablating.total:,} answers"
    effect = ablating.effect
    if effect is None or not ablating.is_current:
        return ""
    return f"{100 * effect.before.accuracy:.2f} → {100 * effect.after.accuracy:.2f} %"
