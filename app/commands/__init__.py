"""The commands of `digitlab`, one a file: NAME, HELP, add_arguments(parser) and run(arguments)."""

from app.commands import data, evaluate, export, importing, info, predict, runs, teach, train

COMMANDS = (train, teach, evaluate, predict, data, runs, export, importing, info)
