"""An augmentation in words and by name: what each setting means, and the box that chooses one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QComboBox

from app.lab import Lab
from nncore.data.augment import AUGMENTATIONS, Augmentation

OWN = "own"
"""What an augmentation without a name is called."""


@dataclass(frozen=True)
class Notion:
    """What one setting means: tooltips explain the notion, not the widget."""

    title: str
    words: Callable[[float], str]
    """Its value, as people read it."""
    explains: str


NOTIONS = {
    "shift": Notion("Shift", lambda v: f"±{v:.1f} px", "how far a digit may lie from where it was written"),
    "rotate": Notion("Rotation", lambda v: f"±{v:.0f}°", "how far a digit may be turned; beyond 30° a 6 begins to look like a 9"),
    "scale": Notion("Size", lambda v: f"±{v:.0%}".replace("%", " %"), "how much larger or smaller a digit may be"),
    "shear": Notion("Slant", lambda v: f"±{v:.0f}°", "how far a digit may lean, as one hand leans more than another"),
    "elastic": Notion("Elastic", lambda v: f"{v:.1f} px", "how far each part of a stroke may stray by itself, as in hasty writing"),
    "thickness": Notion("Thickness", lambda v: f"±{v:.1f} px", "how much bolder or finer the pen may be"),
    "noise": Notion("Noise", lambda v: f"≤{v:.0f} of 255", "how much each pixel may flicker, as in a photo taken in poor light"),
}


def name_of(augmentation: Augmentation) -> str:
    """Its name, or `own`."""
    return next((name for name, known in AUGMENTATIONS.items() if known == augmentation), OWN)


def value_in_words(name: str, value: float) -> str:
    """A setting's value as people read it."""
    return NOTIONS[name].words(value) if value else "none"


def in_words(augmentation: Augmentation) -> str:
    """What it does, in a line: `±1.5 px, ±8°, …`."""
    settings = augmentation.as_dict()
    said = [f"{NOTIONS[name].title.lower()} {NOTIONS[name].words(value)}" for name, value in settings.items() if value]
    return ", ".join(said) or "each image as it is"


class NameBox(QComboBox):
    """Chooses an augmentation by name; it shows `own` while the one in use has none."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.setAccessibleName("augmentation")
        self._lab = lab
        self.addItems(list(AUGMENTATIONS))
        self.textActivated.connect(self._choose)
        lab.state.augmentation.subscribe(self._show)

    def _choose(self, name: str) -> None:
        if name in AUGMENTATIONS:
            self._lab.state.augmentation.set(AUGMENTATIONS[name])

    def _show(self, augmentation: Augmentation) -> None:
        name = name_of(augmentation)
        own = self.findText(OWN)
        if name == OWN and own < 0:
            self.addItem(OWN)
        elif name != OWN and own >= 0:
            self.removeItem(own)
        self.setCurrentText(name)
