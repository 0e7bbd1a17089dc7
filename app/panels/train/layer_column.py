"""LayerColumn: the cards of a list of layers, one below the other, with a place to add one between any two."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from PySide6.QtCore import QPoint, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.core.layer_edits import MOST_EDITED
from app.core.layer_kinds import KINDS, LayerField, Values
from app.core.layer_list import LayerList, Line
from app.panels.train.layer_card import LayerCard
from app.theme import theme
from app.widgets.card import label
from app.widgets.tips import tip
from nncore.errors import ConfigError

RIGHT = 8
"""Pixels between the cards and the edge."""
MARK = 2
"""Pixels of the line that shows where a dragged layer would go."""
EDGE, SCROLL, SCROLL_EVERY = 24, 8, 20
"""Pixels from the edge where a dragged layer makes the list scroll; by so many pixels, in so many milliseconds."""
MOST_SPARE = 24
"""Cards of a kind that are kept to be shown again."""


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
        self._layers, self._lines = LayerList((), (1,)), list[Line]()
        self.cards: list[LayerCard] = []
        self._spare: defaultdict[str, list[LayerCard]] = defaultdict(list)
        """Cards that show no layer at present, by the layer's type: making one takes longer than anything else here."""
        self._chain: list[QWidget] = []
        """What the Tab key meets, in its order."""
        self._is_in_order = True
        """Whether the buttons are named, and the Tab key goes, as the cards stand."""
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
        self._dragged: tuple[LayerCard, QPointF] | None = None
        """The layer that is being dragged, and where on the screen the mouse is."""
        self._scrolling = QTimer(self, interval=SCROLL_EVERY)
        self._scrolling.timeout.connect(self._scroll)
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        for kind in KINDS.values():
            action = self.menu.addAction(kind.title)
            action.setToolTip(tip(kind.help))
            action.triggered.connect(partial(self._add, kind.new))
        self._place = 0
        """Where a layer that is chosen in the menu goes."""
        self._new_adder(0)
        self._order()
        theme().changed.connect(self._tint)

    # -- showing

    def begin(self, layers: LayerList, lines: Sequence[Line]) -> None:
        """Show as much of another list as there are cards for at its beginning. `show_more` shows the others."""
        types = _types(layers)
        kept = _shared(self._types, types)
        for place in reversed(range(kept, len(self.cards))):
            self._drop(place)
        self._layers, self._lines = layers, list(lines)
        for card in self.cards:
            card.more.setChecked(False)
        self._show_lines(range(kept))
        self.verticalScrollBar().setValue(0)

    def show_more(self, seconds: float) -> bool:
        """Show the next layers of the list until the time is over; at least one card is made or shown. Whether all are shown."""
        end = time.perf_counter() + seconds
        while (place := len(self.cards)) < len(self._layers):
            type = self._layers.layers[place]["type"]
            if not self._spare[type]:
                self._spare[type].append(self._new_card(type))
                if time.perf_counter() >= end:  # showing it takes as long again, and has a frame of its own
                    return False
            self._insert(place, type)
            self._show_lines(range(place, place + 1))
            if time.perf_counter() >= end:
                return False
        self._order()
        return True

    def show_layers(self, layers: LayerList, lines: Sequence[Line]) -> None:
        """Show a list, with what is known of each of its layers. Cards of the same kind are kept, and the keyboard with them."""
        old, new = self._types, _types(layers)
        first = _shared(old, new)
        last = _shared(old[first:][::-1], new[first:][::-1])
        for _ in range(first, len(old) - last):
            self._drop(first)
        for place in range(first, len(new) - last):
            self._insert(place, new[place])
        self._layers, self._lines = layers, list(lines)
        self._show_lines(range(len(self.cards)))
        self._order()

    def _show_lines(self, places: range) -> None:
        wrong = next((place for place, line in enumerate(self._lines) if line.problem), len(self._lines))
        for place in places:
            self.cards[place].show_line(self._layers.layers[place], self._lines[place], place > wrong)

    @property
    def _types(self) -> list[str]:
        return [card.type for card in self.cards]

    def take_focus(self, place: int) -> None:
        """Give the keyboard to the layer at `place`, or the last one; where there is none, to the button that adds one."""
        target = self.cards[min(place, len(self.cards) - 1)] if self.cards else self.adders[0]
        target.setFocus()
        self._holder.layout().activate()
        self.ensureWidgetVisible(target, 0, 8)

    def _insert(self, place: int, type: str) -> None:
        card = self._spare[type].pop() if self._spare[type] else self._new_card(type)
        self.cards.insert(place, card)
        self._column.insertWidget(2 * place + 1, card)
        card.show()  # at once, so that it can have the keyboard
        self._new_adder(place + 1)

    def _new_card(self, type: str) -> LayerCard:
        card = LayerCard(type)
        card.changed.connect(lambda field, value: self._change(card, field, value))
        card.move_wanted.connect(lambda by: self._move(self.cards.index(card), self.cards.index(card) + by))
        card.remove_wanted.connect(lambda: self._remove(card))
        card.add_wanted.connect(lambda: self._open_menu(self.adders[self.cards.index(card) + 1]))
        card.step_wanted.connect(lambda by: self.take_focus(max(0, self.cards.index(card) + by)))
        card.history_wanted.connect(self.history_wanted)
        card.dragged.connect(lambda where, is_over: self._drag(card, where, is_over))
        card.drag_given_up.connect(self._give_up_drag)
        card.stops_changed.connect(lambda: self._disorder(card))
        return card

    def _drop(self, place: int) -> None:
        """Remove a card, and the button below it."""
        card, button = self.cards.pop(place), self.adders.pop(place + 1)
        for widget in (card, button):
            self._column.removeWidget(widget)
            widget.hide()
        button.deleteLater()
        card.more.setChecked(False)
        if len(self._spare[card.type]) < MOST_SPARE:
            self._spare[card.type].append(card)
        else:
            card.deleteLater()
        self._is_in_order = False

    def _new_adder(self, place: int) -> None:
        made = QToolButton()
        made.setProperty("role", "add")
        made.setIconSize(QSize(12, 12))
        made.setFixedSize(QSize(40, 18))
        made.setIcon(theme().icon("more", theme().colors.dim))
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        made.clicked.connect(lambda: self._open_menu(made))
        self.adders.insert(place, made)
        self._is_in_order = False
        self._column.insertWidget(2 * place, made, 0, Qt.AlignmentFlag.AlignHCenter)

    def _disorder(self, card: LayerCard) -> None:
        """Let the Tab key meet what a card shows more or less than before, once all that is being done is done."""
        self._is_in_order = False

        def follow() -> None:
            self._order()
            if card.more.isChecked():
                self.ensureWidgetVisible(card, 0, 8)

        QTimer.singleShot(0, self, follow)

    def _order(self) -> None:
        """Name the buttons that add a layer, and let the Tab key go from one widget to that below."""
        if self._is_in_order:
            return
        self._is_in_order = True
        order: list[QWidget] = []
        for place, button in enumerate(self.adders):
            where = f"above {self.cards[place].title}" if place < len(self.cards) else "at the end"
            button.setAccessibleName(f"add a layer {where}")
            button.setToolTip(f"Add a layer {where}")
            order += [button, *(self.cards[place].stops if place < len(self.cards) else ())]
        there = set(pairwise(self._chain))
        for before, after in pairwise(order):
            if (before, after) not in there:  # Qt takes long for each
                QWidget.setTabOrder(before, after)
        self._chain = order

    def _tint(self) -> None:
        for button in self.adders:
            button.setIcon(theme().icon("more", theme().colors.dim))

    # -- editing

    def _open_menu(self, button: QToolButton) -> None:
        self._place = self.adders.index(button)
        self.menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    def _add(self, layer: Mapping[str, Any]) -> None:
        if len(self.cards) >= MOST_EDITED:
            self.refused.emit(ConfigError(f"A network of over {MOST_EDITED} layers cannot be edited here; remove one first."))
        else:
            self._edit(lambda: self._layers.insert(self._place, layer), focus=self._place)

    def _change(self, card: LayerCard, field: LayerField, value: Any) -> None:
        place = self.cards.index(card)
        before, layer = self._layers, self._layers.layers[place]
        try:
            edited = before.change(place, **field.change(layer, value))
        except ConfigError as error:
            self.edited.emit(before, None, -1)  # the field shows the value of before
            words = str(error)
            if field.values is Values.WHOLE and not (field.word and value == field.least - 1):
                most = before.largest(place, partial(field.change, layer), int(field.least), int(field.most))
                if most is not None and most > field.least and not field.least <= value <= most:
                    words = f"The {field.title} can be {field.least:,} to {most:,} here, not {value:,}."
            card.refuse(words)
        else:
            self.edited.emit(edited, (place, field.key), -1)

    def _remove(self, card: LayerCard) -> None:
        place = self.cards.index(card)
        self._edit(lambda: self._layers.remove(place), focus=place)

    def _move(self, place: int, to: int) -> None:
        if 0 <= to < len(self.cards) and to != place:
            self._move_card(place, to)
            self._edit(lambda: self._layers.move(place, to), focus=to)

    def _move_card(self, place: int, to: int) -> None:
        """Let the card itself go to where its layer goes, and the button below it."""
        card, button = self.cards.pop(place), self.adders.pop(place + 1)
        for widget in (card, button):
            self._column.removeWidget(widget)
        self.cards.insert(to, card)
        self.adders.insert(to + 1, button)
        self._column.insertWidget(2 * to + 1, card)
        self._column.insertWidget(2 * to + 2, button, 0, Qt.AlignmentFlag.AlignHCenter)
        self._is_in_order = False

    def _edit(self, make: Callable[[], LayerList], focus: int) -> None:
        try:
            self.edited.emit(make(), None, focus)
        except ConfigError as error:
            self.refused.emit(error)

    def _drag(self, card: LayerCard, where: QPointF, is_over: bool) -> None:
        """Show where a dragged layer would go, and move it there when it is let go of."""
        place = self.cards.index(card)
        y = self._holder.mapFromGlobal(where.toPoint()).y()
        gap = sum(y > each.geometry().center().y() for each in self.cards)
        self._dragged = None if is_over else (card, where)
        self._mark.setVisible(not is_over)
        if is_over:
            self._scrolling.stop()
            self._move(place, gap - (gap > place))
        else:
            button = self.adders[gap].geometry()
            self._mark.setGeometry(0, button.center().y(), self._holder.width() - RIGHT, MARK)
            self._mark.raise_()
            self._scrolling.start()

    def _scroll(self) -> None:
        """Scroll as long as a layer is held at the upper or lower edge."""
        if self._dragged is None:
            return
        y = self.viewport().mapFromGlobal(self._dragged[1].toPoint()).y()
        bar, before = self.verticalScrollBar(), self.verticalScrollBar().value()
        bar.setValue(before + SCROLL * ((y > self.viewport().height() - EDGE) - (y < EDGE)))
        if bar.value() != before:
            self._drag(*self._dragged, False)

    def _give_up_drag(self) -> None:
        self._dragged = None
        self._scrolling.stop()
        self._mark.hide()


def _types(layers: LayerList) -> list[str]:
    return [layer["type"] for layer in layers.layers]


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of the first words of two lists are the same."""
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
