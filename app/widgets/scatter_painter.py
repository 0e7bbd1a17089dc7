"""Cloud: draws the points of a scatter plot, and keeps what is drawn until it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPaintEngine, QPainter, QPainterPath, QPen

from app.theme import font, theme
from app.widgets.pixels import to_qimage
from app.widgets.scatter_marks import RADIUS, Mark, Sheet, label_room, outline, outlines, paint_label
from app.widgets.scatter_view import View
from app.widgets.swatch import hex_of
from nncore.arrays import Array

Images = Callable[[int], Array]
"""The picture of a point, uint8 (H, W, 1 or 3), by its number."""
PALE, OTHERS = 0.25, 0.08
"""Opacity of points that belong to another moment, and of those that are not of the group that is singled out."""
AS_DIGITS, AS_PICTURES = 900, 90
"""Most points in sight that are drawn as digits, and as small pictures."""
PICTURE = 28
"""Pixels of the longer side of such a picture."""
LABEL = 20
"""Size of a group's label in pixels."""


class Cloud:
    """Points in groups. Those of later groups lie above those of earlier ones."""

    def __init__(self) -> None:
        self.marks: tuple[Mark, ...] = ()
        self.groups: Array = np.zeros(0, np.int64)
        """The group of each point, int64 (N)."""
        self.single: int | None = None
        """The only group that is drawn as usual; None: all are."""
        self.chosen: Array = np.zeros(0, np.int64)
        """The only points that are drawn as usual; where there are none, all are."""
        self._texts: tuple[str, ...] = ()
        self._text_of: Array = np.zeros(0, np.int64)
        self._order: Array = np.zeros(0, np.int64)
        self._sheet: tuple[float, Sheet] | None = None
        self._kept: tuple[tuple[float, float, float], QImage] | None = None

    def set_marks(self, marks: Sequence[Mark], groups: Array, texts: Sequence[str], text_of: Array) -> None:
        """Say which mark each point has, and which text stands for it where there is room: int64 (N), places in the lists."""
        self.marks, self.groups, self._texts, self._text_of = tuple(marks), groups, tuple(texts), text_of
        if self.single is not None and self.single >= len(self.marks):
            self.single = None
        self._order = np.argsort(groups, kind="stable") if self._is_layered else np.arange(len(groups))
        # Here and not in the paint that needs them, which is another turn of the interface.
        for mark in self.marks:
            if mark.has_label:
                outlines(mark.name, LABEL)
        ratio = 1.0 if self._sheet is None else self._sheet[0]
        self._sheet = ratio, Sheet(self.marks, self._texts, ratio)
        self.forget()

    def forget(self) -> None:
        """Draw anew when asked next."""
        self._kept = None

    def is_shown(self, count: int) -> Array:
        """Which of the points are drawn as usual: bool (count)."""
        if self.single is None or len(self.groups) != count:
            return np.ones(count, bool)
        return self.groups == self.single

    def _opacities(self, count: int, opacity: float) -> Array:
        """How each of the points is drawn, float64 (count)."""
        usual = self.is_shown(count)
        if len(self.chosen):
            usual &= np.bincount(self.chosen, minlength=count).astype(bool)
        return np.where(usual, opacity, OTHERS)

    @property
    def _is_layered(self) -> bool:
        """Whether some marks are larger, so that they shall lie above the others."""
        return len({mark.size for mark in self.marks}) > 1

    def paint(self, painter: QPainter, view: View, pixels: Array, image: Images, opacity: float, ratio: float) -> None:
        """Draw the points at `pixels` (N, 2), with labels. `image` gives the picture of one.

        `ratio` is that of the screen's pixels to logical ones.
        """
        if len(self.groups) != len(pixels):
            return
        if painter.paintEngine().type() == QPaintEngine.Type.SVG:
            self._paint_paths(painter, view, pixels, opacity)
            self._paint_labels(painter, view, pixels, opacity)
        else:
            key = (view.width, view.height, ratio)
            if self._kept is None or self._kept[0] != key:
                self._kept = key, self._drawn(view, pixels, image, opacity, ratio)
            painter.drawImage(0, 0, self._kept[1])

    def _drawn(self, view: View, pixels: Array, image: Images, opacity: float, ratio: float) -> QImage:
        drawn = QImage(round(view.width * ratio), round(view.height * ratio), QImage.Format.Format_ARGB32_Premultiplied)
        drawn.fill(Qt.GlobalColor.transparent)
        if self._sheet is None or self._sheet[0] != ratio:
            self._sheet = ratio, Sheet(self.marks, self._texts, ratio)
        order = self._order[view.in_sight(pixels)[self._order]]
        painter = QPainter(drawn)
        shown = self.is_shown(len(pixels))
        as_digits = int(shown[order].sum()) <= AS_DIGITS and view.zoom > 1
        each = self._opacities(len(pixels), opacity)[order]
        texts = self._text_of[order] if as_digits else None
        self._sheet[1].paint(painter, pixels[order] * ratio, self.groups[order], texts, each)
        if as_digits and shown[order].sum() <= AS_PICTURES:
            painter.save()
            painter.scale(ratio, ratio)
            self._paint_pictures(painter, pixels, order[shown[order]], image, opacity)
            painter.restore()
        painter.scale(ratio, ratio)
        self._paint_labels(painter, view, pixels, opacity)
        painter.end()
        drawn.setDevicePixelRatio(ratio)
        return drawn

    def _paint_pictures(self, painter: QPainter, pixels: Array, order: Array, image: Images, opacity: float) -> None:
        """Draw points as their images, each in a frame of its group's colour."""
        painter.setOpacity(opacity)
        for index in order.tolist():
            picture = to_qimage(image(index))
            factor = PICTURE / max(picture.width(), picture.height())
            wide, high = picture.width() * factor, picture.height() * factor
            place = QRectF(round(pixels[index, 0] - wide / 2), round(pixels[index, 1] - high / 2), wide, high)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, factor < 1)
            painter.drawImage(place, picture)
            painter.setPen(QPen(QColor(hex_of(self.marks[self.groups[index]].color)), 2))
            painter.drawRect(place.adjusted(-1, -1, 1, 1))

    def _paint_paths(self, painter: QPainter, view: View, pixels: Array, opacity: float) -> None:
        """Draw the dots as shapes, a path a group: what a drawing for print is made of."""
        in_sight, each = view.in_sight(pixels), self._opacities(len(pixels), opacity)
        for shade in np.unique(each).tolist():
            painter.setOpacity(shade)
            for number, mark in enumerate(self.marks):
                path = QPainterPath()
                path.setFillRule(Qt.FillRule.WindingFill)
                for x, y in pixels[in_sight & (self.groups == number) & (each == shade)].tolist():
                    path.addPath(outline(mark.shape, x, y, RADIUS * mark.size))
                painter.fillPath(path, QColor(hex_of(mark.color)))

    def _paint_labels(self, painter: QPainter, view: View, pixels: Array, opacity: float) -> None:
        """Write each group's name in its middle, the largest groups first; one that would lie on another is left out."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1 if opacity == 1 else 2 * opacity)
        colors, taken = theme().colors, list[QRectF]()
        sizes = np.bincount(self.groups, minlength=len(self.marks))
        for number in np.argsort(-sizes, kind="stable").tolist():
            mark = self.marks[number]
            if not mark.has_label or not sizes[number] or self.single not in (None, number):
                continue
            middle = QPointF(*np.median(pixels[self.groups == number], axis=0))
            room = label_room(middle, mark.name, LABEL)
            if QRectF(0, 0, view.width, view.height).contains(room) and not any(room.intersects(other) for other in taken):
                taken.append(room)
                paint_label(painter, middle, mark.name, LABEL, colors.text, colors.panel)
        painter.setOpacity(1)


def paint_axes(painter: QPainter, view: QRectF, words: tuple[str, str]) -> None:
    """Write what the axes are along the lower and the left edge."""
    colors, metrics = theme().colors, QFontMetricsF(font(11))
    across, up = (metrics.horizontalAdvance(each) / 2 + 8 for each in words)
    paint_label(painter, QPointF(view.right() - across, view.bottom() - 10), words[0], 11, colors.dim, colors.panel, bold=False)
    painter.save()
    painter.translate(view.left() + 10, view.top() + up)
    painter.rotate(-90)
    paint_label(painter, QPointF(0, 0), words[1], 11, colors.dim, colors.panel, bold=False)
    painter.restore()
