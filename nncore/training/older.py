"""Settings as earlier versions wrote them: what they mean now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MARK = "warmup"
"""A setting that earlier versions did not know: settings without it were written by one of them."""
KEPT = 1.0
"""The epoch decay by which earlier versions kept the learning rate; it was what they had unless another one was set."""


def migrated(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a training by their names, as this version says them.

    In earlier versions the schedule "steps" fell at the milestones where there were any, otherwise after every epoch by the epoch
    decay, and stayed as it was where that was 1. These are the schedules steps, exponential and constant now. An epoch decay of 1
    was one that nobody had set.
    """
    found = dict(settings)
    if MARK in found:
        return found
    if found.get("epoch_decay", KEPT) == KEPT:
        found.pop("epoch_decay", None)
    if found.get("schedule", "steps") == "steps":
        falls = "exponential" if "epoch_decay" in found else "constant"
        found["schedule"] = "steps" if found.get("milestones") else falls
    return found


def as_before(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of this version as an earlier one would have written them: what its own differences are to be added to."""
    found = {name: value for name, value in settings.items() if name != MARK}
    if found["schedule"] != "exponential":
        found["epoch_decay"] = KEPT
    if found["schedule"] in ("constant", "exponential"):
        found["schedule"] = "steps"
    return found
