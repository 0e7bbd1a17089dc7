"""The images that the detector learns from: digits of all kinds, and what is none, as the recogniser makes them for a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

from models.shipped import DEFAULT_PICTURE_NETWORK, open_weights, picture_classifier
from nncore.arrays import Array
from nncore.data import open_dataset
from nncore.data.synthetic import FOREIGN, HANDWRITING, Style, centre, draw_digits
from nncore.prediction import Predictor
from nncore.vision import centre_digit
from nncore.vision.resample import resized
from scripts.marks import letters, pages, photos, sketches, strange, typefaces
from scripts.marks.doodles import DOODLES, creature, invented
from scripts.marks.pen import SIDE, bent, inked, some_width, worn

OTHER = 10
"""The class of what is no digit."""
BLOCK = 250
"""Images are made so many at a time, each block from a random stream of its own."""
KEPT_BACK = 5000
"""So many of MNIST's training images, the last ones, are never learned from: they choose."""
CLEAR = 0.9
"""Where the digit network is as sure as this, on average over slants, what may look like a digit is not called none."""
LEGIBLE = 0.5
"""A digit of which the network that reads pictures is less sure is not learned: a blot, holes, four pixels."""
MUCH = 1.4
"""A digit to which so much ink was added, as a multiple of its own, is none, whatever the digit network says."""
MOST_PIECES = 25
"""Of one photograph."""
DRAWN = 72
"""Side in pixels of the sheet of drawn digits."""
PEN = (1.4, 7.0)
"""Least and largest radius of the pen there."""
ON_A_PAGE = 24
"""Digits of one page."""

Rng = np.random.Generator
Block = tuple[Array, Array]
"""uint8 (N, 28, 28, 1) and int64 (N): a digit, or OTHER"""


@cache
def _mnist(held_out: bool) -> Block:
    data = open_dataset("mnist", "train")
    part = slice(-KEPT_BACK, None) if held_out else slice(None, -KEPT_BACK)
    return data.images[part], data.labels[part]


def _centred(inks: list[Array], labels: Array) -> Block:
    return np.stack([centre_digit(ink) for ink in inks])[..., None], np.asarray(labels, np.int64)


def _others(inks: list[Array]) -> Block:
    return _centred(inks, np.full(len(inks), OTHER))


def mnist_as_it_is(rng: Rng, held_out: bool = False) -> Block:
    images, labels = _mnist(held_out)
    chosen = rng.integers(0, len(images), BLOCK)
    return images[chosen], labels[chosen]


def _large(count: int, rng: Rng, held_out: bool = False) -> tuple[list[Array], Array]:
    """Ink of images of MNIST as larger pictures of them would have it, and their labels."""
    images, labels = mnist_as_it_is(rng, held_out)
    return [resized(each[..., 0] * np.float32(1 / 255), (SIDE, SIDE)) for each in images[:count]], labels[:count]


def mnist_seen_again(rng: Rng, held_out: bool = False) -> Block:
    inks, labels = _large(BLOCK, rng, held_out)
    return _legible(_centred([worn(ink, rng) for ink in inks], labels))


def coarse(rng: Rng, held_out: bool = False) -> Block:
    """Digits that had only 9 to 18 pixels."""
    inks, labels = _large(BLOCK, rng, held_out)
    small = [resized(ink, (side, side)) for ink, side in zip(inks, rng.integers(9, 19, BLOCK), strict=True)]
    sharp = rng.random(BLOCK) < 0.3
    large = [resized((ink > 0.4).astype(np.float32) if hard else ink, (72, 72)) for ink, hard in zip(small, sharp, strict=True)]
    return _legible(_centred(large, labels))


def _drawn(style: Style, rng: Rng) -> Block:
    labels = rng.integers(0, 10, BLOCK)
    inks = draw_digits(labels, style, rng, side=DRAWN, size=rng.uniform(42, 60, BLOCK))
    return _legible(_centred([worn(ink, rng) for ink in inks], labels))


def drawn(rng: Rng) -> Block:
    return _drawn(Style(font_share=0.1, pen=PEN), rng)


def drawn_by_other_hands(rng: Rng) -> Block:
    return _drawn(Style(**{**vars(FOREIGN), "pen": PEN}), rng)


def drawn_small(rng: Rng) -> Block:
    """As `digitlab data` makes drawn digits, in 28×28 at once."""
    labels = rng.integers(0, 10, BLOCK)
    return centre(draw_digits(labels, FOREIGN if rng.random() < 0.5 else HANDWRITING, rng)), labels


def of_the_hands(rng: Rng, fonts: tuple[str, ...] = letters.LATIN) -> Block:
    labels = rng.integers(0, 10, BLOCK)
    return _centred([worn(letters.digit(int(each), rng, fonts), rng) for each in labels], labels)


def in_type(rng: Rng, faces: tuple[typefaces.Face, ...] = typefaces.LEARNED) -> Block:
    labels = rng.integers(0, 10, BLOCK)
    return _centred([worn(typefaces.typed_digit(int(each), faces, rng), rng) for each in labels], labels)


def segments(rng: Rng) -> Block:
    labels = rng.integers(0, 10, BLOCK)
    return _centred([worn(letters.seven_segments(int(each), rng), rng) for each in labels], labels)


def on_pages(rng: Rng, held_out: bool = False) -> Block:
    """Digits as they are cut out of pages with light, noise and rules."""
    images: list[Array] = []
    labels: list[int] = []
    while len(images) < BLOCK:
        if rng.random() < 0.5:
            inks, which = _large(ON_A_PAGE, rng, held_out)
        else:
            which = rng.integers(0, 10, ON_A_PAGE)
            style = FOREIGN if rng.random() < 0.5 else HANDWRITING
            inks = list(draw_digits(which, Style(**{**vars(style), "pen": (2.0, 4.5)}), rng, side=DRAWN, size=56.0))
        found, known = pages.cut_out(inks, which, rng)
        images += found
        labels += known
    return _legible((np.stack(images[:BLOCK]), np.array(labels[:BLOCK])))


def latin(rng: Rng, fonts: tuple[str, ...] = letters.LATIN + letters.BLACKLETTER) -> Block:
    return _others([worn(letters.letter(rng, fonts), rng) for _ in range(BLOCK)])


def syllables(rng: Rng) -> Block:
    return _unclear([worn(letters.syllable(rng), rng) for _ in range(BLOCK)])


def typed_letters(rng: Rng, faces: tuple[typefaces.Face, ...] = typefaces.LEARNED) -> Block:
    return _others([worn(typefaces.typed_letter(faces, rng), rng) for _ in range(BLOCK)])


def typed_syllables(rng: Rng, faces: tuple[typefaces.Face, ...] = typefaces.LEARNED) -> Block:
    return _unclear([worn(typefaces.typed_letters(faces, rng), rng) for _ in range(BLOCK)])


def foreign(rng: Rng) -> Block:
    return _unclear([worn(letters.foreign(rng), rng) for _ in range(BLOCK)])


def icons(rng: Rng, which: str = "learned") -> Block:
    return _others([worn(typefaces.icon(which, rng), rng) for _ in range(BLOCK)])


def line_icons(rng: Rng, which: str = "learned") -> Block:
    return _others([worn(typefaces.line_icon(which, rng), rng) for _ in range(BLOCK)])


def sketched(rng: Rng, which: str = "learned") -> Block:
    return _others([worn(sketches.sketch(which, rng), rng) for _ in range(BLOCK)])


def overdrawn(rng: Rng, held_out: bool = False) -> Block:
    """Digits with strokes too many; where they are little it may be a digit still."""
    inks, _ = _large(BLOCK, rng, held_out)
    drawn_on = [strange.overdrawn(ink, int(rng.integers(1, 5)), rng) for ink in inks]
    much = np.array([after.sum() >= MUCH * before.sum() for before, after in zip(inks, drawn_on, strict=True)])
    images, labels = _others([worn(ink, rng) for ink in drawn_on])
    return together([(images[much], labels[much]), _without_digits(images[~much])])


def doodles(rng: Rng) -> Block:
    chosen = rng.integers(0, len(DOODLES), BLOCK)
    return _others([worn(inked(bent(DOODLES[each](rng), rng), some_width(rng)), rng) for each in chosen])


def inventions(rng: Rng) -> Block:
    return _unclear([worn(inked(bent(invented(rng), rng), min(some_width(rng), 11.0)), rng) for _ in range(BLOCK)])


def creatures(rng: Rng) -> Block:
    return _unclear([worn(inked(bent(creature(rng), rng), min(some_width(rng), 11.0)), rng) for _ in range(BLOCK)])


def broken(rng: Rng, held_out: bool = False) -> Block:
    inks, _ = _large(BLOCK, rng, held_out)
    return _unclear([worn(strange.broken(ink, rng), rng) for ink in inks])


def joined(rng: Rng, held_out: bool = False) -> Block:
    (ones, _), (others, _) = _large(BLOCK, rng, held_out), _large(BLOCK, rng, held_out)
    return _unclear([worn(strange.joined(one, other, rng), rng) for one, other in zip(ones, others, strict=True)])


def noise(rng: Rng) -> Block:
    return _unclear([(strange.noise if rng.random() < 0.7 else strange.texture)(rng) for _ in range(BLOCK)])


def scenes(rng: Rng) -> Block:
    return _pieces(strange.photo, rng)


def photographs(rng: Rng, names: tuple[str, ...] = photos.LEARNED) -> Block:
    return _pieces(lambda each: photos.part_of_a_photo(names, each), rng)


def _pieces(picture: Callable[[Rng], Array], rng: Rng) -> Block:
    """Pieces that are found in pictures of no digit."""
    found: list[Array] = []
    while len(found) < BLOCK:
        pieces = [image for _, image in pages.pieces(picture(rng))]
        found += [pieces[each] for each in rng.permutation(len(pieces))[:MOST_PIECES]]
    return _without_digits(np.stack(found[:BLOCK]))


def _unclear(inks: list[Array]) -> Block:
    return _without_digits(_others(inks)[0])


def _without_digits(images: Array) -> Block:
    """Those that the digit network is not sure of."""
    kept = images[_slanted_answers(images).max(axis=1) < CLEAR]
    return kept, np.full(len(kept), OTHER)


def _legible(block: Block) -> Block:
    images, labels = block
    kept = _reader().predict(images).max(axis=1) >= LEGIBLE
    return images[kept], labels[kept]


@cache
def _reader() -> Predictor:
    return Predictor(open_weights(DEFAULT_PICTURE_NETWORK)[0])


def _slanted_answers(images: Array) -> Array:
    """The digit network's probabilities, (N, 10), as a mean over slants."""
    rows = np.arange(28)[:, None]
    slanted = [(np.arange(28)[None] + np.round(slant * (rows - 14)).astype(int)) % 28 for slant in (-0.3, 0.0, 0.3)]
    return np.mean([picture_classifier()(images[:, rows, columns]) for columns in slanted], axis=0)


Maker = Callable[[Rng], Block]

LEARNED: Mapping[Maker, int] = {
    mnist_as_it_is: 24,
    mnist_seen_again: 10,
    coarse: 6,
    drawn: 16,
    drawn_by_other_hands: 18,
    drawn_small: 10,
    of_the_hands: 8,
    in_type: 10,
    segments: 2,
    on_pages: 6,
    latin: 14,
    syllables: 2,
    typed_letters: 16,
    typed_syllables: 2,
    foreign: 5,
    icons: 24,
    doodles: 22,
    inventions: 10,
    creatures: 10,
    broken: 5,
    joined: 4,
    noise: 6,
    scenes: 3,
    photographs: 6,
    sketched: 30,
    line_icons: 16,
    overdrawn: 12,
}
"""How many blocks of each kind are made to learn from."""


def _block(place: tuple[Maker, int, int, int, Path | None]) -> Block:
    make, seed, kind, number, folder = place
    file = folder / f"{make.__name__}-{seed}-{kind}-{number}.npz" if folder else None
    if file and file.is_file():
        with np.load(file) as kept:
            return kept["images"], kept["labels"]
    images, labels = make(np.random.default_rng([seed, kind, number]))
    if file:
        partly = file.with_suffix(".part.npz")
        np.savez(partly, images=images, labels=labels)
        partly.rename(file)
    return images, labels


def examples(counts: Mapping[Maker, int], seed: int, processes: int, folder: Path | None = None) -> list[Block]:
    """The images of each kind, in its order; the same seed gives the same images.

    Blocks that lie in `folder` are taken from there, and those that are made are kept there.
    """
    places = [(make, seed, kind, number, folder) for kind, (make, count) in enumerate(counts.items()) for number in range(count)]
    with ProcessPoolExecutor(processes) as pool:
        made = list(pool.map(_block, places))
    ends = np.cumsum(list(counts.values()))
    return [together(made[end - count : end]) for end, count in zip(ends, counts.values(), strict=True)]


def together(blocks: list[Block]) -> Block:
    """Blocks, one after the other."""
    return np.concatenate([images for images, _ in blocks]), np.concatenate([labels for _, labels in blocks])
