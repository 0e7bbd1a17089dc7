"""The reference backend: what a backend does, in the plainest code, and what faster backends are tested against."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nncore.arrays import Array, to_numpy
from nncore.backend.contract import Recorder
from nncore.backend.evaluation import usual_batch
from nncore.backend.reference.recorder import ReferenceRecorder
from nncore.backend.reference.vary import vary
from nncore.backend.variations import Variations
from nncore.backend.vector import Vector


class ReferenceBackend:
    """NumPy arrays in main memory, or CuPy arrays where the network's parameters are. Nothing is compiled."""

    name = "reference"

    def is_loaded(self) -> bool:
        return True

    def is_ready(self) -> bool:
        return True

    def prepare(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        return True

    def describe(self) -> str:
        return "reference · NumPy, one core"

    def evaluation_batch(self, values: int) -> int:
        return usual_batch(values)

    def asarray(self, array: Array) -> Array:
        return np.asarray(array)

    def to_numpy(self, array: Array) -> Array:
        return to_numpy(array)

    def vary(self, images: Array, variations: Variations, by_row: Array, by_column: Array, table: Array) -> Array:
        return vary(images, variations, by_row, by_column, table)

    def record(self, batch: int, vector: Vector, moments: Sequence[Array], replicas: int, exact: bool = False) -> Recorder:
        """One replica does everything, whatever `replicas` says: the result is the same but for rounding."""
        return ReferenceRecorder(batch, vector, moments)
