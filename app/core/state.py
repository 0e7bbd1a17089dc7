"""What the window is looking at: the network, the moment of its training, and the probe. Qt-free and observable.

Every panel shows the same three things; panels listen here and never to each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.observable import Observable
from app.core.timeline import Moment, Timeline
from nncore.arrays import Array, Shape
from nncore.data.augment import Augmentation
from nncore.data.dataset import Dataset
from nncore.network import LayerSummary, Network


@dataclass(frozen=True, eq=False)
class NetworkInView:
    """Which network: its architecture, without weights (those belong to a moment)."""

    name: str
    source: str
    """Where its weights come from, for people: `shipped`, `run mnist-cnn-2`, a file's name."""
    architecture: Mapping[str, Any]
    """What `Network.config` returned."""
    summary: tuple[LayerSummary, ...]

    @classmethod
    def of(cls, network: Network, name: str, source: str) -> NetworkInView:
        return cls(name, source, network.config(), tuple(network.summary()))

    @property
    def input_shape(self) -> Shape:
        return tuple(self.architecture["input_shape"])

    @property
    def parameter_count(self) -> int:
        return sum(line.parameters for line in self.summary)


@dataclass(frozen=True, eq=False)
class Probe:
    """The one picture that every view looks at: uint8 (height, width, 1 or 3), of any size, None where there is none."""

    picture: Array | None = None
    origin: str = "nothing yet"
    """Where it came from, for people: `drawing`, `MNIST test image 4,027`, a file's name."""
    label: int | None = None
    """What it shows, where that is known."""
    as_seen: bool = False
    """The picture is in the network's own format already (an image of a dataset) and must not be cropped and centred."""
    is_drawing: bool = False


@dataclass(frozen=True, eq=False)
class DataInView:
    """The dataset whose images are on show and from which training takes its own."""

    spec: str
    """The name or path that `open_dataset` took."""
    train: Dataset
    test: Dataset | None


class LabState:
    """The window's state. Set its fields from the interface thread only."""

    def __init__(self) -> None:
        self.network: Observable[NetworkInView | None] = Observable(None)
        self.moment: Observable[Moment | None] = Observable(None)
        self.probe: Observable[Probe] = Observable(Probe())
        self.data: Observable[DataInView | None] = Observable(None)
        self.augmentation: Observable[Augmentation] = Observable(Augmentation())
        """How the next training varies its images."""
        self.timeline = Timeline()

    def show_network(self, view: NetworkInView, moment: Moment) -> None:
        """Look at another network: its moments begin anew with `moment`."""
        self.timeline.clear()
        self.timeline.add(moment)
        # Both are in place before anyone is told: nobody must see one network with the weights of another.
        self.network.put(view)
        self.moment.put(moment)
        self.network.tell()
        self.moment.tell()

    def show_moment(self, index: int) -> None:
        """Look at the moment at `index` of the timeline; beyond its ends at the nearest."""
        if len(self.timeline):
            self.moment.set(self.timeline[min(max(index, 0), len(self.timeline) - 1)])
