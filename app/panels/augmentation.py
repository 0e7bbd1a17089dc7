"""Augmentations as shown to the user: what each setting means, their names, and a box to choose one by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QComboBox

from app.core.recipe import Recipe
from app.lab import Lab
from nncore.data.augment import AUGMENTATIONS, Augmentation

OWN = "own"
"""The name shown for settings that are none of AUGMENTATIONS."""


@dataclass(frozen=True)
class Setting:
    """What one setting of an augmentation means."""

    title: str
    words: Callable[[float], str]
    """Makes text of a value: `±1.5 px`."""
    explains: str


SETTINGS = {
    "shift": Setting("Shift", lambda v: f"±{v:.1f} px", "how far a digit may lie from where it was written"),
    "rotate": Setting("Rotation", lambda v: f"±{v:.0f}°", "how far a digit may be turned; beyond 30° a 6 begins to look like a 9"),
    "scale": Setting("Size", lambda v: f"±{v:.0%}".replace("%", " %"), "how much larger or smaller a digit may be"),
    "shear": Setting("Slant", lambda v: f"±{v:.0f}°", "how far a digit may lean, as one hand leans more than another"),
    "elastic": Setting("Elastic", lambda v: f"{v:.1f} px", "how far each part of a stroke may stray, as in hasty writing"),
    "thickness": Setting("Thickness", lambda v: f"±{v:.1f} px", "how much bolder or finer the pen may be"),
    "noise": Setting("Noise", lambda v: f"≤{v:.0f} of 255", "how much each pixel may flicker, as in a photo taken in poor light"),
}


def augmentation_of(recipe: Recipe) -> Augmentation:
    """The augmentation that a recipe trains with."""
    return recipe.config.augmentation


def name_of(augmentation: Augmentation) -> str:
    """The name of an augmentation in AUGMENTATIONS, or OWN."""
    return next((name for name, known in AUGMENTATIONS.items() if known == augmentation), OWN)


def value_in_words(name: str, value: float) -> str:
    """The value of a setting as text, `none` where it is 0."""
    return SETTINGS[name].words(value) if value else "none"


def in_words(augmentation: Augmentation) -> str:
    """All settings in a line: `shift ±1.5 px, rotation ±8°, …`."""
    settings = augmentation.as_dict()
    said = [f"{SETTINGS[name].title.lower()} {SETTINGS[name].words(value)}" for name, value in settings.items() if value]
    return ", ".join(said) or "each image as it is"


class NameBox(QComboBox):
    """Chooses an augmentation by name; it shows `own` while the one in use has none."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.setAccessibleName("augmentation")
        self._lab = lab
        self.addItems(list(AUGMENTATIONS))
        self.textActivated.connect(self._choose)
        lab.state.recipe.subscribe_part(augmentation_of, self._show)

    def _choose(self, name: str) -> None:
        if name in AUGMENTATIONS:
            self._lab.state.change_recipe(augmentation=AUGMENTATIONS[name])

    def _show(self, augmentation: Augmentation) -> None:
        name = name_of(augmentation)
        own = self.findText(OWN)
        if name == OWN and own < 0:
            self.addItem(OWN)
        elif name != OWN and own >= 0:
            self.removeItem(own)
        self.setCurrentText(name)
