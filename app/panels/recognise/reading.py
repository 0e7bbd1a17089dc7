"""ProbeReading: what is read on the probe now, and how long that took or is taking."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.in_view import NetworkInView
from app.core.look import Look
from app.core.probe import Kind, Probe
from app.core.reading import ReadDigit, Reading
from app.lab import Lab

SLOW = 300
"""Milliseconds after which it is said that a picture is being read."""


class ProbeReading(QObject):
    """Follows looks, corrections and the digit that is chosen. `changed` tells of each change; views draw from here alone.

    Nothing is read and nothing told while the panel is out of sight: a network that trains is looked at many times a second.
    """

    changed = Signal()

    def __init__(self, lab: Lab, parent: QObject) -> None:
        super().__init__(parent)
        self._lab = lab
        self.reading = Reading()
        """What is read; of a drawing that goes on, what was read just before."""
        self.look: Look | None = None
        """The look that it comes from; None while there is none at the present probe."""
        self.seconds = 0.0
        """What the first look at the probe took."""
        self.is_waiting = False
        """Whether a look is awaited for longer than a moment: what is there is not of the present picture and network."""
        self._probe = lab.state.probe.value
        self._is_in_sight = False
        self._slow = QTimer(self, interval=SLOW, singleShot=True)
        self._slow.timeout.connect(lambda: self._set_waiting(True))
        lab.looking.looked.connect(self._take)
        lab.looking.problem.connect(lambda _: self._stop_waiting())
        state = lab.state
        state.probe.subscribe(self._follow)
        state.network.subscribe(self._follow_network, now=False)
        state.chosen.subscribe(lambda _: self._tell(), now=False)
        state.corrections.changed.subscribe(lambda _: self._read(), now=False)
        if lab.looking.look is not None:
            self._take(lab.looking.look)

    @property
    def chosen(self) -> ReadDigit | None:
        """The digit that is looked at."""
        return self.reading.looked_at(self._lab.state.chosen.value)

    def set_in_sight(self, is_in_sight: bool) -> None:
        """Read what is looked at from now on, or nothing more until this is called again."""
        self._is_in_sight = is_in_sight
        self._read()

    def _follow(self, probe: Probe) -> None:
        before, self._probe, self.look = self._probe, probe, None
        goes_on = before.kind is probe.kind is Kind.DRAWING and probe.picture is not None
        if goes_on and before.picture is not None:
            return  # what is read stays as it is until the network has looked
        if not goes_on:
            self.reading = Reading()
            self._stop_waiting()
            if probe.picture is not None and probe.kind is not Kind.DRAWING:
                self._slow.start()
        self._tell()

    def _follow_network(self, _: NetworkInView | None) -> None:
        self.look = None
        if self._probe.picture is not None:
            self._slow.start()

    def _take(self, look: Look) -> None:
        if look.question.probe is not self._probe or look.question.network is not self._lab.state.network.value:
            return
        before, self.look = self.look, look
        if before is None:
            self.seconds = look.seconds
        elif before.question.moment is look.question.moment:
            return  # only another digit is looked at, and a page has many
        self._stop_waiting()
        self._read()

    def _read(self) -> None:
        if self.look is not None and self._is_in_sight:
            self.reading = Reading.of(self.look.digits, self._lab.state.corrections.of(self._probe))
        self._tell()

    def _tell(self) -> None:
        if self._is_in_sight:
            self.changed.emit()

    def _stop_waiting(self) -> None:
        self._slow.stop()
        self._set_waiting(False)

    def _set_waiting(self, waiting: bool) -> None:
        if waiting != self.is_waiting:
            self.is_waiting = waiting
            self._tell()


def took(seconds: float) -> str:
    """A time in milliseconds, or from one second on in seconds: `41 ms`, `2.3 s`."""
    return f"{max(seconds * 1000, 1):,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
