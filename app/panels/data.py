"""Data: choose a dataset, look through its images, and make one the probe."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QWidget,
)  # fmt: skip

from app.lab import Lab
from app.panels.base import Panel
from app.shelf import Shelf
from app.state import DataInView, Probe
from app.theme import font, theme
from app.widgets.card import GAP, Card, label
from app.widgets.image_grid import ImageGrid
from nncore.backend import Array
from nncore.data.dataset import Dataset
from nncore.layers.base import times


class ClassBalance(QWidget):
    """How many images each class has, as bars; a click filters the gallery by that class."""

    clicked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._counts: Array = np.zeros(0, np.int64)
        self._names: tuple[str, ...] = ()
        self.setAccessibleName("class balance")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)

    def set_counts(self, counts: Array, names: tuple[str, ...]) -> None:
        self._counts, self._names = counts, names
        self.setAccessibleDescription(", ".join(f"{name}: {count:,}" for name, count in zip(names, counts, strict=True)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(170, 24 * len(self._counts))

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme().colors, QPainter(self)
        painter.setFont(font(12))
        left, right = 26, self.width() - 52
        for row, (name, count) in enumerate(zip(self._names, self._counts, strict=True)):
            top = row * 24
            painter.setPen(QColor(colors.dim))
            painter.drawText(QRect(0, top, left - 6, 24), Qt.AlignmentFlag.AlignVCenter, name)
            painter.drawText(QRect(right, top, 52, 24), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"{count:,}")
            width = round((right - left - 4) * int(count) / max(int(self._counts.max()), 1))
            painter.fillRect(QRect(left, top + 6, width, 12), QColor(colors.accent))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y()) // 24
        if 0 <= row < len(self._counts):
            self.clicked.emit(row)


class DataPanel(Panel):
    """Left the datasets, in the middle the gallery, right the balance of the classes."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        self.shelf = Shelf(lab)
        row.addWidget(self.shelf)
        row.addWidget(self._build_gallery(), 1)
        row.addWidget(self._build_balance())
        self.content.addLayout(row)
        self._shown: Array = np.zeros(0, np.int64)
        lab.state.data.subscribe(self._show_data)
        lab.opening.connect(self._show_opening)

    def _build_gallery(self) -> Card:
        self._part, self._class = QComboBox(), QComboBox()
        self._part.setAccessibleName("part of the data")
        self._part.setToolTip("Training images are learned from; test images only ever measure the result")
        self._class.setAccessibleName("class")
        self._class.setToolTip("Show the images of one class only")
        self._search = QLineEdit(placeholderText="Go to image…", clearButtonEnabled=True)
        self._search.setAccessibleName("go to image")
        self._search.setToolTip("Number of an image; Return goes there")
        self._search.setFixedWidth(106)
        for box in (self._part, self._class):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._part.currentIndexChanged.connect(self._show_part)
        self._class.currentIndexChanged.connect(self._filter)
        self._search.returnPressed.connect(self._go_to)
        self._gallery_card = Card("Gallery", self._part, self._class, self._search)
        self.gallery = ImageGrid("gallery", "No data yet. Choose a dataset on the left: the built-in digits need no download.")
        self.gallery.activated.connect(self._choose)
        self._facts = label("", "dim")
        self._gallery_card.body.addWidget(self.gallery, 1)
        self._gallery_card.body.addWidget(self._facts)
        return self._gallery_card

    def _build_balance(self) -> Card:
        card = Card("Class balance")
        card.setFixedWidth(206)
        self._balance = ClassBalance()
        self._balance.clicked.connect(lambda row: self._class.setCurrentIndex(row + 1))
        self._balance_hint = label("Click a class to see its images.", "dim", wrap=True)
        card.body.addWidget(self._balance)
        card.body.addWidget(self._balance_hint)
        card.body.addStretch(1)
        return card

    def wire(self, actions: Mapping[str, QAction]) -> None:
        self.shelf.wire(actions)

    def shown(self) -> None:
        self.lab.library.refresh()

    @property
    def dataset(self) -> Dataset | None:
        """The part of the data that is on show."""
        view = self.lab.state.data.value
        if view is None:
            return None
        return view.test if self._part.currentIndex() == 1 else view.train

    def _show_opening(self, what: str) -> None:
        self._facts.setText(f"Opening {what}…" if what else self._describe())

    def _show_data(self, view: DataInView | None) -> None:
        if view is None:
            return
        for box in (self._part, self._class):
            box.blockSignals(True)
            box.clear()
        self._part.addItem("training")
        if view.test is not None:
            self._part.addItem("test")
        self._class.addItems(["all classes", *view.train.class_names])
        for box in (self._part, self._class):
            box.blockSignals(False)
        self._show_part()

    def _show_part(self) -> None:
        data = self.dataset
        if data is not None:
            self._balance.set_counts(data.class_counts(), tuple(data.class_names))
            self._filter()

    def _filter(self) -> None:
        data = self.dataset
        if data is None:
            return
        label_index = self._class.currentIndex() - 1
        everything = label_index < 0
        self._shown = np.arange(len(data)) if everything else np.flatnonzero(data.labels == label_index)
        images = data.images if everything else data.images[self._shown]
        self.gallery.set_images(
            images, lambda i: f"{data.class_names[data.labels[self._shown[i]]]}", "There are no images of this class."
        )
        self._facts.setText(self._describe())

    def _describe(self) -> str:
        data = self.dataset
        return (
            ""
            if data is None
            else f"{data.name} · {len(self._shown):,} of {len(data):,} images · {times(data.image_shape)} · {data.source}"
        )

    def _go_to(self) -> None:
        data, text = self.dataset, self._search.text().strip().replace(",", "")
        if data is None or not text:
            return
        if not text.isdecimal() or int(text) >= len(data):
            self._facts.setText(f"There is no image {text}; they are numbered from 0 to {len(data) - 1:,}.")
            return
        self._class.setCurrentIndex(0)
        self.gallery.choose(int(text))

    def _choose(self, position: int) -> None:
        data = self.dataset
        if data is not None:
            index = int(self._shown[position])
            part = "test" if self._part.currentIndex() == 1 else "training"
            name = data.class_names[data.labels[index]]
            self._facts.setText(f"{data.name} · {part} image {index:,} · a {name}")
            shows = int(name) if name.isdecimal() else None
            self.lab.state.probe.set(Probe(data.images[index], f"{data.name} {part} image {index:,}", shows, as_seen=True))
