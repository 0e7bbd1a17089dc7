"""The large digit in the probe dock."""

from __future__ import annotations

from PySide6.QtGui import QFontMetrics


def test_every_answer_has_room_before_the_dock_has_been_shown(window):
    answer = window.probe.answer
    for text in "–0123456789":
        answer.setText(text)
        assert answer.font().pixelSize() == 44
        assert answer.minimumWidth() >= QFontMetrics(answer.font()).horizontalAdvance(text)
        assert answer.minimumSizeHint().width() >= QFontMetrics(answer.font()).horizontalAdvance(text)
