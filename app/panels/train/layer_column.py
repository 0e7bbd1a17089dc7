"""LayerColumn: the cards of a list of layers, one below the other, with a place to add one between any two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from PySide6.QtCore import QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.core.layer_kinds import KINDS
from app.core.layer_list import LayerList, Line
from app.panels.train.layer_card import LayerCard, is_square
from app.theme import theme
from app.widgets.card import label
from app.widgets.tips import tip
from nncore.errors import ConfigError

RIGHT = 8
"""Pixels between the cards and the edge."""
MARK = 2
"""Pixels of the line that shows where a dragged layer would go."""


class LayerColumn(QScrollArea):
    """Shows a list of layers. What the user does to it is told as another list, and shown when that comes back."""

    edited = Signal(object, object, int)
    """The edited LayerList; what was edited, where several edits of it are one; and the layer that gets the keyboard, or −1."""
    history_wanted = Signal(int)
    """−1: undo, 1: redo."""
    refused = Signal(object)
    """A ConfigError that says why something cannot be done."""

    def __init__(self) -> None:
        super().__init__(widgetResizable=True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._layers = LayerList((), (1,))
        self.cards: list[LayerCard] = []
        self.adders: list[QToolButton] = []
        """The buttons that add a layer: above each card, and below the last."""
        self.end = label("", "wrong", wrap=True)
        """What is wrong with the end of the list."""
        self._holder = QWidget()
        self._column = QVBoxLayout(self._holder)
        self._column.setContentsMargins(0, 0, RIGHT, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.end)
        self._column.addStretch(1)
        self.setWidget(self._holder)
        self._mark = QFrame(self._holder)
        self._mark.setProperty("role", "drop")
        self._mark.hide()
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        for kind in KINDS.values():
            action = self.menu.addAction(kind.title)
            action.setToolTip(tip(kind.help))
            action.triggered.connect(partial(self._add, kind.new))
        self._place = 0
        """Where a layer that is chosen in the menu goes."""
        self._new_adder(0)
        self._name_adders()
        theme().changed.connect(self._tint)

    # -- showing

    def show_layers(self, layers: LayerList, lines: Sequence[Line]) -> None:
        """Show a list, with what is known of each of its layers. Cards of the same kind are kept, and the keyboard with them."""
        old, new = [_key(each) for each in self._layers.layers], [_key(each) for each in layers.layers]
        first = 0
        while first < min(len(old), len(new)) and old[first] == new[first]:
            first += 1
        last = 0
        while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
            last += 1
        for _ in range(first, len(old) - last):
            self._drop(first)
        for place in range(first, len(new) - last):
            self._insert(place, layers.layers[place])
        self._layers = layers
        is_below = False
        for place, (card, line) in enumerate(zip(self.cards, lines, strict=True)):
            card.show_line(layers.layers[place], line, is_below)
            is_below = is_below or bool(line.problem)
        if old != new:
            self._name_adders()

    def take_focus(self, place: int) -> None:
        """Give the keyboard to the layer at `place`, or the last one; where there is none, to the button that adds one."""
        target = self.cards[min(place, len(self.cards) - 1)] if self.cards else self.adders[0]
        target.setFocus()
        self._holder.layout().activate()
        self.ensureWidgetVisible(target, 0, 8)

    def _insert(self, place: int, layer: Mapping[str, Any]) -> None:
        card = LayerCard(layer)
        card.changed.connect(lambda name, value: self._change(card, name, value))
        card.move_wanted.connect(lambda by: self._move(self.cards.index(card), self.cards.index(card) + by))
        card.remove_wanted.connect(lambda: self._remove(card))
        card.add_wanted.connect(lambda: self._open_menu(self.adders[self.cards.index(card) + 1]))
        card.step_wanted.connect(lambda by: self.take_focus(max(0, self.cards.index(card) + by)))
        card.history_wanted.connect(self.history_wanted)
        card.dragged.connect(lambda where, is_over: self._drag(card, where, is_over))
        self.cards.insert(place, card)
        self._column.insertWidget(2 * place + 1, card)
        card.show()  # at once, so that it can have the keyboard
        self._new_adder(place + 1)

    def _drop(self, place: int) -> None:
        """Remove a card, and the button below it."""
        for widget in (self.cards.pop(place), self.adders.pop(place + 1)):
            self._column.removeWidget(widget)
            widget.hide()
            widget.deleteLater()

    def _new_adder(self, place: int) -> None:
        made = QToolButton()
        made.setProperty("role", "add")
        made.setIconSize(QSize(12, 12))
        made.setFixedSize(QSize(40, 18))
        made.setIcon(theme().icon("more", theme().colors.dim))
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        made.clicked.connect(lambda: self._open_menu(made))
        self.adders.insert(place, made)
        self._column.insertWidget(2 * place, made, 0, Qt.AlignmentFlag.AlignHCenter)

    def _name_adders(self) -> None:
        for place, button in enumerate(self.adders):
            where = f"above {self.cards[place].title}" if place < len(self.cards) else "at the end"
            button.setAccessibleName(f"add a layer {where}")
            button.setToolTip(f"Add a layer {where}")
        order: list[QWidget] = []
        for place, button in enumerate(self.adders):
            order += [button, *self._stops(place)]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _stops(self, place: int) -> list[QWidget]:
        """What the Tab key meets in a card."""
        if place >= len(self.cards):
            return []
        card = self.cards[place]
        return [card, *(box for boxes in card.fields.values() for box in boxes), card.close_button]

    def _tint(self) -> None:
        for button in self.adders:
            button.setIcon(theme().icon("more", theme().colors.dim))

    # -- editing

    def _open_menu(self, button: QToolButton) -> None:
        self._place = self.adders.index(button)
        self.menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    def _add(self, layer: Mapping[str, Any]) -> None:
        self._edit(lambda: self._layers.insert(self._place, layer), focus=self._place)

    def _change(self, card: LayerCard, name: str, value: object) -> None:
        place = self.cards.index(card)
        self._edit(lambda: self._layers.change(place, **{name: value}), (place, name))

    def _remove(self, card: LayerCard) -> None:
        place = self.cards.index(card)
        self._edit(lambda: self._layers.remove(place), focus=place)

    def _move(self, place: int, to: int) -> None:
        if 0 <= to < len(self.cards):
            self._edit(lambda: self._layers.move(place, to), focus=to)

    def _edit(self, make: Callable[[], LayerList], of: object = None, focus: int = -1) -> None:
        try:
            edited = make()
        except ConfigError as error:
            self.refused.emit(error)
            edited = self._layers
        self.edited.emit(edited, of, focus)

    def _drag(self, card: LayerCard, where: QPointF, is_over: bool) -> None:
        """Show where a dragged layer would go, and move it there when it is let go of."""
        place = self.cards.index(card)
        y = self._holder.mapFromGlobal(where.toPoint()).y()
        gap = sum(y > each.geometry().center().y() for each in self.cards)
        self._mark.setVisible(not is_over)
        if is_over:
            self._move(place, gap - (gap > place))
        else:
            button = self.adders[gap].geometry()
            self._mark.setGeometry(0, button.center().y(), self._holder.width() - RIGHT, MARK)
            self._mark.raise_()
            self.ensureVisible(0, y, 0, 24)


def _key(layer: Mapping[str, Any]) -> tuple[object, ...]:
    """What decides which fields a card has."""
    return layer["type"], *(name for name, value in layer.items() if isinstance(value, tuple) and not is_square(value))
