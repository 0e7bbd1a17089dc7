"""A question for a number of something."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget


class AmountDialog(QDialog):
    """Asks for a whole number from 1, and of what it is: one of `units`, each with the largest number of it."""

    def __init__(self, parent: QWidget, title: str, question: str, verb: str, units: Mapping[str, int]) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._units = dict(units)
        self.number = QSpinBox(minimum=1, value=10, groupSeparatorShown=True)
        self.number.setAccessibleName("how many")
        self.unit = QComboBox()
        self.unit.addItems(list(units))
        self.unit.setAccessibleName("of what")
        self.unit.currentTextChanged.connect(self._limit)
        self._limit(self.unit.currentText())
        words = QLabel(question, wordWrap=True)
        words.setBuddy(self.number)
        row = QHBoxLayout()
        row.addWidget(self.number, 1)
        row.addWidget(self.unit)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(verb, QDialogButtonBox.ButtonRole.AcceptRole).setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(words)
        column.addLayout(row)
        column.addWidget(buttons)
        self.number.selectAll()

    @property
    def amount(self) -> tuple[int, str]:
        """The number, and its unit."""
        return self.number.value(), self.unit.currentText()

    def _limit(self, unit: str) -> None:
        self.number.setMaximum(self._units[unit])
