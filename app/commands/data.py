"""`digitlab data`: which datasets there are, what is in one, getting one, and bringing local files in."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as ProgressBar

from app.commands.output import console, counted, print_json, print_line
from nncore.data import available_datasets
from nncore.data.checksums import already_published
from nncore.data.download import download, target_folder
from nncore.data.importing import import_data
from nncore.data.overview import SPLITS, Overview, overview
from nncore.data.sources import SOURCES
from nncore.files import shown

NAME = "data"
HELP = "List the datasets, show what is in one, get one, or bring local files in."
KINDS = "IDX files, SVHN's .mat files, a Kaggle CSV, an .npz file, or a folder with a folder of pictures a digit"


def add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the datasets that have a name, and whether they are here")
    showing = actions.add_parser("info", help="counts, shapes, class balance and checksums of one")
    showing.add_argument("data", metavar="DATA", help="mnist, svhn, synthetic, any other name, or a path")
    showing.add_argument("--split", choices=("train", "test", "extra"), help="only this part")
    getting = actions.add_parser("get", help="download one, or go on with a download that was broken off")
    getting.add_argument("data", metavar="DATA", choices=SOURCES, help=", ".join(SOURCES))
    getting.add_argument("--mirror", metavar="ADDRESS", help="take the files from here: what they must hold is known")
    getting.add_argument("--replace", action="store_true", help="replace files of the same name that are not the published ones")
    bringing = actions.add_parser("import", help="copy a dataset of yours into the data folder, and give it a name")
    bringing.add_argument("path", metavar="PATH", type=Path, help=KINDS)
    bringing.add_argument("--name", help="what to call it (default: mnist or svhn if it is that, or as the file or folder)")
    bringing.add_argument("--link", action="store_true", help="link to it where it lies, instead of copying")
    for action in (listing, showing, getting, bringing):
        action.add_argument("--json", action="store_true", help="print JSON lines and nothing else on standard output")


def run(arguments: Namespace) -> None:
    {"list": _list, "info": _info, "get": _get, "import": _import}[arguments.action](arguments)


def _list(arguments: Namespace) -> None:
    for known in available_datasets():
        if arguments.json:
            fields = ("name", "title", "description", "licence", "here", "size")
            place = None if known.folder is None else str(known.folder)
            print_json({field: getattr(known, field) for field in fields} | {"counts": dict(known.counts), "folder": place})
        else:
            state = "here" if known.here else f"{known.source.size / 1e6:,.0f} MB away" if known.source else ""
            print_line(f"{known.name:<18} {state:<15} {known.description}")


def _info(arguments: Namespace) -> None:
    found = overview(arguments.data, (arguments.split,) if arguments.split else SPLITS)
    if arguments.json:
        print_json(found.as_dict())
    else:
        _print_overview(found)


def _print_overview(found: Overview) -> None:
    for part in found.splits:
        shape = "×".join(map(str, part.shape))
        print_line(f"{found.name}, {part.split} part: {counted(part.count, 'image')} of {shape}, from {part.source}")
        for name, count in part.classes.items():
            print_line(
                f"{name:>5} {count:>8,} {count / part.count:>7.1%} {'▇' * round(50 * count / max(1, *part.classes.values()))}"
            )
        if part.unlabelled:
            print_line(f"{counted(part.unlabelled, 'image')} without labels")
    for file in found.files:
        verdict = {True: "as published", False: "not the published file", None: ""}[file.published]
        print_line(f"{file.sha256}  {file.size:>12,} bytes  {file.name}  {verdict}")


def _get(arguments: Namespace) -> None:
    source = SOURCES[arguments.data]
    if arguments.mirror:
        source = replace(source, mirrors=(arguments.mirror.rstrip("/") + "/",))
    folder = target_folder(source)
    place = already_published(source.name)
    if place is None:
        try:
            with _progress_bar(source.title, source.size) as (bar, task):
                for event in download(source, folder, replace=arguments.replace):
                    bar.update(task, completed=event.received, description=event.file)
        except KeyboardInterrupt:
            console.print(
                f"Broken off; what has come is kept, and `digitlab data get {source.name}` goes on from there.", soft_wrap=True
            )
            raise
    if arguments.json:
        print_json({"event": "finished", "name": source.name, "folder": str(place or folder), "downloaded": place is None})
    else:
        print_line(f"{source.title} is in {folder}." if place is None else f"{source.title} is in {place} already, as published.")


def _import(arguments: Namespace) -> None:
    name = ""
    with _progress_bar(shown(arguments.path), 0) as (bar, task):
        for event in import_data(arguments.path, arguments.name, arguments.link):
            name = event.name
            bar.update(task, completed=event.copied, total=event.total)
    if arguments.json:
        print_json({"event": "finished", "name": name, "linked": arguments.link})
    else:
        print_line(
            f"{shown(arguments.path)} is called {name} from now on: digitlab train --data {name if ' ' not in name else repr(name)}"
        )


@contextmanager
def _progress_bar(title: str, total: int) -> Iterator[tuple[ProgressBar, TaskID]]:
    """Bytes, speed and time left on standard error, where that is a terminal."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with ProgressBar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield bar, bar.add_task(title, total=total)
