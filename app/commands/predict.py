"""`digitlab predict`: the digits in each picture, or in each row of a Kaggle table."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.commands.device import add_device
from app.commands.output import MISTAKE, complain, console, counted, percent, print_json, print_line, print_text
from app.core.batch import Item, as_csv, find_pictures
from models.shipped import DEFAULT_PICTURE_NETWORK, default_for, digit_detector, open_weights, picture_classifier
from nncore.backend.devices import choose_device
from nncore.data.kaggle import read_kaggle
from nncore.errors import ConfigError, DataError
from nncore.files import shown, write_atomically
from nncore.prediction import Predictor
from nncore.recognition import Digit, Verdict, digits_of, lines_of, recognise
from nncore.vision.picture import read_picture

NAME = "predict"
HELP = "Say which digits each picture shows."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "images", nargs="*", type=Path, metavar="IMAGE", help="picture files of any common format, or folders of them"
    )
    parser.add_argument("--weights", metavar="W", help="a weights file, or shipped weights by name")
    parser.add_argument("--single", action="store_true", help="each picture holds one digit: print it with all its probabilities")
    add_device(parser, "cpu", "; a picture is answered sooner by the CPU than a GPU is ready")
    parser.add_argument("--json", action="store_true", help="print a JSON line a picture")
    parser.add_argument("--kaggle", type=Path, metavar="TABLE", help="answer each row of a CSV file, such as Kaggle's test.csv")
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="write a table here: a line a picture; with --kaggle ImageId,Label"
    )


def run(arguments: Namespace) -> int:
    """Recognise each picture. A bad one is reported in its turn and the others are read all the same; the exit status is 2 then."""
    device = choose_device(arguments.device)
    if arguments.kaggle:
        _answer_table(arguments, device)
        return 0
    if not arguments.images:
        raise ConfigError("Name the picture files to read, or a table of digits with --kaggle.")
    network, _ = open_weights(arguments.weights or DEFAULT_PICTURE_NETWORK)
    predictor, items = Predictor(network, device), []
    classify = None if arguments.single else picture_classifier()
    for path in find_pictures(arguments.images):
        began = time.perf_counter()
        try:
            found = recognise(predictor, read_picture(path), classify=classify, detect=digit_detector())
        except DataError as error:
            complain(error)
            items.append(Item(path, time.perf_counter() - began, str(error)))
            continue
        items.append(Item.of(path, found, time.perf_counter() - began))
        if arguments.json:
            print_json(
                {"image": str(path)} | (_as_single(found, network.output_shape[-1]) if arguments.single else _as_list(found))
            )
        else:
            print_line(f"{shown(path)}: {_words(found)}")
    if arguments.csv:
        write_atomically(arguments.csv, as_csv(items))
    return MISTAKE if any(item.problem for item in items) else 0


def _as_single(found: Sequence[Digit], classes: int) -> dict[str, Any]:
    """The one digit of a picture; None on a blank one, and where what is there is no digit."""
    digits = digits_of(found)
    if not digits:
        nothing = {"digit": None, "confidence": 0.0, "probabilities": [0.0] * classes, "sure": False, "likeliest": []}
        return nothing | {"no_digits": len(found)}
    answer = digits[0].answer
    told = {"digit": answer.digit, "confidence": answer.confidence, "probabilities": answer.probabilities.tolist()}
    return told | _trust(digits[0]) | {"no_digits": 0}


def _as_list(found: Sequence[Digit]) -> dict[str, Any]:
    """The digits of a picture in reading order, and how much else was found."""
    digits = digits_of(found)
    told = [
        {"digit": each.answer.digit, "confidence": each.answer.confidence, "box": list(each.box), "line": each.line} | _trust(each)
        for each in digits
    ]
    return {"lines": lines_of(found), "digits": told, "no_digits": len(found) - len(digits)}


def _trust(digit: Digit) -> dict[str, Any]:
    """Whether an answer is sure, and the two likeliest digits."""
    return {"sure": digit.verdict is Verdict.SURE, "likeliest": list(digit.answer.likeliest)}


def _words(found: Sequence[Digit]) -> str:
    """The one digit with its probability, or the lines of several and the least sure of them."""
    digits = digits_of(found)
    if not digits:
        return "no digit" if found else "no digit found"
    others = len(found) - len(digits)
    more = f", and {others} that {'is' if others == 1 else 'are'} no digit" if others else ""
    unsure = [digit for digit in digits if digit.verdict is Verdict.UNSURE]
    least = min(unsure or digits, key=lambda digit: digit.answer.confidence)
    share, (first, second) = percent(least.answer.confidence), least.answer.likeliest
    if len(digits) == 1:
        return (f"not sure: {first} or {second} ({share})" if unsure else f"{first} ({share})") + more
    place = f"the {first} of line {least.line + 1}"
    doubt = f"not sure: {place} may be {second}, {share}" if unsure else f"{place} is the least sure, {share}"
    if len(unsure) > 1:
        doubt += f"; {counted(len(unsure) - 1, 'other')} not sure either"
    return f"{' / '.join(lines_of(found))} ({doubt}){more}"


def _answer_table(arguments: Namespace, device: str) -> None:
    """Write the answer to each row, as Kaggle's "Digit Recognizer" wants it: ImageId,Label, counted from 1."""
    if arguments.images or arguments.json:
        raise ConfigError("--kaggle answers one table, as ImageId,Label; leave the pictures and --json out.")
    chosen = open_weights(arguments.weights) if arguments.weights else None
    images = read_kaggle(arguments.kaggle).images
    network, _ = chosen or open_weights(default_for(images.shape[1:]))
    answers = Predictor(network, device).predict(images).argmax(axis=1)
    text = "".join(["ImageId,Label\n", *(f"{number},{answer}\n" for number, answer in enumerate(answers, start=1))])
    if arguments.csv:
        write_atomically(arguments.csv, text.encode())
        console.print(
            f"{counted(len(answers), 'answer')} {'is' if len(answers) == 1 else 'are'} in {shown(arguments.csv)}.", soft_wrap=True
        )
    else:
        print_text(text)
