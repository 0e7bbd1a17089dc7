"""CameraDialog: what a camera sees, live, until a picture of it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QSize, Qt, SignalInstance
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.theme import font, theme
from app.widgets.card import label

WAITING = "Waiting for the camera…"


class Cameras(Protocol):
    """The cameras of this computer, of which one may be on."""

    seen: SignalInstance
    """Carries a QImage: what the camera sees now."""
    failed: SignalInstance
    """Carries a sentence: why the camera shows nothing."""

    def names(self) -> Sequence[str]:
        """What the cameras are called; the first is the usual one."""
        ...

    def turn_on(self, place: int) -> None:
        """Let the camera at that place among the names be the one that is on."""
        ...

    def turn_off(self) -> None:
        """Turn the camera off."""
        ...


class CameraDialog(QDialog):
    """Shows what a camera sees. When it has been accepted, `picture` is what was seen at that moment."""

    def __init__(self, parent: QWidget | None, cameras: Cameras) -> None:
        super().__init__(parent)
        self.setWindowTitle("Take with the camera")
        self._cameras = cameras
        self.picture = QImage()
        self._view = _Live()
        self._choice = QComboBox()
        self._choice.setAccessibleName("camera")
        self._choice.setToolTip("Which camera looks at the paper")
        self._choice.addItems(list(cameras.names()))
        self._choice.currentIndexChanged.connect(self._turn_on)
        buttons = QDialogButtonBox()
        self._take = QPushButton("Take")
        self._take.setToolTip("Make what the camera sees now the probe (Enter)")
        self._take.setDefault(True)
        self._take.setEnabled(False)
        buttons.addButton(self._take, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        below = QHBoxLayout()
        below.addWidget(self._choice, 1)
        below.addWidget(buttons)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self._view, 1)
        layout.addWidget(label("Hold the paper so that the digits are sharp and upright; evenness of light matters little.", "dim"))
        layout.addLayout(below)
        cameras.seen.connect(self._show)
        cameras.failed.connect(self._fail)
        self.finished.connect(lambda _: cameras.turn_off())
        self._turn_on(0)

    def sizeHint(self) -> QSize:
        return QSize(720, 560)

    def _turn_on(self, place: int) -> None:
        self.picture = QImage()
        self._take.setEnabled(False)
        self._view.show_picture(self.picture, WAITING)
        self._cameras.turn_on(place)

    def _show(self, picture: QImage) -> None:
        is_first = self.picture.isNull()
        self.picture = picture
        self._take.setEnabled(True)
        if is_first:
            self._take.setFocus()
        self._view.show_picture(picture)

    def _fail(self, sentence: str) -> None:
        self.picture = QImage()
        self._take.setEnabled(False)
        self._view.show_picture(self.picture, sentence)


class _Live(QWidget):
    """A picture as large as fits, or words in its place."""

    def __init__(self) -> None:
        super().__init__()
        self._picture, self._words = QImage(), WAITING
        self.setAccessibleName("what the camera sees")
        self.setMinimumSize(320, 240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_picture(self, picture: QImage, words: str = "") -> None:
        """Show a picture, or the words where it is null."""
        self._picture, self._words = picture, words
        self.setAccessibleDescription(words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme().colors.raised))
        if self._picture.isNull():
            painter.setPen(QColor(theme().colors.dim))
            painter.setFont(font())
            inside = self.rect().adjusted(24, 24, -24, -24)
            painter.drawText(inside, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._words)
            return
        place = self.rect()
        size = self._picture.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place.setSize(size)
        place.moveCenter(self.rect().center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self._picture)
