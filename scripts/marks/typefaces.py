"""Letters, digits and words set in type, and icons: what the fonts of some packages (the extra `ship`) look like as ink.

Fonts and icons are parted: what is in HELD_OUT is never learned from, but chooses.
"""

from __future__ import annotations

import json
import string
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import grey_dilation, grey_erosion, map_coordinates

from nncore.arrays import Array
from scripts.marks.letters import LIKE_DIGITS
from scripts.marks.pen import SIDE

Rng = np.random.Generator
Face = tuple[str, str]
"""A package and a file in it; ("", "") is Pillow's own font."""

LEARNED: tuple[Face, ...] = (
    ("", ""),
    ("font_intuitive", "files/Intuitive.ttf"),
    ("font_fredoka_one", "files/FredokaOne-Regular.ttf"),
    ("font_caladea", "files/Caladea-Regular.ttf"),
    ("font_caladea", "files/Caladea-BoldItalic.ttf"),
    ("font_roboto", "files/Roboto-Thin.ttf"),
    ("font_roboto", "files/Roboto-Black.ttf"),
    ("font_roboto", "files/Roboto-Italic.ttf"),
    ("font_hanken_grotesk", "files/HankenGrotesk-Light.otf"),
    ("font_hanken_grotesk", "files/HankenGrotesk-BoldItalic.otf"),
    ("font_source_serif_pro", "files/SourceSerifPro-Regular.ttf"),
    ("font_source_serif_pro", "files/SourceSerifPro-BoldIt.ttf"),
    ("font_manrope", "files/Manrope-Medium.ttf"),
)
HELD_OUT: tuple[Face, ...] = (
    ("font_amatic_sc", "files/AmaticSC-Bold.ttf"),
    ("font_lato", "files/Lato-Regular.ttf"),
    ("font_lato", "files/Lato-BoldItalic.ttf"),
    ("font_lato", "files/Lato-Light.ttf"),
)
WITH_GREEK_AND_CYRILLIC = tuple(face for face in LEARNED if face[0] in ("font_roboto", "font_source_serif_pro"))
LETTERS = "".join(sign for sign in string.ascii_letters + "&#%@?+=<>~*ÄÖÜßÉàçñ" if sign not in LIKE_DIGITS)
FOREIGN = "ΓΔΛΞΠΣΦΨΩαεζηκλμνξπτφχψωБГДЖИЙКЛМНПРТУФХЦШЩЮЯавгдежийклмнпртуфхцшщюя"
"""Greek and Cyrillic letters, without those that look like digits."""

CAPITALS_ONLY = ("font_amatic_sc",)
"""Packages whose small letters look like capitals."""

ICONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "learned": ("fonticon_mdi7", ("MDI7",)),
    "held out": ("fonticon_fa6", ("FA6R", "FA6S")),
}
LINE_ICONS = {"learned": ("phosphor", "1.3.0"), "held out": ("remixicon", "2.5.0")}
"""Fonts of the package qtawesome whose icons are lines, and their versions."""
FILLED = "fill"
"""Ends the names of those that are not."""
WITH_DIGITS = ("numeric", "number", "digit", "counter", "roman", "dice", "_1", "_2", "_3", "_4", "_5", "_6", "_7", "_8", "_9", "_0")
WITH_DIGITS += ("calendar", "clock", "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7", "fa8", "fa9", "fa0", "alpha_", "letter")
WITH_DIGITS += ("_24", "_4k", "h_1", "h_2", "h_3", "h_4", "h_5", "h_6", "timer", "time_")
LIKE_DIGIT = (
    "balloon",
    "chat",
    "comment",
    "message",
    "coin",
    "planet",
    "record",
    "circle",
    "ellipse",
    "oval",
    "ring",
    "egg",
    "minus",
    "slash",
    "pipe",
    "vertical",
    "null",
    "currency",
    "format_",
    "infinity",
)
"""Parts of the names of icons that hold a digit or a letter, or may look like one."""


@cache
def _font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    package, file = face
    if not package:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont)
        return font
    return ImageFont.truetype(str(_folder(package) / file), size)


def _folder(package: str) -> Path:
    """Where a package lies, which is not imported."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is missing: pip install -e '.[ship]'")
    return Path(next(iter(spec.submodule_search_locations)))


def typed(text: str, face: Face, rng: Rng) -> Array:
    """Ink of some text in a face, float32 (SIDE, SIDE or more), regular or bolder, slanted, turned and stretched at random."""
    font, bold = _font(face, 64), int(rng.choice([0, 0, 0, 1, 2]))
    wide = max(SIDE, round(font.getlength(text)) + 32)
    sheet = Image.new("L", (wide, SIDE))
    ImageDraw.Draw(sheet).text((wide / 2, SIDE / 2), text, fill=255, font=font, anchor="mm", stroke_width=bold, stroke_fill=255)
    return pressed(np.asarray(sheet, np.float32) / 255, rng, warp=0.006)


def typed_letter(faces: tuple[Face, ...], rng: Rng) -> Array:
    """Ink of a letter or a sign that no digit looks like."""
    if faces is LEARNED and rng.random() < 0.25:
        faces, signs = WITH_GREEK_AND_CYRILLIC, FOREIGN
    else:
        signs = LETTERS
    face = faces[int(rng.integers(0, len(faces)))]
    if face[0] in CAPITALS_ONLY:
        signs = "".join(sign for sign in signs if sign.upper() not in LIKE_DIGITS)
    return typed(str(rng.choice(list(signs))), face, rng)


def typed_letters(faces: tuple[Face, ...], rng: Rng) -> Array:
    """Ink of two to four letters, close beside each other as in a word."""
    text = "".join(str(each) for each in rng.choice(list(string.ascii_lowercase), int(rng.integers(2, 5))))
    return typed(text, faces[int(rng.integers(0, len(faces)))], rng)


def typed_digit(label: int, faces: tuple[Face, ...], rng: Rng) -> Array:
    """Ink of a digit."""
    return typed(str(label), faces[int(rng.integers(0, len(faces)))], rng)


@cache
def _icons(which: str) -> tuple[tuple[Face, str], ...]:
    """The font and the sign of each icon."""
    package, classes = ICONS[which]
    module, found = import_module(package), []
    for name in classes:
        icons = getattr(module, name)
        file = icons.__font_file__.removeprefix(str(_folder(package))).strip("/\\")
        for icon, sign in vars(icons).items():
            if not icon.startswith("__") and isinstance(sign, str) and _is_fair(icon):
                found.append(((package, file), sign[-1]))
    return tuple(found)


@cache
def _line_icons(which: str) -> tuple[tuple[Face, str], ...]:
    """The font and the sign of each icon that is drawn with lines."""
    name, version = LINE_ICONS[which]
    signs = json.loads((_folder("qtawesome") / f"fonts/{name}-charmap-{version}.json").read_text("utf-8"))
    face = "qtawesome", f"fonts/{name}-{version}.ttf"
    return tuple((face, chr(int(sign, 16))) for icon, sign in signs.items() if not icon.endswith(FILLED) and _is_fair(icon))


def _is_fair(icon: str) -> bool:
    """Whether no digit is to be expected in an icon of that name."""
    name = f"_{icon}".lower().replace("-", "_")
    return not any(part in name for part in WITH_DIGITS + LIKE_DIGIT)


def icon(which: str, rng: Rng) -> Array:
    """Ink of an icon, filled or as its outline, drawn as a hand would; float32 (SIDE, SIDE)."""
    ink = _printed(_icons(which), rng)
    if rng.random() < 0.5:
        width = int(rng.integers(2, 6))
        ink = grey_dilation(ink, (width, width)) - grey_erosion(ink, (2, 2))
    return pressed(ink, rng, warp=0.02)


def line_icon(which: str, rng: Rng) -> Array:
    """Ink of an icon of lines, thinner or wider, drawn as a hand would; float32 (SIDE, SIDE)."""
    ink = _printed(_line_icons(which), rng)
    width = int(rng.integers(1, 6))
    return pressed(grey_dilation(ink, (width, width)), rng, warp=0.02)


def _printed(icons: tuple[tuple[Face, str], ...], rng: Rng) -> Array:
    face, sign = icons[int(rng.integers(0, len(icons)))]
    sheet = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(sheet).text((SIDE / 2, SIDE / 2), sign, fill=255, font=_font(face, 72), anchor="mm")
    return np.asarray(sheet, np.float32) / 255


def pressed(ink: Array, rng: Rng, warp: float, turn: float = 0.08, slant: float = 0.12) -> Array:
    """Ink (rows, columns) waved, slanted, turned and stretched at random; `warp` is how far, as a share of the height."""
    rows, columns = ink.shape
    y, x = np.indices(ink.shape, np.float32)
    y, x = (y - rows / 2) / rows, (x - columns / 2) / rows
    angle, shear, wide = rng.normal(0, turn), rng.normal(0.03, slant), np.exp(rng.normal(0, 0.18))
    cos, sin = np.cos(angle), np.sin(angle)
    from_x, from_y = wide * cos * x + (shear + sin) * y, cos * y - sin * x
    for _ in range(2):
        along, phase = rng.normal(0, 4, 2), rng.uniform(0, 6, 1)
        wave = np.sin(along[0] * from_x + along[1] * from_y + phase)
        across, down = rng.normal(0, warp, 2)
        from_x, from_y = from_x + across * wave, from_y + down * wave
    places = [from_y * rows + rows / 2, from_x * rows + columns / 2]
    return np.asarray(map_coordinates(ink, places, order=1), np.float32)
