"""OwnNetworks: reads, keeps and deletes the user's own networks in the background."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QObject, Signal

from app.core import own_networks
from app.core.layer_list import LayerList
from app.errors import Problem
from app.threads.task import Task
from nncore.errors import DigitLabError

Found = tuple[dict[str, LayerList], list[str]]


class OwnNetworks(QObject):
    """Does one thing after the other, in the order in which they were asked for."""

    changed = Signal()
    """`known` is another list of networks."""
    problem = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, LayerList] = {}
        """The networks that are there, by name; empty before the first `refresh` has ended."""
        self._told: set[str] = set()
        self._waiting: deque[tuple[Callable[[], object], Callable[[], None], Callable[[], None]]] = deque()
        self._is_busy = False

    def refresh(self) -> None:
        """Find out which there are. `changed` follows where the list is another; what is damaged is told once."""
        self._enqueue(lambda: None, lambda: None)

    def keep(self, name: str, layers: LayerList, then: Callable[[], None], otherwise: Callable[[], None]) -> None:
        """Keep a network by name, in the place of one that is there; `then` is called when it is on the disk.

        `otherwise` is called where that cannot be done, which is told.
        """
        self._enqueue(lambda: own_networks.keep(name, layers), then, otherwise)

    def delete(self, name: str, then: Callable[[], None]) -> None:
        """Forget a network; `then` is called when it is gone."""
        self._enqueue(lambda: own_networks.delete(name), then)

    def close(self) -> None:
        """Do what is still waiting. Called when no task runs any more."""
        while self._waiting:
            with suppress(DigitLabError):  # there is no window any more to say it in
                self._waiting.popleft()[0]()

    def _enqueue(self, work: Callable[[], object], then: Callable[[], None], otherwise: Callable[[], None] = lambda: None) -> None:
        self._waiting.append((work, then, otherwise))
        self._go_on()

    def _go_on(self) -> None:
        if self._is_busy or not self._waiting:
            return
        self._is_busy = True
        work, then, otherwise = self._waiting.popleft()

        def both() -> Found:
            work()
            return own_networks.read_all()

        def finish(found: Found) -> None:
            self._is_busy = False
            before, (self.known, damage) = self.known, found
            then()
            for sentence in damage:
                if sentence not in self._told:
                    self._told.add(sentence)
                    self.problem.emit(Problem(sentence))
            if list(self.known.items()) != list(before.items()):
                self.changed.emit()
            self._go_on()

        def fail(problem: Problem) -> None:
            self._is_busy = False
            self.problem.emit(problem)
            otherwise()
            self._go_on()

        Task(both, finish, fail).begin()
