"""AnswerFilter: a button with the settings that say which answers are shown, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QFrame, QPushButton, QSpinBox

from app.core.answers import Kind, Order, Selection


class AnswerFilter(QPushButton):
    """Opens a small window with the settings. `changed` carries the Selection that the user has made."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__("Filter…")
        self.setCheckable(True)
        self.setAccessibleName("sort and filter")
        self.setToolTip("Which answers are shown, and in which order")
        self._selection = Selection()
        self._names: tuple[str, ...] | None = None
        self.kind, self.shows, self.answer, self.order = QComboBox(), QComboBox(), QComboBox(), QComboBox()
        self.least_sure = QSpinBox(minimum=0, maximum=100, suffix=" %")
        self.reset = QPushButton("All mistakes")
        self.popup = self._build_popup()
        for box, values in ((self.kind, Kind), (self.order, Order)):
            for value in values:
                box.addItem(value.value, value)
        self.set_classes(())
        for box, name in ((self.kind, "kind"), (self.order, "order"), (self.shows, "shows"), (self.answer, "answer")):
            box.activated.connect(lambda _, box=box, name=name: self._change(name, box.currentData()))
        self.least_sure.valueChanged.connect(lambda percent: self._change("least_sure", percent / 100))
        self.reset.clicked.connect(lambda: self._take(Selection()))
        self.clicked.connect(self.open)

    def _build_popup(self) -> QFrame:
        popup = QFrame(self, Qt.WindowType.Popup)
        popup.setObjectName("card")
        form = QFormLayout(popup)
        form.setContentsMargins(12, 12, 12, 12)
        rows = (
            ("Show", self.kind, "Mistakes, right answers (to see what it got right but was unsure of), or both"),
            ("That show", self.shows, "What the image shows: a row of the confusion matrix"),
            ("Taken for", self.answer, "What the network answered: a column of the confusion matrix"),
            ("At least sure", self.least_sure, "The least probability of the answer given"),
            ("Order", self.order, "What comes first; mistakes always come before right answers"),
        )
        for words, widget, explanation in rows:
            widget.setAccessibleName(words)
            widget.setToolTip(explanation)
            form.addRow(words, widget)
        form.addRow(self.reset)
        return popup

    def set_classes(self, names: Sequence[str]) -> None:
        """Offer classes with these names, by their numbers."""
        if tuple(names) == self._names:
            return
        self._names = tuple(names)
        for box in (self.shows, self.answer):
            box.clear()
            box.addItem("anything", None)
            for number, name in enumerate(names):
                box.addItem(name, number)
        self.show_selection(self._selection)

    def show_selection(self, selection: Selection) -> None:
        """Show what is chosen, without a signal."""
        self._selection = selection
        self.kind.setCurrentIndex(list(Kind).index(selection.kind))
        self.order.setCurrentIndex(list(Order).index(selection.order))
        for box, number in ((self.shows, selection.shows), (self.answer, selection.answer)):
            box.setCurrentIndex(0 if number is None else min(number + 1, box.count() - 1))
        self.least_sure.blockSignals(True)
        self.least_sure.setValue(round(selection.least_sure * 100))
        self.least_sure.blockSignals(False)
        self.setChecked(selection != Selection())

    def open(self) -> None:
        """Show the settings below the button, within the screen."""
        self.setChecked(self._selection != Selection())
        popup = self.popup
        popup.adjustSize()
        at, room = self.mapToGlobal(QPoint(self.width() - popup.width(), self.height() + 4)), self.screen().availableGeometry()
        if at.y() + popup.height() > room.bottom():
            at = self.mapToGlobal(QPoint(self.width() - popup.width(), -popup.height() - 4))
        popup.move(max(at.x(), room.left()), max(at.y(), room.top()))
        popup.show()
        self.kind.setFocus(Qt.FocusReason.PopupFocusReason)

    def _change(self, name: str, value: Any) -> None:
        self._take(replace(self._selection, **{name: value}))

    def _take(self, selection: Selection) -> None:
        if selection != self._selection:
            self.show_selection(selection)
            self.changed.emit(selection)
