"""Recognise: draw a digit or open a picture, and see what the network makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QSlider, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from app.core.look import Look
from app.core.probe import NO_DRAWING, Kind, Probe
from app.lab import Lab
from app.panels.base import Panel
from app.theme import theme
from app.widgets.canvas import Canvas, Stroke
from app.widgets.card import GAP, Card, label
from app.widgets.digit_boxes import DigitBox
from app.widgets.digit_keys import typed_digit
from app.widgets.picture import PictureView
from nncore.arrays import Array
from nncore.recognition import Verdict, lines_of
from nncore.vision import Stage

STAGE = 112
"""Side of a stage's picture in pixels: four times 28."""


class RecognisePanel(Panel):
    """Left the sheet, right the stages of the picture on its way into the network."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.canvas = Canvas()
        self._before = lab.state.probe.value
        """The probe before the stroke that is being drawn."""
        self.canvas.began.connect(self._begin_stroke)
        self.canvas.changed.connect(lambda: lab.state.probe.set(self._drawing()))
        self.canvas.finished.connect(lambda: lab.state.show_probe(self._drawing(), "stroke", self._before))
        self._photo = PictureView(name="picture", make_probe=None)
        self._photo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
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
        lab.looking.looked.connect(self._show_look)
        lab.sheet_wanted.connect(self.draw)
        lab.state.probe.subscribe(self._follow_probe)

    def _build_tools(self) -> QHBoxLayout:
        self.pen = QAction("Pen", self, checkable=True, shortcut="P")
        self.pen.setToolTip("Pen: the left button draws, the right one erases; over a picture it takes a new sheet (P)")
        self.eraser = QAction("Eraser", self, checkable=True, shortcut="E")
        self.eraser.setToolTip("Eraser: take ink away; over a picture it takes a new sheet (E)")
        self.pen.triggered.connect(lambda: self._take_tool(False))
        self.eraser.triggered.connect(lambda: self._take_tool(True))
        self._tools: dict[str, QToolButton] = {}
        row = QHBoxLayout()
        for name in ("pen", "eraser", "undo", "redo", "clear"):
            button = QToolButton(toolButtonStyle=Qt.ToolButtonStyle.ToolButtonTextBesideIcon, iconSize=QSize(18, 18))
            button.setProperty("role", "tool")
            self._tools[name] = button
            row.addWidget(button)
        for name, action in (("pen", self.pen), ("eraser", self.eraser)):
            self.addAction(action)
            self._tools[name].setDefaultAction(action)
        row.addStretch(1)
        row.addWidget(label("Pen width", "dim"))
        width = QSlider(Qt.Orientation.Horizontal, minimum=8, maximum=60, value=round(self.canvas.pen_width))
        width.setAccessibleName("pen width")
        width.setToolTip("Pen width: digits drawn too thin or too thick look strange to a network trained on ordinary handwriting")
        width.setFixedWidth(110)
        width.valueChanged.connect(lambda value: setattr(self.canvas, "pen_width", float(value)))
        row.addWidget(width)
        theme().changed.connect(self._tint)
        self._tint()
        return row

    def wire(self, actions: Mapping[str, QAction]) -> None:
        for name in ("undo", "redo", "clear"):
            self._tools[name].setDefaultAction(actions[name])

    def _tint(self) -> None:
        self.pen.setIcon(theme().icon("pen"))
        self.eraser.setIcon(theme().icon("eraser"))

    # -- drawing

    @property
    def _shows_picture(self) -> bool:
        return self._sheet.currentWidget() is self._photo

    def _take_tool(self, erasing: bool) -> None:
        """Take the pen or the eraser, and a new sheet where a picture is in view."""
        self.canvas.erasing = erasing
        if self._shows_picture:
            self.lab.state.show_probe(NO_DRAWING, "new sheet")
        self._show_tool()
        self.canvas.setFocus()

    def _show_tool(self) -> None:
        """Mark the pen or the eraser as chosen; neither while a picture is in view."""
        self.pen.setChecked(not self._shows_picture and not self.canvas.erasing)
        self.eraser.setChecked(not self._shows_picture and self.canvas.erasing)

    def draw(self) -> None:
        """Show the sheet, and make the drawing on it the probe."""
        self.lab.state.show_probe(self._drawing(), "back to the sheet")
        self.canvas.setFocus()

    def _begin_stroke(self) -> None:
        self._before = self.lab.state.probe.value

    def _drawing(self) -> Probe:
        """What is on the sheet, as a probe."""
        if self.canvas.is_blank:
            return NO_DRAWING
        return Probe(self.canvas.pixels(), "drawing", kind=Kind.DRAWING, strokes=self.canvas.strokes)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        digit = typed_digit(event)
        if digit is not None and (self.canvas.hasFocus() or self._photo.hasFocus()):
            self.lab.correct(digit)
        else:
            super().keyPressEvent(event)

    # -- what is shown

    def _follow_probe(self, probe: Probe) -> None:
        shows_picture = probe.picture is not None and probe.kind is not Kind.DRAWING
        if shows_picture:
            self._photo.set_pixels(probe.picture)
        elif probe.strokes != self.canvas.strokes:  # it was undone, done again or cleared
            self.canvas.set_strokes([stroke for stroke in probe.strokes if isinstance(stroke, Stroke)])
        shown = self._photo if shows_picture else self.canvas
        self._sheet.setCurrentWidget(shown)
        self.setFocusProxy(shown)
        self._show_tool()
        self.sheet_card.title.setText("SHEET" if not shows_picture else f"PICTURE — {probe.origin}")

    def _show_look(self, look: Look) -> None:
        self._show_boxes(look)
        # A stage that changed nothing is left out.
        every = look.stages
        stages = [stage for n, stage in enumerate(every) if n == 0 or not np.array_equal(stage[1], every[n - 1][1])]
        if look.digit is not None:
            height, width, _ = image_shape = look.digit.image.shape
            if stages and stages[-1][1].size == math.prod(image_shape):
                stages.pop()  # the last stage is what the network sees
            seen = "What the network sees" if len(look.digits) == 1 else "The first digit as the network sees it"
            stages.append(Stage(f"{seen}: {height}×{width}", look.digit.image, ""))
        while len(self._stage_views) < len(stages):
            self._add_stage()
        self._explanation.setVisible(not stages)
        for index, (words, view) in enumerate(self._stage_views):
            for widget in (words, view):
                widget.setVisible(index < len(stages))
            if index < len(stages):
                words.setText(stages[index].title)
                words.setToolTip(stages[index].words)
                view.setToolTip(stages[index].words)
                view.set_pixels(stages[index].pixels)

    def _show_boxes(self, look: Look) -> None:
        """Show where several digits were found, with the answers; the text is the view's tooltip."""
        probe = look.question.probe
        if probe is not self.lab.state.probe.value:
            return
        several = len(look.digits) > 1
        boxes = [DigitBox(each.box, each.answer.digit, each.verdict is Verdict.SURE) for each in look.digits if several]
        lines = lines_of(look.digits) if several else []
        if self._shows_picture:
            self._photo.set_boxes(boxes)
            count = f" · {len(lines)} line{'s' if len(lines) > 1 else ''} · {len(boxes)} digits" if several else ""
            self.sheet_card.title.setText(f"PICTURE — {probe.origin}{count}")
        self.canvas.set_boxes([] if self._shows_picture else boxes)
        for view in (self._photo, self.canvas):
            view.setAccessibleDescription(" / ".join(lines))
            view.setToolTip("\n".join(lines))

    def _add_stage(self) -> None:
        words, view = label("", "dim", wrap=True), PictureView(name="stage", make_probe=self._probe_of)
        view.setFixedSize(STAGE, STAGE)
        self._stages.insertWidget(self._stages.count() - 1, words)
        self._stages.insertWidget(self._stages.count() - 1, view, 0, Qt.AlignmentFlag.AlignLeft)
        self._stage_views.append((words, view))

    def _probe_of(self, pixels: Array) -> None:
        self.lab.state.show_probe(Probe(pixels, "a stage of the preparation"), "a stage of the preparation")
