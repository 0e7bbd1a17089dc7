"""Recipe: which network, and how it is to be trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QHBoxLayout, QPushButton, QSpinBox, QWidget

from app.core.session import Job
from app.core.state import DataInView
from app.lab import Lab
from app.panels.augmentation import NameBox
from app.training import Status
from app.widgets.card import Card, label
from models.presets import PRESETS, preset
from nncore.errors import ConfigError
from nncore.training.config import OPTIMIZERS, SCHEDULES

NOTIONS = {
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
"""What each setting means: tooltips explain the notion, not the widget."""


class Recipe(Card):
    """The settings of the next training."""

    def __init__(self, lab: Lab) -> None:
        super().__init__("Recipe")
        self._lab = lab
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
        self.preset.currentTextChanged.connect(self._fill)
        self.rate.setKeyboardTracking(False)  # tell the value when it is complete, not at every key
        self.rate.valueChanged.connect(lab.training.set_learning_rate)
        lab.training.status_changed.connect(self._show_status)
        self._fill(self.preset.currentText())
        lab.state.data.subscribe(self._fit)

    def _settings(self) -> Mapping[str, QWidget]:
        """Each setting's widget by its title."""
        widgets = (
            self.preset, self.optimizer, self.rate, self.schedule, self.batch, self.epochs, self.augment, self.held_out,
            self.limit, self.seed,
        )  # fmt: skip
        return dict(zip(NOTIONS, widgets, strict=True))

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
                described.setToolTip(NOTIONS[words])
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

    def _fit(self, data: DataInView | None) -> None:
        """Offer a network that takes the images, where the one on show does not. What is being trained stays on show."""
        if data is None or self._lab.training.is_active or preset(self.preset.currentText()).fits(data.train.image_shape):
            return
        fitting = [known for known in PRESETS.values() if known.fits(data.train.image_shape)]
        if fitting:
            self.preset.setCurrentText(min(fitting, key=lambda known: known.any_input).name)  # one made for them, if there is

    def _fill(self, name: str) -> None:
        recipe = preset(name).training
        self.optimizer.setCurrentText(recipe.optimizer)
        self.schedule.setCurrentText(recipe.schedule)
        self.rate.setValue(recipe.learning_rate)
        self.batch.setValue(recipe.batch_size)
        self.epochs.setValue(recipe.epochs)
        self.held_out.setValue(100 * recipe.validation)

    def job(self) -> Job:
        """The training that the recipe asks for, on the data in view. ConfigError where there is no data yet."""
        data = self._lab.state.data.value
        if data is None:
            raise ConfigError("There is no data to train on yet; choose a dataset in the Data panel.")
        chosen = preset(self.preset.currentText())
        as_preset = self.held_out.value() == round(100 * chosen.training.validation, 1)  # which may be a sixth
        config = replace(
            chosen.training,
            optimizer=self.optimizer.currentText(),
            schedule=self.schedule.currentText(),
            learning_rate=self.rate.value(),
            batch_size=self.batch.value(),
            epochs=self.epochs.value(),
            augmentation=self._lab.state.augmentation.value,
            validation=chosen.training.validation if as_preset else self.held_out.value() / 100,
            seed=self.seed.value(),
        )
        limit = self.limit.value() or None
        return Job(chosen, data.spec, data.train.limit(limit, config.seed), data.test, config, image_limit=limit)

    def _show_status(self, status: Status) -> None:
        for widget in self._settings().values():
            # The learning rate may be changed while the network trains, and the augmentation for the next time.
            widget.setEnabled(status is Status.IDLE or widget in (self.rate, self.augment))
        if status is Status.IDLE:
            self._fit(self._lab.state.data.value)
