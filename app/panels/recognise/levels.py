"""Showing a picture of any size at once, and as smoothly as it should be a moment later."""

from __future__ import annotations

from app.threads.priority import lower_priority
from app.threads.task import Task
from app.widgets.pyramid import QUICK, Level, levels_of
from app.widgets.zoom_picture import ZoomPicture
from nncore.arrays import Array


def show_levels(view: ZoomPicture, pixels: Array) -> None:
    """Show a picture in a view. That of a large one is rough until its halves have been made in the background."""
    if pixels is view.pixels:
        return
    view.set_pixels(pixels)
    if pixels.shape[0] * pixels.shape[1] <= QUICK:
        view.set_levels(pixels, levels_of(pixels))
        return

    def make() -> list[Level]:
        lower_priority()
        return levels_of(pixels)

    # What fails here is only that it stays rough.
    Task(make, lambda levels: view.set_levels(pixels, levels), lambda _: None).begin()
