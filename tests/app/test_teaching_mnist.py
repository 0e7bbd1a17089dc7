"""An odd hand is learned beside the real MNIST; skipped where that is not here."""

from __future__ import annotations

import json

import pytest

from app.cli import main
from app.core import teaching_in_turn
from tests.app.test_teaching import keep, style


@pytest.mark.usefixtures("real_mnist")
def test_upside_down_sevens_are_learned_and_mnist_stays_within_three_tenths_of_a_point(isolated, capsys, monkeypatch):
    monkeypatch.setattr(teaching_in_turn, "LONGEST", 0.0)
    keep(isolated / "my_digits", style("7s upside down"))
    assert main(["teach", "--weights", "mnist-cnn", "--json", "--device", "cpu"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["own"] == {"before": 0.0, "after": 1.0} and said["others"]["data"] == "MNIST"
    assert said["others"]["after"] >= said["others"]["before"] - 0.003 and not said["is_worse"]
