"""What the map of digits says: its notions, its choices, and the facts about a map. Qt-free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.digit_map import DigitMap, Method, Progress
from app.core.split import Split

BY_LABEL, BY_ANSWER, BY_RIGHT = "by label", "by answer", "right or wrong"
COLORS = {
    BY_LABEL: "The colour says what an image shows, by its label",
    BY_ANSWER: "The colour says what the network answers",
    BY_RIGHT: "Grey: the network is right. Orange crosses: it is wrong",
}
METHODS = {
    Method.PCA: "Principal component analysis: the two directions in which the layer's numbers differ most; large feature maps are "
    "averaged over a grid first. Distances are true but for what lies across the plane",
    Method.TSNE: "t-SNE: what the layer finds alike lies close together. How far apart groups lie, and how large they are, says "
    "little",
}
SPLITS = {
    Split.HELD_OUT: "Held-out images: kept apart from the training",
    Split.TEST: "Test images: never used while training",
    Split.TRAINING: "Training images: those that the network learned from",
}
LAYER_NOTION = (
    "The layer whose output decides where an image lies. From the pixels of the input to the last layers the digits part more and "
    "more."
)
NOTION = (
    "Each point is an image of the dataset. What lies close together looks alike to this layer: from layer to layer, and from step "
    "to step, the digits part. Drag to move, wheel to zoom, Shift and drag to open the images in a rectangle, click to make one "
    "the probe. Arrows and Return do the same."
)
CHOOSE = "Hold Shift and drag a rectangle, or take the lasso and draw around points: their images open here."


def lines(notions: Mapping[Any, str]) -> str:
    """What each entry means, a line each."""
    return "\n".join(f"{words}." for words in notions.values())


def names_of(found: DigitMap) -> list[str]:
    """The name of each class that a label or an answer can be: that of the data where it has one, else its number."""
    names = list(found.wanted.images.class_names)
    return names + [str(number) for number in range(len(names), found.wanted.network.output_shape[-1])]


def axes_of(found: DigitMap) -> tuple[str, str]:
    """What is said along the axes."""
    if found.components is None or found.explained is None:
        return "", ""
    across, up = (
        f"component {number} · {share * 100:.1f} % of the variance"
        for number, share in zip(found.components, found.explained, strict=True)
    )
    return across, up


def progress_words(told: Progress) -> str:
    """How far a map is."""
    if told.words == "images":
        return f"{told.done:,} of {told.total:,} images"
    return f"t-SNE: {told.done:,} of {told.total:,} iterations" if told.words == "t-SNE" else "finding the axes…"


def facts(found: DigitMap, is_changed: bool) -> str:
    """What a map is of, how right the network is on its images, and whether the digit in it is seen by a changed network."""
    labels, wanted = found.labels, found.wanted
    parts = [f"{len(labels):,} of {len(wanted.images):,} images", f"{wanted.layer}", f"step {wanted.moment.step:,}"]
    if found.explained is not None:
        parts.append(f"{sum(found.explained) * 100:.1f} % of the variance in sight")
    if (labels >= 0).all():
        parts.append(f"{(found.answers == labels).mean() * 100:.2f} % right")
    if is_changed:
        parts.append("your digit as the changed network sees it")
    return " · ".join(parts)
