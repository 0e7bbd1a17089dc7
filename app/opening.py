"""Opener: opens weights, runs, data and pictures in the background and shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.core import own_digits
from app.core.in_view import DataInView, NetworkInView
from app.core.probe import Probe
from app.core.run_in_view import RunInView
from app.core.runs import Run, RunStore
from app.core.settings import Settings
from app.core.split import Split
from app.core.state import LabState
from app.core.stored_run import images_of, read_run
from app.core.timeline import Moment
from app.errors import DATA, NETWORK, PICTURE, Problem
from app.threads.task import Task
from app.training import TrainingController
from models.shipped import DEFAULT_PICTURE_NETWORK, ONNX_SUFFIX, cards, open_weights
from nncore.arrays import Array
from nncore.data import open_dataset, open_test
from nncore.data.catalogue import title_of
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DigitLabError
from nncore.files import printable
from nncore.vision.picture import read_picture

NOT_NORMALISED = (
    "Images are shown to {name} as values from 0 to 1. If its training normalised them, it will read badly: then make a weights "
    "file with “digitlab import {name} --mean … --std … --out FILE” (MNIST's are often 0.1307 and 0.3081), and open that."
)
Opened = tuple[RunInView, Moment]
"""A run, and the moment to show of it."""


class Opener(QObject):
    """Sets the state once a file has been read without an error. Of several openings of one kind only the last is shown."""

    opening = Signal(str, str)
    """(what, kind): what is being opened, empty when that is over; kind is network, data or picture."""
    problem = Signal(object)
    solved = Signal(str)
    """The kind of what has been opened: an earlier problem of that kind is over."""

    def __init__(self, state: LabState, settings: Settings, store: RunStore, training: TrainingController) -> None:
        super().__init__()
        self._state, self._settings, self._store, self._training = state, settings, store, training
        self._last_opened: dict[str, object] = {}

    def open_weights(self, name_or_path: str) -> None:
        """Show the network of shipped weights, a weights file or an ONNX file; say how images are shown to one from elsewhere."""

        def show(opened: tuple[Opened, str]) -> None:
            self._show_run(opened[0])
            if opened[1] and self._state.run.value is opened[0][0]:
                self.problem.emit(Problem(opened[1], about=NETWORK))

        self._open(NETWORK, name_or_path, lambda: _opened_file(name_or_path), show)

    def open_default(self) -> None:
        """Show the network that ships with the product."""
        self.open_weights(DEFAULT_PICTURE_NETWORK)

    def open_last(self, opens_with: Mapping[str, Any]) -> None:
        """Show the run of the last time again, at the moment nearest to `step`; or the network that ships where it is gone.

        What is there and cannot be read is told. The recipe of the next training stays as it is.
        """

        def load() -> tuple[Opened, DigitLabError | None]:
            try:
                if "run" in opens_with:
                    run, best = read_run(self._store, self._store.get(opens_with["run"]))
                    step = opens_with.get("step", best.step)
                    return (run, run.timeline[run.timeline.nearest(step)]), None
                if "weights" in opens_with:
                    return _opened_weights(opens_with["weights"]), None
            except ConfigError:  # a run that has been deleted
                pass
            except DigitLabError as error:
                return _opened_weights(DEFAULT_PICTURE_NETWORK), error
            return _opened_weights(DEFAULT_PICTURE_NETWORK), None

        def show(result: tuple[Opened, DigitLabError | None]) -> None:
            opened, error = result
            self._show_run(opened)
            if error is not None:
                self.problem.emit(Problem(f"What was in view last is not shown: {error}", about=NETWORK))

        self._open(NETWORK, "the network", load, show)

    def restore_probe(self, load: Callable[[], Sequence[Probe]], chosen: int | None = None) -> None:
        """Show the last of the probes that `load` returns, as `LabState.show_again`, and choose a digit on it, unless there is a
        probe by then.
        """

        def show(probes: Sequence[Probe]) -> None:
            if probes and self._state.probe.value.picture is None:
                self._state.show_again(probes)
                self._state.choose(chosen)

        Task(load, show, self.problem.emit).begin()

    def open_run(self, run: Run, then: Callable[[], None] = lambda: None) -> None:
        """Show a run: its network at its best, curves, moments, held-out images, and its recipe as that of the next training.

        `then` is called when it is shown.
        """
        own = self._training.trained
        is_own = own is not None and self._training.run is not None and own.is_of(run)
        if is_own and self._training.is_active:
            return  # it is in view, or about to be
        if own is not None and is_own and len(own.timeline):
            best = own.history.best_step or own.timeline[-1].step
            moment = own.timeline[own.timeline.nearest(best)]  # one of more moments than are on the disk
            self._open_at_once(NETWORK, lambda: self._choose_run((own, moment), then))
        else:
            self._open(
                NETWORK, f"run {run.name}", lambda: read_run(self._store, run), lambda opened: self._choose_run(opened, then)
            )

    def open_data(self, spec: str) -> None:
        """Show a dataset by name or path."""

        def load() -> DataInView:
            files = own_digits.files() if own_digits.is_own(spec) else ()
            train = open_dataset(spec)
            # Which image is which file is only known where none came or went meanwhile.
            is_known = len(files) == len(train) and files == own_digits.files()
            test, title = open_test(spec, train), title_of(spec)  # the name that people know it by
            named = replace(test, name=title) if test else None
            return DataInView(spec, replace(train, name=title), named, files if is_known else ())

        def show(data: DataInView) -> None:
            self._state.data.set(data)
            self._settings["data"] = spec

        self._open(DATA, title_of(spec), load, show)

    def open_picture(self, path: Path) -> None:
        """Make a picture file the probe."""
        self.open_pictures((path,))

    def open_pictures(self, paths: Sequence[Path], place: int = 0, by: int = 1) -> None:
        """Make one of several picture files that came together the probe: the one at `place`, or where that cannot be read, the
        next one in the direction `by` (1 or −1). What could not be read is told, and left out from then on.
        """
        self._settings["last_folder"] = str(paths[place].parent)

        def load() -> tuple[Array, list[Path], int, DigitLabError | None]:
            left, at, error = list(paths), place, None
            while True:
                try:
                    return read_picture(left[at]), left, at, error
                except DigitLabError as found:
                    del left[at]
                    at, error = (at if by > 0 else at - 1), error or found
                    if not 0 <= at < len(left):
                        raise error from None

        def show(result: tuple[Array, list[Path], int, DigitLabError | None]) -> None:
            pixels, left, at, error = result
            name = left[at].name
            together, its_place = (tuple(left), at) if len(left) > 1 else ((), 0)
            self._state.show_probe(Probe(pixels, name, together=together, place=its_place), f"picture {name}")
            if error is not None:
                self.problem.emit(Problem.of(error))

        self._open(PICTURE, paths[place].name, load, show)

    def _choose_run(self, opened: Opened, then: Callable[[], None]) -> None:
        """Show a run that the user has chosen."""
        self._show_run(opened)
        if self._training.is_active:
            return
        run, data = opened[0], self._state.data.value
        if run.recipe is not None:
            self._state.recipe.set(run.recipe)
            if run.run is not None and data is not None and not run.recipe.preset.fits(data.train.image_shape):
                self.open_data(run.run.data)  # the recipe would not fit what is in view
        then()

    def _show_run(self, opened: Opened) -> None:
        """Show a run, unless a training runs."""
        run, moment = opened
        if not self._training.is_active:
            self._state.show_run(run, moment)
            self._open_images(run)
            if run.damage:
                self.problem.emit(Problem(run.damage, about=NETWORK))
                run.damage = ""
        elif run is not self._training.trained:
            self.problem.emit(Problem("A training is running; stop it before looking at another network.", about=NETWORK))

    def _open_images(self, view: RunInView) -> None:
        """Open the held-out images of a run that is shown. Where they are not there, the run says why."""
        run, in_view = view.run, self._state.data.value
        if run is None or view.held_out is not None:
            return

        def show(images: Dataset) -> None:
            view.held_out = images
            self._tell_of(view)

        def failed(problem: Problem) -> None:
            view.why_no_images = problem.message
            view.why_no_more = view.why_no_more or problem.message
            self._tell_of(view)

        Task(lambda: images_of(Split.HELD_OUT, run, in_view), show, failed).begin()

    def _tell_of(self, view: RunInView) -> None:
        """Let the views show what has become known of a run, if it is still in view."""
        if self._state.run.value is view:
            self._state.run.tell()

    def _open_at_once(self, kind: str, show: Callable[[], None]) -> None:
        """Show what is in memory already, instead of whatever of its kind is being opened."""
        self._last_opened[kind] = object()
        self.opening.emit("", kind)
        self.solved.emit(kind)
        show()

    def _open(self, kind: str, what: str, load: Callable[[], Any], show: Callable[[Any], None]) -> None:
        self._last_opened[kind] = ticket = object()
        self.opening.emit(what, kind)

        def done(result: Any) -> None:
            if self._last_opened.get(kind) is ticket:
                self.opening.emit("", kind)
                self.solved.emit(kind)
                show(result)

        def failed(problem: Problem) -> None:
            if self._last_opened.get(kind) is ticket:
                self.opening.emit("", kind)
                self.problem.emit(replace(problem, about=kind))

        Task(load, done, failed).begin()


def _opened_weights(name_or_path: str) -> Opened:
    """Shipped weights, a weights file or an ONNX file. Raises WeightsError where that cannot be read."""
    return _opened_file(name_or_path)[0]


def _opened_file(name_or_path: str) -> tuple[Opened, str]:
    """The same, with what the user should know of it in words; these are empty where all is known."""
    network, info = open_weights(name_or_path)
    path, shipped = Path(name_or_path), name_or_path in cards()
    weights = name_or_path if shipped else str(path.absolute())
    name = str(info.get("network") or path.stem)
    view = NetworkInView.of(network, name, "shipped" if shipped else path.name, weights=weights)
    why = f"{name} came without its training, and so without the images that it held out."
    opened = RunInView(view, why_no_images=why), Moment(int(info.get("step") or 0), network.state_dict(), info.get("val_accuracy"))
    is_foreign = path.suffix.lower() == ONNX_SUFFIX and not shipped and "producer" not in info
    return opened, NOT_NORMALISED.format(name=printable(path.name)) if is_foreign else ""
