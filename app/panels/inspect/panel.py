"""Inspect: what every layer makes of the probe, how one number of it was made, and what the network has learned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.core.in_view import NetworkInView
from app.core.look import LAYERS, Look
from app.panels.base import Panel
from app.panels.inspect.card import InspectCard
from app.panels.inspect.column import CardColumn
from app.panels.inspect.filters import FiltersCard
from app.panels.inspect.inspected import Inspected
from app.panels.inspect.map import MapCard
from app.panels.inspect.network import NetworkCard
from app.panels.inspect.off import OffCard
from app.panels.inspect.pixel import PixelCard
from app.panels.inspect.unit import UnitCard
from app.panels.inspect.why import WhyCard
from app.widgets.card import GAP
from app.widgets.tab_button import TabButton
from app.widgets.turns import Turns

C = TypeVar("C", bound=InspectCard)
COLUMNS: tuple[tuple[type[InspectCard], ...], ...] = ((PixelCard, FiltersCard), (WhyCard, UnitCard, OffCard))
"""The cards below the network, column by column; a new card is a line here."""
PAGES: tuple[type[InspectCard], ...] = (MapCard,)
"""Cards that have a page of their own, beside that of the network."""
SHARES = 46, 54
"""How they share the panel's width."""
NETWORK_SHARE, BELOW = 52, 48
"""How the network and what is below it share the panel's height."""
ROOMY, NETWORK_LEAST = 660, 345
"""Pixels of the panel's height from which on the network has so many at least: a strip above does not rearrange its layers."""


class InspectPanel(Panel):
    """Above the layers of the network, below cards about what is chosen in it. All are of the same Look, and the same unit."""

    def build(self) -> Iterator[None]:
        self.inspected = Inspected()
        self.network: NetworkCard
        self.columns = [CardColumn() for _ in COLUMNS]
        self.pages: list[InspectCard] = []
        self.cards: list[InspectCard] = []
        self._turns = Turns(self)
        self._is_in_sight = False
        self._wanted: frozenset[str] = frozenset()
        # What is given to another parent has its style worked out anew, with all that is in it: so from the outside in.
        self._stack = QStackedWidget()
        self.content.addWidget(self._stack, 1)
        first = QWidget()
        self._stack.addWidget(first)
        self._first = QVBoxLayout(first)
        self._first.setContentsMargins(0, 0, 0, 0)
        self._first.setSpacing(GAP)
        self._below = QWidget()
        self._first.addWidget(self._below, BELOW)
        below = QHBoxLayout(self._below)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(GAP)
        for column, share in zip(self.columns, SHARES, strict=True):
            below.addWidget(column, share)
        self.network = self._made(NetworkCard)
        self._first.insertWidget(0, self.network, NETWORK_SHARE)
        yield
        for column, kinds in zip(self.columns, COLUMNS, strict=True):
            for kind in kinds:
                column.add(self._made(kind))
                yield
        for kind in PAGES:
            self.pages.append(self._made(kind))
            self._stack.addWidget(self.pages[-1])
            yield
        self._tabs = self._build_tabs()
        self.show_page(0)
        self.lab.state.network.subscribe(self._follow_network)
        self.lab.looking.looked.connect(self._show_look)

    def _made(self, kind: type[C]) -> C:
        card = kind(self.lab, self.inspected)
        card.turns = self._turns
        self.cards.append(card)
        card.sight_changed.connect(self._want)
        card.room_wanted.connect(lambda wanted: self.maximise(card if wanted else None))
        return card

    def _build_tabs(self) -> QWidget:
        """The names of the pages, which stand in the header of the page in sight."""
        tabs = QWidget()
        row = QHBoxLayout(tabs)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self._buttons = []
        for number, name in enumerate(("Network", *(page.name for page in self.pages))):
            button = TabButton(name, checked=number == 0)
            button.clicked.connect(lambda _=False, number=number: self.show_page(number))
            self._buttons.append(button)
            row.addWidget(button)
        return tabs

    def show_page(self, number: int) -> None:
        """Bring a page into sight: 0 is that of the network."""
        has_focus = any(button.hasFocus() for button in self._buttons)
        card = self.pages[number - 1] if number else self.network
        if self.pages:
            card.hold_tabs(self._tabs)
            card.show_title(False)
        self._stack.setCurrentIndex(number)
        if has_focus:  # which the tabs have lost on their way to another card
            self._buttons[number].setFocus()
        for at, button in enumerate(self._buttons):
            button.setChecked(at == number)

    def maximise(self, card: InspectCard | None) -> None:
        """Give a card the whole panel, or None: show all again."""
        self.network.setVisible(card is None or card is self.network)
        self._below.setVisible(card is not self.network)
        for column in self.columns:
            column.setVisible(card is None or card in column.cards)
            column.maximise(card if card in column.cards else None)
        for each in self.cards:
            each.show_maximised(each is card)

    # -- what is looked at

    def came_into_sight(self) -> None:
        self._is_in_sight = True
        self._want()

    def went_out_of_sight(self) -> None:
        self._is_in_sight = False
        self._want()

    def _want(self) -> None:
        """Ask for the explanations that the cards in sight want, and for no other."""
        names = {name for card in self.cards if card.isVisible() for name in card.wants}
        wanted = frozenset(names | {LAYERS}) if self._is_in_sight else frozenset()
        for name in self._wanted ^ wanted:
            self.lab.looking.want(name, name in wanted)
        self._wanted = wanted

    def _follow_network(self, network: NetworkInView | None) -> None:
        self.inspected.forget(network)

    def _show_look(self, look: Look) -> None:
        if LAYERS in look.question.wanted and look.question.network is self.lab.state.network.value:
            self.inspected.look.set(look)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.network.setMinimumHeight(NETWORK_LEAST if self.height() >= ROOMY else self.network.least_height)

    # -- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and any(card.is_maximised for card in self.cards):
            self.network.map.show_alone(None)
            self.maximise(None)
        else:
            super().keyPressEvent(event)
