"""Fields for the settings of a training: each follows from the setting's description."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from nncore.training.config import Setting
from nncore.training.values import Choice, Number, ShareOrCount, Whole

Field = TypeVar("Field", bound=QWidget)

LARGEST_INT = 2**31 - 1
"""The largest number that a QSpinBox holds."""
LEAST_NUMBER = 1e-6
"""The least positive number that a field with six decimals shows."""


def choice_field(setting: Setting) -> QComboBox:
    """A list of the names that the setting can have."""
    assert isinstance(setting.kind, Choice), f"{setting.name} is no choice"
    field = QComboBox()
    field.addItems(list(setting.kind.names))
    return _described(field, setting)


def whole_field(setting: Setting) -> QSpinBox:
    """A field for a whole number within the setting's range, as far as Qt can hold it."""
    assert isinstance(setting.kind, Whole), f"{setting.name} is no whole number"
    field = QSpinBox(minimum=setting.kind.least, maximum=min(setting.kind.most, LARGEST_INT), groupSeparatorShown=True)
    return _described(field, setting)


def number_field(setting: Setting) -> QDoubleSpinBox:
    """A field for a number within the setting's range, from a millionth to a hundred."""
    assert isinstance(setting.kind, Number), f"{setting.name} is no number"
    field = QDoubleSpinBox(
        decimals=6,
        minimum=setting.kind.least + LEAST_NUMBER * setting.kind.above,
        maximum=min(setting.kind.most - LEAST_NUMBER * setting.kind.below, 100),
        stepType=QDoubleSpinBox.StepType.AdaptiveDecimalStepType,
    )
    return _described(field, setting)


def share_field(setting: Setting) -> QDoubleSpinBox:
    """A field for a share in percent, from 0.1 to 90."""
    assert isinstance(setting.kind, ShareOrCount), f"{setting.name} is no share"
    return _described(QDoubleSpinBox(decimals=1, minimum=0.1, maximum=90, suffix=" %"), setting)


def described(setting: Setting) -> str:
    """The tooltip of a setting: its title and what it means."""
    return f"{setting.title}: {setting.help[0].lower()}{setting.help[1:]}"


def _described(field: Field, setting: Setting) -> Field:
    field.setToolTip(described(setting))
    field.setAccessibleName(setting.title)
    return field
