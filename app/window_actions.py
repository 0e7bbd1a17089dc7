"""WindowActions: what each action of the window does, and when it is enabled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractSpinBox, QFileDialog, QMainWindow

from app.camera import take_picture
from app.capture import ScreenCapture
from app.core.actions import ACTIONS, ActionSpec, bound
from app.errors import PICTURE, TRAINING, Problem
from app.exporting import Exporting
from app.help import HelpDialog, ReportDialog
from app.intake import Intake
from app.lab import Lab
from app.panels import PANELS
from app.theme import theme
from app.training import Status
from app.widgets.amount import AmountDialog
from app.widgets.question import confirmed
from nncore.errors import DigitLabError
from nncore.network import Network
from nncore.weights import save_weights

PICTURES = "Pictures (*.png *.jpg *.jpeg *.bmp *.gif *.tif *.tiff *.webp *.pgm *.ppm);;All files (*)"
DATA = "Data (*.csv *.npz *.mat *.gz *ubyte);;All files (*)"
NETWORKS = "Networks (*.safetensors *.onnx);;All files (*)"
WEIGHTS = "Weights (*.safetensors);;All files (*)"


class WindowActions(QObject):
    """Makes the window's QActions (`by_name`) and binds each to what it does."""

    def __init__(self, window: QMainWindow, lab: Lab, intake: Intake, reset_layout: Callable[[], None]) -> None:
        """`window` is the parent of the actions and of the dialogs that they open."""
        super().__init__(window)
        self._window, self._lab = window, lab
        self._intake = intake
        exporting = Exporting(window, lab)
        capture = ScreenCapture(window, intake.take_image, lab.problem.emit)
        acts: dict[str, Callable[[], object]] = {
            "open_picture": self._open_picture,
            "paste": intake.paste,
            "capture": capture.begin,
            "camera": self._take_with_camera,
            "open_weights": self._open_weights,
            "save_weights": self._save_weights,
            "export_onnx": exporting.export_onnx,
            "export_scripts": exporting.export_scripts,
            "open_folder": self._open_folder,
            "open_data": self._open_data,
            "quit": window.close,
            "undo": lab.undo,
            "redo": lab.redo,
            "clear": lab.clear_probe,
            "draw": lab.show_sheet,
            **{f"correct_{digit}": partial(lab.correct, digit) for digit in range(10)},
            "toggle": self._toggle,
            "stop": lab.training.stop,
            "more": lambda: lab.training.go_on(1),
            "step": lambda: self._take_steps(1),
            "more_5": lambda: lab.training.go_on(5),
            "steps_100": lambda: self._take_steps(100),
            "more_other": self._ask_for_more,
            "branch": lambda: self._train(lab.branching.branch),
            "start_over": lambda: self._train(lab.branching.start_over),
            "continue_here": self._continue_here,
            "play": lab.playing.toggle,
            "best": self._show_best,
            "earlier": lambda: self._step_moment(-1),
            "later": lambda: self._step_moment(1),
            "full_screen": self._toggle_full_screen,
            "reset_layout": reset_layout,
            "help": self._show_help,
            "about": lambda: ReportDialog(window).exec(),
        }
        self._shown: object = None
        """What the actions on the probe were last shown for."""
        self.by_name = {spec.name: self._make(spec, act) for spec, act in bound(acts)}
        self.by_name["full_screen"].setCheckable(True)
        for part in (lab.state.acts.last, lab.state.probe):
            part.subscribe(lambda _: self._refresh_probe())
        lab.looking.looked.connect(lambda _: self._refresh_probe())
        lab.state.run.subscribe(lambda _: self.refresh(), now=False)
        for observable in (lab.state.recipe, lab.state.data):
            observable.subscribe(lambda _: self._refresh_branch(), now=False)
        lab.state.moment.subscribe(lambda _: self._refresh_moment(), now=False)
        lab.playing.changed.connect(self._refresh_moment)
        theme().changed.connect(self._tint)
        self._tint()

    def _make(self, spec: ActionSpec, act: Callable[[], object]) -> QAction:
        action = QAction(spec.text, self._window)
        action.setToolTip(_with_keys(spec.tooltip, spec))
        action.setStatusTip(spec.tooltip)
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        action.triggered.connect(lambda: act())  # without Qt's argument: whether the action is checked
        self._window.addAction(action)
        return action

    def _tint(self) -> None:
        for spec in ACTIONS:
            if spec.icon:
                self.by_name[spec.name].setIcon(theme().icon(spec.icon))

    def refresh(self) -> None:
        """Enable the actions that can be done now, and set the text of `toggle`."""
        training, actions = self._lab.training, self.by_name
        status = training.status
        actions["toggle"].setText({Status.TRAINING: "Pause", Status.PAUSED: "Go on"}.get(status, "Start"))
        actions["toggle"].setEnabled(status not in (Status.STARTING, Status.STOPPING))
        actions["stop"].setEnabled(status in (Status.TRAINING, Status.PAUSED))
        self._refresh_more()
        self._refresh_branch()
        self._refresh_moment()
        best = self._best_step
        actions["best"].setEnabled(status is Status.IDLE and best is not None)
        for name in ("earlier", "later", "open_weights"):
            actions[name].setEnabled(status is Status.IDLE)
        for name in ("save_weights", "export_onnx", "export_scripts"):
            actions[name].setEnabled(self._lab.state.network.value is not None)

    def _refresh_more(self) -> None:
        """Say which run one epoch more would train, or why it cannot be trained further."""
        training, view, action = self._lab.training, self._lab.state.run.value, self.by_name["more"]
        runs = training.status in (Status.TRAINING, Status.PAUSED)
        why_not = "" if runs else training.why_no_more
        spec = next(spec for spec in ACTIONS if spec.name == "more")
        words = spec.text if why_not or view is None else f"+1 epoch of {view.name}"
        action.setText(words)
        action.setIconText(words)
        action.setToolTip(_with_keys(why_not or f"{words}: see every training image once more", spec))
        action.setStatusTip(why_not or spec.tooltip)
        action.setEnabled(runs or (training.status is Status.IDLE and not why_not))
        for name in ("step", "more_5", "steps_100", "more_other"):
            further, spec = self.by_name[name], next(spec for spec in ACTIONS if spec.name == name)
            further.setToolTip(_with_keys(why_not or spec.tooltip, spec))
            further.setStatusTip(why_not or spec.tooltip)
            further.setEnabled(action.isEnabled() and (name != "step" or training.status is not Status.TRAINING))

    def _refresh_branch(self) -> None:
        """Say from which run a new one would begin, or why none can."""
        branching, view = self._lab.branching, self._lab.state.run.value
        for name, why_not in (("branch", branching.why_no_branch), ("start_over", branching.why_no_start_over)):
            action, spec = self.by_name[name], next(spec for spec in ACTIONS if spec.name == name)
            words = spec.tooltip if view is None else spec.tooltip.replace("the run in view", view.name)
            action.setToolTip(_with_keys(why_not or words, spec))
            action.setStatusTip(why_not or words)
            action.setEnabled(not why_not)

    def _refresh_moment(self) -> None:
        """Say from which step of which run the training would go on, or why it cannot; and whether the moments are played."""
        why_not, view, moment = self._lab.branching.why_not_from_here, self._lab.state.run.value, self._lab.state.moment.value
        action, playing = self.by_name["continue_here"], self._lab.playing
        spec = next(spec for spec in ACTIONS if spec.name == "continue_here")
        words = spec.tooltip
        if view is not None and moment is not None:
            words = words.replace("the run in view from this moment on", f"{view.name} from step {moment.step:,} on")
        action.setToolTip(_with_keys(why_not or words, spec))
        action.setStatusTip(why_not or words)
        action.setEnabled(not why_not)
        play = self.by_name["play"]
        play.setText("Stop playing" if playing.is_on else "Play the training")
        play.setEnabled(playing.is_on or playing.can_play)

    @property
    def _best_step(self) -> int | None:
        """The step after which the run in view did best; None where that is not known."""
        run = self._lab.state.run.value
        return run.history.best_step or None if run is not None else None

    def _refresh_probe(self) -> None:
        """Enable what can be done to the probe now, and say in the menu what would be undone."""
        acts, probe, look = self._lab.state.acts, self._lab.state.probe.value, self._lab.looking.look
        shown = acts.last.value, acts.next, probe.picture is not None, look is not None and look.digit is not None
        if shown == self._shown:
            return  # as after most movements of a pen
        self._shown = shown
        for name, words, act in (("undo", "Undo", acts.last.value), ("redo", "Redo", acts.next)):
            action = self.by_name[name]
            action.setText(words if act is None else f"{words}: {act.words}")
            action.setIconText(words)  # the words of buttons, which stay as wide as they are
            action.setEnabled(act is not None)
        self.by_name["clear"].setEnabled(shown[2])
        for digit in range(10):
            self.by_name[f"correct_{digit}"].setEnabled(shown[3])

    # -- files

    def _ask_for_file(self, title: str, kinds: str) -> str:
        """The path of the file that the user chooses; empty where none is chosen."""
        return QFileDialog.getOpenFileName(self._window, title, self._lab.settings["last_folder"], kinds)[0]

    def _open_picture(self) -> None:
        if name := self._ask_for_file("Open a picture", PICTURES):
            self._lab.opener.open_picture(Path(name))

    def _take_with_camera(self) -> None:
        try:
            picture = take_picture(self._window)
        except DigitLabError as error:
            self._lab.problem.emit(replace(Problem.of(error), about=PICTURE))
            return
        if not picture.isNull():
            self._intake.take_image(picture, "picture from the camera")

    def _open_weights(self) -> None:
        if name := self._ask_for_file("Open weights", NETWORKS):
            self._lab.opener.open_weights(name)

    def _open_data(self) -> None:
        self._lab.show_panel("data")
        if name := self._ask_for_file("Open a file of data", DATA):
            self._lab.opener.open_data(name)

    def _open_folder(self) -> None:
        self._lab.show_panel("data")
        name = QFileDialog.getExistingDirectory(self._window, "Open a folder of images", self._lab.settings["last_folder"])
        if name:
            self._lab.opener.open_data(name)

    def _save_weights(self) -> None:
        view, moment = self._lab.state.network.value, self._lab.state.moment.value
        if view is None or moment is None:
            return
        name, _ = QFileDialog.getSaveFileName(self._window, "Save weights", f"{view.name}.safetensors", WEIGHTS)
        if not name:
            return
        network = Network.from_config(view.architecture)
        network.load_state_dict(moment.state)
        path = Path(name).with_suffix(".safetensors")
        info = {"network": view.name, "source": view.source, "step": moment.step, "val_accuracy": moment.val_accuracy}
        save_weights(path, network, info)
        self._lab.said.emit(f"Saved {path.name}.")

    # -- training and its moments

    def _toggle(self) -> None:
        training = self._lab.training
        self._commit()
        if training.status in (Status.TRAINING, Status.PAUSED):
            training.toggle_pause()
            return
        self._train(self._lab.start_training)

    def _take_steps(self, count: int) -> None:
        self._commit()
        self._lab.training.take_steps(count)

    def _ask_for_more(self) -> None:
        """Ask for how long to train further, and do so."""
        dialog = AmountDialog(
            self._window, "Train further", "For how long? After steps it pauses.", "Train", {"epochs": 1_000_000, "steps": 10**9}
        )
        if not dialog.exec():
            return
        number, unit = dialog.amount
        (self._lab.training.go_on if unit == "epochs" else self._lab.training.take_steps)(number)

    def _commit(self) -> None:
        """Take over the number that is being typed into a field, which otherwise waits until the field is left."""
        field = self._window.focusWidget()
        if isinstance(field, QAbstractSpinBox):
            field.interpretText()

    def _train(self, begin: Callable[[], object]) -> None:
        """Begin a training; where that cannot be done, say why."""
        try:
            begin()
        except DigitLabError as error:
            self._lab.problem.emit(replace(Problem.of(error), about=TRAINING))

    def _continue_here(self) -> None:
        """Go on from the moment in view, if the user gives up what came later."""
        view, moment = self._lab.state.run.value, self._lab.state.moment.value
        if view is None or moment is None or self._lab.branching.why_not_from_here:
            return
        first, last = moment.step + 1, view.history.last_step
        later = (
            f"its step {last:,}, with its place in the curves, is"
            if first == last
            else f"its steps {first:,} to {last:,}, with their curves and moments, are"
        )
        question = (
            f"Go on with {view.name} from step {moment.step:,}? Then {later} given up. A new run from here (Branch) keeps them."
        )
        if confirmed(self._window, "Go on from here", question, "Go on from here", "Leave it"):
            self._train(self._lab.branching.continue_here)

    def _show_best(self) -> None:
        state, best = self._lab.state, self._best_step
        if best is not None and len(state.timeline):
            state.show_moment(state.timeline.nearest(best))

    def _step_moment(self, by: int) -> None:
        state = self._lab.state
        if state.moment.value is not None and len(state.timeline):
            state.show_moment(state.timeline.nearest(state.moment.value.step) + by)

    # -- the window

    def _toggle_full_screen(self) -> None:
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _show_help(self) -> None:
        panels = [(f"Ctrl+{number}", spec.tooltip) for number, spec in enumerate(PANELS, 1)]
        HelpDialog(self._window, panels).exec()


def _with_keys(tooltip: str, spec: ActionSpec) -> str:
    """A tooltip with the keys of its action."""
    return f"{tooltip} ({', '.join(spec.keys)})" if spec.keys else tooltip
