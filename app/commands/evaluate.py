"""`digitlab evaluate`: how good a network is on a dataset."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from app.commands.device import add_device
from app.commands.output import counted, percent, print_json, print_line
from models.shipped import default_for, open_weights
from nncore.backend.devices import choose_device
from nncore.data import open_dataset
from nncore.prediction import Predictor

NAME = "evaluate"
HELP = "Measure a network on the test part of a dataset."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--weights", metavar="W", help="a weights file, or shipped weights by name (default: those that fit the data)"
    )
    parser.add_argument("--data", default="mnist", metavar="DATA", help="mnist, svhn, synthetic, or a path (default mnist)")
    parser.add_argument("--split", default="test", choices=("train", "test"), help="which part of the data (default test)")
    parser.add_argument("--limit", type=int, metavar="N", help="use N images only")
    add_device(parser, "auto")
    parser.add_argument("--json", action="store_true", help="print one JSON line")


def run(arguments: Namespace) -> None:
    """Evaluate and print accuracy, loss, the confusion matrix, precision and recall a class."""
    device = choose_device(arguments.device)
    chosen = open_weights(arguments.weights) if arguments.weights else None  # before the data, which may take longer
    data = open_dataset(arguments.data, arguments.split).limit(arguments.limit)
    network, _ = chosen or open_weights(default_for(data.image_shape))
    found = Predictor(network, device).evaluate(data)
    if arguments.json:
        print_json(
            {
                "count": len(data),
                "accuracy": found.accuracy,
                "loss": found.loss,
                "confusion": found.confusion.tolist(),
                "per_class": found.per_class(),
            }
        )
        return
    print_line(f"{percent(found.accuracy)} of {counted(len(data), 'image')} right, loss {found.loss:.4f}")
    print_line("digit  precision    recall")
    for row in found.per_class():
        print_line(f"{row['digit']:>5}  {percent(row['precision']):>9} {percent(row['recall']):>9}")
