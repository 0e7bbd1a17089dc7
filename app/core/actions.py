"""The window's actions: each one once, with its words, keys and explanation, for menus, buttons and keyboard alike. Qt-free.

What each of them does is bound to it by name in `app/window_actions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ActionSpec:
    """An action without what it does."""

    name: str
    text: str
    tooltip: str
    menu: str
    """The menu in which it stands: one of MENUS."""
    keys: tuple[str, ...] = ()
    """Its shortcuts, as Qt writes them."""
    icon: str = ""
    """The name of an SVG in assets/icons."""
    separator_before: bool = False
    submenu: str = ""
    """The submenu of `menu` in which it stands, where it does not stand in `menu` itself."""


EXPORT = "Export network"
"""The submenu of what other programs take."""
CORRECT = "Correct the answer"
"""The submenu of the digits."""
FURTHER = "Train further"
"""The submenu of other amounts than one epoch and one step."""

ACTIONS = (
    ActionSpec("open_picture", "Open a picture…", "Open a picture of a digit and make it the probe", "File", ("Ctrl+O",), "open"),
    ActionSpec("paste", "Paste a picture", "Make the picture on the clipboard the probe", "File", ("Ctrl+V",), "paste"),
    ActionSpec("capture", "Capture from the screen…", "Make an area of the screen the probe", "File", ("Ctrl+Shift+S",), "capture"),
    ActionSpec("camera", "Take with the camera…", "Make a picture from the camera the probe", "File", ("Ctrl+Shift+K",), "camera"),
    ActionSpec(
        "open_weights",
        "Open weights…",
        "Look at the network of a weights file or an ONNX file",
        "File",
        ("Ctrl+Shift+O",),
        "network",
        True,
    ),
    ActionSpec(
        "save_weights", "Save weights as…", "Write the network of this moment to a weights file", "File", ("Ctrl+S",), "save"
    ),
    ActionSpec("export_onnx", "ONNX…", "Write the network of this moment for other programs, as ONNX", "File", submenu=EXPORT),
    ActionSpec(
        "export_scripts",
        "Scripts in NumPy and PyTorch…",
        "Write the network of this moment as two short scripts, with their weights, that need no DigitLab",
        "File",
        submenu=EXPORT,
    ),
    ActionSpec(
        "open_folder",
        "Open a folder of data…",
        "Train on your own images: IDX files, or a folder of pictures a class",
        "File",
        (),
        "data",
    ),
    ActionSpec(
        "open_data",
        "Open a file of data…",
        "Train on your own images: a CSV table, an .npz archive, SVHN's .mat, or one of a set of IDX files",
        "File",
    ),
    ActionSpec("quit", "Quit", "Close the window; what was trained is kept", "File", ("Ctrl+Q",), "", True),
    ActionSpec("undo", "Undo", "Take back what was done last to the probe or your own digits", "Edit", ("Ctrl+Z",), "undo"),
    ActionSpec("redo", "Redo", "Do again what was undone last", "Edit", ("Ctrl+Y", "Ctrl+Shift+Z"), "redo"),
    ActionSpec("clear", "Clear", "Put an empty sheet in the place of the probe; undo brings it back", "Edit", ("Del",), "clear"),
    ActionSpec("draw", "Draw", "Go to the sheet and draw a digit", "Edit", ("Ctrl+D",), "pen", True),
    *(
        ActionSpec(
            f"correct_{digit}",
            f"This is a {digit}",
            f"Keep the probe among your own digits, as a {digit}",
            "Edit",
            (f"Alt+{digit}",),
            submenu=CORRECT,
        )
        for digit in range(10)
    ),
    ActionSpec("toggle", "Start", "Train a new run by the recipe; while it trains, pause and go on", "Train", ("Space",), "play"),
    ActionSpec("stop", "Stop", "End the training after this step; what was trained is kept", "Train", ("Ctrl+.",), "stop"),
    ActionSpec(
        "more",
        "Train one epoch more",
        "Train the run in view further: see every training image once more",
        "Train",
        ("Ctrl+E",),
        "more",
    ),
    ActionSpec(
        "step",
        "+1 step",
        "Take a single step and pause: what one batch of images does to the weights",
        "Train",
        ("Ctrl+Right",),
    ),
    ActionSpec("more_5", "+5 epochs", "Train further: see every training image five times more", "Train", submenu=FURTHER),
    ActionSpec("steps_100", "+100 steps", "Take a hundred steps and pause", "Train", submenu=FURTHER),
    ActionSpec(
        "more_other", "More…", "Say for how many epochs, or until how many steps later, it is trained", "Train", submenu=FURTHER
    ),
    ActionSpec(
        "branch",
        "New run from here",
        "Train a new run by the recipe that begins with the weights of this moment; the run in view stays as it is",
        "Train",
        ("Ctrl+B",),
        "branch",
    ),
    ActionSpec(
        "start_over",
        "Start over from the first weights",
        "Train a new run by the recipe that begins with the very first weights of the run in view: what differs then comes from "
        "the settings and not from chance",
        "Train",
        ("Ctrl+Shift+B",),
        "restart",
    ),
    ActionSpec(
        "continue_here",
        "Go on from here",
        "Train the run in view from this moment on; what came later is given up",
        "Train",
        ("Ctrl+Shift+E",),
        "continue",
    ),
    ActionSpec("play", "Play the training", "Show the moments of the run one after the other", "Train", ("Ctrl+P",), "film", True),
    ActionSpec("earlier", "Earlier moment", "Show the network as it was one snapshot earlier", "Train", ("Left",)),
    ActionSpec("later", "Later moment", "Show the network as it was one snapshot later", "Train", ("Right",)),
    ActionSpec("best", "Best moment", "Show the network as it was when it did best on held-out images", "Train", ("Ctrl+Up",)),
    ActionSpec("full_screen", "Full screen", "Fill the screen, and back", "View", ("F11",), "", True),
    ActionSpec("reset_layout", "Reset the layout", "Put the probe dock and the window back where they were at first", "View"),
    ActionSpec("help", "Keys and help", "What the window shows, and every key", "Help", ("F1",), "help"),
    ActionSpec("about", "About this installation", "Versions, devices and folders, to copy into a report", "Help"),
)

MENUS = ("File", "Edit", "Train", "View", "Help")


def bound(acts: Mapping[str, Callable[[], object]]) -> list[tuple[ActionSpec, Callable[[], object]]]:
    """Each action with the function that `acts` holds under its name.

    Raises ValueError where an action has no function, or a function has no action.
    """
    names = {spec.name for spec in ACTIONS}
    if missing := names - acts.keys():
        raise ValueError(f"nothing is bound to the actions {', '.join(sorted(missing))}")
    if surplus := acts.keys() - names:
        raise ValueError(f"there are no actions called {', '.join(sorted(surplus))}")
    return [(spec, acts[spec.name]) for spec in ACTIONS]
