"""What the window is looking at: the network, the moment of its training, and the probe. Qt-free and observable.

Every panel shows the same three things; panels listen here and never to each other.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

import numpy as np

from nncore.arrays import Array, Shape
from nncore.data.augment import Augmentation
from nncore.data.dataset import Dataset
from nncore.network import LayerSummary, Network

T = TypeVar("T")

TIMELINE_BYTES = 256 * 2**20
"""Memory that the moments of a training may take; beyond it every second one is forgotten."""


class Observable(Generic[T]):
    """A value that tells its listeners, in the order they came, whenever it is set."""

    def __init__(self, value: T) -> None:
        self._value = value
        self._listeners: list[Callable[[T], None]] = []

    @property
    def value(self) -> T:
        return self._value

    def set(self, value: T) -> None:
        """Set the value and tell every listener, even where it is equal to the last one."""
        self.put(value)
        self.tell()

    def put(self, value: T) -> None:
        """Set the value without telling yet."""
        self._value = value

    def tell(self) -> None:
        """Tell every listener the present value."""
        for listener in tuple(self._listeners):
            listener(self._value)

    def subscribe(self, listener: Callable[[T], None], now: bool = True) -> Callable[[], None]:
        """Call `listener` with each new value, and with the present one if `now`. Returns what ends the subscription."""
        self._listeners.append(listener)
        if now:
            listener(self._value)
        return lambda: self._listeners.remove(listener)


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
class Moment:
    """One moment of a training: the step and the weights then. Nobody writes into the weights."""

    step: int
    state: Mapping[str, Array]
    val_accuracy: float | None = None

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.state.values())


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


class Timeline:
    """The moments of one training in order of their steps, thinned out as memory demands; first and last always stay."""

    def __init__(self, limit_bytes: int = TIMELINE_BYTES) -> None:
        self._moments: list[Moment] = []
        self._limit = limit_bytes
        self._gap = 0
        """Steps that should lie between two moments; it doubles each time that memory is full."""

    def __len__(self) -> int:
        return len(self._moments)

    def __getitem__(self, index: int) -> Moment:
        return self._moments[index]

    def add(self, moment: Moment) -> None:
        """Put a moment in its place; one of the same step is replaced."""
        kept = self._moments
        at = bisect_left(kept, moment.step, key=attrgetter("step"))
        if at < len(kept) and kept[at].step == moment.step:
            kept[at] = moment
        elif at == len(kept) > 1 and kept[-1].step - kept[-2].step < self._gap:
            kept[-1] = moment  # the newest always stays, but until the gap is full it only stands in
        else:
            insort(kept, moment, key=attrgetter("step"))
        if len(kept) > 3 and len(kept) * moment.nbytes > self._limit:
            self._gap = 2 * max(1, self._gap, (kept[-1].step - kept[0].step) // len(kept))
            self._moments = kept[:1] + kept[2:-1:2] + kept[-1:]

    def nearest(self, step: int) -> int:
        """Index of the moment nearest to `step`; the timeline must not be empty."""
        return int(np.argmin([abs(moment.step - step) for moment in self._moments]))

    def clear(self) -> None:
        self._moments.clear()
        self._gap = 0


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
