"""Notice: a strip that says what went wrong and what to do. The details can be copied."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout

from app.errors import Problem
from app.theme import svg_pixmap, theme


class Notice(QFrame):
    """Hidden until `show_problem`. Its button closes it."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._report = ""
        self._sign, self.message = QLabel(), QLabel()
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._details = QPlainTextEdit(readOnly=True)
        self._details.setFixedHeight(140)
        self._details.hide()
        self._more = QPushButton("Details", checkable=True)
        self._more.toggled.connect(self._details.setVisible)
        copy = QPushButton("Copy report")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._report))
        close = QPushButton("Dismiss")
        close.clicked.connect(self.hide)
        row = QHBoxLayout()
        row.addWidget(self._sign)
        row.addWidget(self.message, 1)
        for button in (self._more, copy, close):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.addLayout(row)
        layout.addWidget(self._details)
        self.hide()

    def show_problem(self, problem: Problem) -> None:
        """Show a problem in place of the one before."""
        self._sign.setPixmap(svg_pixmap("warning", 20, theme().colors.second, self.devicePixelRatioF()))
        self.message.setText(problem.message)
        self.setAccessibleName(problem.message)
        self._report = problem.report()
        self._details.setPlainText(self._report)
        self._more.setVisible(bool(problem.details))
        self._more.setChecked(False)
        self.show()
