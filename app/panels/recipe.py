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
from app.panels.setting_field import choice_field, described, number_field, share_field, whole_field
from app.training import Status
from app.widgets.card import Card, label
from models.presets import PRESETS, preset
from nncore.errors import ConfigError
from nncore.training.config import SETTINGS

NETWORK = "Network: the layers, in a row, from the picture to ten scores."
IMAGES = "Images: train on a random part of the data only, for a quick try."


class Recipe(Card):
    """The settings of the next training."""

    def __init__(self, lab: Lab) -> None:
        super().__init__("Recipe")
        self._lab = lab
        self.preset = QComboBox()
        self.preset.addItems(list(PRESETS))
        self.optimizer, self.schedule = choice_field(SETTINGS["optimizer"]), choice_field(SETTINGS["schedule"])
        self.rate = number_field(SETTINGS["learning_rate"])
        self.batch, self.epochs = whole_field(SETTINGS["batch_size"]), whole_field(SETTINGS["epochs"])
        self.augment = NameBox(lab)
        self.held_out = share_field(SETTINGS["validation"])
        self.limit = QSpinBox(minimum=0, maximum=10_000_000, singleStep=1000, specialValueText="all", groupSeparatorShown=True)
        self.seed = whole_field(SETTINGS["seed"])
        self.body.addLayout(self._build_form())
        self.preset.currentTextChanged.connect(self._fill)
        self.rate.setKeyboardTracking(False)  # tell the value when it is complete, not at every key
        self.rate.valueChanged.connect(lab.training.set_learning_rate)
        lab.training.status_changed.connect(self._show_status)
        self._fill(self.preset.currentText())
        lab.state.data.subscribe(self._fit)

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
        return Job(chosen, data.spec, data.train.limit(self.limit.value() or None, config.seed), data.test, config)

    def _show_status(self, status: Status) -> None:
        for widget in self._settings().values():
            # The learning rate may be changed while the network trains, and the augmentation for the next time.
            widget.setEnabled(status is Status.IDLE or widget in (self.rate, self.augment))
        if status is Status.IDLE:
            self._fit(self._lab.state.data.value)
