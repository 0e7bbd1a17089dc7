"""The fields of a layer's settings: each shows a value, and tells the one that the user sets."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QHBoxLayout, QSpinBox, QWidget

from app.core.layer_kinds import LayerField, Values
from nncore.initializers import INITIALIZERS, LARGEST_DEVIATION

FIELD_WIDTH = 46
LARGEST_INT = 2**31 - 1
"""The largest number that a QSpinBox holds. Whatever Qt can hold may be typed, since the layer then refuses it in words; turns stay
within the field's range."""
LARGEST_TYPED = 1e30
DECIMALS = 18
"""Decimals that a field of numbers keeps; it shows those that the number has."""
NORMAL = "normal"
USUAL_DEVIATION = 0.01
"""The standard deviation that `normal` begins with."""


class WholeField(QSpinBox):
    """A whole number."""

    told = Signal(object)

    def __init__(self, field: LayerField) -> None:
        super().__init__(minimum=-LARGEST_INT, maximum=LARGEST_INT)
        self._field = field
        if field.word:
            self.setMinimum(int(field.least) - 1)
            self.setSpecialValueText(field.word)
        self.setKeyboardTracking(False)  # the number when it is complete, not at every key
        self.lineEdit().setTextMargins(6, 0, 0, 0)  # the stylesheet's padding does not reach it
        self.setFixedWidth(FIELD_WIDTH + 10 * (field.part is None))
        self.valueChanged.connect(lambda value: self.told.emit(value))

    def show_value(self, value: Any) -> None:
        if self.value() != value:  # setting the same value would rewrite what is being typed
            with QSignalBlocker(self):
                self.setValue(value)

    def stepBy(self, steps: int) -> None:
        least, most = int(self._field.least) - bool(self._field.word), int(self._field.most)
        self.setValue(min(max(self.value() + steps, least), max(most, self.value())))

    @property
    def stops(self) -> list[QWidget]:
        """What the Tab key meets."""
        return [self]


class NumberField(QDoubleSpinBox):
    """A number with as many decimals as it has. One of a SCALE is turned by powers of ten, and to 0 where that is allowed."""

    told = Signal(object)

    def __init__(self, field: LayerField) -> None:
        super().__init__(decimals=DECIMALS, minimum=-LARGEST_TYPED, maximum=LARGEST_TYPED)
        self._field = field
        self.setKeyboardTracking(False)
        self.lineEdit().setTextMargins(6, 0, 0, 0)
        self.setFixedWidth(FIELD_WIDTH + 26 * (field.values is not Values.NUMBER))
        self.valueChanged.connect(lambda value: self.told.emit(value))

    def show_value(self, value: Any) -> None:
        if self.value() != value:
            with QSignalBlocker(self):
                self.setValue(value)

    def textFromValue(self, value: float) -> str:
        return f"{value:.10g}"

    def valueFromText(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            return self.value()

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        """Also numbers with an exponent, which Qt's own fields do not take."""
        try:
            number = float(text)
        except ValueError:
            is_begun = not text.strip("0123456789.eE+-")
            return (QValidator.State.Intermediate if is_begun else QValidator.State.Invalid), text, place
        fits = math.isfinite(number) and self.minimum() <= number <= self.maximum()
        return (QValidator.State.Acceptable if fits else QValidator.State.Intermediate), text, place

    def stepBy(self, steps: int) -> None:
        field, value = self._field, self.value()
        if field.values is Values.NUMBER:
            wanted = round(value + steps * field.step, 10)  # without the last digits that adding tenths leaves in a float
        elif steps > 0:
            wanted = float(f"{value * 10**steps:.6g}") if value else field.step
        else:
            smaller = float(f"{value * 10.0**steps:.6g}")
            wanted = smaller if smaller >= field.step else field.least
        self.setValue(min(max(wanted, field.least), max(field.most, value)))

    @property
    def stops(self) -> list[QWidget]:
        """What the Tab key meets."""
        return [self]


class InitializerField(QWidget):
    """The name of an initializer, and beside `normal` its standard deviation."""

    told = Signal(object)

    def __init__(self, field: LayerField) -> None:
        super().__init__()
        self.name = QComboBox()
        self.name.addItems([*(name for name in INITIALIZERS if name != "zeros"), NORMAL, "zeros"])
        self.deviation = NumberField(LayerField(field.name, "σ", "", 0, LARGEST_DEVIATION, USUAL_DEVIATION / 10, Values.SCALE))
        self.deviation.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.name)
        row.addWidget(self.deviation)
        self.setFocusProxy(self.name)
        self.name.textActivated.connect(lambda name: self.told.emit(USUAL_DEVIATION if name == NORMAL else name))
        self.deviation.told.connect(self.told)

    def show_value(self, value: Any) -> None:
        is_normal = not isinstance(value, str)
        self.name.setCurrentText(NORMAL if is_normal else value)
        self.deviation.setVisible(is_normal)
        if is_normal:
            self.deviation.show_value(value)

    def setToolTip(self, words: str) -> None:
        for part in self.stops:
            part.setToolTip(words)

    def setAccessibleName(self, words: str) -> None:
        self.name.setAccessibleName(words)
        self.deviation.setAccessibleName(f"{words}, standard deviation")

    @property
    def stops(self) -> list[QWidget]:
        """What the Tab key meets."""
        return [self.name, self.deviation]


class ChoiceField(QComboBox):
    """One of a few names."""

    told = Signal(object)

    def __init__(self, field: LayerField) -> None:
        super().__init__()
        self.addItems(list(field.names))
        self.textActivated.connect(lambda name: self.told.emit(name))

    def show_value(self, value: Any) -> None:
        self.setCurrentText(value)

    @property
    def stops(self) -> list[QWidget]:
        """What the Tab key meets."""
        return [self]


class FlagField(QCheckBox):
    """Yes or no."""

    told = Signal(object)

    def __init__(self, field: LayerField) -> None:
        super().__init__()
        self.toggled.connect(lambda value: self.told.emit(value))

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self):
            self.setChecked(value)

    @property
    def stops(self) -> list[QWidget]:
        """What the Tab key meets."""
        return [self]


FieldWidget = WholeField | NumberField | FlagField | ChoiceField | InitializerField


def widget_for(field: LayerField) -> FieldWidget:
    """A field of the kind that the setting needs."""
    if field.values in (Values.WHOLE, Values.DIVISOR):
        return WholeField(field)
    if field.values is Values.FLAG:
        return FlagField(field)
    if field.values is Values.CHOICE:
        return ChoiceField(field)
    return InitializerField(field) if field.values is Values.INITIALIZER else NumberField(field)
