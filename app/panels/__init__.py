"""The five panels. A panel computes nothing: it asks the lab and draws the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.panels.base import Panel


@dataclass(frozen=True)
class PanelSpec:
    """A panel that is imported when it is first needed: the curves alone take half a second to import."""

    name: str
    title: str
    tooltip: str
    load: Callable[[], type[Panel]]


def _data() -> type[Panel]:
    from app.panels.data.panel import DataPanel

    return DataPanel


def _train() -> type[Panel]:
    from app.panels.train.panel import TrainPanel

    return TrainPanel


def _inspect() -> type[Panel]:
    from app.panels.inspect.panel import InspectPanel

    return InspectPanel


def _recognise() -> type[Panel]:
    from app.panels.recognise.panel import RecognisePanel

    return RecognisePanel


def _runs() -> type[Panel]:
    from app.panels.runs.panel import RunsPanel

    return RunsPanel


PANELS = (
    PanelSpec("data", "Data", "Data: choose the images that the network learns from, and look through them", _data),
    PanelSpec("train", "Train", "Train: choose a recipe, watch the network learn, and see what it still gets wrong", _train),
    PanelSpec(
        "inspect",
        "Inspect",
        "Inspect: what every layer makes of the probe, how each number is made, what the filters are",
        _inspect,
    ),
    PanelSpec("recognise", "Recognise", "Recognise: draw a digit or open a picture, and watch the network's answer", _recognise),
    PanelSpec("runs", "Runs", "Runs: lay what was trained so far over each other, compare it, and look at it again", _runs),
)
