"""`selfplay-tui export`, `import` and `stats`: from words to the core, and its figures to a person. Loads no screen."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final, TextIO

import orjson

from selfplay_core.errors import SelfplayError, SettingsError, UsageError
from selfplay_core.exchange.export import export
from selfplay_core.exchange.figures import count
from selfplay_core.exchange.formats import FORMATS
from selfplay_core.exchange.importing import Imported, first_kind, import_files, refusals
from selfplay_core.exchange.places import Wish
from selfplay_core.exchange.sieve import Duplicates
from selfplay_core.exchange.split import parse_split
from selfplay_core.models import WorldKind
from selfplay_core.store.database import DATABASE_NAME, Database, open_current
from selfplay_core.store.faults import file_faults
from selfplay_core.store.filters import Filter
from selfplay_core.store.imports import Fate
from selfplay_core.store.likeness import Comparison
from selfplay_core.text import clean, json_for_terminals
from tui import __version__
from tui.commands.exits import DONE, GAVE_UP, guarded
from tui.commands.figures import ImportReport, export_report, import_report, stats_report
from tui.state.filter_text import BadFilter, parse_filter

__all__ = ["WORK"]

_STDOUT: Final = "-"
_STDIN: Final = "-"
_REAL, _SANDBOX = Path("selfplay"), Path("selfplay-sandbox")


def _export(options: argparse.Namespace) -> int:
    for flag, value in (("--format", options.format), ("--output", options.output)):
        if value is None:
            raise SettingsError(f"{flag} is missing. See selfplay-tui export --help")
    to_stdout = options.output == _STDOUT
    thins_out = options.duplicates is not None or options.per_skeleton is not None or options.proven
    if FORMATS[options.format].lossless and thins_out:
        told = "--duplicates, --per-skeleton and --proven are for the others."
        raise SettingsError(f"{options.format} leaves nothing out: {told}")
    if to_stdout and options.split is not None:
        raise SettingsError("--split makes several files, and - is one stream. Name a file with --output.")
    wish = Wish(
        format=options.format,
        output=None if to_stdout else Path(options.output),
        wanted=_filter(options.filter),
        filter_text=options.filter,
        tool_version=__version__,
        shares=parse_split(options.split) if options.split is not None else (),
        duplicates=Duplicates(options.duplicates or Duplicates.EXACT),
        per_skeleton=options.per_skeleton,
        proven=options.proven,
        force=options.force,
    )
    with closing(open_current(_workspace(options.workspace))) as reader:
        manifest = export(reader, wish, sys.stdout.buffer if to_stdout else None)
    sys.stdout.flush()
    if options.json:
        _print_json(manifest.as_json(), sys.stderr if to_stdout else sys.stdout)
    else:
        _print(export_report(manifest), sys.stderr if to_stdout else sys.stdout)
    return DONE


def _import(options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        names = {stack.enter_context(_file(name)): name for name in options.files}
        paths = list(names)
        imported = Imported()
        kind = first_kind(paths)
        workspace = _destination(options.workspace, kind)
        try:
            if kind is None:
                # Nothing can come of it, and no workspace is made for nothing.
                imported = refusals(paths)
            else:
                _take_in(workspace, paths, imported)
        except SelfplayError:
            if imported.lines:
                _tell(import_report(imported, workspace, names, is_whole=False), options)
            raise
        _tell(import_report(imported, workspace, names), options)
    if imported.known == imported.fates[Fate.NEW] == 0:
        raise UsageError(
            "no line could be taken in. Name JSONL files of the original script, output files, or what "
            "`export --format native` made."
        )
    return GAVE_UP if imported.unread else DONE


def _take_in(workspace: Path, paths: list[Path], imported: Imported) -> None:
    with closing(Database.open(workspace)) as database:
        import_files(database, paths, at=time.time(), so_far=imported)
        comparison = Comparison()
        while comparison.step(database):
            pass


@contextmanager
def _file(name: str) -> Iterator[Path]:
    """Give the file of that name; stdin is kept in one meanwhile, as an import reads twice."""
    if name != _STDIN:
        yield Path(name)
        return
    with ExitStack() as stack:
        with file_faults("keeping what comes by stdin", Path(tempfile.gettempdir())):
            kept = stack.enter_context(tempfile.NamedTemporaryFile(prefix="selfplay-import-"))
            shutil.copyfileobj(sys.stdin.buffer, kept)
            kept.flush()
        yield Path(kept.name)


def _tell(report: ImportReport, options: argparse.Namespace) -> None:
    if options.json:
        _print_json(report.as_json, sys.stdout)
    else:
        _print(report.lines, sys.stdout)


def _stats(options: argparse.Namespace) -> int:
    with closing(open_current(_workspace(options.workspace))) as reader:
        figures = count(reader, _filter(options.filter), covers=options.coverage)
    if options.json:
        _print_json(figures.as_json(), sys.stdout)
    else:
        _print(stats_report(figures), sys.stdout)
    return DONE


def _filter(text: str) -> Filter:
    try:
        return parse_filter(text, Filter())
    except BadFilter as error:
        raise SettingsError(f"--filter: {error}") from error


def _workspace(named: str | None) -> Path:
    """Return the workspace that is meant: the one that is here, where none is named."""
    if named:
        return Path(named)
    return next((folder for folder in (_REAL, _SANDBOX) if (folder / DATABASE_NAME).is_file()), _REAL)


def _destination(named: str | None, kind: WorldKind | None) -> Path:
    """Return where an import goes: what is named, else the only workspace here, else the one of what comes."""
    here = [folder for folder in (_REAL, _SANDBOX) if (folder / DATABASE_NAME).is_file()]
    if named or len(here) == 1:
        return Path(named) if named else here[0]
    return _SANDBOX if kind is WorldKind.SANDBOX else _REAL


def _print(lines: list[str], stream: TextIO) -> None:
    for line in lines:
        print(clean(line), file=stream)


def _print_json(body: dict[str, object], stream: TextIO) -> None:
    print(json_for_terminals(orjson.dumps(body).decode()), file=stream)


def _command(work: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    return lambda options: guarded(lambda: work(options))


WORK: Final = {"export": _command(_export), "import": _command(_import), "stats": _command(_stats)}
"""What each command does; returns the exit code."""
