"""From a picture of any kind to the digit that the network sees."""

from nncore.vision.centre import centre_digit
from nncore.vision.ink import ink_map
from nncore.vision.picture import read_picture
from nncore.vision.sight import Box, Sight, fit_colour, see_digit, see_drawing

__all__ = ["Box", "Sight", "centre_digit", "fit_colour", "ink_map", "read_picture", "see_digit", "see_drawing"]
