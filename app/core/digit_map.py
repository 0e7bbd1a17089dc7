"""The map of digits: a dataset as points in the plane, by what a layer of the network makes of each image. Qt-free."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from typing import Any

import numpy as np

from app.core import engine
from app.core.alignment import matching_axes, matching_turn
from app.core.in_view import NetworkInView
from app.core.timeline import Moment
from nncore.arrays import Array, shape_text
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DataError
from nncore.explain.embedding import grid_of
from nncore.explain.pca import Pca, pca
from nncore.explain.tsne import MISSING, tsne
from nncore.network import Network
from nncore.prediction import Predictor, as_input

INPUT = "input"
"""The name of the layer whose output are the pixels themselves."""
MOST_IMAGES = 10_000
LEAST_IMAGES = 10
BEFORE_TSNE = 50
"""Principal components that t-SNE is given: the rest is mostly noise, and distances in it take long."""
NEIGHBOURS = 10
"""Points whose places decide where t-SNE's map shows a new one."""
PART = 500
"""Images between two reports."""


class Method(Enum):
    """How many numbers become two."""

    PCA = "PCA"
    TSNE = "t-SNE"


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a map is asked of. Maps of the same images can be laid over each other."""

    network: NetworkInView
    moment: Moment
    images: Dataset
    indices: Array
    """Which of `images`, int64 (N)."""
    layer: str
    method: Method = Method.PCA

    def is_same(self, other: Wanted) -> bool:
        """Whether the other asks for the same map."""
        mine, others = (self.layer, self.method), (other.layer, other.method)
        return mine == others and self.moment is other.moment and self.network is other.network and self.has_points_of(other)

    def has_points_of(self, other: Wanted) -> bool:
        """Whether the other's points stand for the same images."""
        return self.images is other.images and np.array_equal(self.indices, other.indices)


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a map is."""

    words: str
    done: int
    total: int
    found: DigitMap | None = None
    """The map as it is so far."""


@dataclass(frozen=True, eq=False)
class DigitMap:
    """A map, with the answers of the network to its images."""

    wanted: Wanted
    positions: Array
    """float64 (N, 2)"""
    answers: Array
    """int64 (N)"""
    sureness: Array
    """The probability of each answer, float32 (N)."""
    principal: Pca
    """The axes that were found; of t-SNE those that it was given."""
    reduced: Array
    """The places along all of these axes, float64 (N, axes)."""
    turn: Array
    """How the first two are mirrored, exchanged or turned, (2, 2)."""

    @property
    def labels(self) -> Array:
        """What the images show, int64 (N)."""
        return self.wanted.images.labels[self.wanted.indices]

    @property
    def explained(self) -> tuple[float, float] | None:
        """The share of the variance along the axes as they are drawn; None for t-SNE, whose axes mean nothing."""
        if self.wanted.method is not Method.PCA:
            return None
        first, second = (float(share) for share in np.abs(self.turn) @ self.principal.explained)
        return first, second

    @property
    def components(self) -> tuple[int, int] | None:
        """Which principal component each axis is, from 1."""
        if self.wanted.method is not Method.PCA:
            return None
        first, second = (int(row.argmax()) + 1 for row in np.abs(self.turn))
        return first, second

    def place(self, values: Array) -> Array:
        """Where an output of the layer, one example without a batch axis, lies in the map: float64 (2).

        PCA projects it exactly. In t-SNE's map, which knows only its own points, it lies among those nearest to it, each counted
        by how near it is.
        """
        along = self.principal.project(as_vectors(values[None]))[0]
        if self.wanted.method is Method.PCA:
            placed: Array = self.turn @ along
            return placed
        distances = np.sqrt(((self.reduced - along) ** 2).sum(axis=1))
        near = np.argpartition(distances, min(NEIGHBOURS, len(distances) - 1))[:NEIGHBOURS]
        weights = 1 / np.maximum(distances[near], 1e-6) ** 2
        found: Array = weights @ self.positions[near] / weights.sum()
        return found


def layers_offered(view: NetworkInView) -> dict[str, str]:
    """The layers of which there can be a map, in order: their names, and how they are shown. Two of which one only hands on the
    numbers of the other have the same map, and are offered once.
    """
    offered = {INPUT: f"input · {shape_text(view.input_shape)}"}
    for line in view.summary:
        if line.kind not in ("flatten", "dropout") and np.prod(line.output_shape) >= 2:
            offered[line.name] = f"{line.name} · {shape_text(line.output_shape)}"
    return offered


def last_hidden(view: NetworkInView) -> str:
    """The layer whose map says most: the one whose numbers the last layer with weights decides by."""
    weighted = [place for place, line in enumerate(view.summary) if line.parameters]
    before = view.summary[: weighted[-1]] if weighted else view.summary
    offered = layers_offered(view)
    return next((line.name for line in reversed(before) if line.name in offered), INPUT)


def images_for(images: Dataset, most: int = MOST_IMAGES, seed: int = 0) -> Array:
    """Which images a map takes, in their order: at most `most`; int64, fixed by the seed.

    Raises DataError where there are too few.
    """
    if len(images) < LEAST_IMAGES:
        raise DataError(f"A map needs at least {LEAST_IMAGES} images, and there are {len(images)}.")
    return np.sort(np.random.default_rng(seed).permutation(len(images))[:most])


def has_tsne() -> bool:
    """Whether the library that t-SNE needs is installed."""
    return find_spec("openTSNE") is not None


def as_vectors(outputs: Array) -> Array:
    """A layer's outputs (N, …) as vectors, float32 (N, values).

    A feature map of more than a thousand numbers is averaged over the cells of a grid, so that its principal components are found
    in a second.
    """
    if outputs.ndim == 4:
        for axis, cells in enumerate(grid_of(outputs.shape[1:]), 1):
            size = outputs.shape[axis]
            if cells < size:
                starts = np.arange(cells) * size // cells
                room = np.diff([*starts, size]).reshape(-1, *(1 for _ in outputs.shape[axis + 1 :]))
                outputs = np.add.reduceat(outputs, starts, axis=axis) / room.astype(np.float32)
    return outputs.reshape(len(outputs), -1)


class MapMaker:
    """Makes maps. It keeps the networks for the next one, which mostly has other weights for the same. For one thread at a time."""

    def __init__(self) -> None:
        self._architecture: Mapping[str, Any] | None = None
        self._layer = ""
        self._whole: Predictor | None = None
        self._head: Predictor | None = None

    def make(self, wanted: Wanted, before: DigitMap | None = None) -> Generator[Progress | DigitMap]:
        """Make a map, laid over the one `before` where that has the same points.

        Yields Progress, that of t-SNE with the map so far, and last the DigitMap. Raises ConfigError where the network does not
        take the images, or the library of the method is not there.
        """
        if wanted.method is Method.TSNE and not has_tsne():
            raise ConfigError(MISSING)
        values, probabilities = yield from self._outputs(wanted)
        yield Progress("axes", 0, 0)
        axes = 2 if wanted.method is Method.PCA else min(BEFORE_TSNE, *values.shape)
        principal = pca(values, axes)
        reduced = principal.project(values)
        kept = before if before is not None and before.wanted.has_points_of(wanted) else None

        def found(places: Array, turn: Array) -> DigitMap:
            answers = probabilities.argmax(axis=1)
            sureness = probabilities[np.arange(len(answers)), answers]
            return DigitMap(wanted, places @ turn.T, answers, sureness, principal, reduced, turn)

        if wanted.method is Method.PCA:
            turn = np.eye(2) if kept is None else matching_axes(reduced, kept.positions)
            yield found(reduced, turn)
            return
        last = None
        for told in tsne(values):
            if told.result is not None:
                places = told.result.points
                last = found(places, np.eye(2) if kept is None else matching_turn(places, kept.positions))
            yield Progress("t-SNE", told.done, told.total, last)
        assert last is not None, "it ends with a map"
        yield last

    def _outputs(self, wanted: Wanted) -> Generator[Progress, None, tuple[Array, Array]]:
        """The layer's outputs as vectors, float32 (N, values), and the probabilities (N, classes), of each image."""
        whole, head = self._predictors(wanted)
        indices, images = wanted.indices, wanted.images.images
        parts, vectors = [], []
        for start in range(0, len(indices), PART):
            yield Progress("images", start, len(indices))
            part = images[indices[start : start + PART]]
            parts.append(whole.predict(part))
            vectors.append(as_vectors(as_input(part, wanted.network.input_shape) if head is None else head.outputs(part)))
        return np.concatenate(vectors), np.concatenate(parts)

    def _predictors(self, wanted: Wanted) -> tuple[Predictor, Predictor | None]:
        """The network, and the part of it that ends with the layer, with the weights of the moment; None for the input."""
        view, state = wanted.network, wanted.moment.state
        if self._whole is None or self._architecture is not view.architecture:
            self._whole, self._architecture, self._layer = Predictor(Network.from_config(view.architecture)), view.architecture, ""
        if self._layer != wanted.layer:
            self._layer = wanted.layer
            self._head = None if wanted.layer == INPUT else Predictor(Network.from_config(_cut(view, wanted.layer)))
        self._whole.network.load_state_dict(state)
        if engine.is_ready():  # compiling takes a minute; until it is done, answers come by the readable path
            self._whole.prepare()
            if self._head is not None:
                self._head.prepare()
        if self._head is not None:
            own = self._head.network.state_dict()
            self._head.network.load_state_dict({name: array for name, array in state.items() if name in own})
        return self._whole, self._head


def _cut(view: NetworkInView, layer: str) -> dict[str, Any]:
    """The architecture up to a layer."""
    place = [line.name for line in view.summary].index(layer)
    return {**view.architecture, "layers": list(view.architecture["layers"])[: place + 1]}


def table_of(found: DigitMap) -> Iterator[tuple[object, ...]]:
    """A map as a table: a line an image."""
    names = found.wanted.images.class_names
    yield ("image", "x", "y", "label", "answer", "probability")
    for index, (x, y), label, answer, sure in zip(
        found.wanted.indices.tolist(), found.positions.tolist(), found.labels.tolist(), found.answers.tolist(),
        found.sureness.tolist(), strict=True,
    ):  # fmt: skip
        name = names[label] if label >= 0 else "?"
        yield index, f"{x:.6g}", f"{y:.6g}", name, names[answer] if answer < len(names) else answer, f"{sure:.4f}"
