"""The images that the detector learns from: digits of all kinds, and what is none, as the recogniser makes them for a network."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np

from models.shipped import picture_classifier
from nncore.arrays import Array
from nncore.data import open_dataset
from nncore.data.synthetic import Style, draw_digits
from nncore.vision import centre_digit, see_page
from nncore.vision.resample import resized
from scripts.marks import letters, strange
from scripts.marks.doodles import DOODLES, creature, invented
from scripts.marks.pen import SIDE, bent, inked, some_width, worn

OTHER = 10
"""The class of what is no digit."""
BLOCK = 250
"""Images are made so many at a time, each block from a random stream of its own."""
CLEAR = 0.9
"""Where the digit network is as sure as this, on average over slants, what may look like a digit is not called none."""
MOST_PIECES = 25
"""Of one photograph."""
DRAWN = 72
"""Side in pixels of the sheet of drawn digits."""
PENS = Style(font_share=0.1, pen=(1.5, 5.0))

Rng = np.random.Generator
Block = tuple[Array, Array]
"""uint8 (N, 28, 28, 1) and int64 (N): a digit, or OTHER"""


@cache
def _mnist() -> Block:
    data = open_dataset("mnist", "train")
    return data.images, data.labels


def _centred(inks: list[Array], labels: Array) -> Block:
    return np.stack([centre_digit(ink) for ink in inks])[..., None], np.asarray(labels, np.int64)


def _others(inks: list[Array]) -> Block:
    return _centred(inks, np.full(len(inks), OTHER))


def mnist_as_it_is(rng: Rng) -> Block:
    images, labels = _mnist()
    chosen = rng.integers(0, len(images), BLOCK)
    return images[chosen], labels[chosen]


def _large(chosen: Array, rng: Rng) -> list[Array]:
    """Ink of images of MNIST as a larger picture of them would have it."""
    return [worn(resized(each[..., 0] * np.float32(1 / 255), (SIDE, SIDE)), rng) for each in _mnist()[0][chosen]]


def mnist_seen_again(rng: Rng) -> Block:
    chosen = rng.integers(0, len(_mnist()[0]), BLOCK)
    return _centred(_large(chosen, rng), _mnist()[1][chosen])


def drawn(rng: Rng) -> Block:
    labels = rng.integers(0, 10, BLOCK)
    inks = draw_digits(labels, PENS, rng, side=DRAWN, size=rng.uniform(42, 60, BLOCK))
    return _centred([worn(ink, rng) for ink in inks], labels)


def of_the_hands(rng: Rng) -> Block:
    labels = rng.integers(0, 10, BLOCK)
    return _centred([worn(letters.digit(int(each), rng), rng) for each in labels], labels)


def segments(rng: Rng) -> Block:
    labels = rng.integers(0, 10, BLOCK)
    return _centred([worn(letters.seven_segments(int(each), rng), rng) for each in labels], labels)


def latin(rng: Rng) -> Block:
    return _others([worn(letters.letter(rng), rng) for _ in range(BLOCK)])


def foreign(rng: Rng) -> Block:
    return _unclear([worn(letters.foreign(rng), rng) for _ in range(BLOCK)])


def doodles(rng: Rng) -> Block:
    chosen = rng.integers(0, len(DOODLES), BLOCK)
    return _others([worn(inked(bent(DOODLES[each](rng), rng), some_width(rng)), rng) for each in chosen])


def inventions(rng: Rng) -> Block:
    return _unclear([worn(inked(bent(invented(rng), rng), min(some_width(rng), 16.0)), rng) for _ in range(BLOCK)])


def creatures(rng: Rng) -> Block:
    return _unclear([worn(inked(bent(creature(rng), rng), min(some_width(rng), 16.0)), rng) for _ in range(BLOCK)])


def broken(rng: Rng) -> Block:
    inks = _large(rng.integers(0, len(_mnist()[0]), BLOCK), rng)
    return _unclear([strange.broken(ink, rng) for ink in inks])


def joined(rng: Rng) -> Block:
    inks = _large(rng.integers(0, len(_mnist()[0]), 2 * BLOCK), rng)
    return _unclear([strange.joined(one, other, rng) for one, other in zip(inks[::2], inks[1::2], strict=True)])


def noise(rng: Rng) -> Block:
    return _unclear([(strange.noise if rng.random() < 0.7 else strange.texture)(rng) for _ in range(BLOCK)])


def photographed(rng: Rng) -> Block:
    """Pieces that are found in pictures of no digit."""
    found: list[Array] = []
    while len(found) < BLOCK:
        pieces = [each.image for each in see_page(strange.photo(rng), picture_classifier()).digits]
        found += [pieces[each] for each in rng.permutation(len(pieces))[:MOST_PIECES]]
    return _without_digits(np.stack(found[:BLOCK]))


def _unclear(inks: list[Array]) -> Block:
    return _without_digits(_others(inks)[0])


def _without_digits(images: Array) -> Block:
    """Those that the digit network is not sure of."""
    rows = np.arange(28)[:, None]
    slanted = [(np.arange(28)[None] + np.round(slant * (rows - 14)).astype(int)) % 28 for slant in (-0.3, 0.0, 0.3)]
    answers = np.mean([picture_classifier()(images[:, rows, columns]) for columns in slanted], axis=0)
    kept = images[answers.max(axis=1) < CLEAR]
    return kept, np.full(len(kept), OTHER)


BLOCKS: dict[Callable[[Rng], Block], int] = {
    mnist_as_it_is: 48,
    mnist_seen_again: 16,
    drawn: 16,
    of_the_hands: 10,
    segments: 3,
    latin: 36,
    doodles: 32,
    inventions: 12,
    foreign: 10,
    broken: 8,
    joined: 3,
    noise: 8,
    photographed: 1,
    creatures: 20,
}
"""How many blocks of each kind are made."""


def _block(place: tuple[int, int, int]) -> Block:
    seed, kind, number = place
    return list(BLOCKS)[kind](np.random.default_rng([seed, kind, number]))


def examples(seed: int, processes: int) -> Block:
    """All blocks, one after the other; the same seed gives the same images."""
    places = [(seed, kind, number) for kind, count in enumerate(BLOCKS.values()) for number in range(count)]
    with ProcessPoolExecutor(processes) as pool:
        made = list(pool.map(_block, places))
    return np.concatenate([images for images, _ in made]), np.concatenate([labels for _, labels in made])
