"""`digitlab runs`: what was trained so far."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from app.commands.output import percent, print_json, print_line
from app.core.runs import Run, RunStore

NAME = "runs"
HELP = "List the runs, show one, rename one, or delete one."


def add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all runs, the newest first")
    showing = actions.add_parser("show", help="one run")
    renaming = actions.add_parser("rename", help="give a run and its folder another name")
    deleting = actions.add_parser("delete", help="forget a run and its files")
    for action in (showing, renaming, deleting):
        action.add_argument("name", metavar="RUN")
    renaming.add_argument("new_name", metavar="NAME")
    for action in (listing, showing):
        action.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: Namespace) -> None:
    store = RunStore()
    match arguments.action:
        case "delete":
            store.delete(store.get(arguments.name))
        case "rename":
            store.rename(store.get(arguments.name), arguments.new_name)
        case "show":
            _print(store, store.get(arguments.name), arguments.json)
        case "list":
            for kept in store.list():
                _print(store, kept, arguments.json)


def _print(store: RunStore, kept: Run, as_json: bool) -> None:
    if as_json:
        print_json(vars(kept) | {"created": kept.created.isoformat(), "weights": str(store.weights_of(kept))})
    else:
        print_line(
            f"{kept.name:<24} {kept.network:<12} {kept.data:<12} {kept.status:<11} {kept.steps:>8,} steps {kept.seconds:>8,.1f} s  "
            f"validation {percent(kept.val_accuracy):>8}  test {percent(kept.test_accuracy):>8}  {kept.created:%Y-%m-%d %H:%M}"
        )
