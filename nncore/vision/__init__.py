"""From a picture of any kind to the digits that the network sees."""

from nncore.vision.centring import centre_digit
from nncore.vision.ink import ink_map
from nncore.vision.memory import Memory, Recall
from nncore.vision.picture import read_picture
from nncore.vision.segments import Classifier
from nncore.vision.sight import Box, Sight, Sighted, Stage, fit_colour, see_digit, see_drawing, see_page

__all__ = [
    "Box",
    "Classifier",
    "Memory",
    "Recall",
    "Sight",
    "Sighted",
    "Stage",
    "centre_digit",
    "fit_colour",
    "ink_map",
    "read_picture",
    "see_digit",
    "see_drawing",
    "see_page",
]
