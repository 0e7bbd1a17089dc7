"""DatasetCard: a dataset with its size and licence, to choose or to download."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.widgets.card import label
from nncore.data import KnownDataset
from nncore.data.download import Download
from nncore.data.importing import Import

MEGA = 1_000_000


class DatasetCard(QFrame):
    """A card to click. `chosen` asks to show the dataset, `wanted` to download or keep it, `left` to cancel that."""

    chosen = Signal()
    wanted = Signal()
    left = Signal()

    def __init__(self, known: KnownDataset, offer: str = "", tooltip: str = "") -> None:
        """`offer` is the text of the button that emits `wanted`; without it there is no button."""
        super().__init__()
        self.known = known
        self.setProperty("role", "choice")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(known.title)
        self.setToolTip(f"{known.title}\n{known.description}\nLicence: {known.licence}")
        self._state = label("", "dim")
        title = label(known.title, "value", wrap=True)
        title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # a long name must not widen the card
        top = QHBoxLayout()
        top.addWidget(title, 1)
        top.addWidget(self._state, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 10)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(label(known.description, "dim", wrap=True))
        layout.addWidget(label(facts(known), "", wrap=True))
        layout.addWidget(label(f"Licence: {known.licence}", "dim", wrap=True))
        self._get = QPushButton(offer)
        self._get.setToolTip(tooltip)
        self._get.setAccessibleName(f"{offer}: {known.title}")
        self._get.clicked.connect(self.wanted)
        self._bar = QProgressBar(textVisible=False, maximum=1000)
        self._bar.setFixedHeight(6)
        self._bar.setAccessibleName(f"progress of {known.title}")
        self._words = label("", "dim", wrap=True)
        self._leave = QPushButton("Cancel")
        kept = "what has come is kept, and it goes on from there the next time" if known.source else "nothing of it is kept"
        self._leave.setToolTip(f"Break off; {kept}")
        self._leave.clicked.connect(self.left)
        for widget in (self._get, self._bar, self._words, self._leave):
            layout.addWidget(widget)
        self._offers = bool(offer)
        self.set_going(False)
        self.set_chosen(False)

    def tab_stops(self) -> tuple[QWidget, ...]:
        """The widgets that take the keyboard's focus, in order."""
        return self, self._get, self._leave

    def set_chosen(self, chosen: bool) -> None:
        """Mark the card of the data in view."""
        self._state.setText("in view" if chosen else "here" if self.known.here else "not here")
        self.setAccessibleDescription(self._state.text())
        if chosen != self.property("chosen"):
            self.setProperty("chosen", chosen)
            self.style().unpolish(self)
            self.style().polish(self)

    def set_going(self, going: bool) -> None:
        """Show the progress bar and the button to cancel, or the button to begin."""
        self._get.setVisible(self._offers and not going)
        for widget in (self._bar, self._words, self._leave):
            widget.setVisible(going)

    def show_progress(self, event: Download | Import) -> None:
        """Show how far a download or a copy is."""
        done = event.received if isinstance(event, Download) else event.copied
        self._bar.setValue(round(1000 * done / max(event.total, 1)))
        self._words.setText(progress_words(event))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose()
        else:
            super().keyPressEvent(event)

    def _choose(self) -> None:
        if self.known.here:
            self.chosen.emit()
        elif self._get.isVisible():
            self._get.setFocus()  # a download may be large and should not begin with an accidental click


def facts(known: KnownDataset) -> str:
    """Counts and size in a line: `60,000 + 10,000 images · 11.3 MB`, or `8,001 + 1,138 of 73,257 + 26,032 images · 22.4 MB`."""
    here, all_of_it = _counts(known.counts), _counts(known.source.images) if known.source else ""
    counts = f"{here} of {all_of_it}" if known.here and is_partial(known) else here if known.here else all_of_it
    size = known.size if known.here else known.source.size if known.source else 0
    return " · ".join(
        part
        for part in (f"{counts} {'image' if counts == '1' else 'images'}" if counts else "", megabytes(size) if size else "")
        if part
    )


def is_partial(known: KnownDataset) -> bool:
    """Whether fewer images are here than are published."""
    published = known.source.images if known.source else {}
    return any(known.counts.get(split, 0) < count for split, count in published.items())


def holds_others(known: KnownDataset) -> bool:
    """Whether its folder holds files of the same names that are not the published ones."""
    published = known.source.images if known.source else {}
    return any(count != published.get(split, count) for split, count in known.counts.items())


def _counts(counts: Mapping[str, int]) -> str:
    return " + ".join(f"{counts[split]:,}" for split in ("train", "test") if split in counts)


def progress_words(event: Download | Import) -> str:
    """`4.2 MB of 11.6 MB · 1.1 MB/s · 6 s left`, and from where."""
    if isinstance(event, Import):
        return f"{megabytes(event.copied)} of {megabytes(event.total)}"
    words = f"{megabytes(event.received)} of {megabytes(event.total)}"
    if event.speed:
        words += f" · {megabytes(event.speed)}/s"
    if event.seconds_left is not None and event.received < event.total:
        words += f" · {duration(event.seconds_left)} left"
    return f"{words}\nfrom {event.server}" if event.server else words


def megabytes(size: float) -> str:
    """A number of bytes as text: `512 bytes`, `11.3 MB`, `1,394 MB`."""
    if size < 1000:
        return f"{size:,.0f} bytes"
    return f"{size / 1e3:,.0f} kB" if size < MEGA else f"{size / MEGA:,.1f} MB" if size < 100 * MEGA else f"{size / MEGA:,.0f} MB"


def duration(seconds: float) -> str:
    """A time in seconds as text: `6 s`, `2 min`, `1.5 h`."""
    if seconds < 90:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"
