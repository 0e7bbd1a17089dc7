"""What several runs answer to one picture, each with its best weights. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.colors import PALETTE
from app.core.look import see_probe
from app.core.probe import Probe
from app.core.reading import looked_at
from app.core.runs import Run, RunStore
from app.core.stored_run import best_network
from nncore.arrays import Shape
from nncore.errors import ConfigError, DigitLabError
from nncore.prediction import Predictor
from nncore.recognition import Answer, Found, Verdict, answered

Key = tuple[int, datetime]


def key_of(run: Run) -> Key:
    """What tells a run from all others, whatever it is called and however far it is trained."""
    return run.id, run.created


@dataclass(frozen=True)
class Ticked:
    """A run that is compared with others, and its colour: `#rrggbb` or the name of a field of Colors."""

    run: Run
    color: str


def as_kept(ticked: Sequence[tuple[Key, str]]) -> list[list[object]]:
    """Ticked runs with their colours as plain values, which `parse_kept` reads."""
    return [[number, created.isoformat(), color] for (number, created), color in ticked]


def parse_kept(kept: Sequence[object]) -> list[tuple[Key, str]]:
    """What `as_kept` wrote. ValueError or TypeError for anything else."""
    found = dict[Key, str]()
    for each in kept:
        if not isinstance(each, list) or len(each) != 3:
            raise TypeError
        number, created, color = each
        if type(number) is not int or not isinstance(created, str) or color not in PALETTE:
            raise ValueError
        found[number, datetime.fromisoformat(created)] = color
    return [*found.items()]


@dataclass(frozen=True, eq=False)
class RunAnswer:
    """What a run says of the probe."""

    run: Run
    answer: Answer | None
    """Of the digit that is chosen; None where there is no digit, or where `why_not` says why the run says nothing."""
    why_not: str = ""


class Comparer:
    """Keeps the networks of the runs it was asked about last, so that another probe costs an answer only. For one thread at a
    time.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._predictors: dict[Key, tuple[object, Predictor]] = {}
        """By run: what its file on the disk was like when it was read, and the predictor."""
        self._probe: Probe | None = None
        self._seen: dict[Shape, tuple[Found, ...] | ConfigError] = {}
        """The digits of the probe by the shape that networks take, or why it cannot be shown to such networks."""

    def answers(
        self, runs: Sequence[Run], probe: Probe, give_up: Callable[[], bool] = lambda: False, chosen: int | None = None
    ) -> tuple[RunAnswer, ...] | None:
        """What each run says of the digit that is chosen, as in `looked_at`; None where `give_up` says so on the way.

        What is wrong with a run is said in its answer.
        """
        wanted = {key_of(run) for run in runs}
        self._predictors = {key: kept for key, kept in self._predictors.items() if key in wanted}
        if probe is not self._probe:
            self._probe, self._seen = probe, {}
        found = []
        for run in runs:
            if give_up():
                return None
            found.append(self._answer(run, probe, chosen))
        return tuple(found)

    def _answer(self, run: Run, probe: Probe, chosen: int | None) -> RunAnswer:
        try:
            predictor = self._predictor(run)
            shape, seen = predictor.network.input_shape, self._seen
            if shape not in seen:
                try:
                    seen[shape] = see_probe(probe, shape).found
                except ConfigError as error:
                    seen[shape] = error
            digits = seen[shape]
            if isinstance(digits, ConfigError):
                raise digits
            digit = looked_at(answered(predictor.predict, digits), chosen)
            return RunAnswer(run, None if digit is None or digit.verdict is Verdict.NO_DIGIT else digit.answer)
        except DigitLabError as error:
            return RunAnswer(run, None, str(error))

    def _predictor(self, run: Run) -> Predictor:
        """The run's network as it lies on the disk now. DigitLabError where it cannot be read."""
        key, stamp = key_of(run), _stamp(self._store.weights_of(run)) or _stamp(self._store.checkpoint_of(run))
        kept = self._predictors.get(key)
        if kept is None or kept[0] != stamp:
            kept = self._predictors[key] = stamp, Predictor(best_network(self._store, run))
        return kept[1]


def _stamp(path: Path) -> tuple[object, ...] | None:
    """What changes when a file is written anew; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return path.name, found.st_ino, found.st_mtime_ns, found.st_size
