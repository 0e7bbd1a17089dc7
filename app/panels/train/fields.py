"""Fields for the settings of a training: each follows from the setting's description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from nncore.errors import ConfigError
from nncore.training.config import Setting
from nncore.training.values import Choice, Number, ShareOrCount, Whole, number_text

Widget = TypeVar("Widget", bound=QWidget)

LARGEST_INT = 2**31 - 1
"""The largest number that a QSpinBox holds."""
LEAST_NUMBER = 1e-6
"""The least positive number that a field with six decimals shows."""


@dataclass(frozen=True)
class Field:
    """The widget of a setting, and how it shows a value."""

    widget: QWidget
    show: Callable[[Any], None]


def field_for(setting: Setting, changed: Callable[[Any], None], refused: Callable[[ConfigError], None]) -> Field:
    """A field of the kind that the setting needs.

    `changed` is called with each value that the user sets, `refused` with the reason where what was typed is none.
    """
    match setting.kind:
        case Choice():
            box = choice_field(setting)
            box.currentTextChanged.connect(changed)
            return Field(box, box.setCurrentText)
        case Whole():
            whole = whole_field(setting)
            whole.valueChanged.connect(changed)
            return Field(whole, lambda value: _show_number(whole, value))
        case Number():
            number = number_field(setting)
            number.valueChanged.connect(changed)
            return Field(number, lambda value: _show_number(number, value))
        case ShareOrCount():
            share = share_field(setting)
            share.valueChanged.connect(lambda value: changed(_share_or_count(share, value)))
            return Field(share, lambda value: _show_share(share, value))
    text = text_field(setting)
    text.editingFinished.connect(lambda: _read_text(text, setting, changed, refused))
    return Field(text, lambda value: _show_text(text, value))


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
    field.setKeyboardTracking(False)  # tell the value when it is complete, not at every key
    return _described(field, setting)


def share_field(setting: Setting) -> QDoubleSpinBox:
    """A field for a share in percent, from 0.1 to 90; or for a number of images, while the setting is one."""
    assert isinstance(setting.kind, ShareOrCount), f"{setting.name} is no share"
    return _described(QDoubleSpinBox(decimals=1, minimum=0.1, maximum=90, suffix=" %"), setting)


def text_field(setting: Setting) -> QLineEdit:
    """A field for a value that is written as text, as on the command line."""
    return _described(QLineEdit(placeholderText="none"), setting)


def described(setting: Setting) -> str:
    """The tooltip of a setting: its title and what it means."""
    return f"{setting.title}: {setting.help[0].lower()}{setting.help[1:]}"


def _described(field: Widget, setting: Setting) -> Widget:
    field.setToolTip(described(setting))
    field.setAccessibleName(setting.title)
    return field


def _show_number(box: Any, value: float) -> None:
    if box.value() != value:  # setting the same value would rewrite the text that is being typed
        box.setValue(value)


def _show_share(box: QDoubleSpinBox, value: float) -> None:
    is_count = isinstance(value, int)
    suffix = (" image" if value == 1 else " images") if is_count else " %"
    if box.suffix() != suffix:  # not at every key, since it would rewrite the text that is being typed
        box.setSuffix(suffix)
        box.setDecimals(0 if is_count else 1)
        box.setRange(1 if is_count else 0.1, LARGEST_INT if is_count else 90)
    _show_number(box, value if is_count else round(100 * value, 1))


def _share_or_count(box: QDoubleSpinBox, value: float) -> float:
    return value / 100 if box.suffix() == " %" else int(value)


def _as_text(value: Any) -> str:
    """A value as `Kind.parse` reads it."""
    if isinstance(value, tuple | list):
        return ", ".join("=".join(map(_as_text, each)) if isinstance(each, tuple | list) else _as_text(each) for each in value)
    return str(value) if isinstance(value, int | str) else number_text(value).replace(",", "")


def _show_text(field: QLineEdit, value: Any) -> None:
    field.setText(_as_text(value))
    field.setCursorPosition(0)  # so that of a long one the beginning is seen
    field.setModified(False)


def _read_text(field: QLineEdit, setting: Setting, changed: Callable[[Any], None], refused: Callable[[ConfigError], None]) -> None:
    if not field.isModified():
        return
    field.setModified(False)
    try:
        value = setting.kind.parse(setting.title, field.text())
    except ConfigError as error:
        refused(error)
    else:
        changed(value)
