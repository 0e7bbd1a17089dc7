"""InspectCard: what the cards of the panel have in common. A new card is a subclass, and its line in `panel.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QToolButton, QWidget

from app.lab import Lab
from app.panels.inspect.inspected import Inspected
from app.theme import theme
from app.threads.task import Task
from app.widgets.card import Card
from app.widgets.export import Export
from app.widgets.turns import Turns


class InspectCard(Card):
    """Draws something of what is inspected: it is asked to by `draw`, and only while it is in sight.

    A subclass has a name, says which EXPLANATIONS (app/core/look.py) it wants, and defines `draw` and `export`.
    """

    name: ClassVar[str]
    """Its title, and its name on a tab."""
    wants: ClassVar[frozenset[str]] = frozenset()
    """The names of the explanations that its Look must have."""
    least_height: ClassVar[int] = 150
    """Pixels below which it does not share its column, but has a tab there."""
    goes_first: ClassVar[bool] = False
    """Whether it is drawn before the others."""
    sight_changed = Signal()
    """It has come into sight, or gone out of it."""
    room_wanted = Signal(bool)
    """It wants the whole panel, or no longer."""
    tab_named = Signal(str)
    """Another name on its tab."""

    def __init__(self, lab: Lab, inspected: Inspected, *beside: QWidget) -> None:
        """`beside` stand beside the title."""
        self._save = _tool("save", f"Copy or save: {self.name}")
        self._maximise = _tool("maximise", f"Maximise: {self.name}")
        super().__init__(self.name, *beside, self._save, self._maximise)
        self.lab, self.inspected = lab, inspected
        self._is_stale, self.is_maximised = True, False
        self.turns = Turns(self)
        """When it is drawn; the cards of a panel share them."""
        self._save.clicked.connect(self._open_menu)
        self._maximise.clicked.connect(lambda: self.room_wanted.emit(not self.is_maximised))
        self.show_maximised(False)
        for observable in (inspected.look, inspected.trail, inspected.weight):
            observable.subscribe(self.refresh, now=False)
        theme().changed.connect(self._tint)
        self._tint()

    def draw(self) -> None:
        """Draw what is inspected: `inspected.look`, `inspected.unit`, `inspected.weight`, any of which may be None."""
        raise TypeError(f"{type(self).__name__} draws nothing")

    def export(self) -> Export | None:
        """What can be copied and saved; None while there is nothing."""
        return None

    def refresh(self, _: object = None) -> None:
        """Draw anew when it is this card's turn, or as soon as it is in sight."""
        self._is_stale = True
        if self.isVisible():
            self.turns.ask(self._draw, self.goes_first)

    def show_maximised(self, is_maximised: bool) -> None:
        """Note whether it has the whole panel, and say by the button what a click on it does."""
        self.is_maximised = is_maximised
        self._maximise.setAccessibleName(f"{'Restore' if is_maximised else 'Maximise'}: {self.name}")
        self._maximise.setToolTip(f"{'Show the other cards again (Esc)' if is_maximised else 'Give this card the whole panel'}")

    def hold_tabs(self, tabs: QWidget) -> None:
        """Have tabs in its header, in place of the title, until they move to another card or are hidden."""
        self.header.insertWidget(0, tabs)

    def show_title(self, shows_title: bool) -> None:
        """Show its title, or leave the place to tabs."""
        self.title.setVisible(shows_title)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self.turns.ask(self._draw, self.goes_first)
        self.sight_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.sight_changed.emit()

    def _draw(self) -> None:
        if self._is_stale and self.isVisible():
            self._is_stale = False
            self.draw()
            self._save.setEnabled(self.export() is not None)

    def _open_menu(self) -> None:
        export = self.export()
        if export is not None:
            menu = export.menu(self, self._write)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.exec(self._save.mapToGlobal(self._save.rect().bottomLeft()))

    def _write(self, write: Callable[[], None]) -> None:
        Task(write, lambda _: None, self.lab.problem.emit).begin()

    def _tint(self) -> None:
        for button, icon in ((self._save, "save"), (self._maximise, "maximise")):
            button.setIcon(theme().icon(icon, theme().colors.dim))


def _tool(icon: str, name: str) -> QToolButton:
    button = QToolButton(focusPolicy=Qt.FocusPolicy.StrongFocus)
    button.setIconSize(QSize(16, 16))
    button.setAccessibleName(name)
    if icon == "save":
        button.setToolTip("Copy this picture, or save it as PNG, SVG, CSV or NumPy arrays")
    return button
