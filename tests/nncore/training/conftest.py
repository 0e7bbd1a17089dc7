"""What the tests of training share."""

from __future__ import annotations

import pytest


@pytest.fixture
def single_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stretch is one step, however fast the machine is."""
    monkeypatch.setattr("nncore.training.meters.STRETCH_SECONDS", 0)
