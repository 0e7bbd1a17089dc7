"""The report on several runs side by side: their curves, what differs in their settings, their figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.colors import color_of
from app.core.differences import differences
from app.core.repeat import command_of
from app.core.report.blocks import Block, Command, Figure, Notice, Report, Section, Table, Text
from app.core.report.facts import RunFacts
from app.core.report.plots import Series, plot
from app.core.report.single import WIDTH, percent
from nncore.arrays import Array
from nncore.errors import ConfigError

HEIGHT = 330
MOST = 24
"""Runs that one page compares: more curves cannot be told apart."""


def comparison(facts: Sequence[RunFacts]) -> Report:
    """A comparison of several runs. ConfigError for more than MOST."""
    if len(facts) > MOST:
        raise ConfigError(f"A comparison takes up to {MOST} runs, not {len(facts):,}; name fewer.")
    names = [one.run.name for one in facts]
    parts = (
        Section("Figures", tuple(_figures(facts))),
        Section("Curves", tuple(_curves(facts))),
        Section("What differs", tuple(_differences(facts))),
        Section("Train them again", tuple(_again(facts))),
    )
    return Report(f"{len(facts)} runs compared", ", ".join(names), parts)


def _figures(facts: Sequence[RunFacts]) -> Iterator[Block]:
    rows = [
        (
            one.run.name, one.run.network, one.data_title, percent(one.run.val_accuracy), percent(one.run.test_accuracy),
            "–" if one.network is None else f"{one.network.parameter_count:,}", f"{one.run.steps:,}", f"{one.run.seconds:,.1f} s",
            one.run.status, ", ".join(one.run.tags),
        )
        for one in facts
    ]  # fmt: skip
    head = ("run", "network", "data", "held-out", "test", "parameters", "steps", "time", "status", "tags")
    strong = {place for column, of in ((3, "val_accuracy"), (4, "test_accuracy")) for place in _best(facts, column, of)}
    yield Table(head, tuple(rows), frozenset({0, 1, 2, 8, 9}), frozenset(strong), _colors(facts))
    if len({(one.run.data, one.run.checksum) for one in facts}) > 1:
        yield Notice("These runs learned from different images, so their accuracies do not tell which is the better one.")
    yield Text("Held-out and test: the share of right answers at the best moment. The best of each column is emphasised.", dim=True)


def _best(facts: Sequence[RunFacts], column: int, of: str) -> list[tuple[int, int]]:
    values = [getattr(one.run, of) for one in facts]
    known = [value for value in values if value is not None]
    return [(row, column) for row, value in enumerate(values) if known and value == max(known)]


def _curves(facts: Sequence[RunFacts]) -> Iterator[Block]:
    looks, training = [one.validation for one in facts], [one.training for one in facts]
    yield _overlay(facts, "Accuracy on held-out images", [(steps, right) for steps, _, right in looks], percent=True)
    yield _overlay(facts, "Loss on held-out images", [(steps, loss) for steps, loss, _ in looks], logarithmic=True)
    curves = [(steps, loss) for steps, loss, _ in training]
    yield _overlay(facts, "Loss on training images, smoothed", curves, logarithmic=True, noisy=True)


def _overlay(
    facts: Sequence[RunFacts], title: str, curves: Sequence[tuple[Array, Array]], *, percent: bool = False,
    logarithmic: bool = False, noisy: bool = False,
) -> Figure:  # fmt: skip
    series = [
        Series(one.run.name, steps, values, color_of(place), noisy)
        for place, (one, (steps, values)) in enumerate(zip(facts, curves, strict=True))
    ]
    caption = f"{title}, on a logarithmic axis." if logarithmic else f"{title}."
    return Figure(plot(title, series, percent=percent, logarithmic=logarithmic, width=WIDTH, height=HEIGHT), caption)


def _differences(facts: Sequence[RunFacts]) -> Iterator[Block]:
    """Settings, data and network where not all runs have the same; a row each, a column a run."""
    found, same = differences([one.run for one in facts])
    if found:
        strong = frozenset((row, place + 1) for row, each in enumerate(found) for place in each.differing)
        head = ("setting", *(one.run.name for one in facts))
        yield Table(head, tuple((each.title, *each.values) for each in found), frozenset(range(len(head))), strong)
        yield Text(f"{same} other settings are the same. What is not as in the first run is emphasised.", dim=True)
    else:
        yield Text("All settings are the same.")


def _again(facts: Sequence[RunFacts]) -> Iterator[Block]:
    for one in facts:
        yield Text(one.run.name)
        try:
            yield Command(command_of(one.run))
        except ConfigError as error:
            yield Notice(str(error))


def _colors(facts: Sequence[RunFacts]) -> tuple[str, ...]:
    return tuple(color_of(place) for place in range(len(facts)))
