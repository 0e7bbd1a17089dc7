"""Drives the real window and takes screenshots of every view of Inspect into assets/screenshots.

    DIGITLAB_DATA=… python scripts/inspect_screenshots.py        (part of make screenshots; under xvfb-run where there is no screen)

Real networks, and digits of MNIST or, where that is not in the data folder, of the built-in ones. Views of one card are put
together on a sheet. One picture is taken on a screen of twice the pixels, and two as eyes see them that tell red from green badly.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from screenshots import opened, save, until, wait

SIZE = (1280, 800)
TWICE = "twice"
DEUTERANOPIA = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])
"""What is left of red, green and blue light without the middle cones (Machado, Oliveira, Fernandes 2009)."""


def main() -> None:
    twice, environment = sys.argv[1:] == [TWICE], dict(os.environ)
    with opened(SIZE) as (window, scratch):
        views = Views(window, scratch)
        if twice:
            views.open("mnist-cnn")
            views.choose("relu2", 6, 5, 3)
            window.set_theme("light")
            until(lambda: views.panel_of["WhyCard"].why is not None)
            wait(1)
            save(window.grab(), "inspect-2x", 70)
        else:
            views.take_all()
    if not twice:
        subprocess.run([sys.executable, __file__, TWICE], env=environment | {"QT_SCALE_FACTOR": "2"}, check=True)


class Views:
    """The views of Inspect, one after the other."""

    def __init__(self, window, scratch: Path) -> None:
        from app.core.probe import Kind, Probe
        from nncore.data import open_dataset

        self.window, self.lab, self.scratch = window, window.lab, scratch
        window.show_panel("inspect")
        self.panel = window.panel_named("inspect")
        self.panel_of = {type(card).__name__: card for card in self.panel.cards}
        spec = "mnist" if (Path(os.environ["DIGITLAB_DATA"]) / "mnist").exists() else "synthetic"
        self.lab.opener.open_data(spec)
        images = open_dataset(spec, "test")
        number = 15 if spec == "mnist" else int(np.flatnonzero(images.labels == 5)[0])
        probe = Probe(images.images[number], f"test image {number}", int(images.labels[number]), Kind.DATASET)
        self.lab.state.probe.set(probe)

    def take_all(self) -> None:
        self.open("mnist-cnn")
        self.choose("relu2", 6, 5, 3)
        self.shoot("inspect")
        save(colour_blind(self.window.grab().toImage()), "inspect-deuteranopia")
        self.take_numbers()
        self.take_why()
        self.take_cards()
        self.take_map()
        self.open("digitlab-mnist")
        self.choose("relu1", 11, 7, 15)
        self.shoot("inspect-deep")

    # -- what is on the sheets

    def take_numbers(self) -> None:
        """One number explained, for each kind of layer, and backwards."""
        card = self.card("PixelCard")
        with_softmax = self.with_softmax()

        def units(*names: tuple) -> list[Callable[[], None]]:
            return [lambda name=name: self.choose(*name) for name in names]

        def in_deep(*name) -> Callable[[], None]:
            def show() -> None:
                if self.lab.state.network.value.name != "digitlab-mnist":
                    self.open("digitlab-mnist")
                self.choose(*name)

            return show

        of_cnn = units(("relu1", 11, 9, 15), ("pool1", 6, 5, 3), ("relu3", 6), ("linear2", 5), ("softmax1", 5))
        of_deep = [in_deep("relu3", 4, 4, 3), in_deep("norm1", 4, 4, 3), in_deep("dropout1", 5)]
        self.sheet("inspect-numbers", card, [*of_cnn, self.choose_weight, *of_deep], first=with_softmax)
        self.open("mnist-cnn")
        self.choose("relu2", 6, 5, 3)

    def choose_weight(self) -> None:
        from app.panels.inspect.inspected import Weight

        self.choose("relu2", 6, 5, 3)
        self.panel.inspected.choose_weight(Weight("conv2.weight", (1, 1, 9, 3)))
        card = self.card("PixelCard")
        until(lambda: card.backwards.result is not None and not card.sheet.is_faded)
        wait(0.3)

    def take_why(self) -> None:
        """Why this answer: every method, the check with random weights, and the smallest change."""
        from app.core.why import METHODS

        card = self.card("WhyCard")

        def method(name: str, is_random: bool = False) -> Callable[[], None]:
            def show() -> None:
                card.random.setChecked(is_random)
                card.method.setCurrentText(name)
                until(lambda: card.why is not None and card.why.question.method.name == name and is_shown(card, is_random))

            return show

        def change() -> None:
            card.show_change(True)
            card.change.go.click()
            until(lambda: card.change.play.isEnabled())

        names = [*METHODS]
        views = [*(method(name) for name in names), method(names[0], True), change]
        self.sheet("inspect-why", card, views, first=lambda: card.show_change(False))
        card.show_change(False)
        self.panel.setFocus()

    def take_cards(self) -> None:
        """Filters, what a unit looks for, and what becomes of the answers without it."""
        looks_for, off = self.panel_of["UnitCard"], self.panel_of["OffCard"]

        def looking():
            self.card("UnitCard")
            until(lambda: looks_for.search.is_current)
            if looks_for.grown.made is None:
                looks_for.grown.button.click()
                until(lambda: looks_for.grown.button.text() != "Stop")
            wait(0.3)
            return looks_for

        def switched_off():
            self.card("OffCard")
            off.row.switch.click()
            wait(1)
            off.row.measure.click()
            until(lambda: not self.lab.ablating.is_busy and self.lab.ablating.is_current)
            wait(0.5)
            picture = off.grab()
            self.lab.undo()
            wait(0.5)
            return picture

        def filters(layer: str, *index: int):
            card = self.card("FiltersCard")
            self.choose(layer, *index)
            return card

        steps = [lambda: filters("relu1", 11, 9, 6), lambda: filters("relu3", 6), lambda: filters("relu2", 6, 5, 3)]
        self.sheet("inspect-cards", None, [*steps, looking, switched_off], first=lambda: None)
        self.card("PixelCard"), self.card("WhyCard")

    def take_map(self) -> None:
        self.panel.show_page(1)
        view = self.panel.pages[0].map
        until(lambda: view.is_current and not view.making.is_coming)
        near = np.argsort(np.linalg.norm(view.scatter.positions - np.median(view.scatter.positions, axis=0), axis=1))[:120]
        view.scatter.select(near)
        self.shoot("inspect-map")
        view.scatter.select(near[:0])
        self.window.set_theme("light")
        wait(1)
        save(colour_blind(self.window.grab().toImage()), "inspect-map-deuteranopia")
        self.panel.show_page(0)

    # -- steps

    def open(self, name: str) -> None:
        """Open a network that ships, or a file, and wait for its answer."""
        self.lab.opener.open_weights(name)
        stem = Path(name).stem if name.endswith(".safetensors") else name
        until(lambda: stem in self.lab.state.network.value.name)
        until(
            lambda: (
                (look := self.panel.inspected.look.value) and look.digit and look.question.network is self.lab.state.network.value
            )
        )
        wait(0.5)

    def with_softmax(self) -> Callable[[], None]:
        """What opens mnist-cnn with a softmax as its last layer."""
        from models.shipped import open_weights
        from nncore.layers import Softmax
        from nncore.network import Network
        from nncore.weights import save_weights

        plain = open_weights("mnist-cnn")[0]
        config = plain.config()
        network = Network.from_config(config | {"layers": [*config["layers"], Softmax().config()]})
        network.load_state_dict(plain.state_dict())
        path = self.scratch / "mnist-cnn-softmax.safetensors"
        save_weights(path, network)
        return lambda: self.open(str(path))

    def choose(self, layer: str, *index: int) -> None:
        from app.panels.inspect.inspected import Unit

        self.panel.inspected.choose_weight(None)
        self.panel.inspected.choose(Unit(layer, index))
        wait(0.6)

    def card(self, kind: str):
        """A card, brought into sight."""
        card = self.panel_of[kind]
        column = next(column for column in self.panel.columns if card in column.cards)
        column.choose(card)
        wait(0.3)
        return card

    # -- pictures

    def shoot(self, name: str) -> None:
        """The window, light and dark; it is light afterwards."""
        for theme in ("dark", "light"):
            self.window.set_theme(theme)
            wait(1.5)
            save(self.window.grab(), f"{name}-{theme}")

    def sheet(self, name: str, card, steps: Sequence[Callable[[], object]], first: Callable[[], None]) -> None:
        """A sheet of what a card shows after each step, light and dark, or of what the step returns: a card or a picture."""
        for theme in ("dark", "light"):
            self.window.set_theme(theme)
            wait(1)
            first()
            shots = []
            for show in steps:
                shown = show() or card
                shots.append(shown if isinstance(shown, QPixmap) else shown.grab())
            save(together(shots, 3, self.panel.palette().window().color()), f"{name}-{theme}")


def is_shown(card, is_random: bool) -> bool:
    """Whether the map is there, and that of random weights where it is wanted."""
    return card.why.found is not None and (card.why.random is not None) == is_random


def together(shots: Sequence[QPixmap], columns: int, color: QColor) -> QPixmap:
    """Pictures in rows, as wide and high as the largest."""
    gap, wide, high = 12, max(shot.width() for shot in shots), max(shot.height() for shot in shots)
    rows = -(-len(shots) // columns)
    sheet = QPixmap(columns * (wide + gap) + gap, rows * (high + gap) + gap)
    sheet.fill(color)
    painter = QPainter(sheet)
    for number, shot in enumerate(shots):
        row, column = divmod(number, columns)
        painter.drawPixmap(QPoint(gap + column * (wide + gap), gap + row * (high + gap)), shot)
    painter.end()
    return sheet


def colour_blind(image: QImage) -> QImage:
    """The picture as it is seen with deuteranopia."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    width, height = image.width(), image.height()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())[:, : 3 * width] / 255
    light = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4).reshape(-1, 3) @ DEUTERANOPIA.T
    light = np.clip(light, 0, 1)
    seen = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    data = np.ascontiguousarray(np.rint(255 * seen).astype(np.uint8).reshape(height, width, 3))
    return QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


if __name__ == "__main__":
    main()
