"""RunActions: the buttons under the table, each of which says why it cannot be pressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from app.core.runs import Run
from app.core.stored_run import known_recipe
from app.errors import RUNS, Problem
from app.lab import Lab
from app.panels.runs.files import Files
from app.widgets.question import confirmed
from nncore.errors import DigitLabError

NONE_CHOSEN = "Choose a run in the table first."
ONE_ONLY = "Choose one run only."
LOOK = "Show {name} in every view: its network at its best, its curves, its moments and its recipe (Return)"
CONTINUE = "Show {name} and train it further: to its planned end, or one epoch more if it is there"
RECIPE = "Make the recipe of {name} that of the next training"
DELETE = "Forget the selected runs and remove their weights from the disk (Delete)"
REPORT = "Write a page on a run, as one would hand it in, or a comparison of several: HTML or PDF, by the file's ending"
EXPORT = "Write curves and settings of runs as a table (CSV), or all of both (JSON)"


class RunActions(QWidget):
    """What can be done to the selected runs, and for reports and exports to the ticked ones, too."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab, self._runs = lab, list[Run]()
        self._files = Files(lab, self)
        self.look, self.go_on, self.recipe = QPushButton("Look at it"), QPushButton("Continue"), QPushButton("Use its recipe")
        self.report, self.export, self.delete = QPushButton("Report…"), QPushButton("Export…"), QPushButton("Delete…")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for button, act in (
            (self.look, self.look_at), (self.go_on, self._continue), (self.recipe, self._use_recipe),
            (self.report, lambda: self._offer(self.report, self._files.report)),
            (self.export, lambda: self._offer(self.export, self._files.export)), (self.delete, self.ask_and_delete),
        ):  # fmt: skip
            button.clicked.connect(lambda _=False, act=act: act())
            button.setStyleSheet("padding: 5px 8px;")
            row.addWidget(button)
        row.addStretch(1)
        self._files.busy_changed.connect(self.refresh)
        lab.comparing.ticked_changed.connect(self.refresh)
        lab.training.status_changed.connect(lambda _: self.refresh())
        self.refresh()

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Offer what can be done to the selected runs."""
        self._runs = list(runs)
        self.refresh()

    def refresh(self) -> None:
        """Enable the buttons that can be pressed, and let the others say why they cannot."""
        name = self._runs[0].name if self._runs else ""
        several = len({run.id for run in self._runs} | {each.run.id for each in self._lab.comparing.ticked})
        nothing = "" if several else "Choose or tick a run in the table first."
        for button, why_not, words in (
            (self.look, self._why_no_look(), LOOK), (self.go_on, self._why_no_more(), CONTINUE),
            (self.recipe, self._why_no_recipe(), RECIPE), (self.report, nothing or self._files.why_busy, REPORT),
            (self.export, nothing or self._files.why_busy, EXPORT), (self.delete, self._why_kept(), DELETE),
        ):  # fmt: skip
            if why_not and button.hasFocus():
                self.parentWidget().setFocus()  # a button that is disabled would hand the keyboard on to somewhere else
            button.setEnabled(not why_not)
            button.setToolTip(why_not or words.format(name=name))

    def _one(self) -> str:
        """Why nothing can be done to the one selected run: it is none, or several; empty where it is one."""
        return "" if len(self._runs) == 1 else ONE_ONLY if self._runs else NONE_CHOSEN

    def _why_no_look(self) -> str:
        if why_not := self._one():
            return why_not
        run = self._runs[0]
        return "" if self._lab.run_table.has_network(run) else f"Nothing of {run.name} is kept on the disk but its curves."

    def _why_no_more(self) -> str:
        if why_not := self._one():
            return why_not
        run = self._runs[0]
        if self._lab.training.is_active:
            return "A training is running; stop it before another run goes on."
        if run.status == "running":
            return "It is being trained by another window or command; stop it there first."
        if not self._lab.run_table.has_checkpoint(run):
            return f"{run.name} has no checkpoint to go on from; Start trains a new run."
        return ""

    def _why_no_recipe(self) -> str:
        if why_not := self._one():
            return why_not
        if self._lab.training.is_active:
            return "A training is running, and the recipe is its; stop it first."
        try:
            known_recipe(self._runs[0])
        except DigitLabError as error:
            return str(error)
        return ""

    def _why_kept(self) -> str:
        """Why the selected runs cannot be deleted now; empty where they can."""
        if not self._runs:
            return NONE_CHOSEN
        own = self._lab.training.run
        for run in self._runs:
            whose = "It" if len(self._runs) == 1 else run.name
            if own is not None and run.id == own.id:  # the rest of it changes while it is trained
                if self._lab.training.is_active:
                    return f"{whose} is being trained; stop it first."
                return f"{whose} can still be trained further here; delete it once another training has begun, or after a restart."
            if run.status == "running":
                return f"{whose} is being trained by another window or command; stop it there first."
        return ""

    # -- what the buttons do

    def look_at(self) -> None:
        """Show the selected run in every view."""
        if self.look.isEnabled():
            self._lab.opener.open_run(self._runs[0])

    def _continue(self) -> None:
        self._lab.continue_run(self._runs[0])

    def _use_recipe(self) -> None:
        try:
            self._lab.use_recipe(self._runs[0])
        except DigitLabError as error:
            self._lab.problem.emit(replace(Problem.of(error), about=RUNS))
        else:
            self._lab.said.emit(f"The recipe is now that of {self._runs[0].name}.")
            self._lab.show_panel("train")

    def ask_and_delete(self) -> None:
        """Ask once, and delete the selected runs."""
        if not self.delete.isEnabled():
            return
        if len(self._runs) == 1:
            question = f"Delete the run {self._runs[0].name} with its curves and weights? This cannot be undone."
        else:
            question = f"Delete {len(self._runs)} runs with their curves and weights: {_listed(self._runs)}? This cannot be undone."
        if confirmed(self, "Delete run" if len(self._runs) == 1 else "Delete runs", question, "Delete", "Keep"):
            self._lab.run_table.delete(self._runs)

    def _offer(self, button: QPushButton, act: Callable[[Sequence[Run]], None]) -> None:
        """Do something with the runs that are meant; where selected and ticked ones are not the same, ask which."""
        ticked = [each.run for each in self._lab.comparing.ticked]
        if not ticked or {run.id for run in ticked} == {run.id for run in self._runs}:
            act(self._runs)
        elif not self._runs:
            act(ticked)
        else:
            menu = QMenu(self)
            for runs, which in ((self._runs, "selected"), (ticked, "ticked")):
                words = runs[0].name if len(runs) == 1 else f"the {len(runs)} {which} runs"
                menu.addAction(f"On {words}…".replace("&", "&&"), partial(act, runs))
            menu.exec(button.mapToGlobal(button.rect().bottomLeft()))
            menu.deleteLater()


def _listed(runs: Sequence[Run]) -> str:
    """The names of runs; of many only the first."""
    names = [run.name for run in runs[:8]]
    return ", ".join(names) + (f" and {len(runs) - 8} more" if len(runs) > 8 else "")
