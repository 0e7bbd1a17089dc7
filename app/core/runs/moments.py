"""Moments on disk: a run's weights at some of its steps, with what it answered on held-out images then."""

from __future__ import annotations

import logging
import math
import os
import re
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.core.timeline import Moment
from nncore.arrays import Array
from nncore.errors import DigitLabError, WeightsError
from nncore.files import is_file, shown, write_atomically
from nncore.metrics import Evaluation
from nncore.network import Network
from nncore.parameter import check_saved
from nncore.training.position import check_like, grouped
from nncore.training.values import is_number, is_whole
from nncore.weights import packed, read_tensors

log = logging.getLogger("digitlab")

FORMAT = "digitlab-moment/1"
LIMIT = 100 * 10**6
"""Bytes that the moments of a run may take together."""
DTYPES = ("F16", "F32", "F64", "U8", "U16")
"""The kinds of numbers in a moment: weights are floats, probabilities F16, labels U8 or U16."""
SMALLEST = 2.0**-14
"""The least probability that is kept; smaller ones would be float16 of fewer digits, which take five times as long to make."""
FILE_NAME = re.compile(r"(\d{8,13})\.safetensors")


@dataclass(frozen=True, eq=False)
class StoredMoment(Moment):
    """A moment as it was read from the disk."""

    evaluation: Evaluation | None = None
    """What the network answered on held-out images at this step, to the precision of float16; None where they were not looked at.

    At the end of an epoch these are all held-out images, otherwise a sample of them, in the order that the trainer has them in.
    """


class Moments:
    """The moments of one run: a file each, in a folder of their own, which need not exist.

    Any thread, and several processes, may read; one at a time may write. A file that is damaged, or that belongs to another
    network, is left out, and `warn` is told of the first. What is no regular file, and files of other names, are passed over.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        """`limit` is how many bytes the moments may take together."""
        self.folder, self.limit = folder, limit
        self.warn: Callable[[str], None] = log.warning
        self._damaged: set[int] = set()
        self._written: dict[int, int] | None = None
        """Bytes by step of the moments that are there as far as `save` knows; None before the first is written."""
        self._is_told = False

    def steps(self) -> list[int]:
        """The steps of the moments that are there, in order."""
        return [step for step in self._sizes() if step not in self._damaged]

    def nearest(self, step: int) -> int | None:
        """The step of the moment nearest to `step`, the earlier one of two; None where there are no moments."""
        return min(self.steps(), key=lambda there: abs(there - step), default=None)

    def load(self, step: int, network: Network) -> StoredMoment | None:
        """The moment of a step of the run that trained `network`, or one like it; None where there is none, or it is damaged."""
        if step not in self.steps():
            return None
        path = self._path(step)
        try:
            return _read(path, step, network)
        except WeightsError as error:
            if is_file(path):  # otherwise it has just been removed
                self._leave_out(step, error)
            return None

    def save(
        self,
        step: int,
        state: Mapping[str, Array],
        evaluation: Evaluation | None = None,
        val_accuracy: float | None = None,
        best: int | None = None,
    ) -> bool:
        """Write the moment of a step, in the place of one that is there; returns whether it is kept.

        `state` is what `Network.state_dict` returned. Where the moments would take more than the limit, some go first, but not
        the first and the last step, nor `best`, the step of the best weights, as long as there is room for it. Weights or answers
        that are not finite are not kept, nor is a moment larger than the limit by itself. Raises DigitLabError where the disk
        refuses.
        """
        if not all(_is_finite(value) for value in state.values()):
            return False
        tensors = {f"network/{name}": value for name, value in state.items()}
        loss = None
        if evaluation is not None and _is_finite(evaluation.probabilities):
            tensors["evaluation/probabilities"] = _rounded(evaluation.probabilities)
            labels = np.uint8 if evaluation.probabilities.shape[1] <= 256 else np.uint16
            tensors["evaluation/labels"], loss = evaluation.labels.astype(labels), evaluation.loss
        content = packed(tensors, format=FORMAT, step=step, val_accuracy=val_accuracy, loss=loss)
        path = self._path(step)
        try:
            if not self._make_room(step, len(content), best):
                return False
            _clear(path)
        except OSError as error:
            raise DigitLabError(f"Could not write {shown(path)}: {error.strerror or error}.") from error
        # Waiting for the disk would slow the training down by some percent, and a moment that is damaged is only left out.
        write_atomically(path, content, wait=False)
        if self._written is not None:
            self._written[step] = len(content)
        self._damaged.discard(step)
        return True

    def forget_after(self, step: int) -> None:
        """Remove the moments beyond a step, from which the training goes on. DigitLabError where one cannot be removed."""
        self._written = None
        for later in [there for there in self._sizes() if there > step]:
            try:
                self._path(later).unlink(missing_ok=True)
            except OSError as error:
                raise DigitLabError(f"Could not remove {shown(self._path(later))}: {error.strerror or error}.") from error
            self._damaged.discard(later)

    def _make_room(self, step: int, size: int, best: int | None) -> bool:
        """Remove moments so that one of `size` bytes fits; whether it does. OSError where one cannot be removed."""
        if size > self.limit:
            return False
        if self._written is None:
            self._written = self._sizes()
        surplus = surplus_steps(self._written | {step: size}, self.limit, best)
        if step in surplus:
            return False
        for there in surplus:
            self._path(there).unlink(missing_ok=True)
            self._written.pop(there, None)
        return True

    def _sizes(self) -> dict[int, int]:
        """Bytes of each moment by its step, in order."""
        found: dict[int, int] = {}
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(OSError):  # one that has just been removed
                    step = _step_of(entry.name)
                    if step is None or not entry.is_file(follow_symlinks=False):
                        continue
                    size = entry.stat(follow_symlinks=False).st_size
                    if size <= self.limit:  # others are none of ours, and would take much memory to read
                        found[step] = size
        return dict(sorted(found.items()))

    def _path(self, step: int) -> Path:
        return self.folder / f"{step:08}.safetensors"

    def _leave_out(self, step: int, error: WeightsError) -> None:
        self._damaged.add(step)
        if not self._is_told:
            self._is_told = True
            self.warn(f"The moment of step {step:,} is left out, as any other that is damaged: {error}")


def surplus_steps(sizes: Mapping[int, int], limit: int, best: int | None = None) -> list[int]:
    """Which moments must go so that the others take at most `limit` bytes together; `sizes` are bytes by step.

    One after the other, the moment goes whose neighbours lie closest together in proportion to its own step: what is left lies
    denser at the beginning, where a network learns most. The first and the last always stay, even where they take more; the
    best goes when no other is left between them.
    """
    kept, total = sorted(sizes), sum(sizes.values())
    gone: list[int] = []
    while total > limit and len(kept) > 2:
        closeness = {at: (kept[at] == best, (kept[at + 1] - kept[at - 1]) / kept[at]) for at in range(1, len(kept) - 1)}
        step = kept.pop(min(closeness, key=closeness.__getitem__))
        gone.append(step)
        total -= sizes[step]
    return gone


def _step_of(name: str) -> int | None:
    """The step whose moment a file of this name is; None for other names."""
    found = FILE_NAME.fullmatch(name)
    if found is None or f"{int(found[1]):08}" != found[1]:
        return None
    return int(found[1])


def _clear(path: Path) -> None:
    """Remove what is no regular file, such as a link or a pipe, so that nothing is written through it. A folder stays."""
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            path.unlink()


def _is_finite(values: Array) -> bool:
    """Whether all of `values`, of which there is at least one, are finite: NaN is passed on by both. It takes no memory."""
    return bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def _rounded(probabilities: Array) -> Array:
    """The probabilities (N, classes) as float16, with each row's largest where it was, so that no answer becomes another.

    Those below SMALLEST become 0.
    """
    rounded = np.where(probabilities < SMALLEST, np.float32(0), probabilities).astype(np.float16)
    answers = probabilities.argmax(axis=-1)
    # The bits of numbers that are not negative are in their order, and are compared ten times faster.
    rows = np.flatnonzero(rounded.view(np.uint16).argmax(axis=-1) != answers)
    rounded[rows, answers[rows]] = np.nextafter(rounded[rows].max(axis=-1, initial=0), np.float16(2))
    return rounded


def _read(path: Path, step: int, network: Network) -> StoredMoment:
    """The moment in a file. WeightsError where anything in it is not as `Moments.save` writes it."""
    tensors, metadata = read_tensors(path, FORMAT, DTYPES)
    try:
        groups = grouped(tensors, ("network", "evaluation"))
        check_like(groups["network"], {name: holder.data for name, holder in _holders(network).items()}, "weights")
        for name, holder in _holders(network).items():
            check_saved(name, groups["network"][name], holder.data, getattr(holder, "least", -math.inf))
        if not (is_whole(metadata.get("step")) and metadata["step"] == step):
            raise WeightsError("It is of another step than its name says.")
        accuracy = metadata.get("val_accuracy")
        if accuracy is not None and not (is_number(accuracy) and 0 <= accuracy <= 1):
            raise WeightsError("Its accuracy is no number from 0 to 1.")
        evaluation = _evaluation(groups["evaluation"], metadata.get("loss"), network.classes)
    except WeightsError as error:
        raise WeightsError(f"{shown(path)} is of no use: {error}") from error
    return StoredMoment(step, groups["network"], None if accuracy is None else float(accuracy), evaluation)


def _holders(network: Network) -> dict[str, Any]:
    return {**network.parameters(), **network.buffers()}


def _evaluation(arrays: Mapping[str, Array], loss: Any, classes: int) -> Evaluation | None:
    """The answers that a file holds; None where it holds none. WeightsError where they make no sense."""
    if not arrays:
        return None
    probabilities, labels = arrays.get("probabilities"), arrays.get("labels")
    if probabilities is None or labels is None or len(arrays) != 2:
        raise WeightsError("Its answers on held-out images are not complete.")
    if probabilities.dtype != np.float16 or probabilities.shape != (labels.size, classes):
        raise WeightsError(f"Its answers are {probabilities.dtype} {probabilities.shape}, not one a class.")
    if labels.dtype not in (np.uint8, np.uint16) or labels.ndim != 1 or (labels >= classes).any():
        raise WeightsError("Its labels are not those of the network's classes.")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():  # NaN is neither
        raise WeightsError("Its answers are no probabilities.")
    if loss is not None and not is_number(loss):
        raise WeightsError("Its loss is no number.")
    return Evaluation(math.nan if loss is None else float(loss), probabilities.astype(np.float32), labels.astype(np.int64))
