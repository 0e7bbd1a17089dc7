"""The example of the README runs as it stands there."""

from __future__ import annotations

from pathlib import Path

import nncore.data


def test_the_example_runs(monkeypatch, capsys):
    everything = nncore.data.open_dataset
    monkeypatch.setattr(nncore.data, "open_dataset", lambda *which: everything(*which).limit(200))
    page = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    exec(page.split("```python\n")[1].split("```")[0], {})
    *epochs, accuracy = capsys.readouterr().out.split("\n")[:-1]
    assert [line.split()[0] for line in epochs] == ["1", "2", "3"] and 0 <= float(accuracy) <= 1
