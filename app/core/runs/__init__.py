"""Runs: what was trained, how, and how it went, in one SQLite database with the weights beside it as files."""

from app.core.runs.run import DAMAGED, INTERRUPTED, Run
from app.core.runs.store import RunStore

__all__ = ["DAMAGED", "INTERRUPTED", "Run", "RunStore"]
