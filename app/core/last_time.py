"""What the window showed when it was closed: recipe, run, moment, probe, its digit, ticked runs; kept for the next start. No Qt."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from PIL import Image

from app.core.comparing import Key, as_kept, parse_kept
from app.core.draft import Draft, read_draft
from app.core.drawing import as_json, read_drawing
from app.core.probe import NO_DRAWING, Kind, Probe
from app.core.recipe import Recipe
from app.core.settings import Settings
from app.core.state import LabState
from app.stroke import Stroke
from models.presets import DEFAULT
from nncore.arrays import Array
from nncore.errors import ConfigError, DataError, DigitLabError
from nncore.vision.picture import read_picture

MOST_PIXELS = 2_000_000
"""Pixels of the largest probe that is kept: writing a larger one would delay the closing of the window."""
LONGEST_ORIGIN = 300
"""Characters of the words that say where a probe came from."""
MOST_UNDONE = 100
"""Strokes of a drawing of the last time that undo takes back one by one: each is a picture of the sheet in memory."""


def keep(settings: Settings, state: LabState) -> None:
    """Keep recipe, run, moment, probe and the digit that is chosen on it. Where the disk refuses, `settings.warn` is told."""
    keep_recipe(settings, state.recipe.value)
    if state.network.value is not None and state.moment.value is not None:
        settings["network"] = {**state.network.value.opens_with, "step": state.moment.value.step}
    _keep_probe(settings, state.probe.value, state.chosen.value)


def keep_recipe(settings: Settings, recipe: Recipe) -> None:
    """Keep the recipe of the next training, unless it is the one that the first start has."""
    settings["recipe"] = {} if recipe == Recipe.of(DEFAULT) else recipe.as_dict()


def kept_recipe(settings: Settings) -> Recipe | None:
    """The recipe of the last time; None where there is none, or, which `settings.damage` then says, none of this version."""
    if not settings["recipe"]:
        return None
    try:
        return Recipe.from_dict(settings["recipe"])
    except ConfigError as error:
        settings.damage.append(f"The recipe of the last time cannot be used, so the usual one is there: {error}")
        return None


def kept_draft(settings: Settings) -> Draft | None:
    """The edits of layers of the last time that were not saved; None where there are none, or none that can be read, which
    `settings.damage` then says.
    """
    try:
        return read_draft(settings.draft_file)
    except ConfigError as error:
        settings.damage.append(str(error))
        return None


def kept_network(settings: Settings) -> Mapping[str, Any]:
    """What opened the network of the last time: `run` with a run's name, or `weights` with a name or path; else nothing.

    With it `step`, the moment that was shown, where that is known. What makes no sense is said in `settings.damage`.
    """
    kept = dict(settings["network"])
    step = kept.pop("step", None)
    sound = len(kept) == 1 and all(name in ("run", "weights") and isinstance(value, str) for name, value in kept.items())
    if kept and not sound:
        settings.damage.append("What was kept of the last network in view makes no sense, so the one that ships is there.")
    return (kept | ({"step": step} if type(step) is int else {})) if sound else {}


def keep_ticked(settings: Settings, ticked: Sequence[tuple[Key, str]]) -> None:
    """Keep which runs are ticked, in this order, each with its colour."""
    settings["ticked"] = as_kept(ticked)


def kept_ticked(settings: Settings) -> list[tuple[Key, str]]:
    """Which runs were ticked the last time, with their colours. What makes no sense is said in `settings.damage`."""
    try:
        return parse_kept(settings["ticked"])
    except (ValueError, TypeError):
        settings.damage.append("What was kept of the ticked runs makes no sense, so none is ticked.")
        return []


def kept_probes(settings: Settings, paint: Callable[[Sequence[Stroke]], Iterable[Array]]) -> list[Probe]:
    """The probe of the last time, if there is one; before it, if it is a drawing, what that was before each of its last strokes.

    `paint` gives the pixels of a drawing after each of its strokes. DataError where what was kept of the probe is damaged.
    """
    if not settings["probe"]:
        return []
    try:
        origin, label, kind = _checked(settings["probe"])
        if kind is not Kind.DRAWING:
            return [Probe(read_picture(settings.probe_file), origin, label, kind)]
        strokes = read_drawing(settings.drawing_file)
    except (DigitLabError, OSError, ValueError) as error:
        reason = str(error) if isinstance(error, DigitLabError) else "what was kept of it makes no sense."
        raise DataError(f"The picture of the last time is not shown: {reason}") from error
    drawn = (Probe(picture, origin, kind=kind, strokes=strokes[:n]) for n, picture in enumerate(paint(strokes), start=1))
    return list(deque(chain([NO_DRAWING], drawn), MOST_UNDONE + 1))


def kept_choice(settings: Settings) -> int | None:
    """Which digit on the probe was chosen the last time; None where none was, or what was kept makes no sense."""
    chosen = settings["probe"].get("chosen")
    return chosen if type(chosen) is int and chosen >= 0 else None


def _keep_probe(settings: Settings, probe: Probe, chosen: int | None) -> None:
    picture, kind, origin = probe.picture, probe.kind, probe.origin[:LONGEST_ORIGIN]
    if picture is None or picture.shape[0] * picture.shape[1] > MOST_PIXELS:
        settings["probe"] = {}
        return
    if kind is Kind.DRAWING:
        drawing = as_json(probe.strokes) if probe.strokes else None
        if drawing is None:  # of too many strokes, or the first one has no end yet
            kind, origin = Kind.PICTURE, "drawing of the last time"
        elif not settings.write(settings.drawing_file, drawing):
            return
    if kind is not Kind.DRAWING:
        content = io.BytesIO()
        Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).save(content, "PNG")
        if not settings.write(settings.probe_file, content.getvalue()):
            return
    settings["probe"] = {"origin": origin, "label": probe.label, "kind": kind.value, "chosen": chosen}


def _checked(kept: Mapping[str, Any]) -> tuple[str, int | None, Kind]:
    """What is kept of a probe besides its picture. Raises ValueError where that is not sound."""
    origin, label = kept.get("origin"), kept.get("label")
    if not isinstance(origin, str) or not (label is None or type(label) is int):
        raise ValueError
    return origin[:LONGEST_ORIGIN], label, Kind(kept.get("kind"))
