"""Write the table of docs/settings.md anew from the settings' own descriptions; run it after a setting was added or changed."""

from __future__ import annotations

from pathlib import Path

from nncore.training.config import settings_table

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
HEAD = """# Settings of a training

Every setting of `TrainConfig` (nncore/training/config.py), which is the one place where it is described: its checks, the options of
`digitlab train` and this page follow from there. A preset has two recipes:
`--template recommended`, which works well on the data at hand and is the default, and `--template published`, what the network's
source trained it with. An option, or a line of a recipe file (`--recipe`, [formats.md](formats.md)),
replaces one of their values.

"""


def main() -> None:
    """Write the page; what follows the table stays."""
    _, heading, rest = PAGE.read_text(encoding="utf-8").partition("\n## ")
    PAGE.write_text(HEAD + settings_table() + heading + rest, encoding="utf-8")


if __name__ == "__main__":
    main()
