"""The images that choose the detector's weights and its line: other digits, fonts, icons and photographs than it learns from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scripts.marks import examples as made
from scripts.marks import letters, photos, typefaces
from scripts.marks.examples import Block, Maker

Rng = np.random.Generator


def mnist(rng: Rng) -> Block:
    return made.mnist_as_it_is(rng, held_out=True)


def mnist_seen_again(rng: Rng) -> Block:
    return made.mnist_seen_again(rng, held_out=True)


def coarse(rng: Rng) -> Block:
    return made.coarse(rng, held_out=True)


def on_pages(rng: Rng) -> Block:
    return made.on_pages(rng, held_out=True)


def of_other_hands(rng: Rng) -> Block:
    return made.of_the_hands(rng, letters.LATIN_HELD_OUT)


def in_other_type(rng: Rng) -> Block:
    return made.in_type(rng, typefaces.HELD_OUT)


def latin(rng: Rng) -> Block:
    return made.latin(rng, letters.LATIN_HELD_OUT)


def typed_letters(rng: Rng) -> Block:
    return made.typed_letters(rng, typefaces.HELD_OUT)


def typed_syllables(rng: Rng) -> Block:
    return made.typed_syllables(rng, typefaces.HELD_OUT)


def icons(rng: Rng) -> Block:
    return made.icons(rng, "held out")


def line_icons(rng: Rng) -> Block:
    return made.line_icons(rng, "held out")


def sketched(rng: Rng) -> Block:
    return made.sketched(rng, "held_out")


def overdrawn(rng: Rng) -> Block:
    return made.overdrawn(rng, held_out=True)


def broken(rng: Rng) -> Block:
    return made.broken(rng, held_out=True)


def photographs(rng: Rng) -> Block:
    return made.photographs(rng, photos.HELD_OUT)


DIGITS: Mapping[Maker, int] = {
    mnist: 8,
    mnist_seen_again: 2,
    coarse: 1,
    on_pages: 1,
    made.drawn: 2,
    made.drawn_by_other_hands: 2,
    made.drawn_small: 4,
    of_other_hands: 2,
    in_other_type: 2,
}
OTHERS: Mapping[Maker, int] = {
    latin: 2,
    typed_letters: 2,
    typed_syllables: 1,
    icons: 3,
    line_icons: 3,
    sketched: 4,
    made.doodles: 1,
    made.inventions: 1,
    made.creatures: 1,
    overdrawn: 1,
    broken: 1,
    made.noise: 1,
    made.scenes: 1,
    photographs: 2,
}
"""How many blocks of each kind choose."""
