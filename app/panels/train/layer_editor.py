"""LayerEditor: builds a network of the user's own, layer by layer, and keeps it by name."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from app.core.draft import Draft
from app.core.layer_edits import MOST_EDITED, LayerEdits
from app.core.layer_list import LayerList, total
from app.core.own_networks import check_name
from app.errors import TRAINING, Problem
from app.lab import Lab
from app.panels.train.figures import parameters_text, work_text
from app.panels.train.layer_card import CLOSE_WIDTH, COLUMNS, is_redo, is_undo
from app.panels.train.layer_column import RIGHT, LayerColumn
from app.theme import theme
from app.widgets.card import Card, label
from app.widgets.elided import Elided
from app.widgets.question import confirmed
from models.presets import PRESETS
from nncore.arrays import shape_text
from nncore.errors import ConfigError

AT_A_TIME = 0.004
"""Seconds for which cards are made between two frames."""
SCROLL_BAR = 10
"""Width of a scroll bar in pixels, as in the stylesheet."""


class LayerEditor(Card):
    """A page with a card for each layer. What it edits is a copy: nothing changes before `Save`."""

    closed = Signal()
    """The editor has been left: what was edited is kept, or given up."""

    def __init__(self, lab: Lab) -> None:
        super().__init__("Edit layers")
        self._lab = lab
        self._edits = LayerEdits(LayerList((), (28, 28, 1)))
        self._origin = self._first_name = ""
        self._first_kept: LayerList | None = None
        """The layers of the network of the user's own that is edited, as they are kept; None for a preset."""
        self._is_open = self._is_saving = False
        self._problem = ""
        self.name = QLineEdit(placeholderText="name", maxLength=60)
        self.name.setAccessibleName("name of the network")
        self.name.setToolTip("Name: what the network is kept by. Its runs are called by it and a number.")
        self.name.setMinimumWidth(120)
        self.undo_button = self._button("", "Take the last edit of the layers back (Ctrl+Z)")
        self.redo_button = self._button("", "Do the edit again that was undone last (Ctrl+Y)")
        self.undo_button.setAccessibleName("undo the last edit")
        self.redo_button.setAccessibleName("redo the edit that was undone last")
        self.delete = self._button("Delete…", "Forget this network; its runs stay as they are")
        self.cancel = self._button("Cancel", "Back to the curves; the network stays as it was (Escape)")
        self.save = self._button("Save", "")
        self.save.setProperty("role", "go")
        self.resumed = QWidget()
        """Says that the edits are those of the last time."""
        self.anew = self._button("Begin anew…", "Give these edits up, and edit the network of the recipe")
        self._of_last_time = Elided()
        self.column = LayerColumn()
        self._total = Elided()
        self._total.setAccessibleName("what the network takes")
        self._build()
        self.name.textChanged.connect(lambda _: self._follow_name())
        self.anew.clicked.connect(self._begin_anew)
        self.undo_button.clicked.connect(lambda: self._step(-1))
        self.redo_button.clicked.connect(lambda: self._step(1))
        self.delete.clicked.connect(self._delete)
        self.cancel.clicked.connect(self.leave)
        self.save.clicked.connect(self._save)
        self.column.edited.connect(self._do)
        self.column.history_wanted.connect(self._step)
        self.column.refused.connect(self._refuse)
        lab.state.data.subscribe(lambda _: self._follow_data(), now=False)
        lab.own_networks.changed.connect(self._show_state)
        theme().changed.connect(self._tint)
        self._tint()

    def _button(self, text: str, tooltip: str) -> QPushButton:
        made = QPushButton(text)
        made.setToolTip(tooltip)
        return made

    def _build(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(8)
        bar.addWidget(self.name, 1)
        for widget in (self.undo_button, self.redo_button):
            bar.addWidget(widget)
        bar.addSpacing(12)
        for widget in (self.delete, self.cancel, self.save):
            bar.addWidget(widget)
        titles = QHBoxLayout()
        titles.setSpacing(6)
        # In line with the columns of the cards, whether the list scrolls or not.
        right = CLOSE_WIDTH + RIGHT + 11
        self.column.verticalScrollBar().rangeChanged.connect(
            lambda _, most: titles.setContentsMargins(0, 0, right + (SCROLL_BAR if most else 0), 0)
        )
        titles.setContentsMargins(0, 0, right, 0)
        self._input = label("", "dim")
        titles.addWidget(self._input)
        titles.addStretch(1)
        for title, width in COLUMNS:
            made = label(title, "dim")
            made.setFixedWidth(width)
            made.setAlignment(Qt.AlignmentFlag.AlignRight)
            titles.addWidget(made)
        resumed = QHBoxLayout(self.resumed)
        resumed.setContentsMargins(0, 0, 0, 0)
        resumed.setSpacing(8)
        resumed.addWidget(self._of_last_time, 1)
        resumed.addWidget(self.anew)
        self.resumed.hide()
        self.body.addLayout(bar)
        self.body.addWidget(self.resumed)
        self.body.addLayout(titles)
        self.body.addWidget(self.column, 1)
        self.body.addWidget(self._total)

    def _tint(self) -> None:
        self.undo_button.setIcon(theme().icon("undo"))
        self.redo_button.setIcon(theme().icon("redo"))

    # -- begin and end

    def begin(self) -> None:
        """Edit the network of the recipe: the user's own, or a copy of a preset. Goes on where an edit is open already, and with
        the edits of the last time where they were not saved.
        """
        if self._is_open:
            self.column.take_focus(0)
        elif (draft := self._lab.state.draft.value) is not None:
            self._resume(draft)
        else:
            self._begin_with_recipe()

    def _begin_with_recipe(self) -> None:
        recipe = self._lab.state.recipe.value
        layers = self._on_images(self._lab.recipe_layers())
        if len(layers) > MOST_EDITED:
            self._refuse(
                ConfigError(f"{recipe.network} has {len(layers)} layers; up to {MOST_EDITED} can be edited here, more in its file.")
            )
            self.closed.emit()
            return
        if layers == self._edits.present:
            self._edits.begin_again()  # so that what was done to it before can still be undone
        else:
            self._edits = LayerEdits(layers)
        self._origin, self._first_kept = recipe.network, recipe.layers
        self._open("")

    def _resume(self, draft: Draft) -> None:
        """Go on with edits of the last time."""
        self._edits = LayerEdits(self._on_images(draft.first))
        self._edits.do(self._on_images(draft.layers))
        self._origin, self._first_kept = draft.origin, draft.kept
        self._of_last_time.show_words(f"Your edits of the last time, which began with {draft.origin}.")
        self._open(draft.name)
        self.resumed.show()

    def _begin_anew(self) -> None:
        if confirmed(self, "Begin anew", "Your edits of the last time have not been saved.", "Discard", "Go on"):
            self._lab.state.draft.set(None)
            self._is_open = False
            self._begin_with_recipe()

    def _open(self, name: str) -> None:
        self._first_name = self._origin if self._first_kept is not None else self._unused(f"my-{self._origin}")
        self.name.setText(name or self._first_name)
        self.resumed.hide()
        self._is_open = True
        self.column.setEnabled(False)
        self.column.begin(self._edits.present, self._edits.present.lines())
        QTimer.singleShot(0, self, self._show_more)

    def _on_images(self, layers: LayerList) -> LayerList:
        """The layers as they are on the images in view, where there are any."""
        return layers if self._image_shape is None else layers.on(self._image_shape)

    def leave(self) -> None:
        """Back to the curves; where edits would be lost, only if the user says so."""
        if not self._edits.is_changed or confirmed(
            self, "Leave the editor", f"The layers of {self.name.text() or 'this network'} have been changed.", "Discard", "Go on"
        ):
            self._close()

    def leave_unchanged(self) -> bool:
        """Back to the curves where no edits would be lost; whether that was so."""
        if not self._edits.is_changed:
            self._close()
        return not self._edits.is_changed

    def _close(self) -> None:
        self._edits.give_up()
        self._end()

    def _end(self) -> None:
        self._is_open = False
        self._lab.state.draft.set(None)
        self.closed.emit()

    def _save(self) -> None:
        name, layers = self.name.text().strip(), self._edits.present
        try:
            check_name(name)
        except ConfigError as error:
            self._refuse(error)
            return
        there = self._lab.own_networks.known.get(name)
        is_another = name != self._first_name or there != self._first_kept
        if (
            there is not None
            and is_another
            and not confirmed(self, "Save", f"You have kept a network called {name} already.", "Replace it", "Leave it")
        ):
            return
        self._is_saving = True
        self.column.setEnabled(False)  # what would be edited meanwhile would be lost
        self._show_state()
        self._lab.keep_network(name, layers, self._end_saving)

    def _delete(self) -> None:
        name = self._first_name
        if confirmed(self, "Delete", f"The network {name} will be gone; its runs stay as they are.", "Delete", "Leave it"):
            self._lab.delete_network(name, self._close)

    def _end_saving(self, is_kept: bool) -> None:
        self._is_saving = False
        if is_kept:
            self._edits.begin_again()
            self._end()
        else:
            self.column.setEnabled(True)
            self._show_state()

    def _unused(self, name: str) -> str:
        known, number, unused = self._lab.own_networks.known, 1, name
        while unused in known or unused in PRESETS:
            number += 1
            unused = f"{name}-{number}"
        return unused

    # -- editing

    def _do(self, edited: LayerList, of: object, focus: int) -> None:
        """Take over an edit; the keyboard then goes to the layer at `focus` (−1: it stays)."""
        self._edits.do(edited, of)
        self._show()
        self._keep_draft()
        if focus >= 0:
            self.column.take_focus(focus)

    def _step(self, by: int) -> None:
        """Undo (−1) or redo (1)."""
        had = self.isAncestorOf(self.window().focusWidget()) if self.window().focusWidget() else False
        if self._edits.undo() if by < 0 else self._edits.redo():
            self._show()
            self._keep_draft()
            if had and not self.isAncestorOf(self.window().focusWidget() or self.window()):
                self.column.take_focus(0)  # the layer that had the keyboard is gone

    def _follow_data(self) -> None:
        """Other images have come into view: what is edited is for them."""
        shape = self._image_shape
        if self._is_open and shape is not None:
            self._edits.do(self._edits.present.on(shape))
            self._show()
            self._keep_draft()

    def _follow_name(self) -> None:
        self._show_state()
        if self._is_open:
            self._keep_draft()

    def _keep_draft(self) -> None:
        """Let nothing be lost that has been edited, whatever happens to the window."""
        edits = self._edits
        draft = Draft(self.name.text(), self._origin, edits.first, edits.present, self._first_kept)
        if (draft if edits.is_changed else None) != self._lab.state.draft.value:
            self._lab.state.draft.set(draft if edits.is_changed else None)

    def _refuse(self, error: ConfigError) -> None:
        problem = Problem.of(error)
        self._lab.problem.emit(Problem(problem.message, about=TRAINING))

    @property
    def _image_shape(self) -> tuple[int, ...] | None:
        data = self._lab.state.data.value
        return None if data is None else data.train.image_shape

    # -- showing

    def _show_more(self) -> None:
        """Show more layers after the next frame until all are shown, since making their cards takes time."""
        if not self._is_open:
            return
        if self.column.show_more(AT_A_TIME):
            self.column.setEnabled(True)
            self._show()
            self.column.take_focus(0)
        else:
            QTimer.singleShot(0, self, self._show_more)

    def _show(self) -> None:
        layers = self._edits.present
        lines = layers.lines()
        self.column.show_layers(layers, lines)
        self._input.setText(f"input {shape_text(layers.input_shape)}")
        data = self._lab.state.data.value
        self._problem = layers.problem(10 if data is None else len(data.train.class_names))
        ends_wrong = bool(self._problem) and not any(line.problem for line in lines)
        self.column.end.setText(self._problem if ends_wrong else "")
        wrong = next((line.name for line in lines if line.problem), "")
        cost = total(lines)
        self._total.show_words(f"{f'Above {wrong}' if wrong else 'In total'}: {parameters_text(cost)} · {work_text(cost)}")
        self._show_state()

    def _show_state(self) -> None:
        """Enable what can be done now, and say why not."""
        if not self._is_open:
            return
        self.undo_button.setEnabled(self._edits.can_undo)
        self.redo_button.setEnabled(self._edits.can_redo)
        self.delete.setVisible(self._first_name in self._lab.own_networks.known)
        why_not = self._problem or ("" if self.name.text().strip() else "The network has no name yet; give it one.")
        self.save.setEnabled(not why_not and not self._is_saving)
        self.save.setToolTip(why_not or "Keep the network by its name, and make it that of the next training")

    # -- keys

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and (is_undo(event) or is_redo(event)):
            event.accept()  # the window's undo is that of the probe
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_undo(event) or is_redo(event):
            self._step(-1 if is_undo(event) else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)
