"""Lab: owns the state and the parts that work on it. The window and the panels call it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.ablating import Ablating
from app.batching import Batching
from app.branching import Branching
from app.comparing import Comparing
from app.core import engine, own_digits
from app.core.engine import ChosenDevice
from app.core.last_time import keep, keep_recipe, keep_ticked, kept_draft, kept_recipe, kept_ticked
from app.core.layer_list import LayerList
from app.core.probe import NO_DRAWING, Kind, Probe
from app.core.reading import looked_at
from app.core.recipe import misfit
from app.core.runs import Run, RunStore
from app.core.settings import Settings
from app.core.state import LabState
from app.core.stored_run import known_recipe
from app.drafts import Drafts
from app.errors import PICTURE, TRAINING, Problem
from app.evaluating import Evaluating
from app.library import Library
from app.looking import Looking
from app.offers import Offers
from app.opening import Opener
from app.own_digits import Mark, OwnDigits
from app.own_networks import OwnNetworks
from app.playing import Playing
from app.run_table import RunTable
from app.teaching import Teaching
from app.threads.task import Task
from app.training import Status, TrainingController
from models.presets import DEFAULT
from nncore.backend.devices import Found, find_devices
from nncore.data.catalogue import OWN_DIGITS
from nncore.errors import ConfigError
from nncore.vision import Box

log = logging.getLogger("digitlab")


class Lab(QObject):
    """State, settings, runs, and the parts that train, look, open and download. To be used from the interface thread only."""

    problem = Signal(object)
    """A Problem, to be shown in the panel in sight."""
    solved = Signal(str)
    """What a problem was about that is over now."""
    said = Signal(str)
    """A short message for the top bar, such as `Saved w.safetensors.`"""
    panel_wanted = Signal(str)
    """The name of a panel that the window should show."""
    augmentation_wanted = Signal()
    """The Data panel should show what augmentation makes of an image."""
    closing = Signal()
    """The window closes: whoever computes something in the background ends it."""
    sheet_wanted = Signal()
    """The Recognise panel should show the drawing sheet."""

    def __init__(self, settings: Settings, store: RunStore) -> None:
        super().__init__()
        self.settings, self.store = settings, store
        self.state = LabState()
        if recipe := kept_recipe(settings):
            self.state.recipe.set(recipe)
        self.state.draft.put(kept_draft(settings))
        self.device = ChosenDevice(settings)
        self.training = TrainingController(self.state, store, self.device)
        self.branching = Branching(self.state, settings, self.training)
        self.library = Library()
        self.looking = Looking(self.state)
        self.opener = Opener(self.state, settings, store, self.training)
        self.playing = Playing(self.state, self.looking, self.training)
        self.evaluating = Evaluating(self.state, self.training)
        self.ablating = Ablating(self.state)
        self.batching = Batching(self.state)
        self.own_digits = OwnDigits(self.state.acts)
        self.teaching = Teaching(self.state, store, self.training, self.own_digits)
        self.own_networks = OwnNetworks()
        self.drafts = Drafts(self.state, settings)
        self.run_table = RunTable(store, self.training)
        self.comparing = Comparing(self.state, store, self.run_table, kept_ticked(settings))
        store.warn = lambda message: self.problem.emit(Problem(message))
        self.playing.setParent(self)
        self.offers = Offers(self.state, settings, store, self.training)
        self.offers.setParent(self)
        self.offers.again.connect(self._start_again)
        self.offers.continued.connect(self.continue_run)
        self.offers.looked_at.connect(self.opener.open_run)
        self.offers.problem.connect(self.problem)
        self.training.setParent(self)
        self.training.problem.connect(self.offers.tell_of_training)
        for part in (
            self.library, self.looking, self.opener, self.evaluating, self.own_digits, self.own_networks, self.drafts,
            self.run_table, self.comparing, self.batching, self.teaching, self.ablating,
        ):  # fmt: skip
            part.problem.connect(self.problem)
            part.setParent(self)
        for source in (self.looking, self.opener, self.evaluating, self.run_table):
            source.solved.connect(self.solved)
        self.batching.said.connect(self.said)
        self.state.probe.subscribe(lambda _: self.solved.emit(PICTURE), now=False)
        for observable in (self.state.network, self.state.data):  # another of either may do what the last one could not
            observable.subscribe(lambda _: self.solved.emit(TRAINING), now=False)
        self.state.data.subscribe(lambda _: self._fit_recipe(), now=False)
        self.training.status_changed.connect(lambda _: self._fit_recipe())
        self.training.status_changed.connect(self._tell_end)
        self.own_digits.changed.connect(self._follow_own_digits)
        self.run_table.renamed.connect(self._follow_name)
        self.run_table.deleted.connect(self._forget_run)
        self.looking.looked.connect(lambda _: self._keep_correction())
        self._correction: tuple[int, Probe, int | None] | None = None
        """A digit to be kept, the probe that it is for, and which of its digits, until the network has looked at that."""
        self._has_told_of_undo = self._has_told_end = self._is_looking_for_devices = False
        self.state.acts.last.subscribe(lambda _: self._forget_undo(), now=False)

    def warm_up(self) -> None:
        """Start looking, list datasets and devices, and compile the engine where needed. Called when the window is up, since
        opening it needs the processor.
        """
        self.looking.start()
        self.library.refresh()
        self.own_networks.refresh()
        self.teaching.refresh()
        self.comparing.warm_up()
        self.run_table.look_for_damage()
        self.look_for_devices()
        engine.prepare_in_background()

    def close(self) -> None:
        """Keep what is in view for the next start, and end every thread. A training that runs is stopped and kept."""
        self.closing.emit()
        self.playing.stop()
        self.ablating.cancel()
        self.teaching.close()
        self.library.close()
        self.batching.close()
        self.run_table.close()
        self.training.close()
        try:
            keep(self.settings, self.state)
            keep_ticked(self.settings, self.comparing.kept)
        except Exception:  # a picture that cannot be kept must not keep the window open
            log.exception("what was in view is not kept")
        self.looking.close()
        self.evaluating.close()
        self.comparing.close()
        Task.wait_for_all()
        self.own_digits.close()
        self.own_networks.close()
        self.drafts.close()

    def start_training(self) -> None:
        """Train with the recipe, on the data in view. Raises ConfigError where there is no data yet."""
        self.training.start(self.state.recipe.value.job(self.state.data.value))
        keep_recipe(self.settings, self.state.recipe.value)

    def continue_run(self, run: Run) -> None:
        """Show a run and train it further: up to its planned end, or one epoch more where that has been reached."""
        self.opener.open_run(run, then=self._continue)

    def _continue(self) -> None:
        if reason := self.training.why_no_more:
            self.problem.emit(Problem(reason, about=TRAINING))
        else:
            self.training.go_on(None)

    def _start_again(self, rate: float) -> None:
        """Train a new run by the recipe, with another learning rate."""
        self.state.change_recipe(learning_rate=rate)
        self.start_training()

    def use_recipe(self, run: Run) -> None:
        """Make a run's recipe that of the next training. ConfigError where this version does not know it, or while one runs."""
        if self.training.is_active:
            raise ConfigError("A training is running, and the recipe is its; stop it first.")
        recipe, data = known_recipe(run), self.state.data.value
        self.state.recipe.set(recipe)
        if data is not None and not recipe.preset.fits(data.train.image_shape):
            self.opener.open_data(run.data)  # the recipe would not fit what is in view

    def _follow_name(self, run: Run) -> None:
        """Let the views call the run in view as it is called now."""
        view, moment = self.state.run.value, self.state.moment.value
        if view is not None and moment is not None and view.is_of(run):
            view.run = run
            view.network = replace(view.network, source=f"run {run.name}", opens_with={"run": run.name})
            self.state.show_run(view, moment)

    def _forget_run(self, run: Run) -> None:
        """Say of a run that has been deleted, if it is in view, that it cannot be trained further."""
        view = self.state.run.value
        if view is not None and view.is_of(run):
            view.why_no_more = f"{run.name} has been deleted, so it cannot be trained further; Start trains a new run."
            self.state.run.tell()

    def look_for_devices(self) -> None:
        """Find out which devices there are and how much memory they have free, in the background."""
        if not self._is_looking_for_devices:
            self._is_looking_for_devices = True
            Task(find_devices, self._take_devices, self._miss_devices).begin()

    def choose_device(self, name: str) -> None:
        """Let the next training run on a device; `auto`: on the best one."""
        self.device.choose(name)
        if self.training.is_active:
            found = self.device.found.value
            device = found.device(name) if found else None
            where = name if device is None else device.label
            self.said.emit(f"Next training: {where}. The one that runs stays where it is.")

    def _take_devices(self, found: Found) -> None:
        self._is_looking_for_devices = False
        if words := self.device.take(found):
            self.said.emit(words)

    def _miss_devices(self, problem: Problem) -> None:
        self._is_looking_for_devices = False
        self.problem.emit(problem)

    def _tell_end(self, status: Status) -> None:
        """Say what has ended a training before its last step, until the next one begins."""
        reason = self.training.end_reason if status is Status.IDLE else ""
        if reason or (self._has_told_end and status is Status.STARTING):
            self.said.emit(reason)
            self._has_told_end = bool(reason)

    def _fit_recipe(self) -> None:
        """Choose a network that takes the images in view, where the recipe's does not. Not while a training runs."""
        data, recipe = self.state.data.value, self.state.recipe.value
        if data is not None and not self.training.is_active:
            fitted = recipe.fitted(data.train.image_shape)
            if fitted is not recipe:
                self.state.recipe.set(fitted)
                self.said.emit(f"{misfit(recipe.preset, data.train.image_shape)}. The recipe is now {fitted.network}.")

    # -- the user's own networks

    def recipe_layers(self) -> LayerList:
        """The layers of the recipe's network as they are for the images in view, or where they do not fit as they are usually."""
        data, preset = self.state.data.value, self.state.recipe.value.preset
        takes = preset.takes(data.train.image_shape) if data is not None and preset.fits(data.train.image_shape) else None
        return LayerList.of(preset.layers(), takes or preset.input_shape)

    def keep_network(self, name: str, layers: LayerList, then: Callable[[bool], None]) -> None:
        """Keep a network of the user's own, make it the recipe's unless a training runs, and tell `then` whether it is kept."""

        def kept() -> None:
            if self.training.is_active:
                self.said.emit(f"Kept {name}; choose it as the network when this training has ended.")
            else:
                self.state.recipe.set(self.state.recipe.value.with_network(name, layers))
                self.said.emit(f"Kept {name}; it is the network of the next training.")
            then(True)

        self.own_networks.keep(name, layers, kept, lambda: then(False))

    def delete_network(self, name: str, then: Callable[[], None]) -> None:
        """Forget a network of the user's own, choose another for the recipe where it was that, and then call `then`."""

        def gone() -> None:
            recipe, data = self.state.recipe.value, self.state.data.value
            words = f"Deleted {name}; its runs stay as they are."
            if recipe.network == name and not self.training.is_active:
                other = recipe.with_network(DEFAULT)
                self.state.recipe.set(other if data is None else other.fitted(data.train.image_shape))
                words += f" The recipe is now {self.state.recipe.value.network}."
            self.said.emit(words)
            then()

        self.own_networks.delete(name, gone)

    # -- what one part of the window asks of another

    def show_panel(self, name: str) -> None:
        """Ask the window to bring a panel into sight."""
        self.panel_wanted.emit(name)

    def show_augmentation(self) -> None:
        """Ask the window to show what augmentation makes of an image."""
        self.panel_wanted.emit("data")
        self.augmentation_wanted.emit()

    def show_sheet(self) -> None:
        """Ask the window to show the sheet, to draw on."""
        self.panel_wanted.emit("recognise")
        self.sheet_wanted.emit()

    # -- the probe

    def correct(self, digit: int) -> None:
        """Keep the digit that is chosen on the probe among the user's own, under the right answer, and read it so from then on.

        If the probe has just changed, this is done as soon as the network has looked at it.
        """
        self._correction = digit, self.state.probe.value, self.state.chosen.value
        self._keep_correction()

    def _keep_correction(self) -> None:
        look, correction = self.looking.look, self._correction
        if correction is None or correction[1] is not self.state.probe.value:
            self._correction = None  # the digit was meant for another probe
        elif look is not None and look.question.probe is correction[1]:
            self._correction = None
            digit, probe, chosen = correction
            seen = looked_at(look.digits, chosen)
            if seen is not None:
                self.own_digits.keep(digit, seen.image, self._mark(probe, seen.box, digit))

    def _mark(self, probe: Probe, box: Box, digit: int) -> Mark | None:
        """What is read on a picture changed to what the user says; None where it is read so already."""
        corrections = self.state.corrections
        before = corrections.of(probe).get(box)
        if before == digit:
            return None
        return Mark(lambda: corrections.say(probe, box, digit), lambda: corrections.say(probe, box, before))

    def clear_probe(self) -> None:
        """Put an empty sheet in the place of the probe."""
        self.state.show_probe(NO_DRAWING, "sheet cleared" if self.state.probe.value.kind is Kind.DRAWING else "picture closed")

    def undo(self) -> None:
        """Take back what was done last to the probe or to the user's own digits: also a digit that is just being kept."""
        self.own_digits.when_noted(self._undo)

    def _undo(self) -> None:
        act = self.state.acts.undo()
        if act is not None:
            self._tell_of_undo(f"Undone: {act.words}.")

    def redo(self) -> None:
        """Do again what was undone last."""
        act = self.state.acts.redo()
        if act is not None:
            self._tell_of_undo(f"Done again: {act.words}.")

    def _tell_of_undo(self, words: str) -> None:
        self.said.emit(words)
        self._has_told_of_undo = True

    def _forget_undo(self) -> None:
        """Take back what was said of an undo once something else has been done."""
        if self._has_told_of_undo:
            self._has_told_of_undo = False
            self.said.emit("")

    def _follow_own_digits(self, count: int) -> None:
        """Show the digits that are there now, where they are in view, or nothing is."""
        self.library.refresh()
        view = self.state.data.value
        if view is not None and not own_digits.is_own(view.spec):
            return
        if count:
            self.opener.open_data(OWN_DIGITS if view is None else view.spec)
        else:
            self.state.data.set(None)
