"""A bake-off's report, written beside its answers."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from selfplay_core.bakeoff.document import as_json
from selfplay_core.bakeoff.guard import leaks_into
from selfplay_core.bakeoff.ledger import read_ledger
from selfplay_core.bakeoff.markdown import as_markdown
from selfplay_core.bakeoff.report import Report, make_report
from selfplay_core.errors import UsageError
from selfplay_core.exchange.files import FileSet
from selfplay_core.store.bakeoffs import save_contrast
from selfplay_core.store.database import Database

__all__ = ["JSON_NAME", "MARKDOWN_NAME", "conclude", "write_reports"]

JSON_NAME: Final = "report.json"
MARKDOWN_NAME: Final = "report.md"


def conclude(folder: Path, workspace: Path) -> Report:
    """Compare what is in a bake-off's folder, write both reports there, and note where the models differ.

    The latter is what the review screen shows by `is:differs`. Raises StoreError if the disk says no; then the reports
    of before stand.
    """
    with closing(Database.open(folder)) as database:
        ledger = read_ledger(database)
        report = make_report([ledger], leaks_into(ledger.book, workspace))
        numbers = [result.number for contrast in report.contrasts for result in contrast.results.values()]
        save_contrast(database, numbers)
    write_reports(report, folder)
    return report


def write_reports(report: Report, folder: Path) -> None:
    """Write both reports into a folder, which is made if it is not there; raises as `conclude` does, or UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"this folder cannot be made: {folder}: {error.strerror}. Name another --output.") from error
    with FileSet.opened() as files:
        files.write_whole(folder / JSON_NAME, as_json(report))
        files.write_whole(folder / MARKDOWN_NAME, as_markdown(report).encode("utf-8", "replace"))
        files.publish()
