"""The window's layout file: what is sound comes back, what is damaged counts as nothing, what lies off the screens is moved there.

`DIGITLAB_MUTATIONS` says how many damaged files are tried (200), `DIGITLAB_SEED` which (0).
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.layout import FARTHEST, LARGEST_FILE, Box, Layout, parse_layout, read_layout
from tests.app.mutations import damage_bytes, damage_json

COUNT = int(os.environ.get("DIGITLAB_MUTATIONS", "200"))
SEED = int(os.environ.get("DIGITLAB_SEED", "0"))

LAYOUT = Layout(Box(-3, 40, 1200, 700), Box(900, 100, 300, 640), 320, maximised=True, probe_left=True)
SCREEN, SECOND = Box(0, 0, 1280, 800), Box(1280, 0, 1920, 1080)


def damaged(number: int) -> bytes:
    """The damaged file of that number."""
    rng = random.Random(f"{SEED} layouts {number}")
    content = LAYOUT.as_json()
    if rng.random() < 0.5:
        return damage_bytes(content, rng)
    return json.dumps(damage_json(json.loads(content), rng)).encode()


def is_sound(layout: Layout) -> bool:
    """Whether Qt can be given these values."""
    boxes = (layout.window, layout.probe)
    places = all(type(value) is int and abs(value) <= FARTHEST for box in boxes for value in (*box, layout.probe_width))
    sizes = all(size > 0 for box in boxes for size in (box.width, box.height, layout.probe_width))
    switches = (layout.maximised, layout.probe_visible, layout.probe_floating, layout.probe_left)
    return places and sizes and all(type(switch) is bool for switch in switches)


def test_a_layout_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "layout.json"
    assert read_layout(path) is None
    path.write_bytes(LAYOUT.as_json())
    assert read_layout(path) == LAYOUT


def test_damaged_layouts_are_sound_or_none() -> None:
    outcomes = {parse_layout(damaged(number)) for number in range(COUNT)}
    assert None in outcomes
    assert all(is_sound(layout) for layout in outcomes if layout is not None)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2}, {"maximised": 1}, {"probe_width": 0}, {"probe_width": True}, {"probe_width": 1e3}, {"window": [0, 0, 9]},
        {"window": [0, 0, 10**12, 5]}, {"window": [0, 0, -5, 5]}, {"window": "wide"}, {"probe": None}, {"more": 1},
    ],
)  # fmt: skip
def test_a_wrong_value_makes_the_layout_none(change: dict[str, object]) -> None:
    assert parse_layout(json.dumps(json.loads(LAYOUT.as_json()) | change).encode()) is None


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 9000, b"{}", b"[]", b"NaN", b"\0" * 300])
def test_what_is_no_layout_is_none(content: bytes) -> None:
    assert parse_layout(content) is None


def test_a_huge_file_and_a_folder_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "layout.json"
    path.write_bytes(LAYOUT.as_json() + b" " * LARGEST_FILE)
    assert read_layout(path) is None
    assert read_layout(tmp_path) is None


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Box(100, 50, 800, 600), Box(100, 50, 800, 600)),
        (Box(0, 0, 1440, 900), Box(0, 0, 1264, 756)),
        (Box(5000, 4000, 800, 600), Box(464, 156, 800, 600)),
        (Box(-700, -10, 800, 600), Box(0, 0, 800, 600)),
        (Box(1500, 20, 1500, 900), Box(1500, 20, 1500, 900)),
    ],
)
def test_a_window_is_moved_onto_a_screen_and_made_no_larger(window: Box, expected: Box) -> None:
    fitted = replace(LAYOUT, window=window).fitted([SCREEN, SECOND], (16, 44))
    assert fitted.window == expected
