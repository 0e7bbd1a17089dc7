"""Tools: what stands below the sheet: pen and eraser, undo, and over a picture how large it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QStackedWidget, QToolButton, QWidget

from app.theme import theme
from app.widgets.canvas import Canvas
from app.widgets.card import label
from app.widgets.zoom_picture import STEP, ZoomPicture

SIGN = 32
"""Width in pixels of a button with one sign."""


class Tools(QWidget):
    """At the left the tools, at the right the width of the pen, or in its place the zoom.

    Where there is little room the words go, first those at the right, then those of pen and eraser; and with them redo, which is in
    the menu too.
    """

    def __init__(self, canvas: Canvas, photo: ZoomPicture, take_tool: Callable[[bool], None]) -> None:
        """`take_tool` is called with whether it erases when pen or eraser is chosen."""
        super().__init__()
        self._canvas, self._photo = canvas, photo
        self.pen = QAction("Pen", self, checkable=True, shortcut="P")
        self.pen.setToolTip("Pen: the left button draws, the right one erases; over a picture it takes a new sheet (P)")
        self.eraser = QAction("Eraser", self, checkable=True, shortcut="E")
        self.eraser.setToolTip("Eraser: take ink away; over a picture it takes a new sheet (E)")
        self.pen.triggered.connect(lambda: take_tool(False))
        self.eraser.triggered.connect(lambda: take_tool(True))
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for name in ("pen", "eraser", "undo", "redo", "clear"):
            button = QToolButton(iconSize=QSize(18, 18))
            button.setProperty("role", "tool")
            self.buttons[name] = button
            row.addWidget(button)
        for name, action in (("pen", self.pen), ("eraser", self.eraser)):
            self.addAction(action)
            self.buttons[name].setDefaultAction(action)
        row.addStretch(1)
        self._right = QStackedWidget()
        self._right.addWidget(self._build_width())
        self._right.addWidget(self._build_zoom())
        row.addWidget(self._right)
        self._room: tuple[int, ...] = ()
        """Pixels that are needed in width with all words, with those of pen and eraser, and with none."""
        self.tab_stops: tuple[QWidget, ...] = (
            *self.buttons.values(),
            *self._right.findChildren(QSlider),
            *self._right.findChildren(QToolButton),
        )
        """The widgets that take the keyboard's focus, in order."""
        theme().changed.connect(self._tint)
        self._tint()

    def _build_width(self) -> QWidget:
        width = QSlider(Qt.Orientation.Horizontal, minimum=8, maximum=60, value=round(self._canvas.pen_width))
        width.setAccessibleName("pen width")
        width.setToolTip("Pen width: digits drawn too thin or too thick look strange to a network trained on ordinary handwriting")
        width.setFixedWidth(96)
        width.valueChanged.connect(lambda value: setattr(self._canvas, "pen_width", float(value)))
        self._width_words = label("Pen width", "dim")
        return _row(self._width_words, width)

    def _build_zoom(self) -> QWidget:
        self.zoom_words = label("", "dim")
        self.zoom_words.setFixedWidth(self.zoom_words.fontMetrics().horizontalAdvance("4,000 %"))
        self.zoom_words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        farther, nearer, self.fit = QToolButton(text="−"), QToolButton(text="+"), QToolButton(text="Fit")
        for button, name, words in (
            (farther, "zoom out", "Farther (−, or the wheel)"),
            (nearer, "zoom in", "Nearer (+, or the wheel); drag to move about"),
            (self.fit, "show the whole picture", "Show the whole picture (Home or Ctrl+0)"),
        ):
            button.setProperty("role", "inline")
            button.setAccessibleName(name)
            button.setToolTip(words)
            if len(button.text()) == 1:
                button.setFixedWidth(SIGN)
        farther.clicked.connect(lambda: self._photo.zoom(1 / STEP))
        nearer.clicked.connect(lambda: self._photo.zoom(STEP))
        self.fit.clicked.connect(self._photo.fit)
        self._photo.zoomed.connect(self._show_zoom)
        return _row(farther, self.zoom_words, nearer, self.fit)

    def wire(self, actions: Mapping[str, QAction]) -> None:
        """Connect the buttons to actions of the window."""
        for name in ("undo", "redo", "clear"):
            self.buttons[name].setDefaultAction(actions[name])
        room = []
        for words in (2, 1, 0):
            self._show_words(words)
            room.append(self.sizeHint().width())
        self._room = tuple(room)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self._room, default=0), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def _fit(self) -> None:
        """Show as many words as there is room for."""
        self._show_words(2 - next((n for n, room in enumerate(self._room) if room <= self.width()), 2))

    def _show_words(self, words: int) -> None:
        """Show all words (2), those of pen and eraser (1), or none (0)."""
        style = Qt.ToolButtonStyle
        for name, button in self.buttons.items():
            has_words = name in ("pen", "eraser") and words > 0
            button.setToolButtonStyle(style.ToolButtonTextBesideIcon if has_words else style.ToolButtonIconOnly)
        self.buttons["redo"].setVisible(words > 0)
        for at_right in (self._width_words, self.zoom_words):
            at_right.setVisible(words == 2)
            for widget in (at_right.parentWidget(), self._right):  # a part that is out of sight does not ask the layout by itself
                widget.updateGeometry()

    def follow(self, shows_picture: bool) -> None:
        """Mark the pen or the eraser as chosen, neither while a picture is in view; and show the zoom then."""
        self.pen.setChecked(not shows_picture and not self._canvas.erasing)
        self.eraser.setChecked(not shows_picture and self._canvas.erasing)
        self._right.setCurrentIndex(1 if shows_picture else 0)

    def _show_zoom(self) -> None:
        self.zoom_words.setText(f"{self._photo.scale * 100:,.0f} %")
        self.fit.setEnabled(not self._photo.is_whole)

    def _tint(self) -> None:
        self.pen.setIcon(theme().icon("pen"))
        self.eraser.setIcon(theme().icon("eraser"))


def _row(*widgets: QWidget) -> QWidget:
    """Widgets beside each other, at the right."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    row.addStretch(1)
    for widget in widgets:
        row.addWidget(widget)
    return holder
