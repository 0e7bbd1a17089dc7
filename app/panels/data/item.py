"""Item: one image of a dataset, and the words for it. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.probe import Kind, Probe
from nncore.arrays import Array, shape_text
from nncore.data.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Item:
    """The image at `index` of a part (training, test) of the data."""

    data: Dataset
    part: str
    index: int

    @property
    def pixels(self) -> Array:
        """uint8 (height, width, 1 or 3). A copy: a view would keep all images in memory."""
        return self.data.images[self.index].copy()

    @property
    def class_name(self) -> str:
        return self.data.class_name(self.index)

    @property
    def origin(self) -> str:
        """Where it is found: `MNIST training image 1,234`."""
        return f"{self.data.name} {self.part} image {self.index:,}"

    @property
    def words(self) -> str:
        """Where it is found, and what it shows."""
        return f"{self.data.name} · {self.part} image {self.index:,} · class {self.class_name}"

    @property
    def facts(self) -> str:
        """Its size and its brightness, in words."""
        low, mean, high = self.pixels.min(), self.pixels.mean(), self.pixels.max()
        return f"{shape_text(self.pixels.shape)} · brightness {low} to {high}, on average {mean:.1f} of 255"

    def probe(self) -> Probe:
        """The image as a probe, with its label where its class is a digit."""
        shows = int(self.class_name) if self.class_name.isdecimal() else None
        return Probe(self.pixels, self.origin, shows, kind=Kind.DATASET)
