"""How smoothly the gallery scrolls through 60,000 images: each frame is timed from the wheel to the last pixel painted."""

from __future__ import annotations

import os
import statistics
import time

import numpy as np

FRAMES = 600


def scrolling() -> dict[str, float]:
    """Seconds of the median, the 99th of a hundred, and the slowest of FRAMES frames, scrolling by wheel and by leaps."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from app import theme
    from app.widgets.image_grid import ImageGrid

    app = QApplication.instance() or QApplication([])
    theme.install(app, "dark")
    images = np.random.default_rng(0).integers(0, 256, (60_000, 28, 28, 1), np.uint8)
    grid = ImageGrid("gallery")
    grid.resize(1200, 900)
    grid.set_images(images, lambda position: f"{position % 10}\t{position:,}")
    grid.show()
    app.processEvents()
    bar = grid.verticalScrollBar()
    times = []
    for frame in range(FRAMES):
        start = time.perf_counter()
        bar.setValue(bar.value() + 60 if frame % 20 else (frame * 7919) % bar.maximum())
        app.processEvents()  # paints
        times.append(time.perf_counter() - start)
    times.sort()
    grid.close()
    return {
        "gallery, median frame": statistics.median(times),
        "gallery, 99th of 100 frames": times[int(0.99 * FRAMES)],
        "gallery, worst frame": times[-1],
    }
