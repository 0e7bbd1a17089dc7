"""What the network sees of a picture, and every step on the way there, to show the user what happened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from nncore.arrays import Array, Shape
from nncore.vision.centring import centre_digit, ink_box
from nncore.vision.dirt import clean
from nncore.vision.ink import LONGEST_SIDE, ink_of
from nncore.vision.light import GREY_WEIGHTS, Light, brightness, evened
from nncore.vision.lines import Layout, find_lines
from nncore.vision.memory import Memory
from nncore.vision.pen import written
from nncore.vision.pieces import Pieces, find_pieces
from nncore.vision.resample import resized, shrunk
from nncore.vision.rules import without_rules
from nncore.vision.segments import Classifier, Parting, part
from nncore.vision.sheet import Sheet, find_sheet

PAGE_SIDE = 1600
"""Larger pictures of many digits are shrunk first."""

MOST_PIECES = 1000
"""Ink in more pieces is no page of digits."""
MARGIN = 12
"""Pixels around the ink of a drawing that are shown."""
FRAME_COLOUR = (240, 163, 94)
"""Red, green and blue of the frames around digits."""

Box: TypeAlias = tuple[int, int, int, int]
"""(x, y, width, height) of a part of a picture, in its pixels."""


class Stage(NamedTuple):
    """One step from a picture to its digits."""

    title: str
    pixels: Array
    """uint8 (height, width, 1 or 3)"""
    words: str
    """What was done, in a sentence or two."""


@dataclass(frozen=True, eq=False)
class Sighted:
    """One digit in a picture."""

    box: Box
    image: Array
    """uint8 (28, 28, 1), bright on black, as in MNIST"""
    line: int = 0
    """The line it stands in, from 0."""


@dataclass(frozen=True, eq=False)
class Sight:
    """A picture as the network sees it."""

    digits: tuple[Sighted, ...]
    """In reading order; empty where nothing but paper was found."""
    stages: list[Stage]
    """Each step, from the picture to the digits."""

    @property
    def blank(self) -> bool:
        """Whether no digit was found."""
        return not self.digits

    @property
    def image(self) -> Array:
        """That of the first digit; all zero where there is none."""
        return self.digits[0].image if self.digits else np.zeros((28, 28, 1), np.uint8)


def see_digit(picture: Array) -> Sight:
    """Find the one digit in a uint8 picture (height, width, 1 or 3), dark on bright or bright on dark, and make it MNIST's."""
    ink, stages = _ink_stages(picture, shrunk(picture, LONGEST_SIDE))
    return _one_digit(picture, ink, stages)


def see_page(picture: Array, classify: Classifier) -> Sight:
    """Find all digits, one or many, in a uint8 picture (height, width, 1 or 3), dark on bright or bright on dark.

    What belongs together, and what is parted where strokes touch, is decided by what `classify` is surest of.
    """
    sheet = find_sheet(picture, PAGE_SIDE)
    ink, stages = _ink_stages(picture, sheet.picture)
    if sheet.found:
        words = f"The paper lies on something else; seen from straight above it is {_size(sheet.picture)}."
        stages.insert(1, Stage("Sheet of paper", sheet.picture, words))
    return _many_digits(picture, sheet, find_pieces(ink), stages, classify)


def see_drawing(picture: Array, classify: Classifier | None = None) -> Sight:
    """Make MNIST's digits of a drawing on our own sheet: uint8 (height, width, 1), ink 255 on 0.

    What must be found out of a photograph, where the ink is and how dark, is known here; so it takes a tenth of the time, and
    a pen can be followed. Where `classify` is a Memory, and the same for every state of the drawing, digits that are finished
    cost next to nothing. Without `classify` the drawing is taken to be one digit.
    """
    stages = [Stage("Picture", picture, f"A drawing of {_size(picture)} pixels.")]
    if classify is None:
        return _one_digit(picture, picture[..., 0] * np.float32(1 / 255), stages)
    if isinstance(classify, Memory):
        pieces = classify.pieces(picture[..., 0])
    else:
        pieces = find_pieces(picture[..., 0] * np.float32(1 / 255))
    return _many_digits(picture, Sheet(picture, np.eye(3), False), pieces, stages, classify, drawn=True)


def _ink_stages(picture: Array, small: Array) -> tuple[Array, list[Stage]]:
    """The ink of a picture without dirt, float32 (rows, columns), and the stages to there. `small` is what is looked at of it."""
    light = evened(brightness(small))
    ink = ink_of(light.depth)
    plain, rules = without_rules(ink)
    cleaned = clean(plain)
    looked_at = "" if small.shape == picture.shape else f", looked at in {_size(small)}"
    stages = [
        Stage("Picture", picture, f"{_size(picture)} pixels{looked_at}."),
        Stage("Even light", _shown(light.depth / max(float(light.depth.max()), 1.0)), _light_words(light)),
        Stage(
            "Ink", _shown(ink), f"Ink covers {100 * float(ink.mean()):.1f} % of the picture." if ink.any() else "No ink was found."
        ),
    ]
    if rules:
        stages.append(Stage("Without rules", _shown(plain), f"Ruled lines removed: {rules}."))
    stages.append(Stage("Cleaned", _shown(cleaned), _dirt_words(plain, cleaned)))
    return cleaned, stages


def _one_digit(picture: Array, ink: Array, stages: list[Stage]) -> Sight:
    """All ink is taken for one digit."""
    box = ink_box(ink)
    if box is None:
        return Sight((), stages)
    image = centre_digit(ink)[..., None]
    place = box[0].start, box[1].start, box[0].stop, box[1].stop
    down, across = picture.shape[0] / ink.shape[0], picture.shape[1] / ink.shape[1]
    whole = place[0] * down, place[1] * across, place[2] * down, place[3] * across
    return Sight((Sighted(_box_in(picture, whole), image),), stages + _last_stages(ink, place, image))


def _last_stages(ink: Array, box: Sequence[int], image: Array) -> list[Stage]:
    """The last two stages of a picture of one digit, whose box is in rows and columns of the ink."""
    top, left, bottom, right = box
    cropped = _shown(ink[top:bottom, left:right])
    return [
        Stage("Cropped", cropped, f"The digit is {_size(cropped)} pixels."),
        Stage("Centred", image, "Scaled into 20×20 pixels, its centre of mass in the middle of 28×28, as MNIST's digits were."),
    ]


def _many_digits(
    picture: Array, sheet: Sheet, pieces: Pieces, stages: list[Stage], classify: Classifier, drawn: bool = False
) -> Sight:
    """The pieces of ink, which lie on the sheet, are parted into digits."""
    if len(pieces) > MOST_PIECES:
        words = f"No digit was found; ink in {len(pieces):,} pieces is a texture."
        return Sight((), [*stages, Stage("Lines and digits", sheet.picture, words)])
    layout = find_lines(pieces.boxes[1:])
    parting = part(pieces, layout, classify, classify.centre if isinstance(classify, Memory) else centre_digit)
    every = [segment for line in parting.lines for segment in line]
    # What was drawn on our own sheet is from a pen.
    sound = [True] * len(every) if drawn else written([parting.pieces.crop(segment.pieces) for segment in every])
    strange = {segment.pieces for segment, good in zip(every, sound, strict=True) if not good}
    lines = [kept for line in parting.lines if (kept := [segment for segment in line if segment.pieces not in strange])]
    digits = tuple(
        Sighted(_box_in(picture, sheet.box(segment.box, pieces.ink.shape)), segment.image[..., None], number)
        for number, line in enumerate(lines)
        for segment in line
    )
    if len(digits) == 1:
        return Sight(digits, stages + _last_stages(pieces.ink, lines[0][0].box, digits[0].image))
    boxed = _boxed(sheet.picture, [segment.box for line in lines for segment in line], pieces.boxes[1:] if drawn else None)
    words = _page_words(layout, parting, len(lines), len(digits), len(strange))
    return Sight(digits, [*stages, Stage("Lines and digits", boxed, words)])


def fit_colour(picture: Array, shape: Shape) -> Array:
    """A uint8 picture (height, width, 1 or 3) made `shape` = (height, width, 1 or 3): padded by its edges, resized, coloured."""
    rows, columns, channels = shape
    # A picture of one long line would be filled up to a square of any size.
    picture = shrunk(picture, max(rows, columns, LONGEST_SIDE))
    tall, wide = picture.shape[:2]
    # The shorter way is filled up with what lies at the border.
    more_rows = max(0, round(wide * rows / columns) - tall)
    more_columns = max(0, round(tall * columns / rows) - wide)
    around = ((more_rows // 2, more_rows - more_rows // 2), (more_columns // 2, more_columns - more_columns // 2), (0, 0))
    fitted = resized(np.pad(picture, around, mode="edge"), (rows, columns))
    if channels == 1 and fitted.shape[2] == 3:
        fitted = np.round(fitted @ GREY_WEIGHTS)[..., None].astype(np.uint8)
    return np.array(np.broadcast_to(fitted, shape))


def _box_in(picture: Array, box: Sequence[float]) -> Box:
    """First and last rows and columns, real numbers, as a box of whole pixels that lies in the picture."""
    height, width = picture.shape[:2]
    # What should be whole may miss it by a rounding error.
    top, left = (max(math.floor(each + 1e-6), 0) for each in box[:2])
    bottom, right = min(math.ceil(box[2] - 1e-6), height), min(math.ceil(box[3] - 1e-6), width)
    return left, top, max(right - left, 1), max(bottom - top, 1)


def _boxed(picture: Array, boxes: Sequence[Sequence[int]], inked: Array | None = None) -> Array:
    """The picture in colour with a frame around each box of first and last rows and columns.

    Of a picture of which only what lies in the boxes `inked` is ink, int64 (N, 4), the paper farther out is left away.
    """
    if inked is not None and len(inked):
        (top, left), (bottom, right) = np.maximum(inked[:, :2].min(axis=0) - MARGIN, 0).tolist(), inked[:, 2:].max(axis=0) + MARGIN
        picture = picture[top:bottom, left:right]
        boxes = [(box[0] - top, box[1] - left, box[2] - top, box[3] - left) for box in boxes]
    framed = np.empty((*picture.shape[:2], 3), np.uint8)
    for channel in range(3):  # all at once takes seven times as long
        framed[..., channel] = picture[..., channel % picture.shape[2]]
    width = max(1, max(framed.shape) // 400)
    for top, left, bottom, right in boxes:
        top, left = max(top - width, 0), max(left - width, 0)
        for place in (
            (slice(top, top + width), slice(left, right + width)),
            (slice(bottom, bottom + width), slice(left, right + width)),
            (slice(top, bottom + width), slice(left, left + width)),
            (slice(top, bottom + width), slice(right, right + width)),
        ):
            framed[place] = FRAME_COLOUR
    return framed


def _shown(values: Array) -> Array:
    return np.round(values * 255).astype(np.uint8)[..., None]


def _size(picture: Array) -> str:
    return f"{picture.shape[0]:,}×{picture.shape[1]:,}"


def _light_words(light: Light) -> str:
    kind = "Bright ink on dark paper" if light.dark_paper else "Dark ink on bright paper"
    if light.dark_paper or light.weakest > 0.95:
        return f"{kind}; the light is even."
    return f"{kind}; light that falls to {100 * light.weakest:.0f} % of its brightest evened out."


def _dirt_words(ink: Array, cleaned: Array) -> str:
    before, after = float(ink.sum()), float(cleaned.sum())
    return "Nothing was thrown away." if after >= before else f"{100 * (1 - after / before):.1f} % of the ink thrown away as dirt."


def _page_words(layout: Layout, parting: Parting, lines: int, digits: int, strange: int) -> str:
    no_pen = f"{strange} of what was found cannot be from a pen: too thick or too soft" if strange else ""
    if not digits:
        return f"No digit was found; {no_pen}." if strange else "No digit was found."
    told = [f"{digits} digits in {lines} line{'s' if lines > 1 else ''}"]
    if layout.columns > 1:
        told[0] += f" and {layout.columns} columns"
    if parting.joined:
        told.append(f"{parting.joined} put together from several pieces")
    if parting.cut:
        told.append(f"{parting.cut} cut{'s' if parting.cut > 1 else ''} where digits touch")
    if strange:
        told.append(no_pen)
    degrees = math.degrees(math.atan(layout.slope))
    if abs(degrees) >= 0.5:
        told.append(f"the lines {'fall' if degrees > 0 else 'rise'} by {abs(degrees):.1f}°")
    return ", ".join(told) + "."
