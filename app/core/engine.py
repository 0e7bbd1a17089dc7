"""The engine's backend as the program uses it: whether it is ready, making it ready, and what it is. Qt-free."""

from __future__ import annotations

import threading
from collections.abc import Callable

from nncore.backend.devices import get_backend

DEVICE = "cpu"


def is_ready() -> bool:
    """Whether this machine has the engine's kernels compiled already."""
    return get_backend(DEVICE).is_ready()


def prepare(give_up: Callable[[], bool] = lambda: False) -> bool:
    """Compile the kernels if this machine does not have them yet, which takes about a minute. Returns whether they are there.

    `give_up` is asked now and then; when it returns True, the call returns early.
    """
    return get_backend(DEVICE).prepare(give_up)


def prepare_in_background() -> None:
    """Run `prepare` in a thread of its own. The program can end while it runs."""
    if not is_ready():
        threading.Thread(target=prepare, daemon=True).start()


def describe() -> str:
    """The device in a few words: `CPU · 8 cores`."""
    return get_backend(DEVICE).describe()
