"""CloserLook: one image of the data, so large that its pixels' values can be read."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy

from app.panels.data.item import Item
from app.widgets.card import Card, label
from app.widgets.pixel_view import PixelView
from app.widgets.pixels import copy_picture, save_picture_as


class CloserLook(Card):
    """One image, its facts, and buttons.

    `stepped` asks for the next image (1) or the one before (−1), `sent` for another panel by its name, `left` for the gallery.
    """

    left = Signal()
    stepped = Signal(int)
    sent = Signal(str)

    def __init__(self) -> None:
        super().__init__("")
        self.setAccessibleName("image, pixel by pixel")
        self.view = PixelView("pixels of the image")
        self.view.pointed.connect(self._point)
        self._words, self._facts, self._pixel = label("", "value"), label("", "dim"), label("", "dim")
        self._place = label("", "dim")
        for text in (self._words, self._facts):
            # A long name must not make the window wider.
            text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._build_header()
        self.body.addWidget(self.view, 1)
        for left, right in ((self._words, self._pixel), (self._facts, self._place)):
            row = QHBoxLayout()
            row.addWidget(left, 1)
            row.addWidget(right)
            self.body.addLayout(row)

    def _build_header(self) -> None:
        self.title.hide()
        back = self._button("Gallery", "Back to where you were in the gallery (Esc)", self.left.emit)
        self._previous = self._button("‹", "The image before this one in the gallery (Page Up or ,)", lambda: self.stepped.emit(-1))
        self._next = self._button("›", "The next image of the gallery (Page Down or .)", lambda: self.stepped.emit(1))
        self._previous.setAccessibleName("previous image")
        self._next.setAccessibleName("next image")
        inspect = self._button(
            "Inspect", "See what every layer of the network makes of this image (I)", lambda: self.sent.emit("inspect")
        )
        recognise = self._button(
            "Recognise", "See this image on the sheet, and the network's answer to it (R)", lambda: self.sent.emit("recognise")
        )
        copy = self._button("Copy", "Put the picture on the clipboard", lambda: copy_picture(self.view.pixels))
        save = self._button(
            "Save…", "Write it as a picture, or its values as a table or an array", lambda: save_picture_as(self, self.view.pixels)
        )
        while self.header.count():
            self.header.takeAt(0)
        for button in (back, self._previous, self._next):
            self.header.addWidget(button)
        self.header.addStretch(1)
        for button in (inspect, recognise, copy, save):
            self.header.addWidget(button)

    def _button(self, words: str, tooltip: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(words)
        button.setToolTip(tooltip)
        button.clicked.connect(lambda: act())
        return button

    def show_item(self, item: Item, position: int, count: int) -> None:
        """Show an image, which is the one at `position` of `count` in the gallery."""
        self.view.set_pixels(item.pixels)
        self.view.setAccessibleDescription(f"{item.words}, {item.facts}")
        self._words.setText(item.words)
        self._facts.setText(item.facts)
        self._place.setText(f"{position + 1:,} of {count:,} in the gallery")
        self._previous.setEnabled(position > 0)
        self._next.setEnabled(position < count - 1)
        self._point(*self.view.cursor_pixel)

    def _point(self, row: int, column: int) -> None:
        self._pixel.setText(self.view.words_for(row, column))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        acts: dict[int, Callable[[], object]] = {
            keys.Key_Escape: self.left.emit,
            keys.Key_PageUp: self._previous.click,
            keys.Key_Comma: self._previous.click,
            keys.Key_PageDown: self._next.click,
            keys.Key_Period: self._next.click,
            keys.Key_I: lambda: self.sent.emit("inspect"),
            keys.Key_R: lambda: self.sent.emit("recognise"),
        }
        if event.key() in acts and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            acts[event.key()]()
        else:
            super().keyPressEvent(event)
