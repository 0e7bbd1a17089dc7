"""OffCard: changes of the network, and what becomes of its answers to many images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.ablating import Effect
from app.core.split import Split
from app.lab import Lab
from app.panels.inspect.card import InspectCard
from app.panels.inspect.inspected import Inspected
from app.panels.inspect.off_row import OffRow, flip, switch_words
from app.widgets.card import label
from app.widgets.confusion import ConfusionMatrix
from app.widgets.elided import Elided
from app.widgets.export import Export
from nncore.explain.ablation import Silent, WeightEdit, changes

LARGEST = 1000.0
"""How far from zero a weight may be set."""
LEAST_MATRIX = 116
"""Least width and height of a confusion matrix in pixels."""
NO_IMAGES = "No images to measure it on: the data in view has no test images that this network takes, and the run holds none out."
WEIGHT = "The chosen weight: another value is used from the next answer on. Choose one by a click on a cell of a kernel."
LAYER = "All units of this layer at once: how much does the network still know without it?"


class OffCard(InspectCard):
    """Switches units and layers off, gives a weight another value, and shows the confusion before and after."""

    name = "Switch it off"
    least_height = 240

    def __init__(self, lab: Lab, inspected: Inspected) -> None:
        super().__init__(lab, inspected)
        self.row = OffRow(lab, inspected)
        self.layer = QPushButton()
        self.layer.setToolTip(LAYER)
        self.layer.clicked.connect(self._switch_layer)
        self.weight_name, self.weight, self.set_weight = Elided(), QDoubleSpinBox(), QPushButton("Set weight")
        self.weight.setRange(-LARGEST, LARGEST)
        self.weight.setDecimals(4)
        self.weight.setSingleStep(0.05)
        self.weight.setAccessibleName("value of the chosen weight")
        for widget in (self.weight_name, self.weight, self.set_weight):
            widget.setToolTip(WEIGHT)
        self.set_weight.clicked.connect(self._set_weight)
        self.split = QComboBox()
        self.split.setAccessibleName("images to measure on")
        self.split.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.split.activated.connect(lambda _: lab.ablating.choose(self.split.currentData()))
        self.older = Elided()
        self.before, self.after = ConfusionMatrix(), ConfusionMatrix()
        for matrix, name in ((self.before, "confusion before"), (self.after, "confusion after")):
            matrix.setMinimumSize(LEAST_MATRIX, LEAST_MATRIX)
            matrix.setAccessibleName(name)
        self._shown: tuple[Effect, bool] | None = None
        """What the matrices show, and whether it is that of the present edits."""
        self.hint = label("", "dim", wrap=True)
        self._build()
        lab.ablating.changed.connect(self.refresh)
        lab.state.edits.subscribe(self.refresh, now=False)

    def _build(self) -> None:
        self._weight_line = QWidget()
        line = QHBoxLayout(self._weight_line)
        line.setContentsMargins(0, 0, 0, 0)
        for widget, stretch in ((self.weight_name, 1), (self.weight, 0), (self.set_weight, 0)):
            line.addWidget(widget, stretch)
        parts = QHBoxLayout()
        parts.addWidget(self.layer)
        parts.addWidget(self.older, 1)
        parts.addWidget(self.split)
        self._matrices = QWidget()
        pair = QHBoxLayout(self._matrices)
        pair.setContentsMargins(0, 0, 0, 0)
        pair.addWidget(self.before, 1)
        pair.addWidget(self.after, 1)
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(self.row)
        column.addLayout(parts)
        column.addWidget(self._weight_line)
        column.addWidget(self.hint, 1)
        column.addWidget(self._matrices, 1)
        self.body.addLayout(column, 1)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 180)

    # -- changing

    def _switch_layer(self) -> None:
        unit = self.row.unit
        if unit is not None:
            flip(self.lab, Silent(unit.layer))

    def _set_weight(self) -> None:
        weight, edits = self.inspected.weight.value, self.lab.state.edits.value
        if weight is not None:
            edit = WeightEdit(weight.parameter, weight.index, self.weight.value())
            self.lab.state.edit(edits.plus(edit), f"{weight.parameter} set to {self.weight.value():.4g}")

    # -- what is shown

    def draw(self) -> None:
        unit, edits, ablating = self.row.unit, self.lab.state.edits.value, self.lab.ablating
        self.layer.setText("Switch layer off" if unit is None else switch_words(edits, Silent(unit.layer)))
        self.layer.setEnabled(unit is not None)
        self._show_weight()
        self._show_splits()
        self.older.show_words(self._older())
        effect = self._effect
        self._matrices.setVisible(effect is not None)
        self.hint.setVisible(effect is None)
        self.hint.setText(self._hint())
        shown = None if effect is None else (effect, ablating.is_current)
        if effect is not None and shown != self._shown:  # each answer draws this card anew, and the matrices stay
            names = tuple(effect.images.class_names)
            for matrix, found, words in ((self.before, effect.before, "before"), (self.after, effect.after, "after")):
                matrix.set_counts(found.confusion, names, f"{words} · {effect.split.value}", faded=not ablating.is_current)
        self._shown = shown

    @property
    def _effect(self) -> Effect | None:
        """What was measured last of the run in view."""
        effect = self.lab.ablating.effect
        return effect if effect is not None and effect.run is self.lab.state.run.value else None

    def _older(self) -> str:
        """Whose effect is shown pale, where it is not that of the present edits."""
        effect = self._effect
        return "" if effect is None or self.lab.ablating.is_current else f"of {effect.edits}, step {effect.moment.step:,}"

    def _hint(self) -> str:
        if self.lab.ablating.chosen is None:
            return NO_IMAGES
        if not self.lab.state.edits.value:
            return (
                "Switch a unit or a layer off, or click a cell of a kernel and give that weight another value: the answer to the "
                "picture follows at once. Then see how many images the network still gets right."
            )
        return "Press Accuracy to see how many images the changed network still gets right, and which digits it confuses."

    def _show_weight(self) -> None:
        weight, look = self.inspected.weight.value, self.inspected.look.value
        state = {} if look is None else look.question.moment.state
        is_there = weight is not None and weight.parameter in state and len(weight.index) == state[weight.parameter].ndim
        self._weight_line.setVisible(is_there)
        if weight is None or not is_there:
            return
        self.weight_name.show_words(f"{weight.parameter}[{', '.join(map(str, weight.index))}]")
        if not self.weight.hasFocus():
            self.weight.setValue(float(state[weight.parameter][weight.index]))

    def _show_splits(self) -> None:
        there = [split for split in (Split.TEST, Split.HELD_OUT) if self.lab.ablating.images(split) is not None]
        if [self.split.itemData(at) for at in range(self.split.count())] != there:
            self.split.clear()
            for split in there:
                self.split.addItem(f"{split.value} images", split)
        self.split.setCurrentIndex(self.split.findData(self.lab.ablating.chosen))
        self.split.setEnabled(len(there) > 1)

    # -- saving

    def export(self) -> Export | None:
        effect = self._effect
        if effect is None:
            return None
        arrays = {"before": effect.before.confusion, "after": effect.after.confusion, **changes(effect.before, effect.after)}
        return Export("switched-off", self._matrices, self._rows, arrays)

    def _rows(self) -> Iterator[Sequence[object]]:
        for words, matrix in (("before", self.before), ("after", self.after)):
            head, *rows = matrix.table()
            yield ["network", *head]
            for row in rows:
                yield [words, *row]
