"""Overlay: the card with the curves of the ticked runs, laid over each other."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QPushButton, QSlider, QStackedWidget, QVBoxLayout, QWidget

from app.core.overlay import AXES, IMAGES, QUANTITIES, STEP, TIME, Quantity
from app.lab import Lab
from app.panels.runs.curves import TickedCurves
from app.widgets.card import Card, label
from app.widgets.overlay import Line, OverlayPlot

FIRST = 3
"""How many runs the button ticks where none is ticked."""
AXIS_TIPS = {
    STEP: "How often the weights had been changed",
    TIME: "Seconds of training. A run's time is spread evenly over its steps, since only the whole is known.",
    IMAGES: "How many images the network had learned from: the batch sizes of its steps, added up",
}
PLOT_TIP = (
    "The crosshair tells each run's value at the place under the mouse. The wheel zooms along the axis, dragging moves along it, a "
    "double click shows all again (with the keyboard: ← and →, + and −, Home)"
)


class Overlay(Card):
    """Draws what TickedCurves knows of the ticked runs: one quantity of each, along an axis."""

    def __init__(self, lab: Lab) -> None:
        quantity, axis, logarithmic, save = QComboBox(), QComboBox(), QCheckBox("log"), QPushButton("Save…")
        smoothing = QSlider(Qt.Orientation.Horizontal, minimum=0, maximum=99)
        super().__init__("Curves", quantity, axis, logarithmic, label("smooth", "dim"), smoothing, save)
        self.quantity, self.axis, self.logarithmic, self.smoothing, self.save = quantity, axis, logarithmic, smoothing, save
        self._lab = lab
        self.plot = OverlayPlot("curves of the ticked runs")
        self.plot.setToolTip(PLOT_TIP)
        self._smoothing = {False: 0, True: 90}
        """Smoothing in percent, of curves with few points and of those with a noisy one for every step."""
        self.curves = TickedCurves(lab, self)
        self._build_controls()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.plot)
        self._pages.addWidget(self._build_hint())
        self.why_none = label("", "dim", wrap=True)
        self.why_none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages.addWidget(self.why_none)
        self.body.addWidget(self._pages, 1)
        lab.comparing.ticked_changed.connect(self._draw)
        self.curves.changed.connect(self._draw)
        lab.run_table.changed.connect(self._write_hint)
        self._write_hint()
        self._choose_quantity()

    def hasHeightForWidth(self) -> bool:
        return False  # a wrapped sentence would have the whole panel laid out by the heights that its parts would like best

    def _build_controls(self) -> None:
        self.quantity.addItems([each.title for each in QUANTITIES])
        self.quantity.setAccessibleName("what is plotted")
        self.quantity.setToolTip("Validation: on images that the network does not learn from. Training: on those of each batch.")
        self.axis.addItems([f"by {axis}" for axis in AXES])
        self.axis.setAccessibleName("what the curves run along")
        for place, axis in enumerate(AXES):
            self.axis.setItemData(place, AXIS_TIPS[axis], Qt.ItemDataRole.ToolTipRole)
        self.logarithmic.setChecked(True)
        self.logarithmic.setAccessibleName("logarithmic axis")
        self.smoothing.setFixedWidth(70)
        self.smoothing.setAccessibleName("smoothing")
        self.smoothing.setToolTip("Smoothing: how much each point remembers of those before it")
        self.save.setAccessibleName("save the plot of the ticked runs")
        self.save.clicked.connect(self.plot.ask_and_save)
        self.quantity.currentIndexChanged.connect(self._choose_quantity)
        self.axis.currentIndexChanged.connect(self._draw)
        self.logarithmic.toggled.connect(self._draw)
        self.smoothing.valueChanged.connect(self._smooth)

    def _build_hint(self) -> QWidget:
        page = QWidget()
        self._hint, self.first = label("", "dim", wrap=True), QPushButton("")
        self.first.clicked.connect(lambda: self._lab.comparing.tick((self._lab.run_table.runs or ())[:FIRST]))
        row = QHBoxLayout()
        row.addWidget(self.first)
        row.addStretch(1)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._hint)
        column.addLayout(row)
        column.addStretch(1)
        return page

    @property
    def chosen(self) -> Quantity:
        """What is plotted."""
        return QUANTITIES[self.quantity.currentIndex()]

    def _choose_quantity(self) -> None:
        quantity = self.chosen
        self.logarithmic.setEnabled(not quantity.percent)
        self.logarithmic.setToolTip(
            "Accuracies come near 100 %, where a logarithm shows nothing more."
            if quantity.percent
            else "A logarithmic axis: equal distances are equal ratios, so that small values are told apart, too"
        )
        self.smoothing.setValue(self._smoothing[quantity.is_noisy])
        self._draw()

    def _smooth(self, percent: int) -> None:
        self._smoothing[self.chosen.is_noisy] = percent
        self.plot.set_smoothing(percent / 100)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.curves.look_again()
        self._draw()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.curves.leave()

    def _draw(self) -> None:
        """Draw the curves that are known."""
        quantity, axis = self.chosen, AXES[self.axis.currentIndex()]
        self.axis.setToolTip(AXIS_TIPS[axis])
        ticked = self._lab.comparing.ticked
        lines = [
            Line(each.run.name, each.color, *curves.curve(quantity, axis), self.curves.grow(each.run))
            for each in ticked
            if (curves := self.curves.of(each.run)) is not None
        ]
        logarithmic = self.logarithmic.isChecked() and not quantity.percent
        self.plot.smoothing = self.smoothing.value() / 100
        self.plot.show_lines(lines, quantity.title, axis, logarithmic=logarithmic, percent=quantity.percent)
        self.why_none.setText("Reading the curves…" if len(lines) < len(ticked) else _why_none(len(lines), quantity, axis))
        has_points = any(len(line.x) for line in lines)
        self._pages.setCurrentIndex(0 if has_points else 2 if ticked else 1)
        self.save.setEnabled(has_points)
        self.save.setToolTip(
            "Save this plot as a picture (PNG, SVG) or its values as a table (CSV)"
            if has_points
            else f"There is nothing to save{'.' if ticked else '; tick runs in the table first.'}"
        )

    def _write_hint(self) -> None:
        """Offer to tick the newest runs, where none is ticked."""
        count = min(FIRST, len(self._lab.run_table.runs or ()))
        self._hint.setText("Tick runs in the table: their curves are laid over each other here.")
        self.first.setText("Tick the newest run" if count == 1 else f"Tick the {count} newest runs")


def _why_none(runs: int, quantity: Quantity, axis: str) -> str:
    """What stands in the place of the plot where no run has points."""
    whose = "the ticked run" if runs == 1 else "the ticked runs"
    if axis == TIME:
        return f"No {quantity.title.lower()} is known of {whose} by time yet. How long a run took is known once its training ends."
    return f"No {quantity.title.lower()} is known of {whose} yet."
