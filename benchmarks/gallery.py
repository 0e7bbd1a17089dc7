"""How smoothly the gallery scrolls through 60,000 images: each frame is timed from the wheel to the last pixel painted."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from nncore.data import Dataset

FRAMES = 600


def scrolling() -> dict[str, float]:
    """Seconds of the median, the 99th of a hundred, and the slowest of FRAMES frames, scrolling by wheel and by leaps."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from app import theme
    from app.core.in_view import DataInView
    from app.core.runs import RunStore
    from app.core.settings import Settings
    from app.lab import Lab
    from app.panels.data.browser import Browser

    app = QApplication.instance() or QApplication([])
    theme.install(app, "dark")
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (60_000, 28, 28, 1), np.uint8), rng.integers(0, 10, 60_000)
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Settings(Path(folder)), RunStore(Path(folder)))
        browser = Browser(lab)
        browser.resize(1200, 900)
        browser.show()
        lab.state.data.set(DataInView("noise", Dataset(images, labels, "noise"), None))
        times = _frames(app, browser.grid)
        browser.close()
        lab.close()
    times.sort()
    return {
        "gallery, median frame": statistics.median(times),
        "gallery, 99th of 100 frames": times[int(0.99 * FRAMES)],
        "gallery, worst frame": times[-1],
    }


def _frames(app: Any, grid: Any) -> list[float]:
    """Seconds of each frame, mostly a turn of the wheel on, now and then somewhere else."""
    app.processEvents()
    bar = grid.verticalScrollBar()
    times = []
    for frame in range(FRAMES):
        start = time.perf_counter()
        bar.setValue(bar.value() + 60 if frame % 20 else (frame * 7919) % bar.maximum())
        app.processEvents()  # paints
        times.append(time.perf_counter() - start)
    return times
