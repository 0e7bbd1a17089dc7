"""Help: what the window shows and every key; and the report on this installation."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.commands.info import gather
from app.core.actions import ACTIONS
from app.widgets.card import label

IDEA = (
    "The window looks at three things: the network, the moment of its training, and the probe, which is the one picture "
    "that every view shows. Change one of them anywhere and everything follows. Draw a digit, start a training, and watch the "
    "answer change while the network learns; afterwards move the slider at the bottom to see any moment again."
)
OTHER_KEYS = (
    ("Alt+0 … Alt+9", "Say what the probe shows, whatever has the keyboard"),
    ("0 … 9", "While the probe or the sheet has the keyboard: say what it shows; it is kept among your own digits"),
    ("N", "In Recognise: the next digit of which the network is not sure; a digit key corrects it, Ctrl+Z takes that back"),
    ("Arrows, Tab", "On a picture or the text of several digits: go from digit to digit; the chosen one is what the probe shows"),
    ("+, −, Ctrl+0, Page Up, Page Down", "On a picture in Recognise: nearer, farther, all of it, up, down; drag to move about"),
    ("P, E", "Pen and eraser on the sheet; over a picture they take a new sheet; the right mouse button erases too"),
    (
        "L, Del",
        "Give the gallery's image another label, or delete it, where it is one of your own digits; Ctrl and Shift choose several",
    ),
    ("I, R", "Show the gallery's image in Inspect, or in Recognise"),
    ("Arrows, Shift+Arrows, Return", "In Inspect's network: go from map to map, from value to value; explain the value"),
    ("L, Esc", "There: the layer alone; all layers again"),
    ("Arrows, Return, Backspace", "In Inspect's explanation: go from number to number; explain that one; back"),
    ("Return", "Look closer at the gallery's image, pixel by pixel; Esc goes back"),
    ("V", "See what augmentation makes of the gallery's image; there: other variations"),
    ("+, −, Home", "There: nearer, farther, the whole picture; arrows go from pixel to pixel"),
    (
        "Arrows, Return, Esc",
        "While the confusion matrix has the keyboard: go to a cell, or to the label of a row or column; see its images; see all "
        "mistakes again",
    ),
    (
        "+, −, Page Up, Page Down, Home",
        "While a plot has the keyboard: nearer, farther, along the steps, all of them",
    ),
    ("Left, Right", "While a plot has the keyboard: move the line that reads its values; with Shift one step"),
    ("Space, F2, Return, Del", "In the table of runs: tick, rename, look at, delete the selected ones"),
    ("←, →", "While the plot of ticked runs has the keyboard: move the crosshair"),
    (", .  or  Page Up, Page Down", "There: the image before, and the next"),
    ("Alt+Up, Alt+Down, Del, Ins", "While a layer is edited: move it, remove it, add one below it; Ctrl+Z takes back, Esc leaves"),
)


class HelpDialog(QDialog):
    """What the window is for, and its keys."""

    def __init__(self, parent: QWidget, panels: Sequence[tuple[str, str]]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and help")
        self.resize(620, 640)
        form = QFormLayout()
        form.setHorizontalSpacing(24)
        form.setVerticalSpacing(8)
        actions = [(", ".join(spec.keys), spec.tooltip) for spec in ACTIONS if spec.keys and not spec.submenu]
        for keys, words in [*panels, *actions, *OTHER_KEYS]:
            form.addRow(label(keys, "value"), label(words, "dim", wrap=True))
        holder = QWidget()
        box = QVBoxLayout(holder)
        box.addWidget(label("DigitLab", "heading"))
        box.addWidget(label(IDEA, wrap=True))
        box.addSpacing(8)
        box.addLayout(form)
        box.addStretch(1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(holder)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll)
        layout.addWidget(_closing(self))


class ReportDialog(QDialog):
    """Versions, devices and folders, to copy."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("About this installation")
        self.resize(620, 420)
        lines = []
        for name, value in gather().items():
            match value:
                case dict():
                    lines += [f"{name}:", *(f"    {key}: {item or 'not installed'}" for key, item in value.items())]
                case list():
                    lines.append(f"{name}: {'; '.join(value)}")
                case "":
                    pass
                case _:
                    lines.append(f"{name.replace('_', ' ')}: {value}")
        text = QPlainTextEdit("\n".join(lines), readOnly=True)
        copy = QPushButton("Copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(text.toPlainText()))
        note = QLabel("Send this with a report of a problem.", textFormat=Qt.TextFormat.PlainText)
        buttons = _closing(self)
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        layout = QVBoxLayout(self)
        layout.addWidget(note)
        layout.addWidget(text)
        layout.addWidget(buttons)


def _closing(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    return buttons
