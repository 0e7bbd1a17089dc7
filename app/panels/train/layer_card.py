"""LayerCard: one layer in the editor, with fields for its settings and what it makes and costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPointF, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QDoubleSpinBox, QFrame, QHBoxLayout, QLabel, QSpinBox, QToolButton, QVBoxLayout, QWidget

from app.core.layer_kinds import KINDS, LayerField
from app.core.layer_list import Line
from app.panels.train.figures import count_text
from app.theme import svg_pixmap, theme
from app.widgets.card import label
from nncore.arrays import shape_text
from nncore.files import size_text

NAME_WIDTH, FIELD_WIDTH, CLOSE_WIDTH = 76, 52, 26
COLUMNS = (("output", 80), ("parameters", 78), ("multiply-adds", 94), ("memory", 72))
"""What stands at the right of each layer, and its width in pixels."""
NOTHING = "–"
"""In the place of what cannot be told."""
DRAG_FROM = 6
"""Pixels that the mouse must move before a layer is dragged."""


class LayerCard(QFrame):
    """A layer that can be changed, moved and removed. With the keyboard: Alt+Up and Alt+Down, Delete, Insert for a layer below."""

    changed = Signal(str, object)
    """The name of a setting and its new value."""
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

    def __init__(self, layer: Mapping[str, Any]) -> None:
        super().__init__()
        self._kind = KINDS[layer["type"]]
        self.setProperty("role", "layer")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(self._kind.help)
        self._name = label("", "value")
        self._name.setFixedWidth(NAME_WIDTH)
        self._cells = [_cell(width) for _, width in COLUMNS]
        self._problem = label("", "", wrap=True)
        self._problem.setProperty("role", "wrong")
        self._problem.setContentsMargins(22, 0, 0, 4)
        self._problem.hide()
        self.fields = {field.name: self._fields_of(field, layer) for field in self._kind.fields}
        """The fields of each setting, by its name: one, or two (vertical, horizontal) where a pair is not square."""
        self.close_button, self._grip = QToolButton(autoRaise=True), QLabel()
        self._pressed: QPointF | None = None
        self._is_dragged = False
        self._build()
        theme().changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        self.close_button.setIcon(theme().icon("clear", theme().colors.dim))
        self._grip.setPixmap(svg_pixmap("grip", 16, theme().colors.dim, self.devicePixelRatioF()))

    def _build(self) -> None:
        close = self.close_button
        close.setFixedWidth(CLOSE_WIDTH)
        close.setToolTip("Remove this layer (Delete)")
        close.setAccessibleName("remove this layer")
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
        if self._kind.fields:
            column.addLayout(self._row_of_fields())
        column.addWidget(self._problem)

    def _row_of_fields(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(22, 0, 0, 4)
        row.setSpacing(6)
        for field in self._kind.fields:
            title = label(field.title, "dim")
            title.setToolTip(field.help)
            row.addWidget(title)
            for box in self.fields[field.name]:
                row.addWidget(box)
            row.addSpacing(4)
        row.addStretch(1)
        return row

    def _fields_of(self, field: LayerField, layer: Mapping[str, Any]) -> list[QSpinBox | QDoubleSpinBox]:
        value = layer[field.name]
        boxes = [self._box(field) for _ in (value if isinstance(value, tuple) and not is_square(value) else (value,))]

        def tell() -> None:
            values = [box.value() for box in boxes]
            self.changed.emit(field.name, tuple(values) if len(values) > 1 else values[0])

        for box in boxes:
            box.valueChanged.connect(tell)
        return boxes

    def _box(self, field: LayerField) -> QSpinBox | QDoubleSpinBox:
        box: QSpinBox | QDoubleSpinBox
        if field.is_whole:
            box = QSpinBox(minimum=int(field.least), maximum=int(field.most))
        else:
            box = QDoubleSpinBox(minimum=field.least, maximum=field.most, singleStep=field.step, decimals=2)
        box.lineEdit().setTextMargins(6, 0, 0, 0)  # the stylesheet's padding does not reach it
        box.setKeyboardTracking(False)  # the number when it is complete, not at every key
        box.setFixedWidth(FIELD_WIDTH + 12 * (field.most > 1000))
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.setToolTip(field.help)
        box.installEventFilter(self)
        return box

    # -- showing

    def show_line(self, layer: Mapping[str, Any], line: Line, is_below: bool) -> None:
        """Show a layer of this kind; `is_below`: it stands below one that does not fit, so that nothing is known of it."""
        for name, boxes in self.fields.items():
            value = layer[name]
            for box, each in zip(
                boxes, value if len(boxes) > 1 else (value[0] if isinstance(value, tuple) else value,), strict=True
            ):
                with QSignalBlocker(box):
                    box.setMaximum(max(box.maximum(), each))  # a file may hold more than a field offers
                    if box.value() != each:  # setting the same value would rewrite what is being typed
                        box.setValue(each)
                box.setAccessibleName(f"{line.name} {name.replace('_', ' ')}")
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
        was_dragged, self._pressed, self._is_dragged = self._is_dragged, None, False
        self.unsetCursor()
        if was_dragged:
            self.dragged.emit(event.globalPosition(), True)


def is_square(value: tuple[int, int]) -> bool:
    """Whether a pair (vertical, horizontal) is one number twice."""
    return value[0] == value[1]


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
