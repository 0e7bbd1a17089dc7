"""Notice: a strip that says what went wrong and what to do. The details can be copied."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.errors import Problem, Remedy
from app.theme import svg_pixmap, theme

MARGIN = 16
"""Pixels between the strip and the edges of what it lies on."""


class Notice(QFrame):
    """Hidden until `show_problem`. Its button closes it.

    It lies over the lower edge of its parent, so that nothing moves when it comes or goes.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.problem: Problem | None = None
        self._report = ""
        self._sign, self.message = QLabel(), QLabel()
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._details = QPlainTextEdit(readOnly=True)
        self._details.setFixedHeight(140)
        self._details.hide()
        self._more = QPushButton("Details", checkable=True)
        self._more.toggled.connect(self._show_details)
        copy = QPushButton("Copy report")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._report))
        close = QPushButton("Dismiss")
        close.clicked.connect(self.dismiss)
        self._remedies: list[QPushButton] = []
        self._row = row = QHBoxLayout()
        row.addWidget(self._sign)
        row.addWidget(self.message, 1)
        self._copy = copy
        for button in (self._more, copy, close):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard where it is
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.addLayout(row)
        layout.addWidget(self._details)
        parent.installEventFilter(self)
        self.hide()

    def show_problem(self, problem: Problem) -> None:
        """Show a problem in place of the one before."""
        self.problem = problem
        self._sign.setPixmap(svg_pixmap("warning", 20, theme().colors.second, self.devicePixelRatioF()))
        self.message.setText(problem.message)
        self.setAccessibleName(problem.message)
        self._report = problem.report()
        self._details.setPlainText(self._report)
        self._more.setVisible(bool(problem.details))
        self._more.setChecked(False)
        self._copy.setVisible(not problem.remedies)  # who knows a way out needs no report
        for button in self._remedies:
            self._row.removeWidget(button)
            button.deleteLater()
        self._remedies = [self._button_for(remedy, 2 + place) for place, remedy in enumerate(problem.remedies)]
        self._place()
        self.show()
        self.raise_()

    def _button_for(self, remedy: Remedy, place: int) -> QPushButton:
        """A button that carries the remedy out, at a place of the row."""
        button = QPushButton(remedy.words)
        button.setToolTip(remedy.tooltip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

        def act() -> None:
            self.dismiss()
            remedy.act()

        button.clicked.connect(act)
        self._row.insertWidget(place, button)
        return button

    def hide_problem(self, about: str) -> None:
        """Hide the problem if it is about that."""
        if self.problem is not None and self.problem.about == about:
            self.dismiss()

    def dismiss(self) -> None:
        """Hide the problem. The keyboard goes from the strip's buttons to its parent."""
        if self.isAncestorOf(QApplication.focusWidget() or self):
            self.parentWidget().setFocus()
        self.problem = None
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _show_details(self, shown: bool) -> None:
        self._details.setVisible(shown)
        self._place()

    def _place(self) -> None:
        room = self.parentWidget().rect()
        width = room.width() - 2 * MARGIN
        self.ensurePolished()
        layout = self.layout()
        layout.activate()
        height = max(layout.heightForWidth(width), layout.minimumSize().height())
        self.setGeometry(MARGIN, max(room.height() - MARGIN - height, 0), width, height)
