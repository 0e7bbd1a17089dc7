"""Large pictures: no copy is kept that nobody needs."""

from __future__ import annotations

import tracemalloc

import numpy as np
from PIL import Image

from app.core.probe import Probe
from app.core.state import LabState
from app.widgets.pyramid import halved, levels_of
from nncore.vision.sheet import find_sheet


def picture() -> np.ndarray:
    """Twelve megabytes."""
    pixels = np.full((1600, 2500, 3), 240, np.uint8)
    pixels[400:800, 1000:1050] = 20
    return pixels


def peak_of(function) -> int:
    """Bytes that a call takes at its peak, and what it returns."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_picture_that_is_opened_again_is_in_memory_once():
    state, first = LabState(), picture()
    state.show_probe(Probe(first, "a.png"), "a.png")
    again = picture()
    assert peak_of(lambda: state.show_probe(Probe(again, "a.png"), "a.png")) < 3_000_000
    assert state.probe.value.picture is first and len(state.recent.probes.value) == 2
    state.show_probe(Probe(picture() // 2, "a.png"), "a.png")
    assert state.probe.value.picture is not first


def test_halves_are_made_without_copies_of_the_whole():
    pixels = picture()
    assert peak_of(lambda: halved(pixels)) < 6_000_000, "three of them are the half itself"
    np.testing.assert_array_equal(levels_of(pixels)[0].pixels, pixels)
    odd = np.random.default_rng(0).integers(0, 256, (1203, 801, 3), np.uint8)
    parts = odd[:1202, :800].astype(int)
    means = (parts[::2, ::2] + parts[1::2, ::2] + parts[::2, 1::2] + parts[1::2, 1::2] + 2) // 4
    np.testing.assert_array_equal(halved(odd), means)


def test_pillow_gets_a_large_picture_in_parts(monkeypatch):
    sizes, from_array = [], Image.fromarray

    def watched(pixels: np.ndarray) -> Image.Image:
        sizes.append(pixels.shape[0] * pixels.shape[1])
        return from_array(pixels)

    monkeypatch.setattr(Image, "fromarray", watched)
    find_sheet(picture(), 400)
    assert sum(sizes) > 4_000_000 and max(sizes) <= 2**20
