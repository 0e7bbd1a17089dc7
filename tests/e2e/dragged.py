"""Another program, from whose small window at the lower right corner of the screen a file can be dragged, as a file manager's are.

    python -m tests.e2e.dragged FILE

It says `ready`, `accepted` when what is below the pointer would take the file, and `dropped` or `refused` when it was let go.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl
from PySide6.QtGui import QDrag, QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel

SIDE = 60
"""Pixels of the window's side."""


class Source(QLabel):
    """Begins to drag the file where it is pressed."""

    def __init__(self, path: str) -> None:
        super().__init__("file", alignment=Qt.AlignmentFlag.AlignCenter)
        self._path = path
        # The keyboard stays where it is.
        self.setWindowFlags(Qt.WindowType.BypassWindowManagerHint | Qt.WindowType.WindowDoesNotAcceptFocus)
        corner = QGuiApplication.primaryScreen().geometry().bottomRight()
        self.setGeometry(corner.x() + 1 - SIDE, corner.y() + 1 - SIDE, SIDE, SIDE)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        data, drag = QMimeData(), QDrag(self)
        data.setUrls([QUrl.fromLocalFile(self._path)])
        drag.setMimeData(data)
        drag.actionChanged.connect(lambda action: say("accepted") if action == Qt.DropAction.CopyAction else None)
        say("dropped" if drag.exec(Qt.DropAction.CopyAction) == Qt.DropAction.CopyAction else "refused")


def say(word: str) -> None:
    print(word, flush=True)


if __name__ == "__main__":
    app = QApplication([])
    source = Source(sys.argv[1])
    source.show()
    QTimer.singleShot(0, lambda: say("ready"))
    app.exec()
