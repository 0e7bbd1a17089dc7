"""LookWorker: the thread in which the probe is looked at."""

from __future__ import annotations

import sys
from threading import Condition

from PySide6.QtCore import QObject, QThread, Signal
from threadpoolctl import threadpool_limits

from app.core.look import Look, Looker, Question
from app.errors import Problem


class LookWorker(QThread):
    """Answers Questions. Only the latest is answered: a question that is asked before the last one's turn replaces it."""

    looked = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._looker = Looker()
        self._condition = Condition()
        self._question: Question | None = None
        self._closing = False

    def ask(self, question: Question) -> None:
        """Ask a question. `looked` or `failed` follows, unless another question replaces this one."""
        with self._condition:
            self._question = question
            self._condition.notify()

    def close(self) -> None:
        """End the thread and wait for its end."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self.wait()

    def run(self) -> None:
        # Several BLAS threads would wait for each other in busy loops, on cores that a training needs.
        threadpool_limits(1, user_api="blas")
        try:
            self._looker.warm_up()
        except BaseException:  # what could not be loaded early may not be needed, and questions are waiting
            sys.excepthook(*sys.exc_info())
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closing or self._question is not None)
                if self._closing:
                    return
                question, self._question = self._question, None
            assert question is not None, "waited for above"
            try:
                look: Look = self._looker.look(question)
            except BaseException as error:  # as in Task
                self.failed.emit(Problem.of(error))
            else:
                self.looked.emit(look)
