"""A run's recipe in a few words, as the table of runs shows it."""

from __future__ import annotations

from app.core.runs.run import Run


def recipe_words(run: Run) -> str:
    """Optimizer, learning rate and schedule: `adam 0.001 · steps`. What the table does not tell is left out."""
    optimizer, rate, schedule = (run.config.get(name) for name in ("optimizer", "learning_rate", "schedule"))
    words = [str(optimizer)] if isinstance(optimizer, str) else []
    if isinstance(rate, int | float) and not isinstance(rate, bool):
        words.append(f"{rate:g}")
    parts = [" ".join(words), schedule if isinstance(schedule, str) else ""]
    return " · ".join(part for part in parts if part)
