"""Letters and signs that are no digits, as strokes; and digits of the same hands, which are.

The strokes are those of the Hershey fonts (public domain, the package Hershey-Fonts).
"""

from __future__ import annotations

import string
from functools import cache

import numpy as np

from nncore.arrays import Array
from scripts.marks.pen import MARGIN, SIDE, Mark, bent, inked, mark, some_width

LIKE_DIGITS = "OoQDlI|SsZzBbgqij/\\()!1'`,.:;"
"""Signs that many a hand writes like a digit, or that are nothing but a bar or a dot."""
LATIN = ("futural", "rowmans", "rowmand", "scripts", "cursive", "timesi", "timesib", "timesr", "timesrb")
BLACKLETTER = ("gothiceng", "gothicger", "gothicita")
LATIN_HELD_OUT = ("futuram", "rowmant", "scriptc")
"""Hershey fonts with Latin letters, of which each sign is what its name says; the last are never learned from, but choose."""
OTHERS = ("greek", "greekc", "greeks", "cyrillic", "cyrilc_1", "japanese", "astrology", "markers")
OTHERS += ("meteorology", "music", "symbolic", "mathlow", "mathupp")
"""Hershey fonts of other letters and signs. What looks like a digit there must be found out by looking."""
MOST_WRITTEN = "CGUVJTLYaecnuvxyrtfhkmpwdAEFHKMNPRWX"
"""Letters that people write most, of which more are made."""


@cache
def _font(name: str) -> dict[str, Mark]:
    """The signs of a Hershey font that have strokes."""
    from HersheyFonts import HersheyFonts

    font = HersheyFonts()
    font.load_default_font(name)
    found = {}
    for sign, glyph in font.all_glyphs.items():
        strokes = [np.array(stroke, float) for stroke in glyph.strokes if len(stroke) > 1]
        if strokes and max(np.ptp(np.concatenate(strokes), axis=0)) > 0:
            found[sign] = mark(*strokes)
    return found


def letter(rng: np.random.Generator, fonts: tuple[str, ...] = LATIN + BLACKLETTER) -> Array:
    """Ink of a Latin letter or a sign, written in one of many hands; never one of LIKE_DIGITS."""
    fair = [sign for sign in string.ascii_letters + string.punctuation if sign not in LIKE_DIGITS]
    sign = str(rng.choice(list(MOST_WRITTEN) if rng.random() < 0.5 else fair))
    font = _font(str(rng.choice(fonts)))
    return written(font.get(sign) or font["A"], rng)


def syllable(rng: np.random.Generator, fonts: tuple[str, ...] = ("scripts", "cursive")) -> Array:
    """Ink of two to four letters that hang together, as in a line of handwriting."""
    font, strokes, place = _font(str(rng.choice(fonts))), [], 0.0
    for sign in rng.choice(list(string.ascii_lowercase), int(rng.integers(2, 5))):
        letter = font[str(sign)].strokes
        low, high = (float(find(np.concatenate(letter)[:, 0])) for find in (np.min, np.max))
        strokes += [stroke + np.array([place - low, 0]) for stroke in letter]
        place += high - low
    return written(mark(*strokes), rng)


def foreign(rng: np.random.Generator) -> Array:
    """Ink of a sign that is not Latin; it may look like a digit."""
    font = _font(str(rng.choice(OTHERS)))
    signs = [sign for sign in font if sign not in string.digits]
    return written(font[str(rng.choice(signs))], rng)


def digit(label: int, rng: np.random.Generator, fonts: tuple[str, ...] = LATIN) -> Array:
    """Ink of a digit in one of the same hands."""
    return written(_font(str(rng.choice(fonts)))[str(label)], rng)


def written(sign: Mark, rng: np.random.Generator) -> Array:
    """Ink of a sign as some hand writes it."""
    return inked(bent(sign, rng), min(some_width(rng), 12.0))


def seven_segments(label: int, rng: np.random.Generator) -> Array:
    """Ink of a digit as clocks and meters show it."""
    lit = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")[label]
    ends = {"a": (0, 0, 1, 0), "b": (1, 0, 1, 1), "c": (1, 1, 1, 2), "d": (0, 2, 1, 2), "e": (0, 1, 0, 2), "f": (0, 0, 0, 1)}
    ends["g"] = (0, 1, 1, 1)
    gap, across = rng.uniform(0, 0.14), rng.uniform(0.7, 1.1)
    strokes = []
    for x, y, to_x, to_y in (ends[each] for each in lit):
        along = np.array([to_x - x, to_y - y]) * gap
        strokes.append((np.array([[x, y], [to_x, to_y]]) + np.array([along, -along])) * (across, 1))
    return inked(bent(mark(*strokes), rng, warp=0.0, turn=0.03, slant=0.08), min(some_width(rng), 0.16 * (SIDE - 2 * MARGIN)))
