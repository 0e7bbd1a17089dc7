"""Shelf: a card for every dataset that has a name, and for the one in view; buttons to open others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.core.in_view import DataInView
from app.lab import Lab
from app.widgets.card import Card, label
from app.widgets.dataset_card import DatasetCard, holds_others, is_partial, megabytes
from app.widgets.question import confirmed
from nncore.data import KnownDataset
from nncore.data.download import Download
from nncore.data.importing import Import

WIDTH = 240


class Shelf(Card):
    """The left column of the Data panel. It shows what the library has found."""

    def __init__(self, lab: Lab) -> None:
        super().__init__("Datasets")
        self._lab, self._library = lab, lab.library
        self.setFixedWidth(WIDTH)
        holder = QWidget()
        self._box = QVBoxLayout(holder)
        self._box.setContentsMargins(0, 0, 6, 0)
        self._box.setSpacing(8)
        self.cards: dict[str, DatasetCard] = {}
        self._is_outdated = False
        """Whether the library has found others since the cards were made."""
        scroll = QScrollArea(widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(holder)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the cards in it take the keyboard
        self._scroll = scroll
        self.body.addWidget(scroll, 1)
        self.body.addWidget(label("Or drop a folder or file here.", "dim", wrap=True))
        self.body.addLayout(self._build_buttons())
        self._library.changed.connect(self._list)
        self._library.progressed.connect(self._show_progress)
        self._library.arrived.connect(self._open_arrived)
        self._make_cards()  # the library may have found them before the shelf was made
        lab.state.data.subscribe(self._mark)

    def wire(self, actions: Mapping[str, QAction]) -> None:
        """Connect the buttons to the window's actions."""
        for button, name in ((self._folder, "open_folder"), (self._file, "open_data")):
            button.clicked.connect(actions[name].trigger)
            button.setToolTip(actions[name].toolTip())

    def _build_buttons(self) -> QHBoxLayout:
        self._folder, self._file = QPushButton("Folder…"), QPushButton("File…")
        self._folder.setAccessibleName("open a folder of data")
        self._file.setAccessibleName("open a file of data")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._folder, 1)
        row.addWidget(self._file, 1)
        return row

    def _list(self) -> None:
        """Make the cards anew, or where nobody sees them when they come into sight: that takes as long as several frames, and each
        digit that is kept makes another list.
        """
        if self.isVisible():
            self._make_cards()
        else:
            self._is_outdated = True

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_outdated:
            self._make_cards()

    def _make_cards(self) -> None:
        """Make the cards anew. If one of them has the keyboard's focus, it keeps it."""
        self._is_outdated = False
        focus = QApplication.focusWidget()
        focused = next((name for name, card in self.cards.items() if focus and (card is focus or card.isAncestorOf(focus))), None)
        while self._box.count():
            if widget := self._box.takeAt(0).widget():
                widget.deleteLater()
        shown = [*self._nameless(), *self._library.known]
        self.cards = {known.name: self._card(known) for known in shown}
        for card in self.cards.values():
            self._box.addWidget(card)
        self._box.addStretch(1)
        before: QWidget = self._scroll
        for card in self.cards.values():  # new widgets would come last of all
            for widget in card.tab_stops():
                self.setTabOrder(before, widget)
                before = widget
        self._mark(self._lab.state.data.value)
        if focused in self.cards:
            self.cards[focused].show()  # what is hidden takes no keyboard
            self.cards[focused].setFocus()

    def _nameless(self) -> list[KnownDataset]:
        """The data in view, if it was opened by its path and has no name; else nothing."""
        view = self._lab.state.data.value
        if view is None or not self._library.known or any(known.name == view.spec for known in self._library.known):
            return []
        path = Path(view.spec)
        counts = {"train": len(view.train)} | ({"test": len(view.test)} if view.test is not None else {})
        return [KnownDataset(view.spec, path.name, f"Opened from {path.parent}.", "your own", True, path, counts=counts)]

    def _card(self, known: KnownDataset) -> DatasetCard:
        library, source = self._library, known.source
        offer = tooltip = ""
        begin = partial(self._replace if holds_others(known) else self._get, known)
        if source is not None and not known.here:
            offer = (
                f"Go on · {known.received / source.size:.0%} is here" if known.received else f"Get it · {megabytes(source.size)}"
            )
            tooltip = f"Download it from {source.mirrors[0]} and hold it against the published sums"
        elif source is not None and is_partial(known):
            offer = f"Get all of it · {megabytes(source.size)}"
            tooltip = f"Only a part is here. Download all of it from {source.mirrors[0]}"
        elif known.folder is not None and known not in library.known:
            offer, begin = "Keep it", partial(library.keep, known.folder)
            tooltip = "Copy it into DigitLab's data folder, so that it has a name and stays on this list"
        card = DatasetCard(known, offer, tooltip)
        card.chosen.connect(partial(self._lab.opener.open_data, known.name))
        card.wanted.connect(begin)
        card.left.connect(partial(library.leave, known.name))
        card.set_going(library.is_going(known.name))
        return card

    def _get(self, known: KnownDataset) -> None:
        self._library.get(known.name)

    def _replace(self, known: KnownDataset) -> None:
        """Ask whether the present files may be replaced, and download."""
        words = f"The files of {known.title} in {known.folder} are not the published ones. Replace them by those?"
        if confirmed(self, f"Get {known.title}", words, "Replace", "Keep mine"):
            self._library.get(known.name, replace=True)

    def _mark(self, view: DataInView | None) -> None:
        nameless = {card.known.name for card in self.cards.values() if card.known not in self._library.known}
        if nameless != {known.name for known in self._nameless()}:
            self._list()  # it calls _mark again
            return
        for name, card in self.cards.items():
            card.set_chosen(view is not None and name == view.spec)

    def _show_progress(self, what: str, event: Download | Import) -> None:
        if what in self.cards:
            self.cards[what].show_progress(event)

    def _open_arrived(self, name: str) -> None:
        if self.isVisible():
            self._lab.opener.open_data(name)
        else:
            self._lab.said.emit(f"{name} is here now.")
