"""The engine's backends as the program uses them: which devices there are, which one is chosen, and making it ready. Qt-free."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.core.observable import Observable
from app.core.settings import Settings
from nncore.backend.devices import AUTO, Found, choose_device, get_backend
from nncore.errors import DeviceError
from nncore.files import shown

CPU = "cpu"


class ChosenDevice:
    """The device that trainings of the window run on, as the user has chosen it: `auto`, or the name of a device.

    The choice is kept in the settings once a training has taken a step there: what did not work is not found again at the next
    start. Use it from the interface thread only, except for `resolve`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.choice: Observable[str] = Observable(settings["device"])
        self.found: Observable[Found | None] = Observable(None)
        """None until `find_devices` has been asked."""
        self._remembered: str | None = None if self.choice.value == AUTO else self.choice.value
        """The choice of the last time, until it has been found or another one was made."""

    def choose(self, name: str) -> None:
        """Let the next training run there."""
        self._remembered = None
        self.choice.set(name)

    def take(self, found: Found) -> str:
        """Take what `find_devices` has found. Returns what to say where the choice of the last time is not there, else nothing."""
        self.found.put(found)
        choice, words = self.choice.value, ""
        if choice == self._remembered:
            if found.device(choice) is not None:
                self._remembered = None
            else:
                best = "the CPU" if found.best.name == CPU else found.best.label
                words = f"Trainings run on {best}: {shown(choice)}, the device of the last time, cannot be used now."
                self.choice.set(AUTO)
        self.found.tell()
        return words

    def resolve(self, choice: str) -> str:
        """The device that a choice means now, for `get_backend`. It may take a second; any thread may ask.

        DeviceError where it cannot be used; but a choice of the last time then means `auto`.
        """
        try:
            return choose_device(choice)
        except DeviceError:
            if choice == self._remembered:
                return choose_device(AUTO)
            raise

    def remember(self, choice: str, device: str) -> None:
        """Keep a choice for the next start, after a training on `device` has taken a step."""
        if choice in (AUTO, device):
            self._settings["device"] = choice


def is_ready(device: str = CPU) -> bool:
    """Whether this machine has the engine's kernels compiled already."""
    return get_backend(device).is_ready()


def prepare(give_up: Callable[[], bool] = lambda: False, device: str = CPU) -> bool:
    """Compile the kernels if this machine does not have them yet, which takes about a minute. Returns whether they are there.

    `give_up` is asked now and then; when it returns True, the call returns early.
    """
    return get_backend(device).prepare(give_up)


def prepare_in_background() -> None:
    """Run `prepare` in a thread of its own. The program can end while it runs."""
    if not is_ready():
        threading.Thread(target=prepare, daemon=True).start()
