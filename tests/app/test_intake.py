"""What comes in from outside."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QMimeData, QUrl

from app import intake
from app.intake import Intake
from app.widgets.pixels import to_qimage


def test_a_large_picture_is_taken_in_the_background_and_a_small_one_at_once(qtbot, lab, monkeypatch):
    monkeypatch.setattr(intake, "AT_ONCE", 5000)
    pixels = np.random.default_rng(0).integers(0, 256, (70, 80, 3), np.uint8)
    Intake(lab).take_image(to_qimage(pixels), "large")
    assert lab.state.probe.value.picture is None, "the interface does not wait for it"
    qtbot.waitUntil(lambda: lab.state.probe.value.origin == "large", timeout=10_000)
    np.testing.assert_array_equal(lab.state.probe.value.picture, pixels)
    Intake(lab).take_image(to_qimage(pixels[:50]), "small")
    np.testing.assert_array_equal(lab.state.probe.value.picture, pixels[:50])


class Announced(QMimeData):
    """Files that were announced and do not come."""

    def hasUrls(self) -> bool:
        return True

    def urls(self) -> list[QUrl]:
        return []


def test_what_another_program_announced_and_did_not_hand_over_is_told_apart_from_what_is_elsewhere(lab, monkeypatch):
    told: list[str] = []
    lab.problem.connect(lambda problem: told.append(problem.message))
    dropped = QMimeData()
    dropped.setUrls([QUrl("https://example.org/a.png")])
    Intake(lab).take_dropped(dropped)
    Intake(lab).take_dropped(Announced())
    assert ["Only files on this computer" in message for message in told] == [True, False]
    assert "once more" in told[1]
