"""RecipeForm: shows the recipe of the next training and edits it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLayout,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.core.layer_list import LayerList
from app.core.recipe import Recipe
from app.errors import TRAINING, Problem
from app.lab import Lab
from app.panels.augmentation import NameBox
from app.panels.train.fields import Field, described, field_for
from app.panels.train.network_box import NetworkBox
from app.training import Status
from app.widgets.card import Card, label
from app.widgets.schedule_plot import SchedulePlot
from app.widgets.scrolled import Scrolled
from models.presets import TEMPLATES
from nncore.errors import ConfigError
from nncore.training.batches import steps_per_epoch
from nncore.training.config import SETTINGS, Setting
from nncore.training.control import CHANGEABLE
from nncore.training.schedules import describe_schedule, learning_rates
from nncore.training.values import Varied, number_text

NETWORK = "Network: the layers, in a row, from the picture to ten scores."
TEMPLATE = "Template: recommended sets what works well on the data at hand, published what the network's source trained it with."
IMAGES = "Images: train on a random part of the data only, for a quick try."
FOR_THE_NEXT = ("augmentation",)
"""What may be changed while a network trains, for the next time."""
LIVE_TIP = "It can be changed while the network trains: it counts from the next step on."
LOCKED_TIP = "Not while a network trains: it is fixed for the whole of a run."

RATES = 300
"""The most points of the drawing of the learning rate."""
PLAN_LINES = 3
"""Lines of text that nearly every schedule needs to say what it does."""
LEAST_FIELD = 72
"""Least width of a field in pixels."""


class RecipeForm(Card):
    """A row for each setting of a training, those that few people need behind a button.

    It shows the recipe of the state, and what the user changes is set there.
    """

    def __init__(self, lab: Lab, settings: Mapping[str, Setting] = SETTINGS) -> None:
        super().__init__("Recipe")
        self._lab, self._state, self._settings = lab, lab.state, settings
        self.preset = NetworkBox(lab)
        self.template = QComboBox(placeholderText="changed")
        self._template_items = QStandardItemModel(self)
        for name in TEMPLATES:
            self._template_items.appendRow(QStandardItem(name))
        self.template.setModel(self._template_items)
        self.template.setCurrentIndex(-1)
        self.limit = QSpinBox(minimum=0, maximum=10_000_000, singleStep=1000, specialValueText="all", groupSeparatorShown=True)
        self.plan = label("", "dim", wrap=True)
        self.plan.setAccessibleName("what will happen to the learning rate")
        self.plan.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.plan.setMinimumHeight(PLAN_LINES * self.plan.fontMetrics().lineSpacing())  # so that the fields below stay in place
        self.drawing = SchedulePlot(number_text)
        self._fields = {name: self._field(setting) for name, setting in settings.items()}
        self.fields = {name: field.widget for name, field in self._fields.items()}
        """The widget of each setting, by the setting's name."""
        self._left: QWidget | None = None
        """The field that had the keyboard before it was disabled."""
        self._more = QPushButton("More settings", checkable=True)
        self._rest = QWidget()
        # From the outside in: what is given to another parent has its style worked out anew, with all that is in it.
        holder = QWidget()
        self._scroll = Scrolled(holder)
        self.body.addWidget(self._scroll)
        self._fill(holder)
        self.preset.chosen.connect(self._choose_network)
        self.template.textActivated.connect(self._choose_template)
        self.limit.valueChanged.connect(self._set_limit)
        lab.training.status_changed.connect(lambda _: self._enable())
        self._state.recipe.subscribe(self._show)
        self._state.data.subscribe(lambda _: self._show_plan())

    # -- building

    def _field(self, setting: Setting) -> Field:
        if isinstance(setting.kind, Varied):
            return Field(NameBox(self._lab), lambda _: None)  # it follows the recipe by itself
        return field_for(setting, partial(self._change, setting.name), self._refuse)

    def _fill(self, holder: QWidget) -> None:
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        form, rest = _form(), _form()
        column.addLayout(form)
        column.addWidget(self._more)
        column.addWidget(self._rest)
        column.addStretch(1)
        self._rest.setLayout(rest)
        self._add(form, NETWORK, self.preset, self.preset)
        self._add(form, TEMPLATE, self.template, self.template)
        self._add(form, IMAGES, self.limit, self.limit)
        for name, setting in self._settings.items():
            widget = self.fields[name]
            row = self._with_preview(widget) if isinstance(setting.kind, Varied) else widget
            self._add(form if setting.everyday else rest, described(setting), widget, row)
            if name == "schedule":
                form.addRow(self.plan)
                form.addRow(self.drawing)
        self._more.setToolTip("Settings that few trainings change")
        self._more.toggled.connect(self._rest.setVisible)
        self._rest.hide()

    def _add(self, form: QFormLayout, meaning: str, widget: QWidget, row: QWidget | QLayout) -> None:
        """Add a row; `meaning` begins with its title."""
        words = meaning.partition(":")[0]
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widget.installEventFilter(self)
        widget.setMinimumWidth(LEAST_FIELD)  # Qt would make room for the largest number of all
        if isinstance(widget, QSpinBox | QDoubleSpinBox):
            widget.lineEdit().setTextMargins(6, 0, 0, 0)  # the stylesheet's padding does not reach it
        title = label(words)
        title.setBuddy(widget)
        for part in (title, widget):
            part.setToolTip(meaning)
        widget.setAccessibleName(words)
        form.addRow(title, row)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()  # the form is scrolled, and no field changed by the way
            return True
        return False

    def _with_preview(self, widget: QWidget) -> QHBoxLayout:
        see = QPushButton("See")
        see.setAccessibleName("see the augmentation")
        see.setToolTip("See what it makes of an image, and set how far it goes")
        see.clicked.connect(self._lab.show_augmentation)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(widget, 1)
        row.addWidget(see)
        return row

    # -- editing

    def _choose_network(self, name: str, layers: LayerList | None) -> None:
        self._state.recipe.set(self._state.recipe.value.with_network(name, layers))

    def _choose_template(self, name: str) -> None:
        self._state.recipe.set(self._state.recipe.value.with_template(name))

    def _change(self, name: str, value: Any) -> None:
        preset = self._state.recipe.value.preset.training
        if name == "validation" and isinstance(value, float) and round(preset.validation, 3) == round(value, 3):
            value = preset.validation  # which may have more digits than the form shows, as a sixth has
        try:
            self._state.change_recipe(**{name: value})
        except ConfigError as error:
            self._refuse(error)
            return
        if name in CHANGEABLE:
            self._lab.training.change(name, value)

    def _refuse(self, error: ConfigError) -> None:
        self._lab.problem.emit(replace(Problem.of(error), about=TRAINING))
        self._show(self._state.recipe.value)

    def _set_limit(self, images: int) -> None:
        self._state.recipe.set(self._state.recipe.value.with_limit(images or None))

    # -- showing

    def _show(self, recipe: Recipe) -> None:
        with ExitStack() as silent:
            for widget in (self.limit, *self.fields.values()):  # showing a recipe must not edit it
                silent.enter_context(QSignalBlocker(widget))
            for name, field in self._fields.items():
                field.show(getattr(recipe.config, name))
            if self.limit.value() != (recipe.limit or 0):  # setting the same value would rewrite what is being typed
                self.limit.setValue(recipe.limit or 0)
        for row, name in enumerate(TEMPLATES):
            self._template_items.item(row).setEnabled(name in recipe.preset.templates)
        self.template.setCurrentIndex(self.template.findText(recipe.template or ""))
        self._show_plan()
        self._enable()

    def _show_plan(self) -> None:
        """Say and draw what will happen to the learning rate; nothing where there is no data yet to count the steps of an epoch."""
        data, recipe = self._state.data.value, self._state.recipe.value
        count = 0 if data is None else min(recipe.limit or len(data.train), len(data.train))
        if count < 2:
            self.plan.setText("")
            self.drawing.set_rates(np.zeros(0, np.int64), np.zeros(0))
            return
        per_epoch = steps_per_epoch(recipe.config, count)
        self.plan.setText(f"Rate {describe_schedule(recipe.config, per_epoch)}")
        self.drawing.set_rates(*learning_rates(recipe.config, per_epoch, RATES))

    def _enable(self) -> None:
        """Disable what cannot be changed now, and say in its tooltip why a setting has no effect."""
        idle = self._lab.training.status is Status.IDLE
        for widget, meaning in ((self.preset, NETWORK), (self.template, TEMPLATE), (self.limit, IMAGES)):
            self._enable_one(widget, idle)
            widget.setToolTip(meaning if idle else f"{meaning}\n{LOCKED_TIP}")
        for name, setting in self._settings.items():
            unused, field = setting.unused_because(self._state.recipe.value.config), self.fields[name]
            is_live = name in CHANGEABLE
            self._enable_one(field, (idle or is_live or name in FOR_THE_NEXT) and not unused)
            why = unused or (LIVE_TIP if is_live else "" if idle or name in FOR_THE_NEXT else LOCKED_TIP)
            field.setToolTip(f"{described(setting)}\n{why}".rstrip())
            if is_live and isinstance(field, QSpinBox):
                field.setKeyboardTracking(idle)  # no training takes steps with the first digits of what is being typed

    def _enable_one(self, widget: QWidget, enabled: bool) -> None:
        """Enable or disable a field.

        While one that had the keyboard is disabled, the panel has it, where Space pauses; afterwards the field has it again.
        """
        if not enabled and widget.hasFocus():
            self._left = widget
            self.parentWidget().setFocus()
        widget.setEnabled(enabled)
        if enabled and widget is self._left:
            self._left = None
            if self.parentWidget().hasFocus():
                widget.setFocus()


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(12)
    form.setVerticalSpacing(6)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    return form
