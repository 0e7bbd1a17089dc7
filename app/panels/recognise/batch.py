"""BatchPage: a folder of pictures in, a table of what was read out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QProgressBar, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.core.batch import ENDINGS, Item
from app.durations import duration
from app.lab import Lab
from app.widgets.batch_table import PICTURE, BatchRow, BatchTable
from app.widgets.card import label
from app.widgets.elided import Elided
from nncore.files import printable, shown

TABLE = "Tables (*.csv);;All files (*)"
PICTURES = f"Pictures ({' '.join(f'*{ending}' for ending in ENDINGS)});;All files (*)"
HINT = (
    "Read many pictures at once: drop a folder, or several files, here.\n"
    "Each becomes a row with the digits in it; the table can be sorted by doubt and saved as CSV."
)


class BatchPage(QWidget):
    """Buttons, progress, and the table. A click on a row makes the picture the probe; the others can be stepped through."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.setAccessibleName("batch")
        self.setAcceptDrops(True)
        self._lab, self._batching = lab, lab.batching
        self._shown = 0
        """How many items of the batch the table has."""
        self._batch: object = None
        """The batch that the table is of."""
        self.folder, self.files, self.cancel, self.save = (
            _button(words, tip)
            for words, tip in (
                ("Folder…", "Read every picture in a folder and in the folders below"),
                ("Files…", "Read the pictures that you choose"),
                ("Cancel", "Stop after the picture in hand; what has been read stays"),
                ("Save CSV…", "Write the table: file, text, digits, unsure ones, how sure the least sure is, seconds, problem"),
            )
        )
        self.folder.clicked.connect(self._ask_for_folder)
        self.files.clicked.connect(self._ask_for_files)
        self.cancel.clicked.connect(self._batching.cancel)
        self.save.clicked.connect(self._ask_where_to)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName("pictures read so far")
        self.bar.setFixedHeight(6)
        self.words = Elided()
        self.table = BatchTable()
        self.table.wanted.connect(self._open)
        self._hint = label(HINT, "dim", wrap=True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._body = QStackedWidget()
        self._body.addWidget(self._hint)
        self._body.addWidget(self.table)
        self.tab_stops = (self.folder, self.files, self.save, self.cancel, self.table)
        """The widgets that take the keyboard's focus, in order."""
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.folder, self.files):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.save)
        progress = QHBoxLayout()
        progress.setSpacing(8)
        progress.addWidget(self.words, 1)
        progress.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(row)
        layout.addLayout(progress)
        layout.addWidget(self.bar)
        layout.addWidget(self._body, 1)
        self._batching.changed.connect(self._follow)
        lab.state.network.subscribe(lambda _: self._follow())

    # -- what is read

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self._read([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def _ask_for_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Read a folder of pictures", self._lab.settings["last_folder"])
        if name:
            self._lab.settings["last_folder"] = name
            self._read([Path(name)])

    def _ask_for_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Read pictures", self._lab.settings["last_folder"], PICTURES)
        self._read([Path(name) for name in names])

    def _read(self, paths: Sequence[Path]) -> None:
        if paths:
            self._batching.begin(paths)

    def _ask_where_to(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the table", "digits.csv", TABLE)
        if name:
            self._batching.save(Path(name if Path(name).suffix else f"{name}.csv"))

    def _open(self, row: int) -> None:
        """Make the picture of a row the probe, and let the others be stepped through in the order of the table."""
        batch = self._batching.batch
        if batch is None:
            return
        paths = [batch.paths[place] for place in self.table.rows.order]
        self._lab.opener.open_pictures(paths, row)

    # -- what is shown

    def _follow(self) -> None:
        """Show what is known of the batch."""
        batching, batch = self._batching, self._batching.batch
        if batch is not self._batch and batch is not None:
            self._batch, self._shown = batch, 0
            self.table.rows.clear()
            self.table.show_in_order_of_reading()
        items = batch.items if batch is not None else []
        count, total = len(items), len(batch.paths) if batch is not None else 0
        self.table.rows.add([_row(item) for item in items[self._shown : count]])
        self._shown = count
        ready = self._lab.state.network.value is not None and not batching.is_going
        self.folder.setEnabled(ready)
        self.files.setEnabled(ready)
        self.cancel.setEnabled(batching.is_going and not batching.is_cancelled)
        self.save.setEnabled(count > 0)
        self.bar.setMaximum(max(total, 1) if total or not batching.is_going else 0)  # without an end while folders are searched
        self.bar.setValue(count)
        self._body.setCurrentWidget(self.table if batch is not None else self._hint)
        self.words.show_words(self._words(items, total))
        header = self.table.horizontalHeader()
        if not batching.is_going and header.sortIndicatorSection() != PICTURE:  # what came in the meantime stands at the end
            self.table.rows.sort(header.sortIndicatorSection(), header.sortIndicatorOrder())

    def _words(self, items: Sequence[Item], total: int) -> str:
        """How far the batch is."""
        batching, count = self._batching, len(items)
        if batching.batch is None:
            return "Looking for pictures…" if batching.is_going else ""
        words = [f"{count:,} of {total:,} pictures" if batching.is_going or count < total else f"{total:,} pictures"]
        if problems := sum(bool(item.problem) for item in items):
            words.append(f"{problems:,} could not be read")
        if batching.is_going and count:
            words.append("stopping…" if batching.is_cancelled else f"{duration(batching.seconds / count * (total - count))} left")
        elif not batching.is_going:
            words.append(f"{'stopped after ' if count < total else ''}{duration(batching.seconds)} · read by {batching.read_by}")
        return " · ".join(words)


def _row(item: Item) -> BatchRow:
    named = shown(item.path)  # which the row says already
    problem = f"It{item.problem[len(named) :]}" if item.problem.startswith(f"{named} ") else item.problem
    return BatchRow(
        name=printable(item.path.name),
        path=printable(str(item.path)),
        thumbnail=item.thumbnail,
        text=item.text,
        digits=item.digits,
        least_sure=item.least_sure,
        is_sure=not item.unsure,
        seconds=item.seconds,
        problem=problem,
    )


def _button(words: str, tip: str) -> QPushButton:
    made = QPushButton(words)
    made.setToolTip(tip)
    return made
