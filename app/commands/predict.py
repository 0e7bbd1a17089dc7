"""`digitlab predict`: the digit in each picture."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from app.commands.output import MISTAKE, percent, print_json
from app.recognise import recognise
from models.shipped import DEFAULT_PICTURE_NETWORK, open_weights
from nncore.errors import ConfigError, DataError
from nncore.vision.picture import read_picture

NAME = "predict"
HELP = "Say which digit each picture shows."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="picture files of any common format")
    parser.add_argument("--weights", metavar="W", help="a weights file, or shipped weights by name")
    parser.add_argument("--single", action="store_true", help="each picture holds one digit (needed in this version)")
    parser.add_argument("--json", action="store_true", help="print a JSON line a picture")


def run(arguments: Namespace) -> int:
    """Recognise each picture. A bad one is reported in its turn and the others are read all the same; the exit status is 2 then."""
    if not arguments.single:
        raise ConfigError("This version reads one digit a picture; add --single.")
    network, _ = open_weights(arguments.weights or DEFAULT_PICTURE_NETWORK)
    bad = 0
    for path in arguments.images:
        try:
            answer = recognise(network, read_picture(path))
        except DataError as error:
            print(f"digitlab: {error}", file=sys.stderr)
            bad += 1
            continue
        if arguments.json:
            print_json(
                {
                    "image": str(path),
                    "digit": answer.digit,
                    "confidence": answer.confidence,
                    "probabilities": answer.probabilities.tolist(),
                }
            )
        else:
            print(
                f"{path}: {answer.digit} ({percent(answer.confidence)})" if answer.digit is not None else f"{path}: no digit found"
            )
    return MISTAKE if bad else 0
