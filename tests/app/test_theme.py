"""The theme is changed without the stylesheet being set anew."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app import theme
from app.colors import DARK, LIGHT


def middle(widget: QWidget) -> str:
    """The colour in the middle of a widget."""
    image = widget.grab().toImage()
    return image.pixelColor(image.width() // 2, image.height() // 2).name()


def card(parent: QWidget | None = None) -> QFrame:
    """A frame whose colour comes from the stylesheet."""
    made = QFrame(parent, objectName="card")
    made.setMinimumSize(40, 40)
    return made


class StyleChanges(QObject):
    """Counts how often a widget is told of another style, which has it measured and laid out anew."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.StyleChange
        return False


def test_a_theme_reaches_what_is_in_sight_at_once_and_what_is_not_soon(themed, qtbot):
    window, shown, hidden, changes = QWidget(), card(), card(), StyleChanges()
    layout = QVBoxLayout(window)
    layout.addWidget(shown)
    layout.addWidget(hidden)
    qtbot.addWidget(window)
    window.show()
    hidden.hide()
    assert middle(shown) == DARK.panel
    shown.installEventFilter(changes)
    themed.set("light")
    assert middle(shown) == LIGHT.panel and changes.count == 0
    qtbot.waitUntil(lambda: not themed._hidden, timeout=10_000)
    assert middle(hidden) == LIGHT.panel


def test_what_is_shown_before_its_turn_has_its_colours(themed, qtbot, monkeypatch):
    monkeypatch.setattr(theme, "SLICE", -1.0)  # its turn never comes
    window = QWidget()
    late = card(window)
    qtbot.addWidget(window)
    late.hide()
    window.show()
    themed.set("light")
    late.show()
    assert middle(late) == LIGHT.panel and late not in themed._hidden


def test_what_is_gone_before_its_turn_is_left_out(themed, qtbot):
    gone = card()
    themed.set("light")
    assert gone in themed._hidden
    gone.deleteLater()
    qtbot.waitUntil(lambda: not themed._hidden, timeout=10_000)


def test_each_colour_of_the_stylesheet_is_in_the_palette():
    for colors in (DARK, LIGHT):
        palette = theme._palette(colors)
        for name, role in theme.IN_STYLESHEET.items():
            found = "".join(part.capitalize() for part in role.split("-"))
            assert palette.color(getattr(palette.ColorRole, found)).name() == getattr(colors, name), name
    assert not re.search("@(?!name)[a-z_]+@", theme._stylesheet())
