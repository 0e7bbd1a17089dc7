"""A question before something is lost."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget


def confirmed(parent: QWidget, title: str, question: str, verb: str, otherwise: str) -> bool:
    """Ask `question`, with a button for what would be done (`verb`) and one, the default, for leaving it (`otherwise`)."""
    box = QMessageBox(QMessageBox.Icon.Warning, title, question, QMessageBox.StandardButton.NoButton, parent)
    does = box.addButton(verb, QMessageBox.ButtonRole.DestructiveRole)
    leaves = box.addButton(otherwise, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(leaves)
    box.setEscapeButton(leaves)
    box.exec()
    return box.clickedButton() is does
