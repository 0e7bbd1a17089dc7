"""RecipeForm: shows the recipe of the next training and edits it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QHBoxLayout, QPushButton, QSpinBox, QWidget

from app.core.recipe import Recipe
from app.lab import Lab
from app.panels.augmentation import NameBox
from app.panels.train.fields import choice_field, described, number_field, share_field, whole_field
from app.training import Status
from app.widgets.card import Card, label
from models.presets import PRESETS
from nncore.training.batches import steps_per_epoch
from nncore.training.config import SETTINGS
from nncore.training.schedules import describe_schedule

NETWORK = "Network: the layers, in a row, from the picture to ten scores."
IMAGES = "Images: train on a random part of the data only, for a quick try."


class RecipeForm(Card):
    """A row for each setting. It shows the recipe of the state, and what the user changes is set there."""

    def __init__(self, lab: Lab) -> None:
        super().__init__("Recipe")
        self._lab, self._state = lab, lab.state
        self.preset = QComboBox()
        self.preset.addItems(list(PRESETS))
        self.optimizer, self.schedule = choice_field(SETTINGS["optimizer"]), choice_field(SETTINGS["schedule"])
        self.rate = number_field(SETTINGS["learning_rate"])
        self.batch, self.epochs = whole_field(SETTINGS["batch_size"]), whole_field(SETTINGS["epochs"])
        self.augment = NameBox(lab)
        self.held_out = share_field(SETTINGS["validation"])
        self.limit = QSpinBox(minimum=0, maximum=10_000_000, singleStep=1000, specialValueText="all", groupSeparatorShown=True)
        self.seed = whole_field(SETTINGS["seed"])
        self.plan = label("", "dim", wrap=True)
        self.plan.setAccessibleName("what will happen to the learning rate")
        self.body.addLayout(self._build_form())
        self._connect()
        lab.training.status_changed.connect(self._show_status)
        self._state.recipe.subscribe(self._show)
        self._state.data.subscribe(lambda _: self._show_plan())

    def _connect(self) -> None:
        change = self._state.change_recipe
        self.preset.currentTextChanged.connect(self._choose_network)
        self.optimizer.currentTextChanged.connect(lambda name: change(optimizer=name))
        self.schedule.currentTextChanged.connect(lambda name: change(schedule=name))
        self.rate.setKeyboardTracking(False)  # tell the value when it is complete, not at every key
        self.rate.valueChanged.connect(lambda value: change(learning_rate=value))
        self.rate.valueChanged.connect(self._lab.training.set_learning_rate)
        self.batch.valueChanged.connect(lambda value: change(batch_size=value))
        self.epochs.valueChanged.connect(lambda value: change(epochs=value))
        self.held_out.valueChanged.connect(self._hold_out)
        self.limit.valueChanged.connect(self._set_limit)
        self.seed.valueChanged.connect(lambda value: change(seed=value))

    def _settings(self) -> Mapping[str, QWidget]:
        """Each setting's widget by the tooltip that says what it means, beginning with its title."""
        fields = {
            "optimizer": self.optimizer, "learning_rate": self.rate, "schedule": self.schedule, "batch_size": self.batch,
            "epochs": self.epochs, "augmentation": self.augment, "validation": self.held_out,
        }  # fmt: skip
        shown = {described(SETTINGS[name]): widget for name, widget in fields.items()}
        return {NETWORK: self.preset, **shown, IMAGES: self.limit, described(SETTINGS["seed"]): self.seed}

    def _build_form(self) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(6)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for meaning, widget in self._settings().items():
            words = meaning.partition(":")[0]
            if isinstance(widget, QSpinBox | QDoubleSpinBox):
                widget.lineEdit().setTextMargins(6, 0, 0, 0)  # the stylesheet's padding does not reach it
            title = label(words)
            title.setBuddy(widget)
            for part in (title, widget):
                part.setToolTip(meaning)
            widget.setAccessibleName(words)
            form.addRow(title, self._with_preview(widget) if widget is self.augment else widget)
            if widget is self.schedule:
                form.addRow(self.plan)
        return form

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

    def _choose_network(self, name: str) -> None:
        self._state.recipe.set(self._state.recipe.value.with_network(name))

    def _hold_out(self, percent: float) -> None:
        preset = self._state.recipe.value.preset.training.validation
        # The preset's share, such as a sixth, may have more digits than the form shows.
        self._state.change_recipe(validation=preset if percent == round(100 * preset, 1) else percent / 100)

    def _set_limit(self, images: int) -> None:
        self._state.recipe.set(self._state.recipe.value.with_limit(images or None))

    # -- showing

    def _show(self, recipe: Recipe) -> None:
        config = recipe.config
        with ExitStack() as silent:
            for widget in self._settings().values():  # showing a recipe must not edit it
                silent.enter_context(QSignalBlocker(widget))
            self.preset.setCurrentText(recipe.network)
            self.optimizer.setCurrentText(config.optimizer)
            self.schedule.setCurrentText(config.schedule)
            figures: tuple[tuple[Any, float], ...] = (
                (self.rate, config.learning_rate), (self.batch, config.batch_size), (self.epochs, config.epochs),
                (self.held_out, round(100 * config.validation, 1)), (self.limit, recipe.limit or 0), (self.seed, config.seed),
            )  # fmt: skip
            for box, value in figures:
                if box.value() != value:  # setting the same value would rewrite the text that is being typed
                    box.setValue(value)

        self._show_plan()

    def _show_plan(self) -> None:
        """Say what will happen to the learning rate; nothing where there is no data yet to count the steps of an epoch."""
        data, recipe = self._state.data.value, self._state.recipe.value
        count = 0 if data is None else min(recipe.limit or len(data.train), len(data.train))
        rate = describe_schedule(recipe.config, steps_per_epoch(recipe.config, count)) if count > 1 else ""
        self.plan.setText(f"Rate {rate}" if rate else "")

    def _show_status(self, status: Status) -> None:
        for widget in self._settings().values():
            # The learning rate may be changed while the network trains, and the augmentation for the next time.
            widget.setEnabled(status is Status.IDLE or widget in (self.rate, self.augment))
