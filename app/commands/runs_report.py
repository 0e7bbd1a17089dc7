"""`digitlab runs report`: a page on one run, or a comparison of several."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from app.commands.output import console, print_json, print_line
from app.core.runs import Run, RunStore
from nncore.errors import ConfigError
from nncore.files import shown, write_atomically

PDF = ".pdf"


def add_report(parser: ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="RUN", help="one run, or several to compare")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the page (default RUN.html, or comparison.html); FILE.pdf for a PDF alone"
    )
    parser.add_argument("--pdf", action="store_true", help="write a PDF beside the page as well")
    parser.add_argument("--data", metavar="DATA", help="where the run's data lies now (default: where it lay)")
    parser.add_argument("--json", action="store_true", help="print one JSON line")


def write_report(store: RunStore, runs: list[Run], arguments: Namespace) -> None:
    """Write the report and say where it is. `arguments.write_pdf` is what writes a PDF: it needs Qt, which commands do not."""
    # Here, since it would cost every other command a tenth of its start.
    from app.core.report import comparison, gather, html_page, report

    if len(runs) > 1 and arguments.data is not None:
        raise ConfigError("--data is for the report on one run; a comparison opens no data.")
    name = f"{runs[0].name}.html" if len(runs) == 1 else "comparison.html"
    out = arguments.out or Path(name)
    files = {"pdf": out} if out.suffix.casefold() == PDF else {"html": out}
    if arguments.pdf:
        files["pdf"] = out.with_suffix(PDF)
    if len(runs) == 1:
        if console.is_terminal:
            console.print("Measuring the network on its data …")
        found = report(gather(store, runs[0], arguments.data))
    else:
        found = comparison([gather(store, one, with_data=False) for one in runs])
    if "html" in files:
        write_atomically(files["html"], html_page(found).encode())
    if "pdf" in files:
        arguments.write_pdf(found, files["pdf"])
    if arguments.json:
        print_json({"event": "finished", "runs": [one.name for one in runs]} | {kind: str(path) for kind, path in files.items()})
        return
    for path in files.values():
        print_line(f"Wrote {shown(path)}")
