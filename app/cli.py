"""The command line. Without a command it opens the window; the commands need no Qt."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from app.commands import COMMANDS
from app.commands.output import MISTAKE
from nncore.errors import DigitLabError

INTERRUPTED = 130
"""Exit status after Ctrl+C, as shells expect it."""


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one line instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISTAKE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog="digitlab",
        description="Train a digit recogniser, look inside it while it learns, and try it on your own handwriting. "
        "Without a command, digitlab opens its window.",
    )
    parser.add_argument("--version", action="version", version=f"digitlab {version('digitlab')}")
    parser.add_argument(
        "--reset-layout", action="store_true", help="open the window with panels and docks where they were at first"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        subparser = commands.add_parser(command.NAME, help=command.HELP, description=command.HELP)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run `digitlab` with the given arguments and return its exit status: 0, or 2 for a mistake of the user's."""
    arguments = build_parser().parse_args(argv)
    try:
        if arguments.command is None:
            from app.launch import open_window  # Qt is only loaded for the window

            return open_window(reset_layout=arguments.reset_layout)
        return int(arguments.run(arguments) or 0)
    except DigitLabError as error:
        print(f"digitlab: {error}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        print("digitlab: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
        return 0
