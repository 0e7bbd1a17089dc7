"""Recognise in the real window, by pointer and keyboard: three digits are written, one is corrected and taken back, the hand is
learned, and a page that another program drops is read, checked and saved.

What the program has understood is told by the files that it keeps.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.core.runs import Run, RunStore
from benchmarks.drawn_pages import page
from nncore.data import synthetic
from tests.app.conftest import FIVE, ONE
from tests.app.test_recognise_story import SEVEN
from tests.e2e.test_real_window import digitlab, pytestmark, screen, sheet_centre, shot, wait_for
from tests.e2e.xtest import Pointer

__all__ = ["digitlab", "pytestmark", "screen"]

SIZE, APART = 150, 140
"""Pixels of a digit's square, and from one digit's middle to the next one's."""
ACCENT, PAPER = (15, 143, 127), (236, 232, 222)
"""Colours of the button by which the hand is learned, and of the page."""
INK = 80
"""What is darker than this is ink."""
CORNER, CORNER_DOWN = 1410, 870
"""A place in the other program's window."""
COLUMN = slice(400, 640), slice(800, 1130)
"""Rows and columns in which that button lies, wherever the card is."""
PATIENCE = 240.0
"""Seconds to wait for what takes a moment where nothing else is done."""
TIMES = 3
"""How often a file is dropped: where much else is done, Qt does not wait until another program has handed it over."""


class User:
    """Draws on the screen and types."""

    def __init__(self, mouse: Pointer, screen: str) -> None:
        self._mouse, self._screen = mouse, screen

    def draw(self, shape: Sequence[tuple[float, float]], x: int, y: int) -> None:
        """Draw a line through points given as shares of a square around (x, y).

        Ink is waited for at each: a busy program is told of the last of several movements only, which would cut corners.
        """
        points = [(x + round((across - 0.5) * SIZE), y + round((down - 0.5) * SIZE)) for across, down in shape]
        self.send("press", points[0])
        for (ax, ay), (bx, by) in pairwise(points):
            for part in (0.25, 0.5, 0.75, 1):
                self.send("move", (round(ax + part * (bx - ax)), round(ay + part * (by - ay))))
            wait_until(lambda at=(by, bx): shot(self._screen)[at].max() < INK, "ink below the pen")
        self.send("release", points[-1])

    def click(self, at: tuple[int, int]) -> None:
        self.send("press", at)
        self.send("release", at)

    def send(self, kind: str, at: tuple[int, int]) -> None:
        self._mouse.send(kind, *at)
        time.sleep(0.01)

    def press(self, *keys: str) -> None:
        """Press keys together, by X's names for them."""
        self._mouse.press(*keys)
        time.sleep(0.05)


def wait_until(holds: Callable[[], bool], what: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, f"never saw {what}"
        meanwhile()
        time.sleep(0.1)


def appears(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether something holds within so many seconds."""
    until = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def kept(data: Path) -> list[str]:
    """The digits that are kept, in the order of their labels."""
    return sorted(path.parent.name for path in data.glob("my_digits/*/*.png"))


def has_colour(part: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Which pixels of a part of the screen have a colour, bool (rows, columns)."""
    return np.abs(part.astype(np.int16) - np.array(colour, np.int16)).max(axis=-1) < 12


def learn_button(picture: np.ndarray) -> tuple[int, int] | None:
    """The middle of the button in the column beside the sheet that is filled with the accent; None where there is none."""
    rows, columns = np.nonzero(has_colour(picture[COLUMN], ACCENT))
    if len(rows) < 2000:
        return None
    return COLUMN[1].start + int(np.median(columns)), COLUMN[0].start + int(np.median(rows))


@contextmanager
def dragging(screen: str, path: Path, told: Path) -> Iterator[Callable[[], list[str]]]:
    """Another program from which a file can be dragged; yields what tells what it has said so far."""
    environment = {name: value for name, value in os.environ.items() if name != "QT_QPA_PLATFORM"} | {"DISPLAY": screen}
    command = [sys.executable, "-m", "tests.e2e.dragged", str(path)]
    with told.open("w") as out, subprocess.Popen(command, env=environment, stdout=out) as other:
        yield lambda: told.read_text().split()
        other.kill()


@pytest.fixture
def prepared(isolated: Path, tmp_path: Path) -> Path:
    """The data folder with a few digits of before; the program begins with a small network, in the light theme."""
    digits = synthetic("train", 8)
    for number, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        folder = isolated / "my_digits" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"20261130-12000{number}-000000.png")
    config = tmp_path / "config" / "digitlab"
    config.mkdir(parents=True)
    (config / "settings.json").write_text(json.dumps({"theme": "light", "network": {"weights": "mnist-cnn"}}))
    return isolated


@pytest.mark.timeout(900)
def test_from_the_first_stroke_to_the_table_of_a_page(prepared, screen, digitlab, tmp_path):
    first = wait_for(screen, lambda picture: learn_button(picture) is not None, "the window", PATIENCE)
    x, y = sheet_centre(first)
    before = kept(prepared)

    def are_kept(digits: str) -> Callable[[], bool]:
        return lambda: kept(prepared) == sorted([*before, *digits])

    with Pointer(screen) as mouse:
        user = User(mouse, screen)

        # Three digits are written; the first is said to be a 4, and that is taken back.
        for number, shape in enumerate((FIVE, ONE, SEVEN)):
            user.draw(shape, x + (number - 1) * APART, y)
        user.send("move", (x, y + 320))  # off the sheet, where it chooses nothing
        user.press("4")
        wait_until(are_kept("4"), "the correction among the kept digits")
        user.press("Control_L", "z")
        wait_until(are_kept(""), "the correction taken back")

        # Each is kept as what it is.
        for number, digit in enumerate("517", start=1):
            user.press(digit)
            wait_until(are_kept("517"[:number]), f"{digit} among the kept digits")
            user.press("Right")
        widths = {path.parent.name: ink_width(path) for path in newest(prepared, 3)}
        assert widths.keys() == set("517") and widths["1"] < 8 < min(widths["5"], widths["7"]), "each under its own label"

        # The network learns them, which is taken back as well.
        button = learn_button(shot(screen))
        assert button is not None
        user.click(button)
        wait_until(lambda: [(run.name, run.status) for run in runs()] == [("my handwriting", "finished")], "the lesson's run")
        wait_for(screen, lambda picture: learn_button(picture) is not None, "the lesson's figures", PATIENCE)
        user.press("Control_L", "z")

        # Another program drops a page, of which half a digit is torn off; the key N leads there.
        path = torn_page(tmp_path)
        with dragging(screen, path, tmp_path / "said.txt") as said:
            wait_until(lambda: "ready" in said(), "the other program")
            sheet, ways = (slice(y - 200, y + 200), slice(x - 250, x + 250)), itertools.cycle(((x, y), (x + 9, y + 9)))
            for _ in range(TIMES):
                told = len(said())
                user.send("press", (CORNER, CORNER_DOWN))
                wait_until(lambda n=told: "accepted" in said()[n:], "the file taken", lambda: user.send("move", next(ways)))
                user.send("release", (x, y))
                wait_until(lambda n=told: not {"dropped", "refused"}.isdisjoint(said()[n:]), "the end of the drag")
                if appears(lambda: is_read(shot(screen)[sheet]), PATIENCE / TIMES):
                    break
        assert is_read(shot(screen)[sheet]), "the page with its boxes"
        user.press("n")
        user.press("7")
        wait_until(are_kept("5177"), "the torn digit among the kept ones")

        # The table is saved beside the page.
        seen = shot(screen)
        user.press("Tab")
        user.press("space")
        wait_for(screen, lambda picture: (picture != seen).mean() > 0.1, "the dialog", PATIENCE)
        user.press("Return")
        table = path.with_suffix(".csv")
        wait_until(lambda: table.exists() and table.read_text().count("\n") == 8, "the table")
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    assert "".join(row["digit"] for row in rows) == "2075386"
    assert [row["digit"] for row in rows if row["corrected"] == "true"] == ["7"]
    assert digitlab.poll() is None
    digitlab.terminate()
    assert digitlab.wait(PATIENCE) == 0
    shown = json.loads((tmp_path / "config" / "digitlab" / "settings.json").read_text())
    assert shown["network"]["weights"] == "mnist-cnn", "the network before the lesson"


def runs() -> list[Run]:
    """The runs that the program has made so far."""
    return RunStore().list()


def newest(data: Path, count: int) -> list[Path]:
    """The digits that were kept last."""
    return sorted(data.glob("my_digits/*/*.png"), key=lambda path: path.name)[-count:]


def ink_width(path: Path) -> int:
    """How many columns of a picture hold ink."""
    return int((np.asarray(Image.open(path)) > 64).any(axis=0).sum())


def torn_page(folder: Path) -> Path:
    """A page of two lines, of which the middle of the third digit is torn out."""
    written = page(["2075", "386"], seed=4)
    left, top, width, height = written.boxes[2]
    torn = written.picture.copy()
    torn[top + height // 2 : top + height + 3, left - 3 : left + width + 3] = torn[0, 0]
    path = folder / "page.png"
    Image.fromarray(torn[..., 0] if torn.shape[2] == 1 else torn).save(path)
    return path


def is_read(part: np.ndarray) -> bool:
    """Whether it has the colour of the page's paper, with boxes over it."""
    return bool(has_colour(part, PAPER).mean() > 0.3 and has_colour(part, ACCENT).sum() > 300)
