"""Data: choose a dataset, look through its images, and make one the probe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from PySide6.QtCore import QSize
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget

from app.core.in_view import DataInView
from app.panels.base import Panel
from app.panels.data.browser import Browser
from app.panels.data.closer import CloserLook
from app.panels.data.item import Item
from app.panels.data.shelf import Shelf
from app.panels.data.variations import VariationsView
from app.widgets.card import GAP

NARROW = 860
"""Width of the panel below which the shelf is hidden beside pages other than the gallery."""


LEAST = 560
"""Least width of the panel in pixels."""


class DataPanel(Panel):
    """Left the datasets. Right one of three pages: the gallery, a closer look at an image, or its variations."""

    def build(self) -> Iterator[None]:
        lab = self.lab
        # From the outside in: what is given to another parent has its style worked out anew, with all that is in it.
        row = QHBoxLayout()
        row.setSpacing(GAP)
        self.content.addLayout(row)
        self.shelf = Shelf(lab)
        row.addWidget(self.shelf)
        self._pages = QStackedWidget()
        row.addWidget(self._pages, 1)
        yield
        self.browser = Browser(lab)
        self.gallery = self.browser.grid
        self._pages.addWidget(self.browser)
        yield
        self.closer = CloserLook()
        self._pages.addWidget(self.closer)
        yield
        self.variations = VariationsView(lab)
        self._pages.addWidget(self.variations)
        yield
        self._spec = ""
        """The name or path of the data that was shown last."""
        self._pages.currentChanged.connect(self._make_room)
        self.browser.picked.connect(self._show_item)
        self.browser.wanted_closer.connect(self._look_closer)
        self.browser.wanted_variations.connect(self._show_variations)
        lab.augmentation_wanted.connect(self._show_variations)
        self.closer.left.connect(self._show_gallery)
        self.variations.left.connect(self._show_gallery)
        self.closer.stepped.connect(self.browser.step)
        self.closer.sent.connect(lambda panel: self.browser.send(panel, self.gallery.current))
        lab.state.data.subscribe(self._show_data)

    def wire(self, actions: Mapping[str, QAction]) -> None:
        self.shelf.wire(actions)

    def came_into_sight(self) -> None:
        self.lab.library.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._make_room()

    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST, super().minimumSizeHint().height())  # below its parts' own, since it hides some of them

    def _make_room(self) -> None:
        """Hide the shelf where the panel is narrow and the page needs the width."""
        self.shelf.setVisible(self.width() >= NARROW or self._pages.currentWidget() is self.browser)

    def _show_data(self, view: DataInView | None) -> None:
        again = view is not None and view.spec == self._spec and len(self.gallery) > 0
        self._spec = "" if view is None else view.spec
        self.variations.forget()
        if not again or self._pages.currentWidget() is self.browser:
            self._show_gallery()
        elif self._pages.currentWidget() is self.closer:
            self._show_item(self.browser.item(max(self.gallery.current, 0)))
        else:
            self._show_variations()

    # -- a closer look

    def _look_closer(self) -> None:
        self._pages.setCurrentWidget(self.closer)
        self._show_item(self.browser.item(self.gallery.current))
        self.setFocusProxy(self.closer.view)  # so that its keys are there whenever the panel comes into sight
        self.closer.view.setFocus()

    def _show_item(self, item: Item) -> None:
        if self._pages.currentWidget() is self.closer:
            self.closer.show_item(item, self.gallery.current, len(self.gallery))

    def _show_variations(self) -> None:
        item = self.browser.current_item()
        if item is None:
            self.lab.said.emit("There is no image to vary yet; choose a dataset first.")
            return
        self._pages.setCurrentWidget(self.variations)
        self.variations.show_item(item)
        self.setFocusProxy(self.variations.first_button)
        self.variations.first_button.setFocus()

    def _show_gallery(self) -> None:
        if self._pages.currentWidget() is not self.browser:
            self._pages.setCurrentWidget(self.browser)
            self.setFocusProxy(None)  # type: ignore[arg-type]  # Qt takes it, its stubs do not
            self.gallery.setFocus()
