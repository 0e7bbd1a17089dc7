"""Pointing: which digit on the sheet the pointer rests on."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent

from app.lab import Lab
from app.panels.recognise.reading import ProbeReading
from app.widgets.canvas import Canvas
from app.widgets.zoom_picture import REST


class Pointing(QObject):
    """Chooses the digit that the pointer rests on, or that has just been written. Nothing is chosen while a stroke is drawn."""

    def __init__(self, lab: Lab, reading: ProbeReading, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._lab, self._reading, self._canvas = lab, reading, canvas
        self._at = QPointF()
        self._rest = QTimer(self, interval=REST, singleShot=True)
        self._rest.timeout.connect(self._choose)
        canvas.setMouseTracking(True)
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent):
            if event.buttons() == Qt.MouseButton.NoButton:
                self._at = event.position()
                self._rest.start()
            else:
                self._rest.stop()
        elif event.type() == QEvent.Type.Leave:
            self._rest.stop()
        return False

    def _choose(self) -> None:
        if self._reading.look is None and self._lab.state.probe.value.picture is not None:
            self._rest.start()  # what has just been written is not answered yet
            return
        index = self._digit_at(self._at)
        if index >= 0 and len(self._reading.reading.found) > 1:
            self._lab.state.choose(index)

    def _digit_at(self, point: QPointF) -> int:
        """The index of the digit at a point of the canvas, the smallest where boxes overlap; −1 where there is none."""
        look, sheet = self._reading.look, self._canvas.sheet()
        if look is None or look.question.probe.picture is None or sheet.isEmpty():
            return -1
        height, width = look.question.probe.picture.shape[:2]
        across, down = (point.x() - sheet.x()) * width / sheet.width(), (point.y() - sheet.y()) * height / sheet.height()
        hit = []
        for index, digit in enumerate(look.digits):
            x, y, wide, high = digit.box
            if x <= across < x + wide and y <= down < y + high:
                hit.append((wide * high, index))
        return min(hit, default=(0, -1))[1]
