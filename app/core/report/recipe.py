"""The settings of a training as tables: what differs from the preset's own recipe first, then all."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.report.blocks import Block, Row, Table, Text
from app.core.setting_text import value_text
from models.presets import PRESETS
from nncore.training.config import SETTINGS, Setting, TrainConfig


def recipe_tables(network: str, config: TrainConfig) -> Iterator[Block]:
    """What is not as the preset called `network` has it (as by default, where there is none), and a table of all settings."""
    usual = PRESETS[network].training if network in PRESETS else TrainConfig()
    whose = f"{network}'s own recipe" if network in PRESETS else "the defaults"
    changed = [setting for setting in SETTINGS.values() if getattr(config, setting.name) != getattr(usual, setting.name)]
    if changed:
        rows = tuple((one.title, value_text(one, config), value_text(one, usual)) for one in changed)
        yield Table(("what differs", "here", whose), rows, frozenset({0, 1, 2}), frozenset((row, 1) for row in range(len(rows))))
    else:
        yield Text(f"Everything is as in {whose}.")
    every = tuple((one.title, f"{value_text(one, config)}{_remark(one, config)}") for one in SETTINGS.values())
    half = -(-len(every) // 2)
    yield Row(tuple(Table(("setting", "value"), part, frozenset({0, 1})) for part in (every[:half], every[half:])))


def _remark(setting: Setting, config: TrainConfig) -> str:
    """Why a setting has no effect; empty where it has."""
    return " (not used)" if setting.unused_because(config) else ""
