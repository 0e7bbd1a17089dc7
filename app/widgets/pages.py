"""Pages: shows one of several widgets and scrolls where that one needs more room than there is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QWidget


class _Stack(QStackedWidget):
    """A stack that asks for as much room as its page in sight needs, and not the largest of all."""

    def minimumSizeHint(self) -> QSize:
        page = self.currentWidget()
        return page.minimumSizeHint() if page else QSize()


class Pages(QScrollArea):
    """A stack of pages, none of which can push the window beyond the screen: a page that is too large is scrolled."""

    def __init__(self) -> None:
        super().__init__(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._stack = _Stack()
        self.setWidget(self._stack)
        self._stack.currentChanged.connect(lambda _: self._stack.updateGeometry())

    def add(self, page: QWidget) -> None:
        self._stack.addWidget(page)

    def show_page(self, page: QWidget) -> None:
        self._stack.setCurrentWidget(page)

    @property
    def page(self) -> QWidget | None:
        """The page in sight; None where there is none yet."""
        return self._stack.currentWidget()

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 200)
