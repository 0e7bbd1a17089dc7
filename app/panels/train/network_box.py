"""NetworkBox: chooses the network of the next training among those that take the data in view."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox

from app.core.in_view import DataInView
from app.core.recipe import misfit
from app.lab import Lab
from app.widgets.tips import tip
from models.presets import PRESETS, Preset
from nncore.arrays import Shape, shape_text


class NetworkBox(QComboBox):
    """The presets that fit first; below, disabled, the others with what they take. `named` carries the name that is chosen."""

    named = Signal(str)

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.currentIndexChanged.connect(lambda _: self.named.emit(self.name))
        lab.state.data.subscribe(self._offer)

    @property
    def name(self) -> str:
        """The name of the preset that is shown."""
        return str(self.currentData())

    def show_name(self, name: str) -> None:
        """Show a preset, without a signal."""
        with QSignalBlocker(self):
            self.setCurrentIndex(self.findData(name))

    def _offer(self, data: DataInView | None) -> None:
        shape = None if data is None else data.train.image_shape
        presets = sorted(PRESETS.values(), key=lambda preset: shape is not None and not preset.fits(shape))
        model = QStandardItemModel(self)
        for preset in presets:
            model.appendRow(_item(preset, shape))
        with QSignalBlocker(self):
            self.setModel(model)
        self.show_name(self._lab.state.recipe.value.network)
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 24)


def _item(preset: Preset, shape: Shape | None) -> QStandardItem:
    reason = "" if shape is None else misfit(preset, shape)
    item = QStandardItem(f"{preset.name} – takes {shape_text(preset.input_shape)}" if reason else preset.name)
    item.setData(preset.name, Qt.ItemDataRole.UserRole)
    item.setToolTip(tip(f"{reason}." if reason else preset.description))
    item.setEnabled(not reason)
    return item
