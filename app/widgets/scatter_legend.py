"""ScatterLegend: which colour and shape of a scatter plot is what; each entry singles its points out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QToolButton, QWidget

from app.theme import theme
from app.widgets.scatter_marks import RADIUS, Mark, outline
from app.widgets.swatch import hex_of

SIDE = 12
"""Logical pixels of an entry's swatch."""
HEIGHT = 26


class ScatterLegend(QScrollArea):
    """A row of buttons, one a mark. `singled` carries the number of the one that is pressed, or None when none is."""

    singled = Signal(object)

    def __init__(self) -> None:
        super().__init__(widgetResizable=True)
        self.setFixedHeight(HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.marks: tuple[Mark, ...] = ()
        self.buttons: list[QToolButton] = []
        holder = QWidget()
        self._row = QHBoxLayout(holder)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._row.addStretch(1)
        self.setWidget(holder)
        theme().changed.connect(self._tint)

    def show_marks(self, marks: Sequence[Mark], counts: Sequence[int], single: int | None) -> None:
        """Show an entry a mark, with how many points have it; `single` is pressed."""
        self.marks = tuple(marks)
        while len(self.buttons) < len(marks):
            self._add(len(self.buttons))
        for number, button in enumerate(self.buttons):
            button.setVisible(number < len(marks))
            if number < len(marks):
                name = marks[number].name
                button.setText(name)
                button.setChecked(number == single)
                button.setAccessibleName(f"only {name}")
                button.setToolTip(f"{name}: {counts[number]:,} images. Click to single them out, again to show all.")
        self._tint()

    def _add(self, number: int) -> None:
        button = QToolButton(checkable=True, focusPolicy=Qt.FocusPolicy.StrongFocus)
        button.setProperty("role", "tool")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(SIDE, SIDE))
        button.clicked.connect(lambda checked: self._press(number, checked))
        self.buttons.append(button)
        self._row.insertWidget(number, button)

    def _press(self, number: int, checked: bool) -> None:
        for at, button in enumerate(self.buttons):
            button.setChecked(checked and at == number)
        self.ensureWidgetVisible(self.buttons[number])
        self.singled.emit(number if checked else None)

    def _tint(self) -> None:
        for button, mark in zip(self.buttons, self.marks, strict=False):
            button.setIcon(_swatch(mark, self.devicePixelRatioF()))


def _swatch(mark: Mark, ratio: float) -> QIcon:
    """A dot as in the plot, but larger."""
    pixmap = QPixmap(round(SIDE * ratio), round(SIDE * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(outline(mark.shape, SIDE / 2, SIDE / 2, RADIUS * 1.5), QColor(hex_of(mark.color)))
    painter.end()
    return QIcon(pixmap)
