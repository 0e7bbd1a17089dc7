"""`digitlab runs`: what was trained so far."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from app.commands.output import percent, print_json
from app.core.runs import Run, RunStore

NAME = "runs"
HELP = "List the runs, show one, or delete one."


def add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, text in (("list", "all runs, the newest first"), ("show", "one run"), ("delete", "forget a run and its files")):
        sub = actions.add_parser(action, help=text)
        if action != "list":
            sub.add_argument("name", metavar="RUN")
        if action != "delete":
            sub.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: Namespace) -> None:
    store = RunStore()
    if arguments.action == "delete":
        store.delete(store.get(arguments.name))
        return
    for kept in store.list() if arguments.action == "list" else [store.get(arguments.name)]:
        if arguments.json:
            print_json(
                vars(kept) | {"status": kept.fate, "created": kept.created.isoformat(), "weights": str(store.weights_of(kept))}
            )
        else:
            print(_line(kept))


def _line(kept: Run) -> str:
    return (
        f"{kept.name:<24} {kept.network:<12} {kept.data:<12} {kept.fate:<11} {kept.steps:>8,} steps {kept.seconds:>8,.1f} s  "
        f"validation {percent(kept.val_accuracy):>8}  test {percent(kept.test_accuracy):>8}  {kept.created:%Y-%m-%d %H:%M}"
    )
