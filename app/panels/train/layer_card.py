"""LayerCard: one layer in the editor, with fields for its settings and what it makes and costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.core.layer_kinds import KINDS, LayerField
from app.core.layer_list import Line
from app.panels.train.figures import count_text
from app.panels.train.layer_fields import FieldWidget, widget_for
from app.theme import svg_pixmap, theme
from app.widgets.card import label
from nncore.arrays import shape_text
from nncore.files import size_text

NAME_WIDTH, CLOSE_WIDTH, INDENT = 76, 26, 22
COLUMNS = (("output", 80), ("parameters", 78), ("multiply-adds", 94), ("memory", 72))
"""What stands at the right of each layer, and its width in pixels."""
PER_ROW = 3
"""Further settings side by side: as many as a window of 1280 pixels has room for."""
NOTHING = "–"
"""In the place of what cannot be told."""
DRAG_FROM = 6
"""Pixels that the mouse must move before a layer is dragged."""


class LayerCard(QFrame):
    """A layer of one kind that can be changed, moved and removed. What few networks need is behind `more`, and said where it is
    not as usual. With the keyboard: Alt+Up and Alt+Down, Delete, Insert for a layer below.
    """

    changed = Signal(object, object)
    """A LayerField, and the value to which it is set."""
    move_wanted = Signal(int)
    """−1: up, 1: down."""
    remove_wanted = Signal()
    add_wanted = Signal()
    """A layer below this one."""
    step_wanted = Signal(int)
    """The keyboard is to go to the layer above (−1) or below (1)."""
    history_wanted = Signal(int)
    """−1: undo, 1: redo; a field would only take back what was typed into it."""
    dragged = Signal(QPointF, bool)
    """Where on the screen the mouse has dragged it, and whether it was let go of there."""
    drag_given_up = Signal()
    stops_changed = Signal()
    """The Tab key meets other widgets than before."""

    def __init__(self, type: str) -> None:
        super().__init__()
        self.type = type
        """The class of the layers that it can show."""
        self._kind = KINDS[type]
        self._layer: Mapping[str, Any] = self._kind.new
        self._shown: tuple[Mapping[str, Any], Line, bool] | None = None
        """What `show_line` has shown last, where that is still what is shown."""
        self.setProperty("role", "layer")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(self._kind.help)
        self._name = label("", "value")
        self._name.setFixedWidth(NAME_WIDTH)
        self._cells = [_cell(width) for _, width in COLUMNS]
        self._unusual, self._problem = label("", "dim", wrap=True), label("", "wrong", wrap=True)
        for words in (self._unusual, self._problem):
            words.setContentsMargins(INDENT, 0, 0, 4)
            words.hide()
        everyday = [field for field in self._kind.fields if not field.is_further]
        self._further = [field for field in self._kind.fields if field.is_further]
        self.fields = {field.key: self._widget(field) for field in everyday}
        """The field of each setting by its key; of the further ones as soon as they have been shown."""
        self.close_button, self._grip = QToolButton(autoRaise=True), QLabel()
        self.more = QToolButton(text="More", checkable=True)
        self._pressed: QPointF | None = None
        self._is_dragged = False
        self._column = self._build(everyday)
        self._rest: QWidget | None = None
        theme().changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        self.close_button.setIcon(theme().icon("clear", theme().colors.dim))
        self._grip.setPixmap(svg_pixmap("grip", 16, theme().colors.dim, self.devicePixelRatioF()))

    def _build(self, everyday: Sequence[LayerField]) -> QVBoxLayout:
        close = self.close_button
        close.setFixedWidth(CLOSE_WIDTH)
        close.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        close.setToolTip("Remove this layer (Delete)")
        close.clicked.connect(self.remove_wanted)
        grip = self._grip
        grip.setToolTip("Drag the layer to another place (Alt+Up, Alt+Down)")
        grip.setCursor(Qt.CursorShape.OpenHandCursor)
        first = QHBoxLayout()
        first.setSpacing(6)
        first.addWidget(grip)
        first.addWidget(self._name)
        first.addStretch(1)
        for cell in self._cells:
            first.addWidget(cell)
        first.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 3, 4, 3)
        column.setSpacing(2)
        column.addLayout(first)
        if everyday:
            row = self._row(everyday)
            if self._further:
                self.more.setProperty("role", "inline")
                self.more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                self.more.setToolTip("Settings that few networks need")
                self.more.toggled.connect(self._show_further)
                row.addWidget(self.more)
            column.addLayout(row)
        column.addWidget(self._unusual)
        column.addWidget(self._problem)
        return column

    def _row(self, fields: Sequence[LayerField], before: str = "") -> QHBoxLayout:
        """A row of fields with their titles; `before` stands in front of all."""
        row = QHBoxLayout()
        row.setContentsMargins(INDENT, 0, 4, 4)
        row.setSpacing(6)
        if before:
            row.addWidget(label(before, "dim"))
        for field in fields:
            title = label(field.title, "dim")
            title.setToolTip(field.help)
            row.addWidget(title)
            row.addWidget(self.fields[field.key])
        row.addStretch(1)
        return row

    def _widget(self, field: LayerField) -> FieldWidget:
        made = widget_for(field)
        made.told.connect(lambda value: self.changed.emit(field, value))
        for part in made.stops:
            part.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            part.installEventFilter(self)
        made.setToolTip(field.help)
        return made

    # -- what few networks need

    def _show_further(self, wanted: bool) -> None:
        if self._rest is None:
            self._rest = self._build_further()
            self._column.insertWidget(2, self._rest)
            self._show_values()
            self._name_parts(self.title)
        self._rest.setVisible(wanted)
        self._show_unusual()
        self.stops_changed.emit()

    def _build_further(self) -> QWidget:
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for field in self._further:
            self.fields[field.key] = self._widget(field)
        whole = [field for field in self._further if field.part != 1]
        across = [field for field in self._further if field.part == 1]
        for start in range(0, len(whole), PER_ROW):
            column.addLayout(self._row(whole[start : start + PER_ROW]))
        if across:
            column.addLayout(self._row(across, "horizontal:"))
        return made

    def _show_unusual(self) -> None:
        """Say what is not as usual among the settings that are not shown."""
        words = "" if self.more.isChecked() else self._kind.unusual(self._layer)
        self._unusual.setText(words)
        self._unusual.setVisible(bool(words))

    @property
    def stops(self) -> list[QWidget]:
        """What the Tab key meets in the card, in its order."""
        everyday = [part for field in self._kind.fields if not field.is_further for part in self.fields[field.key].stops]
        if self._further:
            everyday.append(self.more)
        if self.more.isChecked():
            everyday += [part for field in self._further for part in self.fields[field.key].stops]
        return [self, *everyday, self.close_button]

    # -- showing

    def show_line(self, layer: Mapping[str, Any], line: Line, is_below: bool) -> None:
        """Show a layer of this kind; `is_below`: it stands below one that does not fit, so that nothing is known of it."""
        if self._shown == (layer, line, is_below):
            return
        self._layer, self._shown = layer, (layer, line, is_below)
        self._show_values()
        self._show_unusual()
        self._name_parts(line.name)
        known = line.output_shape is not None
        cost = line.cost
        shape = NOTHING if line.output_shape is None else shape_text(line.output_shape)
        figures = (
            _or_empty(count_text, cost.parameters),
            _or_empty(count_text, cost.multiply_adds),
            _or_empty(size_text, line.memory),
        )
        for cell, text in zip(self._cells, (shape, *(figures if known else (NOTHING,) * 3)), strict=True):
            cell.setText(text)
        self._name.setText(line.name)
        self._problem.setText(line.problem)
        self._problem.setVisible(bool(line.problem))
        said = line.problem or (f"output {shape}" if known else "below a layer that does not fit")
        self.setAccessibleName(f"{line.name}, {line.description}: {said}")
        _set(self, "wrong", bool(line.problem))
        _set(self._name, "role", "dim" if is_below else "value")
        for cell in self._cells:
            _set(cell, "role", "pale" if is_below else "dim")

    def _show_values(self) -> None:
        for field in self._kind.fields:
            if field.key in self.fields:
                self.fields[field.key].show_value(field.value(self._layer))

    def _name_parts(self, name: str) -> None:
        """Give the fields and buttons names that say which layer they are of."""
        for key, widget in self.fields.items():
            widget.setAccessibleName(f"{name} {key.replace('_', ' ')}")
        self.more.setAccessibleName(f"more settings of {name}")
        self.close_button.setAccessibleName(f"remove {name}")

    def refuse(self, words: str) -> None:
        """Say why what was just done to the layer cannot be, until something else is done."""
        self._shown = None
        self._show_values()
        self._problem.setText(words)
        self._problem.setVisible(True)
        _set(self, "wrong", True)

    @property
    def problem(self) -> str:
        """What is said of why the layer does not fit; empty where it does."""
        return self._problem.text()

    @property
    def title(self) -> str:
        """The name of the layer: `conv1`."""
        return self._name.text()

    # -- keys and the mouse

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys and turns of the wheel that its fields are not meant to take."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()  # the list is scrolled, and no field changed by the way
            return True
        if isinstance(event, QKeyEvent) and (self._is_move(event) or is_undo(event) or is_redo(event)):
            event.accept()
            if event.type() == QEvent.Type.KeyPress:
                if self._is_move(event):
                    self.keyPressEvent(event)
                else:
                    self.history_wanted.emit(-1 if is_undo(event) else 1)
            return True
        return False

    def event(self, event: QEvent) -> bool:
        keys = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Insert)
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in keys:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if self._is_move(event) and step is not None:
            self.move_wanted.emit(step)
        elif step is not None and not event.modifiers():
            self.step_wanted.emit(step)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_wanted.emit()
        elif event.key() == Qt.Key.Key_Insert:
            self.add_wanted.emit()
        elif event.key() == Qt.Key.Key_Escape and self._is_dragged:
            self._end_drag()
            self.drag_given_up.emit()
        else:
            super().keyPressEvent(event)
            return
        event.accept()

    @staticmethod
    def _is_move(event: QKeyEvent) -> bool:
        return event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and event.modifiers() == Qt.KeyboardModifier.AltModifier

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._is_dragged = event.globalPosition(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        self._is_dragged = self._is_dragged or abs(event.globalPosition().y() - self._pressed.y()) >= DRAG_FROM
        if self._is_dragged:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.dragged.emit(event.globalPosition(), False)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._end_drag():
            self.dragged.emit(event.globalPosition(), True)

    def _end_drag(self) -> bool:
        """Let go of the layer; whether it was being dragged."""
        was_dragged, self._pressed, self._is_dragged = self._is_dragged, None, False
        self.unsetCursor()
        return was_dragged


def is_undo(event: QKeyEvent) -> bool:
    return event.matches(QKeySequence.StandardKey.Undo)


def is_redo(event: QKeyEvent) -> bool:
    wanted = Qt.KeyboardModifier.ControlModifier
    shifted = wanted | Qt.KeyboardModifier.ShiftModifier
    return (event.key(), event.modifiers()) in ((Qt.Key.Key_Y, wanted), (Qt.Key.Key_Z, shifted))


def _or_empty(words: Callable[[int], str], number: int) -> str:
    return words(number) if number else ""


def _cell(width: int) -> QLabel:
    made = label("", "dim")
    made.setFixedWidth(width)
    made.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return made


def _set(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the stylesheet looks at."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
