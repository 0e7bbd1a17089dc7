"""Recent: the last pictures and drawings that were the probe, to come back to. Qt-free."""

from __future__ import annotations

from app.core.observable import Observable
from app.core.probe import Kind, Probe

MOST = 12
MOST_BYTES = 128_000_000
"""Memory that their pictures may take together; the newest is kept whatever it takes."""


class Recent:
    """Follows the probe. A drawing that goes on stays one entry; images of a dataset are none, since they lie in their gallery."""

    def __init__(self, probe: Observable[Probe]) -> None:
        self.probes: Observable[tuple[Probe, ...]] = Observable(())
        """The newest first. One that is the probe again keeps its place."""
        probe.subscribe(self._follow, now=False)

    def _follow(self, probe: Probe) -> None:
        present = self.probes.value
        is_drawing = probe.kind is Kind.DRAWING
        # A drawing without a stroke is blank, or its first stroke is being drawn.
        if probe.picture is None or probe.kind is Kind.DATASET or (is_drawing and not probe.strokes):
            return
        place = next((place for place, each in enumerate(present) if each is probe or _goes_on(each, probe)), None)
        if place is None:
            self.probes.set(_bounded((probe, *present)))
        elif present[place] is not probe and present[place].strokes != probe.strokes:
            self.probes.set(_bounded((*present[:place], probe, *present[place + 1 :])))


def _goes_on(old: Probe, new: Probe) -> bool:
    """Whether one of two drawings has strokes added to the other."""
    if not (old.kind is new.kind is Kind.DRAWING):
        return False
    common = min(len(old.strokes), len(new.strokes))
    return old.strokes[:common] == new.strokes[:common]


def _bounded(probes: tuple[Probe, ...]) -> tuple[Probe, ...]:
    """The first of them that may be kept together."""
    kept, nbytes = 0, 0
    for probe in probes[:MOST]:
        nbytes += probe.nbytes
        if kept and nbytes > MOST_BYTES:
            break
        kept += 1
    return probes[:kept]
