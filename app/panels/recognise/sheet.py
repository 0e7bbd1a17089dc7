"""SheetCard: the sheet to draw on, or the picture, with boxes over the digits; and other pages behind tabs."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.core.probe import NO_DRAWING, Kind, Probe
from app.core.reading import ReadDigit
from app.lab import Lab
from app.panels.recognise.large import LargeStage
from app.panels.recognise.levels import show_levels
from app.panels.recognise.pointing import Pointing
from app.panels.recognise.reading import ProbeReading, took
from app.panels.recognise.tools import Tools
from app.stroke import Stroke
from app.widgets.canvas import Canvas
from app.widgets.card import Card
from app.widgets.digit_boxes import DigitBox
from app.widgets.elided import Elided
from app.widgets.pixels import picture_menu
from app.widgets.tab_button import TabButton
from app.widgets.zoom_picture import ZoomPicture
from nncore.vision import Box, Stage

LONGEST = 28
"""Characters of a name that are shown."""


class SheetCard(Card):
    """Shows the probe, and makes what is drawn the probe."""

    def __init__(self, lab: Lab, reading: ProbeReading, parent: QWidget) -> None:
        super().__init__("Sheet", parent=parent)
        self.title.hide()  # the tabs say it
        self._lab, self._reading = lab, reading
        self.canvas = Canvas()
        self._before = lab.state.probe.value
        """The probe before the stroke that is being drawn."""
        self.canvas.began.connect(self._begin_stroke)
        self.canvas.changed.connect(lambda: lab.state.probe.set(self._drawing()))
        self.canvas.finished.connect(lambda: lab.state.show_probe(self._drawing(), "stroke", self._before))
        self.canvas.chosen.connect(lab.state.choose)
        Pointing(lab, reading, self.canvas)
        self.photo = ZoomPicture("picture")
        self.photo.chosen.connect(self._choose)
        self.photo.menu_wanted.connect(self._open_menu)
        self._chosen, self._is_choosing = -1, False
        self.large = LargeStage(lab)
        self.large.left.connect(self.leave_stage)
        # From the outside in: what is given to another parent has its style worked out anew, with all that is in it.
        self._pages = QStackedWidget()
        self.body.addWidget(self._pages, 1)
        self._tabs = QHBoxLayout()
        self._tabs.setSpacing(2)
        self._group = QButtonGroup(self)
        self.facts = Elided()
        self.facts.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        policy = self.facts.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # so that the tabs stay where they are
        self.facts.setSizePolicy(policy)
        self.header.setStretch(1, 0)  # all that is left belongs to the facts
        self.header.addLayout(self._tabs)
        self.header.addWidget(self.facts, 1)
        page = QWidget()
        self.add_page("Sheet", "Draw digits, or look at a picture with the answers over it", page)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.views = QStackedWidget()
        column.addWidget(self.views, 1)
        for view in (self.canvas, self.photo, self.large):
            self.views.addWidget(view)
        self.tools = Tools(self.canvas, self.photo, self._take_tool)
        column.addWidget(self.tools)
        reading.changed.connect(self._show_reading)
        lab.sheet_wanted.connect(self.draw)
        lab.state.probe.subscribe(self._follow_probe)

    # -- pages

    def add_page(self, title: str, tooltip: str, page: QWidget) -> None:
        """Add a page behind a tab."""
        number = self._pages.addWidget(page)
        tab = TabButton(title, checked=number == 0)
        tab.setToolTip(tooltip)
        tab.clicked.connect(partial(self._pages.setCurrentIndex, number))
        tab.clicked.connect(lambda: self.facts.setVisible(number == 0))
        self._group.addButton(tab, number)
        self._tabs.addWidget(tab)

    @property
    def tab_stops(self) -> tuple[QWidget, ...]:
        """The widgets that take the keyboard's focus, in order, without those of the pages that were added."""
        return (*self._group.buttons(), self.canvas, self.photo, *self.large.tab_stops, *self.tools.tab_stops)

    def show_sheet_page(self) -> None:
        """Show the page with the sheet."""
        self._group.button(0).click()

    # -- drawing

    @property
    def shows_picture(self) -> bool:
        """Whether the probe is a picture, and no drawing."""
        probe = self._lab.state.probe.value
        return probe.picture is not None and probe.kind is not Kind.DRAWING

    @property
    def view(self) -> QWidget:
        """What shows the probe: the sheet to draw on, or the picture."""
        return self.photo if self.shows_picture else self.canvas

    def draw(self) -> None:
        """Show the sheet, and make the drawing on it the probe."""
        self.show_sheet_page()
        self._lab.state.show_probe(self._drawing(), "back to the sheet")
        self.canvas.setFocus()

    def wipe_chosen(self) -> None:
        """Take the strokes of the digit that is looked at off the sheet."""
        chosen, strokes = self._reading.chosen, self.canvas.strokes
        if self.shows_picture or chosen is None:
            return
        left = [stroke for stroke in strokes if stroke.erases or not _lies_in(stroke, chosen.found.box)]
        if len(left) < len(strokes):
            before = self._lab.state.probe.value
            self.canvas.set_strokes(left if any(not stroke.erases for stroke in left) else ())
            self._lab.state.show_probe(self._drawing(), "digit wiped off", before)

    def _take_tool(self, erasing: bool) -> None:
        """Take the pen or the eraser, and a new sheet where a picture is in view."""
        self.canvas.erasing = erasing
        self.leave_stage()
        if self.shows_picture:
            self._lab.state.show_probe(NO_DRAWING, "new sheet")
        self.tools.follow(self.shows_picture)
        self.canvas.setFocus()

    def _begin_stroke(self) -> None:
        self._before = self._lab.state.probe.value

    def _drawing(self) -> Probe:
        """What is on the sheet, as a probe."""
        if self.canvas.is_blank:
            return NO_DRAWING
        probe = Probe(self.canvas.pixels(), "drawing", kind=Kind.DRAWING, strokes=self.canvas.strokes)
        self._lab.state.corrections.carry(self._lab.state.probe.value, probe)
        return probe

    # -- what is shown

    def _follow_probe(self, probe: Probe) -> None:
        if self.shows_picture and probe.picture is not None:
            show_levels(self.photo, probe.picture)
        elif probe.strokes != self.canvas.strokes:  # it was undone, done again or cleared
            self.canvas.set_strokes(probe.strokes, probe.picture)
        self.leave_stage()
        self.setFocusProxy(self.view)
        self.tools.follow(self.shows_picture)

    def open_stage(self, stage: Stage) -> None:
        """Show a stage of the preparation in the place of the sheet."""
        self.show_sheet_page()
        self.large.show_stage(stage)
        self.views.setCurrentWidget(self.large)
        self.tools.hide()
        self.large.view.setFocus()

    def leave_stage(self) -> None:
        """Show the sheet or the picture again, where a stage is in its place."""
        had_focus = self.large.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        self.views.setCurrentWidget(self.view)
        self.large.forget()
        self.tools.show()
        if had_focus:
            self.view.setFocus()

    def _show_reading(self) -> None:
        reading, chosen, waiting = self._reading.reading, self._reading.chosen, self._reading.is_waiting
        probe = self._lab.state.probe.value
        several = len(reading.found) > 1
        boxes = [_box_of(each, each is chosen and several) for each in reading.found]
        if self.shows_picture:
            # Around a digit that fills the picture a box says nothing.
            self.photo.set_boxes(boxes if several or not _fills(boxes, probe) else ())
            self.photo.set_busy("Reading…" if waiting else "")
        self.canvas.set_boxes(() if self.shows_picture or not several else boxes)
        self._show_chosen(chosen if several else None)
        self.facts.show_words(self._facts())

    def _show_chosen(self, chosen: ReadDigit | None) -> None:
        """Say which digit is chosen to who cannot see it, and bring it into sight."""
        reading = self._reading.reading
        text = " / ".join(reading.text.splitlines())
        words = f"{reading.where(chosen.index) or 'no digit'}: {chosen.words}. " if chosen is not None else ""
        for view in (self.photo, self.canvas):
            if view.accessibleDescription() != words + text:
                view.setAccessibleDescription(words + text)
        index = -1 if chosen is None else chosen.index
        if index != self._chosen:
            self._chosen = index
            if self.shows_picture and 0 < index < len(self.photo.boxes) and not self._is_choosing:
                self.photo.reveal(index)

    def _facts(self) -> str:
        """The probe in a line: `page.png · 5 lines · 24 digits · 41 ms`."""
        probe, reading, look = self._lab.state.probe.value, self._reading.reading, self._reading.look
        if probe.picture is None:
            return ""
        words = [_short(probe.origin)]
        if self._reading.is_waiting:
            words.append("Reading…")
        elif (look is not None and look.error is None) or reading.found:
            digits, lines = len(reading.digits), len(reading.lines)
            if digits > 1:
                words.append(f"{lines:,} line{'s' if lines > 1 else ''}")
            words.append(f"{digits:,} digit{'s' if digits > 1 else ''}" if digits else "no digits")
            words.append(took(self._reading.seconds))
        return " · ".join(words)

    # -- choosing and correcting

    def _choose(self, index: int) -> None:
        self._is_choosing = True
        self._lab.state.choose(index)
        self._is_choosing = False

    def _open_menu(self, index: int, at: QPoint) -> None:
        """Open the menu of the picture, and of a digit on it."""
        pixels = self.photo.pixels
        if pixels is None:
            return
        first = []
        if index >= 0:
            self._choose(index)
            first = [(f"This is a {digit}", partial(self._lab.correct, digit)) for digit in range(10)]
        picture_menu(self, at, pixels, first=first)


def _short(name: str) -> str:
    """A name with its middle left out where it is long, so that what follows it has room."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}…{name[-LONGEST // 2 + 1 :]}"


def _box_of(each: ReadDigit, chosen: bool) -> DigitBox:
    return DigitBox(each.found.box, each.digit, each.is_sure, each.is_digit, each.correction is not None, chosen, each.words)


def _lies_in(stroke: Stroke, box: Box) -> bool:
    """Whether more than half of a stroke's points lie in a box of the sheet."""
    x, y, width, height = box
    inside = sum(x <= across < x + width and y <= down < y + height for across, down in stroke.points)
    return 2 * inside > len(stroke.points)


def _fills(boxes: list[DigitBox], probe: Probe) -> bool:
    """Whether the one box lies around the whole picture."""
    return probe.picture is not None and [each.box[2:] for each in boxes] == [probe.picture.shape[1::-1]]
