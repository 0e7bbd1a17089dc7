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
from app.training import Status
from app.widgets.card import Card, label
from models.presets import PRESETS
from nncore.training.config import OPTIMIZERS, SCHEDULES

HELP = {
    "Network": "Network: the layers, in a row, from the picture to ten scores.",
    "Optimizer": "Optimizer: the rule by which the weights follow their gradients. Adam adapts its steps to each weight.",
    "Learning rate": (
        "Learning rate: how far each step moves the weights. Too high and the loss jumps; too low and nothing happens. "
        "It can be changed while the network trains."
    ),
    "Schedule": (
        "Schedule: how the learning rate changes on the way. In steps as the preset has it, down along a cosine, or in one "
        "cycle, up and down again, which often learns most in few epochs."
    ),
    "Batch size": "Batch size: images a step. Small batches learn more from each image, large ones go faster.",
    "Epochs": "Epochs: how often the network sees every training image.",
    "Augment": (
        "Augmentation: show the network each image a little different every time, so that it learns what stays the same. "
        "It takes longer to learn, and knows more digits that it has never seen."
    ),
    "Held out": (
        "Held out: the share of the training images that the network never learns from. How many of these it gets right says "
        "whether it understands digits or only remembers them. The test images are never used for that."
    ),
    "Images": "Images: train on a random part of the data only, for a quick try.",
    "Seed": "Seed: fixes all that is random. The same seed gives the same first weights and the same training.",
}
"""What each setting means, by its title."""


class RecipeForm(Card):
    """A row for each setting. It shows the recipe of the state, and what the user changes is set there."""

    def __init__(self, lab: Lab) -> None:
        super().__init__("Recipe")
        self._lab, self._state = lab, lab.state
        self.preset, self.optimizer, self.schedule = QComboBox(), QComboBox(), QComboBox()
        self.preset.addItems(list(PRESETS))
        self.optimizer.addItems(list(OPTIMIZERS))
        self.schedule.addItems(list(SCHEDULES))
        self.rate = QDoubleSpinBox(
            decimals=6, minimum=0.000001, maximum=100, stepType=QDoubleSpinBox.StepType.AdaptiveDecimalStepType
        )
        self.batch = QSpinBox(minimum=1, maximum=100_000, groupSeparatorShown=True)
        self.epochs = QSpinBox(minimum=1, maximum=10_000, groupSeparatorShown=True)
        self.augment = NameBox(lab)
        self.held_out = QDoubleSpinBox(decimals=1, minimum=0.1, maximum=90, suffix=" %")
        self.limit = QSpinBox(minimum=0, maximum=10_000_000, singleStep=1000, specialValueText="all", groupSeparatorShown=True)
        self.seed = QSpinBox(minimum=0, maximum=2**31 - 1)
        self.body.addLayout(self._build_form())
        self._connect()
        lab.training.status_changed.connect(self._show_status)
        self._state.recipe.subscribe(self._show)

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
        """Each setting's widget by its title."""
        widgets = (
            self.preset, self.optimizer, self.rate, self.schedule, self.batch, self.epochs, self.augment, self.held_out,
            self.limit, self.seed,
        )  # fmt: skip
        return dict(zip(HELP, widgets, strict=True))

    def _build_form(self) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(6)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for words, widget in self._settings().items():
            if isinstance(widget, QSpinBox | QDoubleSpinBox):
                widget.lineEdit().setTextMargins(6, 0, 0, 0)  # the stylesheet's padding does not reach it
            title = label(words)
            title.setBuddy(widget)
            for described in (title, widget):
                described.setToolTip(HELP[words])
            widget.setAccessibleName(words)
            form.addRow(title, self._with_preview(widget) if widget is self.augment else widget)
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

    def _show_status(self, status: Status) -> None:
        for widget in self._settings().values():
            # The learning rate may be changed while the network trains, and the augmentation for the next time.
            widget.setEnabled(status is Status.IDLE or widget in (self.rate, self.augment))
