"""Sheet: sections one below the other, painted in one widget, with targets in them that can be clicked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy

from app.theme import theme
from app.widgets.figure import FADED, Figure

GAP = 8
"""Pixels between two sections."""
EDGE = 4
"""Pixels by which a section may paint beyond its height."""


@dataclass(frozen=True)
class Target:
    """What can be clicked: where it lies in its section, what it stands for, and what a tooltip says of it."""

    rect: QRectF
    key: Hashable
    """None: it only has words."""
    words: str


class Section(Protocol):
    """A part of a sheet."""

    def size(self, width: float) -> tuple[float, float]:
        """Width and height in pixels that it takes where it may be `width` wide."""

    def paint(self, painter: QPainter, width: float) -> None:
        """Paint it from the painter's origin on."""

    def targets(self, width: float) -> Sequence[Target]:
        """What in it can be pointed at, from its own origin on."""


class Sheet(Figure):
    """Shows sections. A click on a target, or Return at the cursor, emits `clicked` with its key; arrows move the cursor."""

    clicked = Signal(object)
    OWN_KEYS: ClassVar = (Qt.Key.Key_Left, Qt.Key.Key_Right)

    def __init__(self, name: str, file: str) -> None:
        super().__init__(name, file)
        self.sections: Sequence[Section] = ()
        self.is_faded = False
        self.rows: Callable[[], Iterator[Sequence[object]]] = lambda: iter(())
        """What the table behind the sheet consists of."""
        self._placed: list[tuple[float, float, Section]] = []
        """Each section with its upper edge and its height."""
        self._found: list[Target] | None = None
        """The targets, once somebody has pointed at the sections that are shown."""
        self._cursor: Hashable = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_sections(self, sections: Sequence[Section], is_faded: bool = False) -> None:
        """Show sections in place of those before; `is_faded` where others are awaited."""
        self.sections, self.is_faded = tuple(sections), is_faded
        self._place()
        self.update()

    def table(self) -> Iterator[Sequence[object]]:
        return self.rows()

    def height_of(self, sections: Sequence[Section]) -> float:
        """Pixels that sections would take in the present width."""
        return sum(section.size(self.width())[1] + GAP for section in sections) - GAP

    def _place(self) -> None:
        self._found, self._placed, top = None, [], 0.0
        for section in self.sections:
            self._placed.append((top, section.size(self.width())[1], section))
            top += self._placed[-1][1] + GAP
        height = max(round(top - GAP), 0)
        if height != self.minimumHeight():
            self.setMinimumHeight(height)

    @property
    def _targets(self) -> list[Target]:
        """All targets, where they lie in the sheet."""
        if self._found is None:
            self._found = [
                Target(target.rect.translated(0, top), target.key, target.words)
                for top, _, section in self._placed
                for target in section.targets(self.width())
            ]
        return self._found

    def sizeHint(self) -> QSize:
        return QSize(320, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(FADED if self.is_faded else 1.0)
        for top, height, section in self._placed:
            if top > event.rect().bottom() or top + height < event.rect().top() - EDGE:
                continue
            painter.save()
            painter.translate(0, top)
            section.paint(painter, self.width())
            painter.restore()
        if self.hasFocus() and (target := self._current()) is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme().colors.accent), 2))
            painter.drawRect(target.rect)

    # -- pointing and choosing

    def target_at(self, point: QPointF | QPoint) -> Target | None:
        """What lies at a point; None where nothing does."""
        return next((target for target in self._targets if target.rect.contains(QPointF(point))), None)

    def words_at(self, point: QPoint) -> str:
        target = self.target_at(point)
        return self.notion if target is None else target.words

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        target = self.target_at(event.position())
        can_click = target is not None and target.key is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if can_click else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        target = self.target_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and target is not None and target.key is not None:
            self._cursor = target.key
            self.clicked.emit(target.key)

    def _current(self) -> Target | None:
        """The target at the cursor."""
        return next((target for target in self._targets if target.key is not None and target.key == self._cursor), None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        ways = {keys.Key_Left: (-1, 0), keys.Key_Right: (1, 0), keys.Key_Up: (0, -1), keys.Key_Down: (0, 1)}
        current, reachable = self._current(), [target for target in self._targets if target.key is not None]
        if event.key() in ways and reachable:
            target = reachable[0] if current is None else _beside(current, reachable, *ways[Qt.Key(event.key())])
            self._cursor = target.key
            self.setAccessibleDescription(target.words)
            self.update()
        elif event.key() in (keys.Key_Return, keys.Key_Enter) and current is not None:
            self.clicked.emit(current.key)
        else:
            super().keyPressEvent(event)


def _beside(current: Target, targets: Sequence[Target], across: int, down: int) -> Target:
    """The nearest target in a direction; the current one where there is none."""
    here = current.rect.center()

    def distance(target: Target) -> float:
        dx, dy = target.rect.center().x() - here.x(), target.rect.center().y() - here.y()
        along, aside = dx * across + dy * down, abs(dx * down) + abs(dy * across)
        return along + 4 * aside if along > 1 else float("inf")

    best = min(targets, key=distance)
    return best if distance(best) < float("inf") else current
