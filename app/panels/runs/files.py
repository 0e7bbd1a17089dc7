"""Files: reports on runs and exports of them, written in the background."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.commands.output import plain
from app.core.export import as_csv, as_objects
from app.core.report import comparison, gather, html_page, report
from app.core.runs import Run, RunStore
from app.errors import RUNS, Problem
from app.lab import Lab
from app.threads.priority import lower_priority
from app.threads.task import Task
from nncore.files import write_atomically

PAGES = "Page (*.html);;PDF (*.pdf)"
CURVES, SETTINGS, ALL = "Curves as a table (*.csv)", "Settings as a table (*.csv)", "Curves and settings (*.json)"


class Files(QObject):
    """Asks for a file and writes it, one at a time."""

    busy_changed = Signal()

    def __init__(self, lab: Lab, parent: QWidget) -> None:
        super().__init__(parent)
        self._lab, self._parent = lab, parent
        self.why_busy = ""
        """Why nothing can be written now, in one sentence; empty where it can."""

    def report(self, runs: Sequence[Run]) -> None:
        """Ask for a file, and write a report on the run, or a comparison of the runs: a page, or where the file ends so a PDF."""
        if path := self._ask("Write a report", f"{_name(runs, 'comparison')}.html", PAGES)[0]:
            self._write(path, lambda: write_report(self._lab.store, runs, path))

    def export(self, runs: Sequence[Run]) -> None:
        """Ask for a file, and write curves or settings as CSV, or both as JSON."""
        path, kind = self._ask("Export runs", f"{_name(runs, 'runs')}.csv", ";;".join((CURVES, SETTINGS, ALL)))
        if path:
            table = "settings" if kind == SETTINGS else "curves"
            self._write(path, lambda: write_export(self._lab.store, runs, path, table))

    def _ask(self, title: str, name: str, kinds: str) -> tuple[Path | None, str]:
        name, kind = QFileDialog.getSaveFileName(self._parent, title, name, kinds)
        if not name:
            return None, kind
        return Path(name if Path(name).suffix else name + kind.partition("*")[2].rstrip(")")), kind

    def _write(self, path: Path, write: Callable[[], None]) -> None:
        self.why_busy = f"{path.name} is being written."
        self._lab.said.emit(f"Writing {path.name} …")
        self.busy_changed.emit()

        def work() -> None:
            lower_priority()
            write()

        def done(_: object) -> None:
            self._end(f"Wrote {path.name}.")
            self._lab.solved.emit(RUNS)

        def failed(problem: Problem) -> None:
            self._end("")
            self._lab.problem.emit(replace(problem, about=RUNS))

        Task(work, done, failed).begin()

    def _end(self, words: str) -> None:
        self.why_busy = ""
        self._lab.said.emit(words)
        self.busy_changed.emit()


def write_report(store: RunStore, runs: Sequence[Run], path: Path) -> None:
    """Write a report on one run, or a comparison of several, which opens no data. DigitLabError where that fails."""
    found = report(gather(store, runs[0])) if len(runs) == 1 else comparison([gather(store, run, with_data=False) for run in runs])
    if path.suffix.casefold() == ".pdf":
        from app.printing import write_pdf  # printing is loaded only for this

        write_pdf(found, path)
    else:
        write_atomically(path, html_page(found).encode())


def write_export(store: RunStore, runs: Sequence[Run], path: Path, table: str) -> None:
    """Write runs as JSON where the file ends so, and else `table` (curves or settings) as CSV. DigitLabError where that fails."""
    is_json = path.suffix.casefold() == ".json"
    text = f"{json.dumps(plain(as_objects(store, runs)))}\n" if is_json else as_csv(store, runs, table)
    write_atomically(path, text.encode())


def _name(runs: Sequence[Run], several: str) -> str:
    return runs[0].name if len(runs) == 1 else several
