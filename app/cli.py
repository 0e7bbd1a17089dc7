"""The command line. Without a command it opens the window; the commands need no Qt."""

from __future__ import annotations

import argparse
import difflib
import logging
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from app.commands import COMMANDS
from app.commands.output import MISTAKE, complain, discard_output, one_line, prepare_streams, print_text
from nncore.errors import DigitLabError
from nncore.files import shown

if TYPE_CHECKING:
    from app.core.report import Report

INTERRUPTED = 130
"""Exit status after Ctrl+C, as shells expect it."""


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one line instead of a page of usage, and a misspelled option is told the one that was meant."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISTAKE, f"{self.prog}: {one_line(message)} (see {self.prog} --help)\n")

    def print_help(self, file: Any = None) -> None:
        print_text(self.format_help())  # argparse itself keeps silent about a stream that takes nothing

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, unknown = super().parse_known_args(args, namespace)
        # Told here, where the options of the command are known, and not by the parser of all commands.
        for word in unknown:
            if word.startswith("--"):
                option = word.partition("=")[0]
                near = difflib.get_close_matches(option, self._option_string_actions, 1)
                self.error(f"there is no option {shown(option)}" + (f"; did you mean {near[0]}?" if near else ""))
        return found, unknown


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
    parser.set_defaults(write_pdf=_write_pdf)  # handed to the commands, which know nothing of Qt
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        subparser = commands.add_parser(command.NAME, help=command.HELP, description=command.HELP)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def _write_pdf(report: Report, path: Path) -> None:
    from app.printing import write_pdf  # Qt is only loaded for this

    write_pdf(report, path)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `digitlab` with the given arguments and return its exit status: 0, or 2 for a mistake of the user's."""
    output_is_open = prepare_streams()
    try:
        status = _carry_out(argv, output_is_open)
    except SystemExit as end:  # argparse, after printing help or a mistake
        status = end.code if isinstance(end.code, int) else 0
    return max(status, _finish_output())


def _carry_out(argv: Sequence[str] | None, output_is_open: bool) -> int:
    """Do what the arguments say; each thing that can go wrong is one line."""
    from app.core.leftovers import clear_all_leftovers

    try:
        arguments = build_parser().parse_args(argv)
        if arguments.command is not None and not output_is_open:
            raise DigitLabError("Standard output is closed; send it to a file, or to the null device if nobody wants it.")
        clear_all_leftovers()
        if arguments.command is None:
            from app.launch import open_window  # Qt is only loaded for the window

            return open_window(reset_layout=arguments.reset_layout)
        logging.basicConfig(format="digitlab: %(message)s", level=logging.WARNING)
        logging.raiseExceptions = False  # of a message that cannot be written nobody hears anyway
        return int(arguments.run(arguments) or 0)
    except DigitLabError as error:
        complain(error)
        return MISTAKE
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        discard_output()
        return 0
    except OSError as error:
        complain(f"{shown(error.filename)}: {error.strerror}" if error.filename else error.strerror or error)
        return MISTAKE
    except MemoryError:
        complain("There is not enough memory for this; use fewer images, a smaller batch or a smaller network.")
        return MISTAKE


def _finish_output() -> int:
    """Write out what is still to be printed; the exit status that this alone would give."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        complain(f"Standard output cannot be written to: {error.strerror or error}.")
        discard_output()
        return MISTAKE
    return 0
