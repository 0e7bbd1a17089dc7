"""Curves and settings of runs: CSV tables, or objects for JSON. Qt-free."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from app.core.runs import Run, RunStore

KINDS = ("train", "validation")
TABLES = ("curves", "settings")


def as_csv(store: RunStore, runs: Iterable[Run], table: str) -> str:
    """`curves`: a row for each step with its loss and accuracy. `settings`: a row for each setting and figure of a run."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if table == "curves":
        writer.writerow(("run", "curve", "step", "loss", "accuracy"))
        for run in runs:
            for kind in KINDS:
                writer.writerows((run.name, kind, *row) for row in store.metrics(run, kind))
    else:
        writer.writerow(("run", "name", "value"))
        for run in runs:
            writer.writerows((run.name, name, value) for name, value in _values(run))
    return out.getvalue()


def as_objects(store: RunStore, runs: Iterable[Run]) -> list[dict[str, Any]]:
    """An object a run, for JSON: all its columns, and `curves`, each with `step`, `loss` and `accuracy` as lists."""
    return [
        vars(run) | {"created": run.created.isoformat(), "curves": {kind: _columns(store.metrics(run, kind)) for kind in KINDS}}
        for run in runs
    ]


def _columns(rows: Sequence[tuple[int, float, float]]) -> dict[str, list[float]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(("step", "loss", "accuracy"))}


def _values(run: Run) -> Iterator[tuple[str, object]]:
    """The columns of a run by name, its settings among them; lists and objects as JSON, nothing where there is none."""
    columns = vars(run) | {"created": run.created.isoformat()}
    for name, value in {**columns, **run.config}.items():
        if name not in ("id", "name", "config"):
            yield name, json.dumps(value) if isinstance(value, dict | list | tuple) else value
