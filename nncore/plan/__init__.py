"""The fast path: a network compiled for a batch shape. Built on the network, which knows nothing of it."""

from __future__ import annotations

from nncore.plan.plan import NotLoadedError, Plan

__all__ = ["NotLoadedError", "Plan"]
