"""`digitlab data`: which datasets there are, and what is in one."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from app.commands.output import print_json
from nncore.data import available_datasets, open_dataset

NAME = "data"
HELP = "List the datasets, or show what is in one."


def add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the datasets that DigitLab knows, and whether they are here")
    listing.add_argument("--json", action="store_true", help="print a JSON line a dataset")
    showing = actions.add_parser("info", help="counts, shapes and class balance of one")
    showing.add_argument("data", metavar="DATA", help="mnist, svhn, synthetic, or a path")
    showing.add_argument("--split", default="train", choices=("train", "test"), help="which part (default train)")
    showing.add_argument("--json", action="store_true", help="print one JSON line")


def run(arguments: Namespace) -> None:
    (_list if arguments.action == "list" else _info)(arguments)


def _list(arguments: Namespace) -> None:
    for known in available_datasets():
        if arguments.json:
            print_json({"name": known.name, "title": known.title, "licence": known.licence, "here": known.here})
        else:
            print(f"{known.name:<18} {'here' if known.here else 'not here':<9} {known.description}")


def _info(arguments: Namespace) -> None:
    data = open_dataset(arguments.data, arguments.split)
    counts = data.class_counts().tolist()
    if arguments.json:
        shape = list(data.image_shape)
        print_json(
            {
                "name": data.name,
                "split": arguments.split,
                "count": len(data),
                "shape": shape,
                "classes": counts,
                "source": data.source,
            }
        )
        return
    print(
        f"{data.name}, {arguments.split} part: {len(data):,} images of {'×'.join(map(str, data.image_shape))}, from {data.source}"
    )
    for name, count in zip(data.class_names, counts, strict=True):
        print(f"{name:>5} {count:>8,}")
