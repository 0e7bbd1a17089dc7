"""Recognise: draw a digit or open a picture, and see what the network makes of it."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QSlider, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from app.core.look import Look
from app.core.probe import Kind, Probe
from app.lab import Lab
from app.panels.base import Panel
from app.theme import theme
from app.widgets.canvas import Canvas
from app.widgets.card import GAP, Card, label
from app.widgets.picture import PictureView
from nncore.arrays import Array

STAGE = 112
"""Side of a stage's picture in pixels: four times 28."""


class RecognisePanel(Panel):
    """Left the sheet, right the stages of the picture on its way into the network."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.canvas = Canvas()
        self.canvas.changed.connect(self._drawn)
        self._photo = PictureView(name="picture", make_probe=None)
        self._sheet = QStackedWidget()
        self._sheet.addWidget(self.canvas)
        self._sheet.addWidget(self._photo)
        self.sheet_card = Card("Sheet")
        self.sheet_card.body.addWidget(self._sheet, 1)
        self.sheet_card.body.addLayout(self._build_tools())
        self._stages = QVBoxLayout()
        self._stages.setSpacing(10)
        self._stages.addStretch(1)
        holder = QWidget()
        holder.setLayout(self._stages)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(holder)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._what_happened = Card("What happened")
        self._what_happened.setFixedWidth(STAGE + 46)
        self._explanation = label(
            "Draw a digit, or open, drop or paste a picture: every step from it to the network appears here.", "dim", wrap=True
        )
        self._what_happened.body.addWidget(self._explanation)
        self._what_happened.body.addWidget(scroll, 1)
        self._stage_views: list[tuple[QLabel, PictureView]] = []
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self.sheet_card, 1)
        row.addWidget(self._what_happened)
        self.content.addLayout(row)
        self.setFocusProxy(self.canvas)
        lab.looking.looked.connect(self._show_look)
        lab.sheet_wanted.connect(self.draw)
        lab.state.probe.subscribe(self._follow_probe)

    def _build_tools(self) -> QHBoxLayout:
        canvas, stack = self.canvas, self.canvas.undo_stack
        self.pen = QAction(
            "Pen", self, checkable=True, checked=True, shortcut="P", toolTip="Pen: the left button draws, the right one erases (P)"
        )
        self.eraser = QAction("Eraser", self, checkable=True, shortcut="E", toolTip="Eraser: take ink away (E)")
        self.undo = QAction(
            "Undo", self, enabled=False, toolTip="Take the last stroke back (Ctrl+Z)", shortcut=QKeySequence("Ctrl+Z")
        )
        self.redo = QAction("Redo", self, enabled=False, toolTip="Draw the stroke again (Ctrl+Y)")
        self.redo.setShortcuts([QKeySequence("Ctrl+Y"), QKeySequence("Ctrl+Shift+Z")])
        for action, act, possible in ((self.undo, stack.undo, stack.canUndoChanged), (self.redo, stack.redo, stack.canRedoChanged)):
            action.triggered.connect(act)
            possible.connect(action.setEnabled)
        self.clear = QAction(
            "Clear", self, shortcut=QKeySequence.StandardKey.Delete, toolTip="Clear the sheet (Del); undo brings it back"
        )
        self.pen.triggered.connect(lambda: self._use_eraser(False))
        self.eraser.triggered.connect(lambda: self._use_eraser(True))
        self.clear.triggered.connect(self.clear_sheet)
        self.actions_by_icon = {"pen": self.pen, "eraser": self.eraser, "undo": self.undo, "redo": self.redo, "clear": self.clear}
        row = QHBoxLayout()
        for action in self.actions_by_icon.values():
            self.addAction(action)
            button = QToolButton(toolButtonStyle=Qt.ToolButtonStyle.ToolButtonTextBesideIcon, iconSize=QSize(18, 18))
            button.setDefaultAction(action)
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(label("Pen width", "dim"))
        width = QSlider(Qt.Orientation.Horizontal, minimum=8, maximum=60, value=round(canvas.pen_width))
        width.setAccessibleName("pen width")
        width.setToolTip("Pen width: digits drawn too thin or too thick look strange to a network trained on ordinary handwriting")
        width.setFixedWidth(110)
        width.valueChanged.connect(lambda value: setattr(canvas, "pen_width", float(value)))
        row.addWidget(width)
        theme().changed.connect(self._tint)
        self._tint()
        return row

    def _tint(self) -> None:
        for name, action in self.actions_by_icon.items():
            action.setIcon(theme().icon(name))

    def _use_eraser(self, erasing: bool) -> None:
        self.canvas.erasing = erasing
        self.pen.setChecked(not erasing)
        self.eraser.setChecked(erasing)

    def draw(self) -> None:
        """Show the sheet, and make the drawing on it the probe."""
        self._drawn()
        self.canvas.setFocus()

    def clear_sheet(self) -> None:
        """Clear the sheet, or close an opened picture."""
        if self.lab.state.probe.value.kind is Kind.DRAWING or self._sheet.currentWidget() is self.canvas:
            self.canvas.clear()
        self._drawn()

    def _drawn(self) -> None:
        picture = None if self.canvas.is_blank else self.canvas.pixels()
        self.lab.state.probe.set(Probe(picture, "drawing" if picture is not None else "nothing yet", kind=Kind.DRAWING))

    def _follow_probe(self, probe: Probe) -> None:
        shows_picture = probe.picture is not None and probe.kind is not Kind.DRAWING
        if shows_picture:
            self._photo.set_pixels(probe.picture)
        self._sheet.setCurrentWidget(self._photo if shows_picture else self.canvas)
        self.sheet_card.title.setText("SHEET" if not shows_picture else f"PICTURE — {probe.origin}")

    def _show_look(self, look: Look) -> None:
        # A stage that changed nothing is left out.
        every = look.stages
        stages = [stage for n, stage in enumerate(every) if n == 0 or not np.array_equal(stage[1], every[n - 1][1])]
        if look.digit is not None:
            height, width, _ = image_shape = look.digit.image.shape
            if stages and stages[-1][1].size == math.prod(image_shape):
                stages.pop()  # the last stage is what the network sees
            stages.append((f"What the network sees: {height}×{width}", look.digit.image))
        while len(self._stage_views) < len(stages):
            self._add_stage()
        self._explanation.setVisible(not stages)
        for index, (words, view) in enumerate(self._stage_views):
            for widget in (words, view):
                widget.setVisible(index < len(stages))
            if index < len(stages):
                words.setText(stages[index][0])
                view.set_pixels(stages[index][1])

    def _add_stage(self) -> None:
        words, view = label("", "dim", wrap=True), PictureView(name="stage", make_probe=self._probe_of)
        view.setFixedSize(STAGE, STAGE)
        self._stages.insertWidget(self._stages.count() - 1, words)
        self._stages.insertWidget(self._stages.count() - 1, view, 0, Qt.AlignmentFlag.AlignLeft)
        self._stage_views.append((words, view))

    def _probe_of(self, pixels: Array) -> None:
        self.lab.state.probe.set(Probe(pixels, "a stage of the preparation"))
