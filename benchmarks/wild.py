"""How the whole way from a picture to its digits does on pictures that people brought.

    python -m benchmarks wild [--weights W] [--wrong] [--no-page]

Every picture of `$DIGITLAB_DATA/wild` goes through `digitlab predict`, which is not told whether it holds one digit or many. Single
digits: the accuracy of each source, and the mean over sources, so that a large source counts no more than a small one. Pictures of
several digits count where every digit and every line is right. None of these pictures is ever trained on.

Besides, a page of 100 digits drawn by code, photographed in 12 megapixels on a table in half a shadow: how long reading it takes.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.drawn_pages import noisy, page, ruled, seen_from, shaded, some_lines
from benchmarks.report import machine, write
from models.shipped import DEFAULT_PICTURE_NETWORK, digit_detector, open_weights, picture_classifier
from nncore.backend.threads import cores
from nncore.paths import data_folder
from nncore.prediction import Predictor
from nncore.recognition import recognise

WANTED = {"single": 0.995, "lines": 10 / 11}
"""The least share of right answers."""
WANTED_SECONDS = 3.0


@dataclass(frozen=True)
class Picture:
    """A picture and what it says."""

    path: Path
    label: str
    """Its digits, "/" between lines."""
    source: str


def listed(folder: Path) -> list[Picture]:
    """The pictures of a folder's manifest.csv; none where there is no manifest."""
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8", newline="") as file:
        return [Picture(folder / row["path"], row["label"], row["source_repo"]) for row in csv.DictReader(file)]


def read(pictures: Sequence[Picture], weights: str | None) -> list[str]:
    """What `digitlab predict` reads in each picture, "/" between lines."""
    command = [sys.executable, "-m", "app", "predict", "--json", *(["--weights", weights] if weights else [])]
    done = subprocess.run([*command, *(str(each.path) for each in pictures)], capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(pictures):
        raise SystemExit(done.stderr.strip() or "digitlab predict did not answer every picture.")
    return ["/".join(answer["lines"]) for answer in answers]


def by_source(pictures: Sequence[Picture], answers: Sequence[str]) -> dict[str, tuple[int, int]]:
    """How many of each source's pictures are right, and how many there are."""
    right: dict[str, list[bool]] = defaultdict(list)
    for picture, answer in zip(pictures, answers, strict=True):
        right[picture.source].append(answer == picture.label)
    return {source: (sum(each), len(each)) for source, each in right.items()}


def reading_a_page(rounds: int = 3) -> tuple[float, int]:
    """Median of the seconds that a photograph of 12 megapixels with 100 digits takes, and how many digits are found."""
    drawn = page(some_lines(3, 10, 10), seed=3, height=110, gap=0.6, leading=2.2)
    paper = noisy(shaded(ruled(drawn.picture, 80), 0.5, 0.6), 6)
    photo = seen_from(paper, [(0.1, 0.06), (0.9, 0.08), (0.93, 0.95), (0.06, 0.93)], (4000, 3000))
    predictor = Predictor(open_weights(DEFAULT_PICTURE_NETWORK)[0])
    times, found = [], 0
    for _ in range(rounds + 1):
        start = time.perf_counter()
        found = len(recognise(predictor, photo, classify=picture_classifier(), detect=digit_detector()))
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:]), found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks wild", description="Read pictures that people brought.")
    parser.add_argument("--weights", metavar="W", help="another network than the one that `predict` takes by itself")
    parser.add_argument("--wrong", action="store_true", help="list every picture that is read wrongly")
    parser.add_argument("--no-page", action="store_true", help="leave out how long reading a drawn page takes")
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/<machine>-wild.json)")
    options = parser.parse_args(arguments)
    folder = data_folder() / "wild"
    if not folder.is_dir():
        print(f"There is no {folder}; pictures go into single and lines in it, each with a manifest.csv.")
        return 0
    print(f"{machine()}, {cores()} cores")
    figures: dict[str, object] = {}
    for part, wanted in WANTED.items():
        pictures = listed(folder / part)
        if not pictures:
            continue
        start = time.perf_counter()
        answers = read(pictures, options.weights)
        seconds = time.perf_counter() - start
        sources = by_source(pictures, answers)
        for source, (right, count) in sources.items():
            print(f"{part:8}{source:60}{right:6,} of {count:6,}{right / count:10.2%}")
        if part == "single":
            share, words = statistics.mean(right / count for right, count in sources.values()), "mean over sources"
        else:
            share, words = sum(right for right, _ in sources.values()) / len(pictures), "exact pictures"
        short = "   less than is wanted" if share < wanted - 1e-9 else ""
        print(f"{part:8}{words:60}{share:26.2%}   {seconds:.1f} s in all{short}")
        if options.wrong:
            for picture, answer in zip(pictures, answers, strict=True):
                if answer != picture.label:
                    print(f"        {picture.path.relative_to(folder)}: {picture.label!r} read as {answer!r}")
        figures[part] = {"share": share, "seconds": seconds, "sources": sources}
    if not options.no_page:
        seconds, found = reading_a_page()
        short = "   slower than is wanted" if seconds > WANTED_SECONDS else ""
        print(f"page    {'12 megapixels, 100 digits':60}{found:6,} found{seconds:15.2f} s{short}")
        figures["page"] = {"seconds": seconds, "found": found}
    write("wild", figures, options.out)
    return 0
