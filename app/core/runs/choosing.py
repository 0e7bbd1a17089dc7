"""Which runs of the table are meant, and in which order: search, filters and sorting."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from app.core.runs.brief import recipe_words
from app.core.runs.run import Run
from nncore.data.catalogue import lasting_name, title_of

ORDERS: dict[str, Callable[[Run], Any]] = {
    "date": lambda run: run.id,
    "name": lambda run: run.name.casefold(),
    "network": lambda run: run.network.casefold(),
    "data": lambda run: title_of(run.data).casefold(),
    "status": lambda run: run.status,
    "accuracy": lambda run: run.val_accuracy,
    "test": lambda run: run.test_accuracy,
    "steps": lambda run: run.steps,
    "time": lambda run: run.seconds,
    "recipe": lambda run: recipe_words(run).casefold() or None,
    "tags": lambda run: tuple(tag.casefold() for tag in run.tags) or None,
}
"""What runs can be sorted by; `accuracy` is that on the held-out images."""
WORDS = ("name", "network", "data", "status", "recipe", "tags")
"""Orders that begin with the first of the alphabet; the others begin with the largest, or the newest."""


def sorted_runs(runs: Iterable[Run], order: str, backwards: bool = False) -> list[Run]:
    """The runs by one of ORDERS. Runs without such a value come last, whichever way round."""
    key = ORDERS[order]
    keyed = [(key(run), run) for run in runs]
    known = [pair for pair in keyed if pair[0] is not None]
    unknown = [run for value, run in keyed if value is None]
    known.sort(key=lambda pair: pair[0], reverse=(order not in WORDS) != backwards)
    return [run for _, run in known] + unknown


def chosen_runs(
    runs: Iterable[Run],
    *,
    search: str = "",
    tags: Iterable[str] = (),
    networks: Iterable[str] = (),
    data: Iterable[str] = (),
) -> list[Run]:
    """The runs that fit: all words of `search` occur in name, network, data, tags or notes, in capitals or not; the run has all
    of `tags`, one of `networks` and one of `data` (names, paths or titles). What is empty rules nothing out.
    """
    words, wanted, networks = search.casefold().split(), {tag.casefold() for tag in tags}, {*networks}
    places = {name for spec in data for name in (spec, lasting_name(spec))}
    titles = {spec.casefold() for spec in places}
    return [
        run
        for run in runs
        if all(word in _text(run) for word in words)
        and wanted <= {tag.casefold() for tag in run.tags}
        and (not networks or run.network in networks)
        and (not places or run.data in places or title_of(run.data).casefold() in titles)
    ]


def _text(run: Run) -> str:
    return "\n".join((run.name, run.network, run.data, title_of(run.data), *run.tags, run.notes)).casefold()
