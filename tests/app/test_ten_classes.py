"""The scores of the classes in the Train panel."""

from __future__ import annotations

from app.widgets.class_scores import LEAST_ROW, ROW, ScoreRow


def rows(count: int) -> list[ScoreRow]:
    return [ScoreRow(str(number), 0.9, 0.9, 0.9, 100) for number in range(count)]


def test_ten_classes_are_read_without_scrolling(window, qtbot):
    window.resize(1280, 800)
    window.show_panel("train")
    window.panel.mistakes.view.setCurrentText("Classes")
    scores = window.panel.mistakes.scores
    qtbot.waitUntil(lambda: scores.isVisible() and window.height() == 800)
    mean = ScoreRow("mean", 0.9, 0.9, 0.9, 1000)
    scores.set_scores(rows(10), mean)
    assert scores.verticalScrollBar().maximum() == 0
    assert scores.viewport().rect().contains(scores.row_rect(0)) and scores.viewport().rect().contains(scores.row_rect(9))
    assert scores.row_at(scores.row_rect(9).center()) == 9 and LEAST_ROW <= scores.row_rect(9).height() <= ROW
    scores.set_scores(rows(3), mean)
    assert scores.row_rect(0).height() == ROW, "where there is room the rows are as high as elsewhere"
    scores.set_scores(rows(26), mean)
    assert scores.verticalScrollBar().maximum() > 0
