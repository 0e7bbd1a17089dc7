"""OwnDigits: keeps, removes and relabels the user's own digits in the background, so that it can be undone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.core import own_digits
from app.core.own_digits import Change
from app.core.undo import Act, UndoStack
from app.errors import Problem
from app.threads.task import Task
from nncore.arrays import Array
from nncore.errors import DigitLabError


class OwnDigits(QObject):
    """Does one thing after the other, in the order in which they were asked for. Each one becomes an act that can be undone."""

    changed = Signal(int)
    """Files were written or removed; carries how many digits there are now."""
    problem = Signal(object)

    def __init__(self, acts: UndoStack) -> None:
        super().__init__()
        self._acts = acts
        self._waiting: deque[tuple[Callable[[], Any], Callable[[Any], None]]] = deque()
        self._is_busy = False
        self._kept: tuple[Array, int, Path] | None = None
        """The image that was kept last, its digit, and its file."""

    def keep(self, digit: int, image: Array) -> None:
        """Keep an image, uint8 (height, width, 1 or 3), under the right answer. If it is the one that was kept last, and still
        there, it gets the new label in place of the old one.
        """

        def make() -> tuple[Change, int]:
            if self._kept is not None and np.array_equal(self._kept[0], image) and self._kept[2].exists():
                return own_digits.relabelling([self._kept[2]], digit), self._kept[1]
            return own_digits.keeping(digit, image), -1

        def done(made: tuple[Change, int]) -> None:
            change, before = made
            if not change.brought:  # it is kept as this digit already
                return
            (path,) = change.brought
            self._kept = image, digit, path
            words = f"digit kept as a {digit}" + (f" instead of a {before}" if before >= 0 else "")
            self._note(change, words, f"Kept as a {digit}")

        self._change(make, done)

    def remove(self, paths: Sequence[Path]) -> None:
        """Remove digits."""
        words = f"{_count(len(paths))} deleted"
        self._change(
            lambda: (own_digits.removing(paths), 0), lambda made: self._note(made[0], words, f"Deleted {_count(len(paths))}")
        )

    def relabel(self, paths: Sequence[Path], digit: int) -> None:
        """Give digits another label."""

        def done(made: tuple[Change, int]) -> None:
            if made[0].brought:
                self._note(made[0], f"{_count(len(made[0].brought))} relabelled as a {digit}", f"Relabelled as a {digit}")

        self._change(lambda: (own_digits.relabelling(paths, digit), 0), done)

    def close(self) -> None:
        """Do what is still waiting. Called when no task runs any more."""
        while self._waiting:
            with suppress(DigitLabError):  # there is no window any more to say it in
                self._waiting.popleft()[0]()

    # -- one after the other

    def _note(self, change: Change, words: str, confirmation: str) -> None:
        """Note a change as an act. Undoing it is done in its turn, after what was asked for before."""
        self._acts.add(
            Act(words, lambda: self._enqueue(change.undo), lambda: self._enqueue(change.do), change.nbytes, confirmation)
        )

    def _change(self, make: Callable[[], tuple[Change, int]], done: Callable[[tuple[Change, int]], None]) -> None:
        def work() -> tuple[Change, int]:
            made = make()
            made[0].do()
            return made

        self._enqueue(work, done)

    def _enqueue(self, work: Callable[[], Any], done: Callable[[Any], None] = lambda _: None) -> None:
        self._waiting.append((work, done))
        self._go_on()

    def _go_on(self) -> None:
        if self._is_busy or not self._waiting:
            return
        self._is_busy = True
        work, done = self._waiting.popleft()

        def both() -> tuple[Any, int]:
            return work(), len(own_digits.files())

        def finish(result: tuple[Any, int]) -> None:
            self._is_busy = False
            done(result[0])
            self.changed.emit(result[1])
            self._go_on()

        def fail(problem: Problem) -> None:
            self._is_busy = False
            self.problem.emit(problem)
            self._go_on()

        Task(both, finish, fail).begin()


def _count(number: int) -> str:
    return "1 of your digits" if number == 1 else f"{number:,} of your digits"
