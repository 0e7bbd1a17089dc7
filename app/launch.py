"""Opening the window: check that there is a screen, load Qt, make theme, lab and window, open network and data."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from nncore.errors import DeviceError

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.window import Window


def open_window(reset_layout: bool = False) -> int:
    """Open the window and run until it is closed; return the exit status. Raises DeviceError where there is no screen."""
    require_display()
    try:
        from PySide6.QtWidgets import QApplication
    except ImportError as error:
        raise DeviceError(
            f"Qt cannot be loaded ({error}); on Debian and Ubuntu install the libraries that `make run` names. "
            "`digitlab train` needs none."
        ) from error
    app = QApplication(sys.argv[:1])
    app.setApplicationName("digitlab")
    app.setApplicationDisplayName("DigitLab")
    app.setDesktopFileName("digitlab")
    window = build_window(app, reset_layout)
    window.show()
    _close_on_signals(app, window)
    status = app.exec()
    window.deleteLater()
    return status


def _close_on_signals(app: QApplication, window: Window) -> None:
    """Let SIGINT and SIGTERM close the window as its button does, so that a training that runs is kept."""
    from PySide6.QtCore import QTimer

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: window.close())
    # Python handles signals only while it runs Python code, which Qt's loop may not do for a long time.
    awake = QTimer(app)
    awake.timeout.connect(lambda: None)
    awake.start(250)


def build_window(app: QApplication, reset_layout: bool = False) -> Window:
    """The window, ready to be shown. The shipped network and the data of the last time are being opened."""
    from PySide6.QtCore import QLocale, QTimer
    from PySide6.QtGui import QIcon

    from app import theme
    from app.core.last_time import kept_choice, kept_network, kept_probes
    from app.core.runs import RunStore
    from app.core.settings import Settings
    from app.errors import Problem, catch_everything, log_to
    from app.event_filter import EventFilter
    from app.lab import Lab
    from app.threads.priority import switch_threads_often
    from app.widgets.ink import painted
    from app.window import Window
    from nncore.data import default_dataset

    switch_threads_often()
    # All that the program writes has its numbers and words in English: so do the fields.
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))
    settings = Settings()
    log_to(platformdirs.user_log_path("digitlab", appauthor=False))
    theme.install(app, settings["theme"])
    app.setWindowIcon(QIcon(theme.svg_pixmap("digitlab", 64, "")))
    lab = Lab(settings, RunStore())
    window = Window(lab)
    window.garbage.settle()
    catch_everything(window.show_problem)
    broke_down = settings.begin_use()
    if not reset_layout and not broke_down:
        window.restore_layout()
    window.show_panel(settings["panel"])
    app.installEventFilter(EventFilter(window))  # not before: thousands of events come of building, and it cares for none of them
    lab.opener.open_last(kept_network(settings))
    if settings.damage:
        window.show_problem(Problem(" ".join(settings.damage)))
    lab.opener.restore_probe(lambda: kept_probes(settings, painted), kept_choice(settings))
    lab.opener.open_data(settings["data"] or default_dataset())
    QTimer.singleShot(0, lab.warm_up)
    QTimer.singleShot(0, lab.offers.look_for_cut_off)
    QTimer.singleShot(300, window.prepare_panels)
    return window


def require_display() -> None:
    """Raise DeviceError where no window can be shown: Qt itself would abort the program."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    display = os.environ.get("DISPLAY", "")
    if not display or not _answers(display):
        raise DeviceError("There is no screen to open a window on; `digitlab train` works without one.")


def _answers(display: str) -> bool:
    """Whether an X server listens at `display`. Displays of other hosts are not tried and count as listening."""
    host, _, number = display.partition(":")
    if host not in ("", "unix"):
        return True
    path = f"/tmp/.X11-unix/X{number.partition('.')[0]}"
    for address in ([path] if Path(path).exists() else []) + [f"\0{path}"]:  # a file, or Linux's abstract name
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(address)
            except OSError:
                continue
            return True
    return False
