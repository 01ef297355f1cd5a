"""`selfplay-tui check`: a verdict for every command of a file."""

from __future__ import annotations

import argparse
import errno
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

import orjson

from selfplay_core.errors import SettingsError
from selfplay_core.models import VerdictOutcome
from selfplay_core.sandbox.facts.rules import adopt
from selfplay_core.sandbox.parser.judge import beyond, judge
from selfplay_core.sandbox.parser.lines import Line, read_lines
from selfplay_core.sandbox.parser.problem import Problem, with_context
from selfplay_core.sandbox.world.worldedit import is_worldedit, worldedit
from selfplay_core.text import clip, json_for_terminals, one_line
from selfplay_core.verify.verdict import judge as judge_reply
from tui.commands.exits import guarded

__all__ = ["run"]

_ACCEPTED: Final = "accepted"
_REJECTED: Final = "rejected"
_UNJUDGED: Final = "unjudged"

_STDIN: Final = "-"
_FUNCTION: Final = ".mcfunction"
_SHOWN: Final = 160


@dataclass(frozen=True, slots=True)
class _Finding:
    """What is said of one command; `context` is the command around the mistake, as the server shows it."""

    verdict: str
    message: str = ""
    cursor: int | None = None
    context: str = ""


def run(options: argparse.Namespace) -> int:
    """Judge every command of every file, print as it goes, and return 1 if any was rejected."""
    return guarded(lambda: _check_all(options))


def _check_all(options: argparse.Namespace) -> int:
    counts: Counter[str] = Counter()
    judged_by = adopt()
    for name in options.files:
        _check(name, options, counts)
    sys.stdout.flush()
    print(_totals(counts, f"Minecraft {judged_by.version}, {judged_by.source} rules"), file=sys.stderr)
    return 1 if counts[_REJECTED] else 0


def _check(name: str, options: argparse.Namespace, counts: Counter[str]) -> None:
    with _opened(name) as stream:
        for line in _lines(name, stream, function=options.function or name.endswith(_FUNCTION)):
            finding = _found(line, with_worldedit=not options.no_worldedit)
            counts[finding.verdict] += 1
            if finding.verdict == _ACCEPTED and options.quiet:
                continue
            where = name if len(options.files) > 1 else ""
            told = _as_json(where, line, finding) if options.json else _as_line(where, line, finding)
            # At once: whoever feeds commands by a pipe waits for the verdict.
            print(told, flush=True)


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == _STDIN:
        if sys.stdin is None:
            raise _unreadable(name, OSError(errno.EBADF, "it is closed"))
        yield sys.stdin.buffer
        return
    try:
        stream = open(name, "rb")  # noqa: SIM115  # closed below; only its opening may fail in these words
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from error
    with stream:
        yield stream


def _lines(name: str, stream: BinaryIO, *, function: bool) -> Iterator[Line]:
    """Yield the commands of a file; what keeps it from being read is told with its name."""
    try:
        yield from read_lines(stream, function=function)
    except OSError as error:
        raise _unreadable(name, error) from error
    except SettingsError as error:
        raise SettingsError(f"cannot check {_shown(name)}: {error}") from error


def _unreadable(name: str, error: OSError | ValueError) -> SettingsError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return SettingsError(f"cannot read {_shown(name)}: {reason}. Name a file with one command a line, or - for stdin.")


def _found(line: Line, *, with_worldedit: bool) -> _Finding:
    if line.fault:
        return _Finding(_REJECTED, line.fault)
    if line.doubt:
        return _Finding(_UNJUDGED, line.doubt)
    command = line.text.removeprefix("/")
    if with_worldedit and is_worldedit(command):
        reply = worldedit(command)
        refused = judge_reply(reply, command).outcome is VerdictOutcome.REJECTED
        return _Finding(_REJECTED, reply) if refused else _Finding(_ACCEPTED)
    if doubt := beyond(command):
        return _Finding(_UNJUDGED, doubt)
    problem = judge(command)
    if not isinstance(problem, Problem):
        return _Finding(_ACCEPTED)
    context = with_context(problem, command).removeprefix(problem.message).lstrip("\n")
    slash = len(line.text) - len(command)
    cursor = None if problem.cursor is None else problem.cursor + slash
    return _Finding(_REJECTED, problem.message, cursor, context)


def _as_json(where: str, line: Line, finding: _Finding) -> str:
    body = {
        **({"file": where} if where else {}),
        "line": line.number,
        "command": line.text,
        "verdict": finding.verdict,
        "message": finding.message,
        "cursor": finding.cursor,
    }
    return json_for_terminals(orjson.dumps(body).decode())


def _as_line(where: str, line: Line, finding: _Finding) -> str:
    """Return place, verdict and what is said: the command where it is accepted, else the complaint and its context."""
    said = line.text if finding.verdict == _ACCEPTED else finding.message
    context = f"  {finding.context}" if finding.context else ""
    place = f"{_shown(where)}:{line.number}" if where else f"{line.number}"
    return f"{place}: {finding.verdict}: {clip(one_line(said), _SHOWN)}{clip(one_line(context), _SHOWN)}"


def _totals(counts: Counter[str], judged_by: str) -> str:
    parts = [f"{counts[verdict]:,} {verdict}" for verdict in (_ACCEPTED, _REJECTED)]
    if counts[_UNJUDGED]:
        parts.append(f"{counts[_UNJUDGED]:,} not judged")
    total = counts.total()
    return f"{total:,} {'command' if total == 1 else 'commands'}: {', '.join(parts)}. Judged as {judged_by}."


def _shown(name: str) -> str:
    return clip(one_line(name), _SHOWN)
