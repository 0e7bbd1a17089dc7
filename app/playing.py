"""Playing: shows the moments of the run in view one after the other, as a film of its training."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.state import LabState
from app.core.timeline import Moment
from app.looking import Looking
from app.training import Status, TrainingController

EVERY = 120
"""Milliseconds between two moments; a moment that has not been answered yet is waited for."""
PATIENCE = 8
"""How often the answer to a moment is waited for; one that fails must not stop the film."""
LONGEST = 10_000
"""About how many milliseconds the film takes at most: of many moments some are passed over."""


class Playing(QObject):
    """Goes from the moment in view to the last one, or from the first where the last is in view already.

    It ends at the last moment, when a training starts, and when anyone else chooses a moment or another run.
    """

    changed = Signal()
    """`is_on` is another."""

    def __init__(self, state: LabState, looking: Looking, training: TrainingController) -> None:
        super().__init__()
        self._state, self._looking, self._training = state, looking, training
        self._timer = QTimer(self, interval=EVERY)
        self._timer.timeout.connect(self._show_next)
        self._shown: Moment | None = None
        """The moment that was shown last."""
        self._waited = 0
        state.moment.subscribe(self._follow, now=False)
        training.status_changed.connect(lambda status: None if status is Status.IDLE else self.stop())

    @property
    def is_on(self) -> bool:
        return self._timer.isActive()

    @property
    def can_play(self) -> bool:
        """Whether there is more than one moment to show, and no training that shows its own."""
        return not self._training.is_active and len(self._state.timeline) > 1

    def toggle(self) -> None:
        """Play, or stop playing."""
        if self.is_on:
            self.stop()
        elif self.can_play:
            moment, timeline = self._state.moment.value, self._state.timeline
            self._shown = moment
            if moment is None or moment.step >= timeline[-1].step:
                self._show(0)
            self._timer.start()
            self.changed.emit()

    def stop(self) -> None:
        """Stop at the moment in view."""
        if self.is_on:
            self._timer.stop()
            self.changed.emit()

    def _show_next(self) -> None:
        timeline, shown = self._state.timeline, self._shown
        look = self._looking.look
        if not self.can_play or shown is None:
            self.stop()
        elif look is not None and look.question.moment.step != shown.step and self._waited < PATIENCE:
            self._waited += 1
        else:
            at = timeline.nearest(shown.step)
            by = max(1, len(timeline) * EVERY // LONGEST)
            self._show(min(at + by, len(timeline) - 1))
            if at + by >= len(timeline) - 1:
                self.stop()

    def _show(self, index: int) -> None:
        self._shown, self._waited = self._state.timeline[index], 0
        self._state.show_moment(index)

    def _follow(self, moment: Moment | None) -> None:
        if moment is not self._shown:
            self.stop()
