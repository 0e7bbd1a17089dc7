"""What differs between several runs: network, data, limit and settings where not all have the same. Qt-free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.core.runs import Run
from app.core.setting_text import value_text
from nncore.data.catalogue import title_of
from nncore.errors import ConfigError
from nncore.training.config import SETTINGS, TrainConfig


@dataclass(frozen=True)
class Difference:
    """A setting that not all runs have alike."""

    title: str
    values: tuple[str, ...]
    """Its value in words, one for each run; `?` where it is not known."""

    @property
    def differing(self) -> tuple[int, ...]:
        """The places of the runs whose value is not that of the first run."""
        return tuple(place for place, value in enumerate(self.values) if value != self.values[0])


def differences(runs: Sequence[Run]) -> tuple[list[Difference], int]:
    """What differs, and how many settings are the same in all runs."""
    every = [Difference(title, values) for title, values in _compared(runs)]
    found = [each for each in every if each.differing]
    return found, len(every) - len(found)


def _compared(runs: Sequence[Run]) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "Network", tuple(run.network for run in runs)
    yield "Data", tuple(title_of(run.data) for run in runs)
    yield "Limit", tuple("all" if run.image_limit is None else f"{run.image_limit:,} images" for run in runs)
    configs = [_config(run) for run in runs]
    for setting in SETTINGS.values():
        yield setting.title, tuple("?" if config is None else value_text(setting, config) for config in configs)


def _config(run: Run) -> TrainConfig | None:
    """The settings of a run; None where this version cannot read them."""
    try:
        return TrainConfig.from_dict(run.config)
    except (ConfigError, TypeError):
        return None
