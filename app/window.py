"""The window: navigation, panels, probe dock, time bar, menus, keys; its layout is saved and restored."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QShowEvent,
)  # fmt: skip
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QMenuBar,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from app.core.layout import read_layout
from app.edits_strip import EditsStrip
from app.errors import CUT_OFF, TRAINING, Problem
from app.garbage import GarbageCollector
from app.intake import Intake
from app.lab import Lab
from app.menus import fill_menus, fill_view_menu
from app.panels import PANELS
from app.panels.base import Panel
from app.placing import first_layout, float_probe, layout_of, place
from app.probe import ProbeView
from app.theme import theme
from app.threads.task import Task
from app.timebar import TimeBar
from app.topbar import TopBar
from app.training import Status
from app.widgets.pages import Pages
from app.window_actions import WindowActions
from nncore.files import shown

log = logging.getLogger("digitlab")

UNTOUCHED = 2.0
"""Seconds without a change of the probe after which a panel is built: tenths of a second that would hold up a stroke."""


class Window(QMainWindow):
    """Builds the parts and shows one panel at a time. What they show comes from the lab."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab
        lab.setParent(
            self
        )  # so that Qt ends the lab's connections with the window; Python's collector does not see these references
        self.garbage = GarbageCollector(self)
        self.setWindowTitle("DigitLab")
        self.setAcceptDrops(True)
        self.setMinimumSize(960, 620)
        self.intake = Intake(lab)
        self._window_actions = WindowActions(self, lab, self.intake, self._reset_layout)
        self._actions = self._window_actions.by_name
        self._build_bars()
        self._build_panels()
        self._build_probe()
        self._build_menus()
        lab.settings.warn = lambda message: self.show_problem(Problem(message))
        lab.problem.connect(self.show_problem)
        lab.offers.offered.connect(self._show_offer)
        lab.solved.connect(self._hide_problem)
        lab.panel_wanted.connect(self.show_panel)
        lab.training.status_changed.connect(self._show_status)
        lab.training.first_step.connect(self.garbage.settle)  # compiling a network has loaded much
        lab.training.ended.connect(self.garbage.settle)
        lab.state.network.subscribe(lambda _: self._update_actions())
        self._layout = first_layout(self.probe.minimumWidth())
        """The last layout that was set or remembered."""
        place(self, self._dock, self._layout)
        self._is_closed = self._was_shown = False
        self._touched = 0.0
        """When the probe changed last, by the monotonic clock."""
        lab.state.probe.subscribe(lambda _: setattr(self, "_touched", time.monotonic()), now=False)
        self._update_actions()

    # -- building

    def _build_bars(self) -> None:
        self._menus = QMenuBar()
        self._menus.setNativeMenuBar(False)
        self.top_bar = TopBar(self.lab, self._menus, self._actions)
        self.setMenuWidget(self.top_bar)
        self.time_bar = TimeBar(self.lab, self._actions)
        bottom = QToolBar("Time bar", movable=False, floatable=False, objectName="timeBarArea")
        bottom.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bottom.setStyleSheet("QToolBar { padding: 0; margin: 0; border: none; spacing: 0; }")
        bottom.addWidget(self.time_bar)
        self.addToolBar(Qt.ToolBarArea.BottomToolBarArea, bottom)

    def _build_panels(self) -> None:
        self._pages = Pages()
        self._pages.setObjectName("center")
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(EditsStrip(self.lab))
        column.addWidget(self._pages, 1)
        self.setCentralWidget(middle)
        navigation = QToolBar(
            "Panels", movable=False, floatable=False, objectName="navigation", orientation=Qt.Orientation.Vertical
        )
        navigation.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        navigation.setIconSize(QSize(22, 22))
        self._panels: dict[str, Panel] = {}
        self._begun: dict[str, tuple[Panel, Iterator[Panel]]] = {}
        """Panels that are being built."""
        self._panel_actions: dict[str, QAction] = {}
        group = QActionGroup(self)
        for number, spec in enumerate(PANELS, 1):
            action = QAction(spec.title, self, checkable=True, shortcut=f"Ctrl+{number}", toolTip=f"{spec.tooltip} (Ctrl+{number})")
            action.triggered.connect(lambda _=False, name=spec.name: self.show_panel(name))
            group.addAction(action)
            self.addAction(action)
            self._panel_actions[spec.name] = action
            button = QToolButton(toolButtonStyle=Qt.ToolButtonStyle.ToolButtonTextUnderIcon, focusPolicy=Qt.FocusPolicy.StrongFocus)
            button.setProperty("role", "nav")
            button.setDefaultAction(action)
            button.setFixedSize(QSize(76, 62))
            navigation.addWidget(button)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, navigation)
        theme().changed.connect(self._tint)
        self._tint()

    def _build_probe(self) -> None:
        self.probe = ProbeView(self.lab, self._actions)
        self._dock = QDockWidget("Probe", self, objectName="probeDock")
        self._dock.setWidget(self.probe)
        self._dock.setAllowedAreas(Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea)
        self._dock.setTitleBarWidget(QWidget())  # docked it has no title of its own; floating, the system gives it one
        self._dock.topLevelChanged.connect(lambda floating: self._dock.setTitleBarWidget(None if floating else QWidget()))
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)

    def _build_menus(self) -> None:
        menus = fill_menus(self._menus, self._actions)
        fill_view_menu(menus["View"], self._panel_actions.values(), self._dock, self.set_theme)

    def _tint(self) -> None:
        for name, action in self._panel_actions.items():
            action.setIcon(theme().icon(name, theme().colors.accent if action.isChecked() else theme().colors.dim))

    # -- state of the window

    def set_theme(self, name: str) -> None:
        """Use the theme `system`, `light` or `dark`, now and at the next start."""
        theme().set(name)
        self.lab.settings["theme"] = name

    @property
    def panel(self) -> Panel:
        """The panel in sight."""
        panel = self._pages.page
        assert isinstance(panel, Panel)
        return panel

    @property
    def panel_name(self) -> str:
        """The name of the panel in sight."""
        return next(name for name, panel in self._panels.items() if panel is self._pages.page)

    def panel_named(self, name: str) -> Panel:
        """A panel, which is built when it is first asked for."""
        while name not in self._panels:
            self._build_further(name)
        return self._panels[name]

    def _build_further(self, name: str) -> None:
        """Build a part of a panel; after the last one it is there."""
        if name not in self._begun:
            spec = next(spec for spec in PANELS if spec.name == name)
            slices = spec.load().in_slices(self.lab)
            panel = next(slices)
            self._begun[name] = panel, slices
            self._pages.add(panel)
            return
        panel, slices = self._begun[name]
        if next(slices, None) is None:
            del self._begun[name]
            panel.wire(self._actions)
            self._panels[name] = panel

    def prepare_panels(self) -> None:
        """Build the panels that have not been shown yet, a part at a time, while nobody draws."""
        missing = [spec for spec in PANELS if spec.name not in self._panels]
        if not self.isVisible():
            return
        if not missing:
            self.garbage.settle()
            return

        def build(_: object) -> None:
            wait = self._touched + UNTOUCHED - time.monotonic()
            if wait > 0:
                QTimer.singleShot(round(1000 * wait), self.prepare_panels)
                return
            if missing[0].name not in self._panels:
                self._build_further(missing[0].name)
            QTimer.singleShot(0, self.prepare_panels)  # between two parts what waits is done

        if missing[0].name in self._begun:
            build(None)
        else:  # importing in a thread, building between two frames
            Task(missing[0].load, build, self.show_problem).begin()

    def show_panel(self, name: str) -> None:
        """Bring a panel into sight."""
        name = name if name in self._panel_actions else "recognise"
        panel = self.panel_named(name)
        comes = panel is not self._pages.page
        if comes:
            self.panel.went_out_of_sight()
        self._pages.show_page(panel)
        self._panel_actions[name].setChecked(True)
        self.lab.settings["panel"] = name
        self._tint()
        panel.came_into_sight()
        if comes or not panel.isVisible():
            panel.setFocus()  # not its first control: Space starts the training, whatever panel is in sight

    def show_problem(self, problem: Problem) -> None:
        """Say in the panel in sight what went wrong."""
        self.panel.notice.show_problem(problem)

    def _show_offer(self, problem: Problem) -> None:
        """Offer something in the panel in sight, unless something else is said there: then it is offered at the next start."""
        if self.panel.notice.problem is None:
            self.show_problem(problem)
            self.lab.offers.note_shown()

    def _hide_problem(self, about: str) -> None:
        """Hide what is said of a problem that is over, in whatever panel."""
        for panel in self._panels.values():
            panel.notice.hide_problem(about)

    def restore_layout(self) -> None:
        """Put window and docks where they were when the window was last closed."""
        path = self.lab.settings.layout_file
        saved = read_layout(path)
        if saved is not None:
            self._layout = saved
            place(self, self._dock, saved)
        elif path.exists():
            self.lab.settings.damage.append(f"The layout in {shown(path)} cannot be read, so the window is as at the first start.")

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._remember()
        except Exception:  # nothing may keep a training from being kept
            log.exception("the layout was not remembered")
        finally:
            self.lab.close()
            self.lab.settings.end_use()
            self.garbage.stop()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._layout.probe_floating and not self._was_shown:
            QTimer.singleShot(0, self, lambda: float_probe(self._dock, self._layout))
        self._was_shown = True

    def _remember(self) -> None:
        settings = self.lab.settings
        settings.warn = log.warning  # there is no window any more to say it in
        settings.write(settings.layout_file, layout_of(self, self._dock, self._layout).as_json())

    def _show_status(self, status: Status) -> None:
        if status is Status.STARTING:
            self._hide_problem(TRAINING)
            self._hide_problem(CUT_OFF)  # whoever trains has decided
        self._update_actions()

    def _update_actions(self) -> None:
        self._window_actions.refresh()
        self.time_bar.refresh()

    def _reset_layout(self) -> None:
        self._layout = first_layout(self.probe.minimumWidth())
        place(self, self._dock, self._layout)

    # -- keys and drops

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.panel.notice.isVisible():
            self.panel.notice.dismiss()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.intake.can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.intake.take_dropped(event.mimeData())
        event.acceptProposedAction()
