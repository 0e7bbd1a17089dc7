"""`digitlab runs`: what was trained so far."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from app.commands.output import console, counted, percent, plain, print_json, print_line, print_text
from app.commands.runs_report import add_report, write_report
from app.core.export import TABLES, as_csv, as_objects
from app.core.recipe_file import recipe_text
from app.core.repeat import command_of
from app.core.runs import Run, RunStore
from app.core.runs.choosing import ORDERS, chosen_runs, sorted_runs
from nncore.data.catalogue import title_of
from nncore.errors import ConfigError
from nncore.files import printable, shown, write_atomically
from nncore.training.config import SETTINGS, TrainConfig

NAME = "runs"
HELP = "List the runs, show, tag, rename or delete them, export their curves, or write a report or a recipe."


def add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_list(actions.add_parser("list", help="the runs, the newest first"))
    showing = actions.add_parser("show", help="all that is known of a run")
    showing.add_argument("name", metavar="RUN")
    for action in (showing, actions.choices["list"]):
        action.add_argument("--json", action="store_true", help="print JSON lines")
    renaming = actions.add_parser("rename", help="give a run and its folder another name")
    renaming.add_argument("name", metavar="RUN")
    renaming.add_argument("new_name", metavar="NAME")
    tagging = actions.add_parser("tag", help="put tags on a run, or take them off")
    tagging.add_argument("name", metavar="RUN")
    tagging.add_argument("tags", nargs="+", metavar="TAG")
    tagging.add_argument("--remove", action="store_true", help="take these tags off")
    noting = actions.add_parser("note", help="write notes on a run, or print them")
    noting.add_argument("name", metavar="RUN")
    noting.add_argument("text", nargs="?", metavar="TEXT", help="replaces the notes; an empty one removes them")
    deleting = actions.add_parser("delete", help="forget runs and their files")
    deleting.add_argument("names", nargs="+", metavar="RUN")
    deleting.add_argument("--yes", action="store_true", help="do not ask")
    _add_export(actions.add_parser("export", help="curves and settings as CSV or JSON"))
    _add_recipe(actions.add_parser("recipe", help="a run's recipe as TOML, for digitlab train --recipe"))
    add_report(actions.add_parser("report", help="a page on a run, or a comparison of several"))


def _add_list(parser: ArgumentParser) -> None:
    parser.add_argument("--sort", choices=ORDERS, default="date", help="what to sort by (default date)")
    parser.add_argument("--reverse", action="store_true", help="the other way round")
    parser.add_argument("--search", default="", metavar="TEXT", help="runs with these words in name, network, data, tags or notes")
    for option, what in (("tag", "with this tag"), ("network", "of this network"), ("data", "trained on this data")):
        parser.add_argument(f"--{option}", action="append", default=[], metavar=option.upper(), help=f"only runs {what}")


def _add_export(parser: ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="RUN")
    parser.add_argument("--format", choices=("csv", "json"), help="default: as the file is called, else csv")
    parser.add_argument("--table", choices=TABLES, help="what the CSV holds (default curves); JSON holds all")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here instead of to standard output")


def _add_recipe(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    parser.add_argument("--out", "--output", type=Path, metavar="FILE", help="write here instead of to standard output")


def run(arguments: Namespace) -> None:
    store = RunStore()
    match arguments.action:
        case "delete":
            _delete(store, [store.get(name) for name in dict.fromkeys(arguments.names)], arguments.yes)
        case "rename":
            store.rename(store.get(arguments.name), arguments.new_name)
        case "tag":
            store.tag(store.get(arguments.name), *(((), arguments.tags) if arguments.remove else (arguments.tags,)))
        case "note":
            _note(store, store.get(arguments.name), arguments.text)
        case "show":
            _show(store, store.get(arguments.name), arguments.json)
        case "export":
            _export(store, [store.get(name) for name in dict.fromkeys(arguments.names)], arguments)
        case "recipe":
            kept = store.get(arguments.name)
            _put(recipe_text(kept, store.marks(kept)), arguments.out)
        case "report":
            write_report(store, [store.get(name) for name in dict.fromkeys(arguments.names)], arguments)
        case "list":
            _list(store, arguments)


def _list(store: RunStore, arguments: Namespace) -> None:
    runs = store.list()
    found = chosen_runs(runs, search=arguments.search, tags=arguments.tag, networks=arguments.network, data=arguments.data)
    if runs and not found:
        console.print("No run fits; `digitlab runs list` shows all.")
    elif not runs and console.is_terminal:
        console.print("There are no runs yet; `digitlab train` makes one.")
    for kept in sorted_runs(found, arguments.sort, arguments.reverse):
        if arguments.json:
            print_json(_fields(store, kept))
            continue
        tags = f"  {', '.join(kept.tags)}" if kept.tags else ""
        print_line(
            f"{kept.name:<24} {kept.network:<12} {kept.data:<12} {kept.status:<11} {kept.steps:>8,} steps {kept.seconds:>8,.1f} s  "
            f"validation {percent(kept.val_accuracy):>8}  test {percent(kept.test_accuracy):>8}  "
            f"{kept.created:%Y-%m-%d %H:%M}{tags}"
        )


def _fields(store: RunStore, kept: Run) -> dict[str, Any]:
    return vars(kept) | {"created": kept.created.isoformat(), "weights": str(store.weights_of(kept))}


def _show(store: RunStore, kept: Run, as_json: bool) -> None:
    try:
        command = command_of(kept)
    except ConfigError:
        command = None
    if as_json:
        print_json(_fields(store, kept) | {"command": command})
        return
    lines: dict[str, object] = {
        "run": kept.name,
        "status": kept.status,
        "network": kept.network,
        "data": f"{title_of(kept.data)} ({shown(kept.data)})" if title_of(kept.data) != kept.data else kept.data,
        "limit": "all images" if kept.image_limit is None else counted(kept.image_limit, "image"),
        "begun": f"{kept.created:%Y-%m-%d %H:%M}",
        "begins with": "new weights" if kept.parent is None else f"{kept.parent} at step {kept.parent_step or 0:,}",
        "steps": f"{kept.steps:,}",
        "time": f"{kept.seconds:,.1f} s",
        "validation": percent(kept.val_accuracy),
        "test": percent(kept.test_accuracy),
        "tags": ", ".join(kept.tags) or "none",
        "checksum": kept.checksum or "not kept",
        "versions": ", ".join(f"{name} {value}" for name, value in (kept.versions or {}).items()) or "not kept",
        "weights": store.weights_of(kept),
        "command": command or "none repeats it in this version",
    }
    for name, value in lines.items():
        print_line(f"{name:<12} {value}")
    print_line("settings")
    for title, value in _settings(kept):
        print_line(f"  {title:<20} {value}")
    if kept.notes:
        print_line("notes")
        for line in kept.notes.split("\n"):
            print_line(f"  {line}")


def _settings(kept: Run) -> list[tuple[str, object]]:
    """The settings by their titles; as they stand in the table where they are not those of this version."""
    try:
        config = TrainConfig.from_dict(kept.config)
    except (ConfigError, TypeError):
        return list(kept.config.items())
    return [
        (setting.title, f"{setting.kind.show(getattr(config, name))} {setting.unit}".strip()) for name, setting in SETTINGS.items()
    ]


def _note(store: RunStore, kept: Run, text: str | None) -> None:
    if text is not None:
        store.note(kept, text)
    elif kept.notes:
        _print_lines(kept.notes + "\n")


def _delete(store: RunStore, runs: list[Run], is_sure: bool) -> None:
    """Delete the runs, after asking once for all of them. ConfigError where nobody can be asked."""
    if not is_sure:
        if not sys.stdin or not sys.stdin.isatty():
            raise ConfigError("There is nobody to ask whether to delete this; add --yes to delete it all the same.")
        names = ", ".join(kept.name for kept in runs)
        print(f"Delete {counted(len(runs), 'run')} with curves and weights: {names}? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
            return
    for kept in runs:
        store.delete(kept)


def _export(store: RunStore, runs: list[Run], arguments: Namespace) -> None:
    ending = "" if arguments.out is None else arguments.out.suffix.removeprefix(".").casefold()
    kind = arguments.format or (ending if ending in ("csv", "json") else "csv")
    if kind == "json" and arguments.table is not None:
        raise ConfigError("--table is for CSV; a JSON file holds curves and settings together.")
    text = f"{json.dumps(plain(as_objects(store, runs)))}\n" if kind == "json" else as_csv(store, runs, arguments.table or "curves")
    _put(text, arguments.out)


def _put(text: str, out: Path | None) -> None:
    """Write text to a file, or print it where there is none."""
    if out is None:
        _print_lines(text)
    else:
        write_atomically(out, text.encode())


def _print_lines(text: str) -> None:
    """Print several lines, each as `print_line` does."""
    print_text("\n".join(map(printable, text.split("\n"))))
