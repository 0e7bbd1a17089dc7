"""`digitlab predict`: the digit in each picture, or in each row of a Kaggle table."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from app.commands.output import MISTAKE, console, percent, print_json
from models.shipped import DEFAULT_PICTURE_NETWORK, default_for, open_weights
from nncore.data.kaggle import read_kaggle
from nncore.errors import ConfigError, DataError
from nncore.files import write_atomically
from nncore.prediction import Predictor
from nncore.recognition import recognise
from nncore.vision.picture import read_picture

NAME = "predict"
HELP = "Say which digit each picture shows."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="picture files of any common format")
    parser.add_argument("--weights", metavar="W", help="a weights file, or shipped weights by name")
    parser.add_argument("--single", action="store_true", help="each picture holds one digit (needed in this version)")
    parser.add_argument("--json", action="store_true", help="print a JSON line a picture")
    parser.add_argument("--kaggle", type=Path, metavar="TABLE", help="answer each row of a CSV file, such as Kaggle's test.csv")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="with --kaggle: write ImageId,Label here instead of printing it")


def run(arguments: Namespace) -> int:
    """Recognise each picture. A bad one is reported in its turn and the others are read all the same; the exit status is 2 then."""
    if arguments.kaggle:
        _answer_table(arguments)
        return 0
    if arguments.csv:
        raise ConfigError("--csv writes the answers to a table of digits; name one with --kaggle.")
    if not arguments.images:
        raise ConfigError("Name the picture files to read, or a table of digits with --kaggle.")
    if not arguments.single:
        raise ConfigError("This version reads one digit a picture; add --single.")
    network, _ = open_weights(arguments.weights or DEFAULT_PICTURE_NETWORK)
    predictor, bad = Predictor(network), 0
    for path in arguments.images:
        try:
            found = recognise(predictor, read_picture(path))
        except DataError as error:
            print(f"digitlab: {error}", file=sys.stderr)
            bad += 1
            continue
        answer = found[0].answer if found else None
        if arguments.json:
            print_json(
                {
                    "image": str(path),
                    "digit": answer.digit if answer else None,
                    "confidence": answer.confidence if answer else 0.0,
                    "probabilities": answer.probabilities.tolist() if answer else [0.0] * network.output_shape[0],
                }
            )
        else:
            print(f"{path}: {answer.digit} ({percent(answer.confidence)})" if answer else f"{path}: no digit found")
    return MISTAKE if bad else 0


def _answer_table(arguments: Namespace) -> None:
    """Write the answer to each row, as Kaggle's "Digit Recognizer" wants it: ImageId,Label, counted from 1."""
    if arguments.images or arguments.json:
        raise ConfigError("--kaggle answers one table, as ImageId,Label; leave the pictures and --json out.")
    chosen = open_weights(arguments.weights) if arguments.weights else None
    images = read_kaggle(arguments.kaggle).images
    network, _ = chosen or open_weights(default_for(images.shape[1:]))
    answers = Predictor(network).predict(images).argmax(axis=1)
    rows = "\n".join(["ImageId,Label", *(f"{number},{answer}" for number, answer in enumerate(answers, start=1))])
    if arguments.csv:
        write_atomically(arguments.csv, f"{rows}\n".encode())
        console.print(f"{len(answers):,} answers are in {arguments.csv}.", soft_wrap=True)
    else:
        print(rows)
