"""The views of Inspect by name, each in a real window in which `mnist-cnn` trains on MNIST."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nncore.training.config import TrainConfig

if TYPE_CHECKING:
    from app.panels.inspect.card import InspectCard
    from app.panels.inspect.panel import InspectPanel

CONFIG = TrainConfig(epochs=1000, batch_size=32)
"""As its preset trains it, for longer than anyone measures."""
VIEWS = ("network", "number", "weight", "filters", "why", "looks-for", "off", "map")
"""The network alone; then below it a number explained, the gradient and the step of a weight, the filters, each with the card
"Why"; that card alone; the images that a unit looks for; a unit that is off; the map of digits.
"""
PROBE = 7
"""Which test image is looked at."""
PATIENCE = 300.0
"""Seconds to wait for something to happen in the window."""


class LiveWindow:
    """A real window, 1280 × 800, with an image of the data as its probe."""

    def __init__(self) -> None:
        from PySide6.QtWidgets import QApplication

        from app.core.probe import Kind, Probe
        from app.launch import build_window

        self.app = QApplication.instance() or QApplication([])
        self.window = build_window(self.app)  # type: ignore[arg-type]
        self.window.resize(1280, 800)
        self.window.show()
        self.lab = self.window.lab
        spec = "mnist" if (Path(os.environ["DIGITLAB_DATA"]) / "mnist").exists() else "synthetic"
        self.lab.opener.open_data(spec)
        state = self.lab.state
        self.until(lambda: state.data.value is not None and state.data.value.spec == spec and state.network.value is not None)
        assert state.data.value is not None and state.data.value.test is not None, "waited for, and both have test images"
        image = state.data.value.test.images[PROBE]
        state.show_probe(Probe(image, "a test image", kind=Kind.DATASET), "the probe")

    @property
    def inspect(self) -> InspectPanel:
        from app.panels.inspect.panel import InspectPanel

        panel = self.window.panel_named("inspect")
        assert isinstance(panel, InspectPanel)
        return panel

    def rest(self, seconds: float) -> None:
        """Let the window do its work for a while."""
        from PySide6.QtCore import QEventLoop, Qt, QTimer

        loop, timer = QEventLoop(), QTimer(singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        timer.timeout.connect(loop.quit)
        timer.start(round(1000 * seconds))
        loop.exec()

    def until(self, holds: Callable[[], bool]) -> None:
        """Let the window do its work until something holds."""
        end = time.perf_counter() + PATIENCE
        while not holds():
            self.rest(0.05)
            if time.perf_counter() > end:
                raise TimeoutError("The window did not get there in time.")

    def train(self) -> None:
        """Begin to train, and wait for the first steps."""
        from app.core.recipe import Recipe

        self.lab.state.recipe.set(Recipe("mnist-cnn", CONFIG))
        self.lab.start_training()
        self.until(lambda: self.lab.training.last is not None)

    @property
    def step(self) -> int:
        """The trainer's own step: what the window has been told of it may be a second old."""
        session = self.lab.training.session
        assert session is not None, "it has been started"
        return session.trainer.step

    def show(self, view: str) -> None:
        """Bring one of VIEWS into sight, or a panel by its name."""
        if view not in VIEWS:
            self.window.show_panel(view)
            return
        self._take_edits_back()
        self.window.show_panel("inspect")
        panel = self.inspect
        panel.show_page(0)
        panel.maximise(None)
        self.until(lambda: panel.inspected.look.value is not None)
        self._arrange(view, panel)

    def _arrange(self, view: str, panel: InspectPanel) -> None:
        from app.panels.inspect.filters import FiltersCard
        from app.panels.inspect.inspected import Unit, Weight
        from app.panels.inspect.off import OffCard
        from app.panels.inspect.pixel import PixelCard
        from app.panels.inspect.unit import UnitCard
        from app.panels.inspect.why import WhyCard
        from nncore.explain.ablation import Silent

        panel.inspected.choose(Unit("conv2", (3, 3, 1)))
        left: type[InspectCard] = PixelCard
        right: type[InspectCard] = WhyCard
        alone: InspectCard | None = None
        if view == "network":
            alone = panel.network
        elif view == "weight":
            panel.inspected.choose_weight(Weight("conv2.weight", (2, 2, 0, 1)))
        elif view == "filters":
            left = FiltersCard
        elif view == "looks-for":
            right = UnitCard
        elif view == "off":
            right = OffCard
            self.lab.state.edit(self.lab.state.edits.value.plus(Silent("conv2", 3)), "conv2 unit 3 off")
        elif view == "map":
            self._show_map(panel)
        for kind in (left, right):
            column, card = next((column, card) for column in panel.columns for card in column.cards if isinstance(card, kind))
            column.choose(card)
            alone = card if view == "why" and kind is WhyCard else alone
        panel.maximise(alone)

    def _show_map(self, panel: InspectPanel) -> None:
        """Bring the map into sight; while a network trains, after a pause in which it is made."""
        from app.training import Status

        was_training = self.lab.training.status is Status.TRAINING
        if was_training:
            self.lab.training.toggle_pause()
            self.until(lambda: self.lab.training.status is Status.PAUSED)
        panel.show_page(1)
        view = panel.pages[0].map  # type: ignore[attr-defined]
        self.until(lambda: view.is_current and view.making.progress is None)
        if was_training:
            self.lab.training.toggle_pause()
            self.until(lambda: self.lab.training.status is Status.TRAINING)

    def _take_edits_back(self) -> None:
        from app.core.edits import NO_EDITS

        if self.lab.state.edits.value:
            self.lab.state.edit(NO_EDITS, "all on again")

    def close(self) -> None:
        self.window.close()
