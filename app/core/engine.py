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
    """Compile the kernels where they are not yet, which takes a minute, and return whether they are there. `give_up` is asked
    now and then and ends the waiting.
    """
    return get_backend(DEVICE).prepare(give_up)


def prepare_in_background() -> None:
    """`prepare` in a thread that nobody waits for, not even the end of the program."""
    if not is_ready():
        threading.Thread(target=prepare, daemon=True).start()


def describe() -> str:
    """The device in a few words: `CPU · 8 cores`."""
    return get_backend(DEVICE).describe()
