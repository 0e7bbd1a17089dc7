"""Panel: what the five panels have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.lab import Lab
from app.widgets.card import GAP
from app.widgets.notice import Notice


class Panel(QWidget):
    """A page of the window: the panel's own `content` layout, and over it a strip for problems."""

    def __init__(self, lab: Lab, at_once: bool = True) -> None:
        """Where not `at_once`, its parts are built by `in_slices`."""
        super().__init__()
        self.lab = lab
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.content = QVBoxLayout()
        self.content.setSpacing(GAP)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.addLayout(self.content, 1)
        self.notice = Notice(self)
        if at_once:
            for _ in self.build():
                pass

    def build(self) -> Iterator[None]:
        """Build the parts of the panel, and yield each time that the interface may live for a moment."""
        yield

    @classmethod
    def in_slices(cls, lab: Lab) -> Iterator[Self]:
        """Build a panel, and yield it each time that the interface may live for a moment: then it is built further."""
        panel = cls(lab, at_once=False)
        yield panel
        for _ in panel.build():
            yield panel

    def wire(self, actions: Mapping[str, QAction]) -> None:
        """Connect the panel's own buttons to actions of the window."""

    def came_into_sight(self) -> None:
        """Called when the panel has come into sight."""

    def went_out_of_sight(self) -> None:
        """Called when the panel goes out of sight."""
