"""NetworkBox: chooses the network of the next training among those that take the data in view."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox

from app.core.layer_list import LayerList
from app.core.recipe import Recipe, misfit
from app.lab import Lab
from app.widgets.tips import tip
from models.presets import PRESETS, Preset, described
from nncore.arrays import Shape, shape_text

NOT_KEPT = "The layers of a run, which are not among your networks, or others than those kept there now."


class _Choice(NamedTuple):
    """A network that can be chosen."""

    preset: Preset
    layers: LayerList | None
    """None for a preset."""
    is_kept: bool = True


class NetworkBox(QComboBox):
    """The networks that fit first, those of the user's own at the top; below, disabled, the others with what they take.

    `chosen` carries the name of the one that the user chooses, and its layers where it is one of the user's own.
    """

    chosen = Signal(str, object)

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        self._choices: list[_Choice] = []
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.currentIndexChanged.connect(self._choose)
        lab.own_networks.changed.connect(self._offer)
        lab.state.data.subscribe(lambda _: self._offer())
        lab.state.recipe.subscribe_part(lambda recipe: (recipe.network, recipe.layers), lambda _: self._show_recipe())

    @property
    def name(self) -> str:
        """The name of the network that is shown."""
        return str(self.currentData())

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._choices):
            self.chosen.emit(self._choices[row].preset.name, self._choices[row].layers)

    def _show_recipe(self) -> None:
        """Show the recipe's network, without a signal. One that is not kept is offered until the list is made anew."""
        recipe = self._lab.state.recipe.value
        if self._row_of(recipe) < 0:
            self._offer()
        with QSignalBlocker(self):
            self.setCurrentIndex(self._row_of(recipe))

    def _row_of(self, recipe: Recipe) -> int:
        wanted = (recipe.network, recipe.layers)
        return next((row for row, each in enumerate(self._choices) if (each.preset.name, each.layers) == wanted), -1)

    def _offer(self) -> None:
        data, recipe, known = self._lab.state.data.value, self._lab.state.recipe.value, self._lab.own_networks.known
        shape = None if data is None else data.train.image_shape
        own = [_Choice(described(name, layers.as_config()), layers) for name, layers in known.items()]
        if recipe.layers is not None and known.get(recipe.network) != recipe.layers:
            own.insert(0, _Choice(recipe.preset, recipe.layers, is_kept=False))
        every = own + [_Choice(preset, None) for preset in PRESETS.values()]
        self._choices = sorted(every, key=lambda choice: shape is not None and not choice.preset.fits(shape))
        model = QStandardItemModel(self)
        for choice in self._choices:
            model.appendRow(_item(choice, shape))
        with QSignalBlocker(self):
            self.setModel(model)
            self.setCurrentIndex(self._row_of(recipe))
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 24)


def _item(choice: _Choice, shape: Shape | None) -> QStandardItem:
    preset = choice.preset
    reason = "" if shape is None else misfit(preset, shape)
    words = preset.name if choice.is_kept else f"{preset.name} (of the run)"
    item = QStandardItem(f"{words} – takes {shape_text(preset.input_shape)}" if reason else words)
    item.setData(preset.name, Qt.ItemDataRole.UserRole)
    item.setToolTip(tip(f"{reason}." if reason else preset.description if choice.is_kept else NOT_KEPT))
    item.setEnabled(not reason)
    return item
