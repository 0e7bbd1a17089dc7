"""Hostile pictures, through the command line and through the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import Problem
from nncore.files import shown
from tests.app.command import digitlab
from tests.hostile_pictures import HOSTILE, SOUND


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A hostile picture after each sound one, as long as there are of both."""
    made = []
    for (good, sound), (bad, hostile) in zip(SOUND.items(), HOSTILE.items(), strict=False):
        for name, content in ((good, sound), (bad, hostile)):
            made.append(tmp_path / name)
            made[-1].write_bytes(content)
    return made


def test_predict_tells_of_each_in_one_line_and_reads_the_others(files):
    done = digitlab("predict", *map(str, files))
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == len(files) // 2
    told = done.stderr.replace("\n", " ")
    assert all(shown(file) in told for file in files[1::2])


def test_the_window_tells_of_each_and_keeps_what_it_showed(qtbot, lab, files):
    told: list[Problem] = []
    lab.problem.connect(told.append)
    for good, bad in zip(files[::2], files[1::2], strict=True):
        lab.opener.open_picture(good)
        qtbot.waitUntil(lambda name=good.name: lab.state.probe.value.origin == name, timeout=20_000)
        before, count = lab.state.probe.value, len(told)
        lab.opener.open_picture(bad)
        qtbot.waitUntil(lambda count=count: len(told) > count, timeout=20_000)
        assert lab.state.probe.value is before
        assert bad.name in told[-1].message and not told[-1].details and "\n" not in told[-1].message
