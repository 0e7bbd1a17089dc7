"""What is ink but no digit: specks, the frame around a picture, the edge of the table."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.vision.pieces import PIECE

SPECK = 0.04
"""Pieces smaller than this share of the largest are specks."""


def clean(ink: Array) -> Array:
    """The ink (height, width) without specks and frames; the largest other piece always stays."""
    from scipy.ndimage import find_objects, label, maximum_filter

    pieces, count = label(ink > PIECE, np.ones((3, 3), bool))
    if count <= 1:
        return ink if count else np.zeros_like(ink)
    area = np.bincount(pieces.ravel(), weights=ink.ravel(), minlength=count + 1)
    area[0] = 0
    line = np.zeros(count + 1, bool)
    for number, box in enumerate(find_objects(pieces), start=1):
        line[number] = area[number] > SPECK / 4 * area.max() and _is_line(pieces[box] == number, box, ink.shape)
    if line[1:].all():
        line[:] = False
    gone = line | (area < SPECK * area[~line].max())
    gone[0] = False
    if not gone.any():
        return ink
    # Half-tones at the edge of a piece that goes belong to it; those around the others stay.
    keep = ~gone[pieces]
    return ink * (keep & ((pieces > 0) | (maximum_filter((pieces > 0) & keep, 5))))


def _is_line(piece: Array, box: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    """Whether a piece (its mask within its box) is a frame, a bar along a side of the picture, or a line across it."""
    size = np.array(piece.shape) / shape
    start = np.array([box[0].start, box[1].start]) / shape
    at_border = (start < 0.02) | (start + size > 0.98)
    for across, along in ((0, 1), (1, 0)):
        if size[along] >= 0.9 and (size[across] <= 0.05 or (size[across] <= 0.25 and at_border[across] and piece.mean() > 0.8)):
            # A thin upright line in the middle of the picture may be a one.
            return bool(across == 0 or at_border[across])
    if (size < 0.8).any():
        return False
    rows = (np.arange(piece.shape[0]) + box[0].start) / shape[0]
    columns = (np.arange(piece.shape[1]) + box[1].start) / shape[1]
    inside = ((rows > 0.12) & (rows < 0.88))[:, None] & ((columns > 0.12) & (columns < 0.88))
    return float((piece & inside).sum()) < 0.1 * float(piece.sum())
