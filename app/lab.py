"""Lab: what stands between the state and the panels: it opens things in the background and has the probe looked at."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image
from PySide6.QtCore import QObject, QTimer, Signal

from app.core.look import Look, Question
from app.core.runs import Run, RunStore
from app.core.settings import Settings
from app.core.state import DataInView, LabState, NetworkInView, Probe
from app.core.timeline import Moment
from app.errors import Problem
from app.library import Library
from app.threads.looking import LookWorker
from app.threads.task import Task
from app.training import TrainingController
from models.shipped import DEFAULT_PICTURE_NETWORK, cards, open_weights
from nncore.arrays import Array
from nncore.backend.devices import get_backend
from nncore.data import open_dataset, open_test
from nncore.data.augment import Augmentation
from nncore.data.catalogue import OWN_DIGITS
from nncore.errors import ConfigError
from nncore.files import write_atomically
from nncore.paths import user_folder
from nncore.vision.picture import read_picture
from nncore.weights import load_weights


class Lab(QObject):
    """Owns state, settings, runs, training and the thread that looks. Everything here is called from the interface thread."""

    looked = Signal(object)
    """A Look: what the network of the moment makes of the probe."""
    problem = Signal(object)
    """A Problem, to be shown where the user is."""
    said = Signal(str)
    """Something went well, in a few words."""
    opening = Signal(str, str)
    """What is being opened in the background, empty when it is done; and of which kind it is: network, data or picture."""
    panel_wanted = Signal(str)
    """The name of a panel that the window should show."""
    augmentation_wanted = Signal()
    """The Data panel should show what augmentation makes of an image."""

    def __init__(self, settings: Settings, store: RunStore) -> None:
        super().__init__()
        self.settings, self.store = settings, store
        self.state = LabState()
        with suppress(ConfigError):  # kept by another version
            self.state.augmentation.set(Augmentation.from_dict(settings["augmentation"]))
        self.training = TrainingController(self.state, store)
        self.training.problem.connect(self.problem)
        self.library = Library()
        self.library.problem.connect(self.problem)
        for part in (self.training, self.library):
            part.setParent(self)
        self._wants_layers = False
        self._looking = self._look_again = False
        self._last_opened: dict[str, object] = {}
        self._looker = LookWorker()
        self._looker.looked.connect(self._take_look)
        self._looker.failed.connect(self._take_failed_look)
        for observable in (self.state.network, self.state.moment, self.state.probe):
            observable.subscribe(self._ask, now=False)

    def warm_up(self) -> None:
        """Start looking, and compile the engine where this machine has not; called once the window is up, so that it need not
        share the processor.
        """
        self._looker.start()
        self.library.refresh()
        backend = get_backend("cpu")
        if not backend.is_ready():
            threading.Thread(target=backend.prepare, daemon=True).start()  # the end of the program need not wait for it

    def close(self) -> None:
        """End every thread; what was trained is kept."""
        augmentation = self.state.augmentation.value
        self.settings["augmentation"] = augmentation.as_dict() if augmentation.changes_something else {}
        self.library.close()
        self.training.close()
        self._looker.close()
        Task.wait_for_all()

    def show_panel(self, name: str) -> None:
        """Ask the window to bring a panel into sight; panels know nothing of each other."""
        self.panel_wanted.emit(name)

    def show_augmentation(self) -> None:
        """Ask the window to show what augmentation makes of an image."""
        self.panel_wanted.emit("data")
        self.augmentation_wanted.emit()

    # -- looking

    def want_layers(self, wanted: bool) -> None:
        """Have the outputs of the layers looked at too, or no longer."""
        if wanted != self._wants_layers:
            self._wants_layers = wanted
            self._ask()

    def _ask(self, *_: object) -> None:
        network, moment = self.state.network.value, self.state.moment.value
        if network is None or moment is None:
            return
        if self._looking:  # one look at a time, until it is on the screen: they must not pile up
            self._look_again = True
        else:
            self._looking = True
            self._looker.ask(Question(network, moment, self.state.probe.value, self._wants_layers))

    def _take_look(self, look: Look) -> None:
        self.looked.emit(look)
        QTimer.singleShot(0, self._look_is_shown)  # after what is waiting to be painted

    def _take_failed_look(self, problem: Problem) -> None:
        self.problem.emit(problem)
        self._look_is_shown()

    def _look_is_shown(self) -> None:
        self._looking = False
        if self._look_again:
            self._look_again = False
            self._ask()

    # -- opening

    def open_weights(self, name_or_path: str) -> None:
        """Look at shipped weights or a weights file. What is in view stays until they have proved good."""

        def show(result: tuple[Any, dict[str, Any]]) -> None:
            network, info = result
            path = Path(name_or_path)
            source = "shipped" if name_or_path in cards() else path.name
            self._show_network(NetworkInView.of(network, str(info.get("network") or path.stem), source), network, info)

        self._open("network", name_or_path, lambda: open_weights(name_or_path), show)

    def open_default(self) -> None:
        """Look at the network that ships with the product."""
        self.open_weights(DEFAULT_PICTURE_NETWORK)

    def open_run(self, run: Run) -> None:
        """Look at the weights that a run left behind."""
        path = self.store.weights_of(run)

        def show(result: tuple[Any, dict[str, Any]]) -> None:
            network, info = result
            self._show_network(NetworkInView.of(network, run.network, f"run {run.name}"), network, info)

        self._open("network", f"run {run.name}", lambda: load_weights(path), show)

    def _show_network(self, view: NetworkInView, network: Any, info: dict[str, Any]) -> None:
        if self.training.is_active:
            self.problem.emit(Problem("A training is running; stop it before looking at another network."))
            return
        self.state.show_network(view, Moment(int(info.get("step") or 0), network.state_dict(), info.get("val_accuracy")))

    def open_data(self, spec: str) -> None:
        """Look at a dataset by name or path."""

        def load() -> DataInView:
            train = open_dataset(spec)
            return DataInView(spec, train, open_test(spec, train))

        def show(data: DataInView) -> None:
            self.state.data.set(data)
            self.settings["data"] = spec

        self._open("data", spec, load, show)

    def open_picture(self, path: Path) -> None:
        """Make a picture file the probe."""
        self.settings["last_folder"] = str(path.parent)
        self._open("picture", path.name, lambda: read_picture(path), lambda pixels: self.state.probe.set(Probe(pixels, path.name)))

    def _open(self, kind: str, what: str, load: Callable[[], Any], show: Callable[[Any], None]) -> None:
        """Load in the background, then show; of several openings of one kind only the last is shown."""
        self._last_opened[kind] = ticket = object()
        self.opening.emit(what, kind)

        def done(result: Any) -> None:
            if self._last_opened.get(kind) is ticket:
                self.opening.emit("", kind)
                show(result)

        def failed(problem: Problem) -> None:
            if self._last_opened.get(kind) is ticket:
                self.opening.emit("", kind)
                self.problem.emit(problem)

        Task(load, done, failed).begin()

    # -- correcting

    def keep_as(self, digit: int, image: Array) -> None:
        """Keep the probe, as the network sees it, among the user's own digits under the right answer."""
        folder = user_folder() / OWN_DIGITS / str(digit)
        buffer = io.BytesIO()
        Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(buffer, "PNG")
        path = folder / f"{datetime.now():%Y%m%d-%H%M%S-%f}.png"

        def done(_: object) -> None:
            self.said.emit(f"Kept as a {digit} among your own digits.")

        Task(lambda: write_atomically(path, buffer.getvalue()), done, self.problem.emit).begin()
