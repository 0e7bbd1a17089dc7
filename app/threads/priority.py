"""Priorities of threads, so that the interface is never kept waiting."""

from __future__ import annotations

import os
import sys
import threading


def lower_priority() -> None:
    """Lower the priority of this thread and of those that it will start. Only Linux can do that; elsewhere nothing happens."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + 2))


def switch_threads_often() -> None:
    """Let a thread keep the interpreter for 0.2 ms instead of 5: while a worker is busy, each call of Qt may cost the interface so
    much, and a paint makes a hundred.
    """
    sys.setswitchinterval(0.0002)
