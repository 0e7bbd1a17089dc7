"""Where a saved training stands: each value of a checkpoint is checked before it is believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from nncore.arrays import Array
from nncore.checks import LARGEST_NUMBER
from nncore.errors import ConfigError, WeightsError
from nncore.training.config import SETTINGS
from nncore.training.schedules import Cycle
from nncore.training.values import is_number, is_whole

LARGEST_TOTAL = 10**12
"""Steps that a training can have at most."""


@dataclass(frozen=True)
class Position:
    """How far a training is, as its checkpoint tells."""

    step: int
    total_steps: int
    base_lr: float
    random: dict[str, int]
    """How often each dropout layer has drawn."""
    cycles: list[Cycle] | None
    """Of a schedule with an end; None in files of older programs."""
    settings: dict[str, float]
    """Momentum and weight decay, where they have been changed."""
    batch_sizes: list[tuple[int, int]]
    """(step, batch size): what has held from each of these steps on."""
    optimizer_began: int
    """The step after which the optimizer's averages began."""

    @classmethod
    def of(cls, found: Any, train_count: int) -> Position:
        """Read `found`, the position in a checkpoint of a training on `train_count` images. WeightsError where it is damaged."""
        if not isinstance(found, Mapping):
            raise WeightsError("It does not say how far its training was.")
        count, step, total, rate = (found.get(name) for name in ("train_count", "step", "total_steps", "base_lr"))
        if not is_whole(count) or count != train_count:
            told = f"{count:,}" if is_whole(count) and 0 <= count <= LARGEST_TOTAL else "another number of"
            raise WeightsError(f"It belongs to a training on {told} images, not {train_count:,}.")
        if not (is_whole(step) and is_whole(total) and 0 <= step <= total <= LARGEST_TOTAL):
            raise WeightsError("The steps that it says were taken and are planned make no sense.")
        if not (is_number(rate) and _is_rate(rate)):
            raise WeightsError("Its learning rate is missing or no positive number.")
        began = found.get("optimizer_began", 0)
        if not (is_whole(began) and 0 <= began <= step):
            raise WeightsError("It does not say sensibly when its optimizer began.")
        draws, cycles = _draws(found.get("random", {})), _cycles(found.get("cycles"), total)
        settings, sizes = _settings(found.get("settings", {})), _batch_sizes(found.get("batch_sizes", []), step)
        return cls(step, total, float(rate), draws, cycles, settings, sizes, began)


def _is_rate(rate: float) -> bool:
    return 1 / LARGEST_NUMBER <= rate <= LARGEST_NUMBER


def _draws(found: Any) -> dict[str, int]:
    if not isinstance(found, Mapping) or not all(is_whole(calls) and 0 <= calls < 2**62 for calls in found.values()):
        raise WeightsError("The state of its random layers makes no sense.")
    return dict(found)


def _cycles(found: Any, total: int) -> list[Cycle] | None:
    if found is None:
        return None
    refusal = WeightsError("The cycles of its learning rate make no sense.")
    if not isinstance(found, list | tuple) or not found:
        raise refusal
    cycles = []
    for values in found:
        # Of older programs, which could not change the batch size on the way, there are three numbers each.
        if not isinstance(values, list | tuple) or len(values) not in (3, 5) or not all(map(is_number, values)):
            raise refusal
        cycle = Cycle(*values)
        if not (
            is_whole(cycle.start) and 0 <= cycle.start <= total and is_whole(cycle.length) and 1 <= cycle.length <= LARGEST_TOTAL
            and _is_rate(cycle.base_lr) and 0 <= cycle.offset <= cycle.length and 1 / LARGEST_TOTAL <= cycle.pace <= LARGEST_TOTAL
        ):  # fmt: skip
            raise refusal
        cycles.append(cycle._replace(base_lr=float(cycle.base_lr), offset=float(cycle.offset), pace=float(cycle.pace)))
    if cycles[0].start != 0 or any(later.start <= cycle.start for cycle, later in pairwise(cycles)):
        raise refusal
    return cycles


def _settings(found: Any) -> dict[str, float]:
    try:
        if isinstance(found, Mapping) and found.keys() <= {"momentum", "weight_decay"}:
            return {name: SETTINGS[name].kind.check(SETTINGS[name].title, value) for name, value in found.items()}
    except ConfigError:
        pass
    raise WeightsError("The settings that it says were changed on the way make no sense.")


def _batch_sizes(found: Any, step: int) -> list[tuple[int, int]]:
    kind, refusal = SETTINGS["batch_size"].kind, WeightsError("The batch sizes that it says it has had make no sense.")
    if not isinstance(found, list | tuple) or not all(isinstance(change, list | tuple) and len(change) == 2 for change in found):
        raise refusal
    starts = [start for start, _ in found]
    if not all(is_whole(start) and 0 <= start <= step for start in starts) or sorted(set(starts)) != starts:
        raise refusal
    try:
        return [(start, kind.check("The batch size", size)) for start, size in found]
    except ConfigError:
        raise refusal from None


def grouped(arrays: Mapping[str, Array], groups: Sequence[str]) -> dict[str, dict[str, Array]]:
    """Arrays called `group/name` as arrays by name in each of `groups`. WeightsError for one of another group."""
    found: dict[str, dict[str, Array]] = {group: {} for group in groups}
    for full_name, value in arrays.items():
        group, _, name = full_name.partition("/")
        if group not in found:
            raise WeightsError(f"It holds {full_name!r:.60}, which is no part of a training.")
        found[group][name] = value
    return found


def check_like(given: Mapping[str, Array], wanted: Mapping[str, Array], what: str) -> None:
    """Raise WeightsError unless the arrays `given` have names, shapes and dtypes of those `wanted`, and none holds NaN."""
    if given.keys() != wanted.keys():
        raise WeightsError(f"Parts of the {what} are missing or belong to another training.")
    for name, value in wanted.items():
        if given[name].shape != value.shape or given[name].dtype != value.dtype:
            raise WeightsError(f"The {what} {name} is {given[name].dtype} {given[name].shape}, not {value.dtype} {value.shape}.")
        if (given[name] != given[name]).any():  # NaN alone differs from itself
            raise WeightsError(f"The {what} {name} holds values that are not numbers.")
