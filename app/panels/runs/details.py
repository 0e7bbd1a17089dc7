"""Details: what the selected run is, in a line; its tags and notes, edited in place."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLineEdit, QPlainTextEdit, QWidget

from app.core.comparing import key_of
from app.core.runs import Run
from app.core.runs.brief import recipe_words
from app.run_table import RunTable
from app.widgets.card import label
from app.widgets.elided import Elided
from nncore.data.catalogue import title_of

NOTES_HEIGHT = 52
"""Pixels: two lines."""
STILL_FOR = 1200
"""Milliseconds after the last key after which notes are written."""


class Details(QWidget):
    """What is typed is written when the field is left, and notes a moment after the last key, too. Escape takes it back."""

    def __init__(self, table: RunTable) -> None:
        super().__init__()
        self._table = table
        self._run: Run | None = None
        """The run whose tags and notes are shown; None where there is not exactly one selected."""
        self.whose = Elided()
        self.tags = QLineEdit(placeholderText="demo, best")
        self.tags.setAccessibleName("tags")
        self.notes = QPlainTextEdit(placeholderText="What you want to remember of it", tabChangesFocus=True)
        self.notes.setAccessibleName("notes")
        self.notes.setFixedHeight(NOTES_HEIGHT)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.addWidget(self.whose, 0, 0, 1, 4)
        for column, (title, field, share) in enumerate((("Tags", self.tags, 2), ("Notes", self.notes, 3))):
            words = label(title, "dim")
            words.setFixedHeight(self.tags.sizeHint().height())  # beside the first line
            grid.addWidget(words, 1, 2 * column, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(field, 1, 2 * column + 1, Qt.AlignmentFlag.AlignTop)
            grid.setColumnStretch(2 * column + 1, share)
        self._still = QTimer(self, interval=STILL_FOR, singleShot=True)
        self._still.timeout.connect(self._write_notes)
        self.tags.editingFinished.connect(self._write_tags)
        self.notes.textChanged.connect(self._still.start)
        for field in (self.tags, self.notes):
            field.installEventFilter(self)
        table.closing.connect(self.write)
        self._fill(None, "")

    def show_runs(self, runs: list[Run]) -> None:
        """Show the tags and notes of the run where it is one, and none where they are several."""
        run = runs[0] if len(runs) == 1 else None
        if run is not None and self._run is not None and key_of(run) == key_of(self._run):
            self._follow(run)
            return
        self.write()
        nothing = "Select a run: what it is, its tags and its notes stand here." if not runs else f"{len(runs)} runs are selected."
        self._fill(run, nothing)

    def write(self) -> None:
        """Write what has been typed."""
        self._write_tags()
        self._write_notes()

    def _fill(self, run: Run | None, nothing: str) -> None:
        self._run = run
        self.whose.show_words(nothing if run is None else _in_a_line(run))
        self.tags.setText("" if run is None else ", ".join(run.tags))
        self.notes.setPlainText("" if run is None else run.notes)
        self._still.stop()
        for field, words in (
            (self.tags, "Your own words for this run, with commas between: the table is filtered by them"),
            (self.notes, "Whatever you want to remember of this run; the search finds its words"),
        ):
            field.setEnabled(run is not None)
            field.setToolTip("Select one run in the table first." if run is None else words)

    def _follow(self, run: Run) -> None:
        """The run shown has changed: show its new tags and notes, but leave what is being typed."""
        before, self._run = self._run, run
        assert before is not None, "asked for before"
        self.whose.show_words(_in_a_line(run))
        if _split(self.tags.text()) in ({*before.tags}, {*run.tags}) and not self.tags.hasFocus():
            self.tags.setText(", ".join(run.tags))
        if self.notes.toPlainText().strip() == before.notes and run.notes != before.notes:
            self.notes.setPlainText(run.notes)
            self._still.stop()

    def _write_tags(self) -> None:
        if self._run is not None and _split(self.tags.text()) != {*self._run.tags}:
            self._table.set_tags(self._run, sorted(_split(self.tags.text())))

    def _write_notes(self) -> None:
        self._still.stop()
        if self._run is not None and self.notes.toPlainText().strip() != self._run.notes:
            self._table.note(self._run, self.notes.toPlainText())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut and watched is self.notes:
            self._write_notes()
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self._fill(self._run, "")
            return True
        return False


def _in_a_line(run: Run) -> str:
    """What is worth knowing of a run that the table may have no room for."""
    words = (f"{run.network} on {title_of(run.data)}", recipe_words(run), f"{run.created:%Y-%m-%d %H:%M}", run.status)
    return f"{run.name}: " + " · ".join(word for word in words if word)


def _split(text: str) -> set[str]:
    """The tags in a text with commas between them."""
    return {tag.strip() for tag in text.split(",") if tag.strip()}
