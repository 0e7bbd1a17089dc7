"""The network and the data that the window shows. Qt-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nncore.arrays import Shape
from nncore.data.dataset import Dataset
from nncore.network import LayerSummary, Network


@dataclass(frozen=True, eq=False)
class NetworkInView:
    """The network that the window shows: its architecture, without weights. The weights belong to a Moment."""

    name: str
    source: str
    """Where its weights come from, as shown to the user: `shipped`, `run mnist-cnn-2`, a file's name."""
    architecture: Mapping[str, Any]
    """What `Network.config` returned."""
    summary: tuple[LayerSummary, ...]
    opens_with: Mapping[str, str] = field(default_factory=dict)
    """What opens it again: `run` with the name of a run, or `weights` with a name or path; empty where nothing does."""

    @classmethod
    def of(cls, network: Network, name: str, source: str, **opens_with: str) -> NetworkInView:
        return cls(name, source, network.config(), tuple(network.summary()), opens_with)

    @property
    def input_shape(self) -> Shape:
        return tuple(self.architecture["input_shape"])

    @property
    def output_shape(self) -> Shape:
        return self.summary[-1].output_shape

    @property
    def parameter_count(self) -> int:
        return sum(line.parameters for line in self.summary)


@dataclass(frozen=True, eq=False)
class DataInView:
    """The dataset that the window shows and that a training takes its images from."""

    spec: str
    """The name or path that `open_dataset` took."""
    train: Dataset
    test: Dataset | None
    files: tuple[Path, ...] = ()
    """The file of each training image, where they are the user's own digits."""
