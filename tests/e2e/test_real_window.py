"""The installed program in a real window: started as a user starts it, drawn on with a real pointer, seen on a real screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageGrab

pytestmark = [
    pytest.mark.window,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Xvfb is a screen for X11"),
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed"),
]


@pytest.fixture
def screen() -> Iterator[str]:
    """An X server of its own; yields its display.

    It is not reset when its last client leaves: whoever comes at that moment, as the program may between two shots, is refused.
    """
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1440x900x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(10)


@pytest.fixture
def digitlab(screen: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The program as `pip` installed it, started from an empty folder."""
    program = Path(sys.executable).with_name("digitlab")
    environment = {name: value for name, value in os.environ.items() if name not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")}
    empty = tmp_path / "empty"
    empty.mkdir()
    with subprocess.Popen([program], env=environment | {"DISPLAY": screen}, cwd=empty) as running:
        yield running
        running.kill()


def shot(screen: str) -> np.ndarray:
    """What is on the screen, uint8 (900, 1440, 3)."""
    return np.asarray(ImageGrab.grab(xdisplay=screen).convert("RGB"))


def wait_for(screen: str, seen, what: str, seconds: float = 60) -> np.ndarray:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        picture = shot(screen)
        if seen(picture):
            return picture
        time.sleep(0.1)
    raise AssertionError(f"never saw {what}")


def colours(picture: np.ndarray) -> int:
    """How many colours there are."""
    return len(np.unique(picture.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)))


def at_rest(screen: str) -> np.ndarray:
    """The screen once nothing on it has changed for a second."""
    last = [shot(screen)]

    def rests(picture: np.ndarray) -> bool:
        time.sleep(1)
        before, last[0] = last[0], shot(screen)
        return np.array_equal(before, last[0]) and np.array_equal(picture, last[0])

    return wait_for(screen, rests, "the window at rest")


def pointer(screen: str, *events: tuple[str, int, int]) -> None:
    """Move, press and release the pointer as a mouse would, through the X server's test extension."""
    from tests.e2e.xtest import Pointer

    with Pointer(screen) as mouse:
        for kind, x, y in events:
            mouse.send(kind, x, y)
            time.sleep(0.02)


def test_a_digit_drawn_with_the_mouse_is_recognised(screen, digitlab):
    before = wait_for(screen, lambda picture: colours(picture) > 20, "the window")
    assert digitlab.poll() is None
    blank = at_rest(screen)  # the shipped network has been opened
    x, y = sheet_centre(blank)
    stroke = [("press", x, y - 180), *(("move", x, y - 180 + step) for step in range(0, 361, 20)), ("release", x, y + 180)]
    pointer(screen, *stroke)
    drawn = wait_for(screen, lambda picture: differs(picture, blank, probe_of), "the probe's picture")
    assert differs(drawn, blank, lambda p: p[y - 150 : y + 150, x - 5 : x + 5]), "the stroke is on the sheet"
    assert before.shape == drawn.shape and digitlab.poll() is None


def probe_of(picture: np.ndarray) -> np.ndarray:
    """The probe dock, at the right edge."""
    return picture[60:330, -290:]


def differs(a: np.ndarray, b: np.ndarray, part) -> bool:
    return bool((np.abs(part(a).astype(int) - part(b).astype(int)) > 40).mean() > 0.02)


def sheet_centre(picture: np.ndarray) -> tuple[int, int]:
    """The middle of the sheet: it lies between navigation and the text that was read, above the strip of what happened."""
    height, width = picture.shape[:2]
    return (96 + width - 290 - 330) // 2, height // 2 - 110
