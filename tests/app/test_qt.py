"""What the program needs of the Qt that is installed."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtGui import QColor, QImage, QPainter


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None cannot lose references from Python 3.12 on")
def test_painting_does_not_wear_none_out(qapp):
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    before = sys.getrefcount(None)
    for _ in range(1000):
        painter.setPen(QColor("red"))
        painter.fillRect(0, 0, 8, 8, QColor("blue"))
    after = sys.getrefcount(None)
    painter.end()
    assert after > before - 100, "this PySide6 loses references to None and will end the program; install another version"
