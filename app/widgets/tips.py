"""Tooltips of a bounded width: Qt wraps only those that are rich text."""

from __future__ import annotations

from html import escape

WIDTH = 360
"""Width of a long tooltip in pixels."""
SHORT = 50
"""Characters that need no second line."""


def tip(text: str) -> str:
    """A tooltip that is wrapped where it is long."""
    if len(text) <= SHORT and "\n" not in text:
        return text
    lines = "<br>".join(escape(line) for line in text.split("\n"))
    return f'<table width="{WIDTH}"><tr><td>{lines}</td></tr></table>'
