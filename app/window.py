"""The window: navigation, panels, probe dock, time bar, menus, keys; its layout is saved and restored."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
)  # fmt: skip
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QMenuBar,
    QStackedWidget,
    QToolBar,
    QToolButton,
    QWidget,
)  # fmt: skip

from app.errors import Problem
from app.garbage import GarbageCollector
from app.intake import Intake
from app.lab import Lab
from app.menus import fill_menus, fill_view_menu
from app.panels import PANELS
from app.panels.base import Panel
from app.probe import ProbeView
from app.theme import theme
from app.threads.task import Task
from app.timebar import TimeBar
from app.topbar import TopBar
from app.training import Status
from app.window_actions import WindowActions

LAYOUT_VERSION = 1


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
        room = QGuiApplication.primaryScreen().availableGeometry().size()
        self.resize(QSize(1440, 900).boundedTo(room))
        self.intake = Intake(lab)
        self._window_actions = WindowActions(self, lab, self.intake, self._reset_layout)
        self._actions = self._window_actions.by_name
        self._build_bars()
        self._build_panels()
        self._build_probe()
        self._build_menus()
        lab.problem.connect(self.show_problem)
        lab.panel_wanted.connect(self.show_panel)
        lab.training.status_changed.connect(self._show_status)
        lab.training.first_step.connect(self.garbage.settle)  # compiling a network has loaded much
        lab.training.ended.connect(self.garbage.settle)
        lab.state.network.subscribe(lambda _: self._update_actions())
        self._first_state = self.saveState(LAYOUT_VERSION)
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
        self._stack = QStackedWidget(objectName="center")
        self.setCentralWidget(self._stack)
        navigation = QToolBar(
            "Panels", movable=False, floatable=False, objectName="navigation", orientation=Qt.Orientation.Vertical
        )
        navigation.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        navigation.setIconSize(QSize(22, 22))
        self._panels: dict[str, Panel] = {}
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
        panel = self._stack.currentWidget()
        assert isinstance(panel, Panel)
        return panel

    @property
    def panel_name(self) -> str:
        """The name of the panel in sight."""
        return next(name for name, panel in self._panels.items() if panel is self._stack.currentWidget())

    def panel_named(self, name: str) -> Panel:
        """A panel, which is built when it is first asked for."""
        if name not in self._panels:
            spec = next(spec for spec in PANELS if spec.name == name)
            self._panels[name] = spec.load()(self.lab)
            self._panels[name].wire(self._actions)
            self._stack.addWidget(self._panels[name])
        return self._panels[name]

    def prepare_panels(self) -> None:
        """Build the panels that have not been shown yet, one at a time, so that the window stays responsive."""
        missing = [spec for spec in PANELS if spec.name not in self._panels]
        if not self.isVisible():
            return
        if not missing:
            self.garbage.settle()
            return

        def build(_: object) -> None:
            self.panel_named(missing[0].name)
            self.prepare_panels()

        # Importing in a thread, building between two frames.
        Task(missing[0].load, build, self.show_problem).begin()

    def show_panel(self, name: str) -> None:
        """Bring a panel into sight."""
        name = name if name in self._panel_actions else "recognise"
        panel = self.panel_named(name)
        if panel is not self._stack.currentWidget():
            self.panel.went_out_of_sight()
        self._stack.setCurrentWidget(panel)
        self._panel_actions[name].setChecked(True)
        self.lab.settings["panel"] = name
        self._tint()
        panel.came_into_sight()
        panel.setFocus()  # not its first control: Space starts the training, whatever panel is in sight

    def show_problem(self, problem: Problem) -> None:
        """Say in the panel in sight what went wrong."""
        self.panel.notice.show_problem(problem)

    def restore_layout(self) -> None:
        """Restore the window's size, place and docks of the last time. Qt corrects places that are off the screen."""
        saved = QSettings(str(self.lab.settings.geometry_file), QSettings.Format.IniFormat)
        geometry, state = saved.value("geometry"), saved.value("state")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        if isinstance(state, QByteArray):
            self.restoreState(state, LAYOUT_VERSION)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.lab.settings.folder.mkdir(parents=True, exist_ok=True)
        saved = QSettings(str(self.lab.settings.geometry_file), QSettings.Format.IniFormat)
        saved.setValue("geometry", self.saveGeometry())
        saved.setValue("state", self.saveState(LAYOUT_VERSION))
        self.lab.close()
        self.garbage.stop()
        event.accept()

    def _show_status(self, status: Status) -> None:
        if status is Status.STARTING:
            self.panel.notice.hide()
        self._update_actions()

    def _update_actions(self) -> None:
        self._window_actions.refresh()
        self.time_bar.refresh()

    def _reset_layout(self) -> None:
        self._dock.setFloating(False)
        self.restoreState(self._first_state, LAYOUT_VERSION)
        self._dock.show()

    # -- keys and drops

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.panel.notice.isVisible():
            self.panel.notice.hide()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.intake.can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.intake.take_dropped(event.mimeData())
        event.acceptProposedAction()
