"""Drives the real window and takes a screenshot of each panel into assets/screenshots, of Inspect by inspect_screenshots.py.

    DIGITLAB_DATA=… make screenshots        (under xvfb-run where there is no screen)

Without MNIST in the data folder the built-in digits are trained on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

OUT = Path(__file__).parents[1] / "assets" / "screenshots"
QUALITY = 88
"""Of the pictures, up to 100."""
FIVE = ((0.66, 0.17), (0.55, 0.17), (0.43, 0.18), (0.41, 0.28), (0.38, 0.44), (0.46, 0.4), (0.55, 0.4), (0.63, 0.45), (0.67, 0.54),
        (0.67, 0.64), (0.62, 0.73), (0.53, 0.79), (0.44, 0.8), (0.36, 0.77))  # fmt: skip


def main() -> None:
    with opened((1440, 900)) as (window, _):

        def shoot(name: str) -> None:
            wait(0.5)
            for theme in ("light", "dark"):
                window.set_theme(theme)
                wait(0.3)
                save(window.grab(), f"{name}-{theme}")

        recognise = window.panel_named("recognise")
        window.show_panel("recognise")
        wait(0.5)
        draw(recognise.canvas, FIVE)
        shoot("recognise")
        window.show_panel("data")
        shoot("data")
        window.show_panel("train")
        window._actions["toggle"].trigger()
        until(lambda: window.lab.state.run.value.evaluations.newest() is not None and window.lab.training.last.epoch == 3)
        wait(1.5)
        save(window.grab(), "training-dark")
        until(lambda: not window.lab.training.is_active)
        shoot("train")
        window.show_panel("runs")
        shoot("runs")
    subprocess.run([sys.executable, str(Path(__file__).with_name("inspect_screenshots.py"))], check=True)


@contextmanager
def opened(size: tuple[int, int]) -> Iterator[tuple[Any, Path]]:
    """The real window in that size, with network and data, and the folder that it writes into; both are gone afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        isolate(Path(scratch))
        from app.launch import build_window

        app = QApplication(sys.argv[:1])
        window = build_window(app, reset_layout=True)
        window.resize(*size)
        window.show()
        OUT.mkdir(parents=True, exist_ok=True)
        until(lambda: window.lab.state.network.value is not None and window.lab.state.data.value is not None)
        yield window, Path(scratch)
        window.close()


def save(picture: QPixmap | QImage, name: str, quality: int = QUALITY) -> None:
    """Keep a picture; WebP takes a third of what PNG does."""
    picture.save(str(OUT / f"{name}.webp"), quality=quality)


def isolate(scratch: Path) -> None:
    """Let the window write into a folder that vanishes, and read the datasets where they are."""
    data = os.environ.get("DIGITLAB_DATA")
    for name in ("mnist", "svhn") if data else ():
        if (Path(data) / name).is_dir():
            (scratch / name).symlink_to((Path(data) / name).resolve())
    os.environ |= {
        "DIGITLAB_DATA": str(scratch),
        "XDG_CONFIG_HOME": str(scratch / "config"),
        "XDG_STATE_HOME": str(scratch / "state"),
    }


def wait(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def until(condition) -> None:
    while not condition():
        wait(0.1)


def draw(canvas, points) -> None:
    """Move the pen through points given as shares of the square in the middle of the sheet."""
    sheet, side = canvas.sheet(), canvas.sheet().height()
    left = sheet.center().x() - side // 2
    places = [QPoint(left + round(x * side), sheet.y() + round(y * side)) for x, y in points]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=places[-1])


if __name__ == "__main__":
    main()
