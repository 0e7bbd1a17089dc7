"""CardColumn: cards one below the other, or where it is too low for all of them one at a time, with tabs in its header."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.panels.inspect.card import InspectCard
from app.widgets.card import GAP
from app.widgets.tab_button import TabButton

LEAST = 240, 180
"""Least width and height in pixels."""


class CardColumn(QWidget):
    """The cards of one column of the panel."""

    def __init__(self) -> None:
        super().__init__()
        self.cards: list[InspectCard] = []
        self.buttons: list[TabButton] = []
        self._chosen, self._has_room = 0, True
        self._maximised: InspectCard | None = None
        self._tabs = QWidget(self)
        self._tabs.hide()
        self._names = QHBoxLayout(self._tabs)
        self._names.setContentsMargins(0, 0, 0, 0)
        self._names.setSpacing(4)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GAP)

    def add(self, card: InspectCard) -> None:
        """Have one card more, the last."""
        button = TabButton(card.name)
        button.clicked.connect(lambda: self.choose(card))
        card.tab_named.connect(button.setText)
        self.cards.append(card)
        self.buttons.append(button)
        self._names.addWidget(button)
        self._layout.addWidget(card, card.least_height)
        self._arrange()

    def choose(self, card: InspectCard) -> None:
        """Bring a card into sight."""
        has_focus = self.buttons[self._chosen].hasFocus() or self.buttons[self.cards.index(card)].hasFocus()
        self._chosen = self.cards.index(card)
        self._arrange()
        if has_focus:  # which the tabs have lost on their way to another card
            self.buttons[self._chosen].setFocus()

    def maximise(self, card: InspectCard | None) -> None:
        """Show one of its cards alone, or None: all as they were."""
        self._maximised = card
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        return QSize(*LEAST)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        has_room = self.height() >= sum(card.least_height + GAP for card in self.cards)
        if has_room != self._has_room:
            self._has_room = has_room
            self._arrange()

    def _arrange(self) -> None:
        """Show all cards, or one of them with the tabs."""
        is_tabbed = not self._has_room and len(self.cards) > 1 and self._maximised is None
        self.cards[self._chosen].hold_tabs(self._tabs)
        self._tabs.setVisible(is_tabbed)
        for number, (card, button) in enumerate(zip(self.cards, self.buttons, strict=True)):
            card.setVisible(card is self._maximised or (self._maximised is None and (not is_tabbed or number == self._chosen)))
            card.show_title(not is_tabbed)
            button.setChecked(number == self._chosen)
