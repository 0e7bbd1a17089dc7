"""HistoryRows: the last pictures and drawings, to bring one back."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.core.probe import Kind, Probe
from app.lab import Lab
from app.widgets.card import label
from app.widgets.pixels import picture_menu
from app.widgets.thumbnail_row import Thumbnail, ThumbnailRow

SIDE = 44
"""Side of a thumbnail in pixels."""


class HistoryRows(QWidget):
    """Thumbnails of `state.recent`. One that is clicked becomes the probe again, with what the user has corrected on it."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab, self._has_room = lab, True
        self._made: WeakKeyDictionary[Probe, Thumbnail] = WeakKeyDictionary()
        self.rows = ThumbnailRow("history", SIDE, gap=8)
        title = label("HISTORY", "title")
        title.setToolTip("The last pictures and drawings: click one to bring it back, with what you have corrected on it")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(title)
        layout.addWidget(self.rows)
        self.rows.activated.connect(lambda place: self._bring_back(lab.state.recent.probes.value[place]))
        self.rows.menu_wanted.connect(self._open_menu)
        lab.state.recent.probes.subscribe(lambda _: self._show(), now=False)
        lab.state.probe.subscribe(lambda _: self._mark())
        self._show()

    def _thumbnail(self, probe: Probe) -> Thumbnail:
        if probe not in self._made:
            assert probe.picture is not None, "what has no picture is not kept"
            self._made[probe] = Thumbnail.of("drawing" if probe.kind is Kind.DRAWING else probe.origin, probe.picture)
        return self._made[probe]

    def _show(self) -> None:
        probes = self._lab.state.recent.probes.value
        self.rows.set_thumbnails([self._thumbnail(each) for each in probes])
        self._mark()
        self.setVisible(bool(probes) and self._has_room)

    def set_rows(self, rows: int) -> None:
        """Show so many rows; with none the history is hidden."""
        self._has_room = rows > 0
        self.rows.set_rows(max(rows, 1))
        self.setVisible(bool(self._lab.state.recent.probes.value) and self._has_room)

    def _mark(self) -> None:
        """Mark what is in view."""
        probes = self._lab.state.recent.probes.value
        self.rows.mark(next((n for n, each in enumerate(probes) if each is self._lab.state.probe.value), -1))

    def _bring_back(self, probe: Probe) -> None:
        if probe is not self._lab.state.probe.value:
            self._lab.state.show_probe(probe, f"{probe.origin} brought back")

    def _open_menu(self, place: int, at: QPoint) -> None:
        probe = self._lab.state.recent.probes.value[place]
        if probe.picture is not None:
            picture_menu(self, at, probe.picture, make_probe=lambda: self._bring_back(probe))
