"""OwnDigits: keeps, removes and relabels the user's own digits in the background, so that it can be undone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.core import own_digits
from app.core.own_digits import Change
from app.core.undo import Act, UndoStack
from app.errors import Problem
from app.threads.task import Task
from nncore.arrays import Array, Shape
from nncore.errors import DigitLabError

MOST_KEPT = 500
"""Images that were kept of which it is known which file is whose."""
Key = tuple[Shape, bytes]
"""Shape and pixels of an image."""


@dataclass(frozen=True, eq=False)
class Mark:
    """What is shown at once of a digit that is kept, and how that is taken back."""

    do: Callable[[], object] = lambda: None
    undo: Callable[[], object] = lambda: None


class OwnDigits(QObject):
    """Does one thing after the other, in the order in which they were asked for. Each one becomes an act that can be undone."""

    changed = Signal(int)
    """Files were written or removed; carries how many digits there are now."""
    problem = Signal(object)

    def __init__(self, acts: UndoStack) -> None:
        super().__init__()
        self._acts = acts
        self._waiting: deque[tuple[Callable[[], Any], Callable[[Any], None], Callable[[], None]]] = deque()
        self._is_busy = False
        self._unnoted = 0
        """Changes that were asked for and are no acts yet."""
        self._later: list[Callable[[], None]] = []
        self._kept: dict[Key, tuple[int, Path]] = {}
        """Digit and file of the last images that were kept."""

    def keep(self, digit: int, image: Array, mark: Mark | None = None) -> None:
        """Keep an image, uint8 (height, width, 1 or 3), under the right answer. If it was kept before, and is still there, it gets
        the new label in place of the old one. `mark` is done at once, and undone and done again together with the file.
        """
        key = image.shape, image.tobytes()

        def make() -> tuple[Change, int]:
            before, path = self._kept.get(key, (-1, None))
            if path is not None and path.exists():
                return own_digits.relabelling([path], digit), before
            return own_digits.keeping(digit, image), -1

        def done(made: tuple[Change, int]) -> None:
            change, before = made
            marks = [] if mark is None else [mark]
            words = f"digit kept as a {digit}" + (f" instead of a {before}" if before >= 0 else "")
            if change.brought:
                last, (path,) = self._kept.get(key), change.brought
                self._remember(key, (digit, path))
                marks.append(Mark(lambda: self._remember(key, (digit, path)), lambda: self._remember(key, last)))
            elif not marks:  # it is kept as this digit already
                return
            self._note(change, words, f"Kept as a {digit}", marks)

        def failed() -> None:
            if mark is not None:  # what was said of the picture holds all the same, and can be taken back
                self._acts.add(Act(f"digit corrected to a {digit}", mark.undo, mark.do))

        if mark is not None:
            mark.do()
        self._change(make, done, failed)

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

    def when_noted(self, do: Callable[[], None]) -> None:
        """Do something as soon as all changes that were asked for are acts: now where they are."""
        if self._unnoted:
            self._later.append(do)
        else:
            do()

    def close(self) -> None:
        """Do what is still waiting. Called when no task runs any more."""
        while self._waiting:
            with suppress(DigitLabError):  # there is no window any more to say it in
                self._waiting.popleft()[0]()

    # -- one after the other

    def _remember(self, key: Key, kept: tuple[int, Path] | None) -> None:
        """Note under which digit and in which file an image is kept; None where it is not."""
        self._kept.pop(key, None)
        if kept is not None:
            self._kept[key] = kept
            if len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]

    def _note(self, change: Change, words: str, confirmation: str, marks: Sequence[Mark] = ()) -> None:
        """Note a change as an act. Undoing it is done in its turn, after what was asked for before."""

        def undo() -> None:
            for mark in marks:
                mark.undo()
            self._enqueue(change.undo)

        def redo() -> None:
            for mark in marks:
                mark.do()
            self._enqueue(change.do)

        self._acts.add(Act(words, undo, redo, change.nbytes, confirmation))

    def _change(
        self,
        make: Callable[[], tuple[Change, int]],
        done: Callable[[tuple[Change, int]], None],
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        def work() -> tuple[Change, int]:
            made = make()
            made[0].do()
            return made

        def noted(made: tuple[Change, int]) -> None:
            done(made)
            self._count_down()

        def not_done() -> None:
            failed()
            self._count_down()

        self._unnoted += 1
        self._enqueue(work, noted, not_done)

    def _count_down(self) -> None:
        self._unnoted -= 1
        if not self._unnoted:
            later, self._later = self._later, []
            for do in later:
                do()

    def _enqueue(
        self, work: Callable[[], Any], done: Callable[[Any], None] = lambda _: None, failed: Callable[[], None] = lambda: None
    ) -> None:
        self._waiting.append((work, done, failed))
        self._go_on()

    def _go_on(self) -> None:
        if self._is_busy or not self._waiting:
            return
        self._is_busy = True
        work, done, failed = self._waiting.popleft()

        def both() -> tuple[Any, int]:
            return work(), len(own_digits.files())

        def finish(result: tuple[Any, int]) -> None:
            self._is_busy = False
            done(result[0])
            self.changed.emit(result[1])
            self._go_on()

        def fail(problem: Problem) -> None:
            self._is_busy = False
            failed()
            self.problem.emit(problem)
            self._go_on()

        Task(both, finish, fail).begin()


def _count(number: int) -> str:
    return "1 of your digits" if number == 1 else f"{number:,} of your digits"
