"""What is said of pictures of no digit, and how many real digits are refused.

    python -m benchmarks doubt [--weights W] [--count N] [--seed S] [--pictures FOLDER]

Pictures that code makes (strange_pictures.py; the detector was trained on other shapes, letters and scenes) go the whole way from a
picture to its answers: noise, paper, letters, drawings, photographs. A picture counts as told where nothing on it is said to be a
digit, or nothing surely. `--pictures` takes a folder of pictures of no digit besides. Real digits are MNIST's test images, those of
`$DIGITLAB_DATA/wild`, and drawn ones; of these it counts which are called no digit, and of which the program is not sure. Nothing
here was trained on, but one threshold (DIGIT_FROM) was settled with these figures in view. Letters that many a hand writes like
digits are counted apart.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.report import machine, write
from benchmarks.strange_pictures import KINDS, Strange, letters_like_digits, pictures
from benchmarks.wild import listed
from models.shipped import DEFAULT_PICTURE_NETWORK, digit_detector, open_weights, picture_classifier
from nncore.arrays import Array
from nncore.backend.threads import cores
from nncore.data import open_dataset
from nncore.data.synthetic import HANDWRITING, draw_digits
from nncore.errors import DataError
from nncore.paths import data_folder
from nncore.prediction import Predictor
from nncore.recognition import Digit, Found, Verdict, answered, detected, recognise
from nncore.vision import read_picture

WANTED_TOLD, WANTED_REFUSED = 0.95, 0.02
COUNT = 100
SHEET, SIZE, PEN = 140, (45.0, 125.0), (3.5, 7.0)
"""Side of the sheet of a drawn digit, least and largest height of the digit and radius of the pen, in pixels."""


def told(found: Sequence[Digit]) -> Verdict:
    """What is said of a picture as a whole: a digit surely, one but not surely, or none."""
    verdicts = {digit.verdict for digit in found}
    return next((each for each in (Verdict.SURE, Verdict.UNSURE) if each in verdicts), Verdict.NO_DIGIT)


def shares(verdicts: Iterable[Verdict]) -> dict[Verdict, float]:
    """The share of each verdict."""
    every = list(verdicts)
    return {verdict: every.count(verdict) / max(len(every), 1) for verdict in Verdict}


def strange(predictor: Predictor, cases: Sequence[Strange]) -> dict[Verdict, float]:
    """What is said of pictures of no digit."""
    return shares(told(_recognised(predictor, case.picture, case.drawn)) for case in cases)


def _recognised(predictor: Predictor, picture: Array, drawn: bool = False) -> list[Digit]:
    return recognise(predictor, picture, drawn, picture_classifier(), digit_detector())


def of_mnist(predictor: Predictor) -> dict[Verdict, float]:
    """MNIST's test images, as they are, each by itself."""
    images = open_dataset("mnist", "test").images
    verdicts = []
    for start in range(0, len(images), 1000):
        found = [Found((0, 0, 28, 28), image) for image in images[start : start + 1000]]
        # Not beside each other: whether one is a digit says nothing about another.
        alone = [Found(each.box, each.image, 0, each.digit_probability) for each in detected(found, digit_detector())]
        verdicts += [digit.verdict for digit in answered(predictor.predict, alone)]
    return shares(verdicts)


def of_wild(predictor: Predictor) -> dict[str, dict[Verdict, float]]:
    """Single digits that people brought, by their source."""
    by_source: dict[str, list[Verdict]] = {}
    for each in listed(data_folder() / "wild" / "single"):
        by_source.setdefault(each.source, []).append(told(_recognised(predictor, read_picture(each.path))))
    return {source: shares(verdicts) for source, verdicts in by_source.items()}


def drawn(predictor: Predictor, count: int, seed: int) -> dict[Verdict, float]:
    """Digits drawn by code on our own sheet, of all sizes."""
    rng = np.random.default_rng([seed, 99])
    style = replace(HANDWRITING, pen=PEN)
    ink = draw_digits(np.arange(count) % 10, style, rng, side=SHEET, size=rng.uniform(*SIZE, count))
    sheets = np.round(ink * 255).astype(np.uint8)[..., None]
    return shares(told(_recognised(predictor, sheet, drawn=True)) for sheet in sheets)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks doubt", description="Pictures of no digit, and digits refused.")
    parser.add_argument("--weights", metavar="W", help="another network than the one that `predict` takes by itself")
    parser.add_argument("--count", type=int, default=COUNT, help=f"pictures of each kind ({COUNT})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="pictures of no digit besides those that code makes")
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/<machine>-doubt.json)")
    options = parser.parse_args(arguments)
    predictor = Predictor(open_weights(options.weights or DEFAULT_PICTURE_NETWORK)[0])
    print(f"{machine()}, {cores()} cores\n{'':44}{'no digit':>12}{'not sure':>12}{'sure':>12}")
    figures: dict[str, dict[str, float]] = {}

    def line(name: str, found: dict[Verdict, float], short: Callable[[dict[Verdict, float]], bool]) -> None:
        figures[name] = {verdict.value: share for verdict, share in found.items()}
        row = "".join(f"{found[verdict]:12.1%}" for verdict in (Verdict.NO_DIGIT, Verdict.UNSURE, Verdict.SURE))
        print(f"{name:44}{row}{'   not what is wanted' if short(found) else ''}")

    kinds = {kind: strange(predictor, pictures(kind, options.count, options.seed)) for kind in KINDS}
    for kind, found in kinds.items():
        line(kind, found, lambda each: 1 - each[Verdict.SURE] < WANTED_TOLD)
    if options.pictures:
        paths = sorted(path for path in options.pictures.iterdir() if path.is_file())
        line(str(options.pictures), strange(predictor, [Strange(read_picture(path)) for path in paths]), lambda _: False)
    line("all that code makes", _mean(kinds.values()), lambda each: 1 - each[Verdict.SURE] < WANTED_TOLD)
    line("letters like digits", strange(predictor, letters_like_digits(options.count, options.seed)), lambda _: False)
    digits = {"digits: drawn": drawn(predictor, options.count, options.seed)}
    try:
        digits["digits: MNIST, test"] = of_mnist(predictor)
    except DataError:
        print("MNIST is not here: digitlab data get mnist.")
    wild = of_wild(predictor)
    if wild:
        digits["digits: wild, mean over sources"] = _mean(wild.values())
    for name, found in digits.items():
        line(name, found, lambda each: 1 - each[Verdict.SURE] > WANTED_REFUSED)
    for source, found in wild.items():
        if found[Verdict.SURE] < 1:
            line(f"   {source}"[:43], found, lambda _: False)
    write("doubt", {"shares": figures}, options.out)
    return 0


def _mean(every: Iterable[dict[Verdict, float]]) -> dict[Verdict, float]:
    found = list(every)
    return {verdict: float(np.mean([each[verdict] for each in found])) for verdict in Verdict}
