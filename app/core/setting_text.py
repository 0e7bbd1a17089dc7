"""The value of a setting in words, for reports and comparisons. Qt-free."""

from __future__ import annotations

from typing import Any

from nncore.training.config import Setting


def value_text(setting: Setting, config: Any) -> str:
    """The value of a setting with its unit, as people read it."""
    shown = setting.kind.show(getattr(config, setting.name))
    return f"{shown} {setting.unit}".strip() if not shown.endswith(setting.unit) or not setting.unit else shown
