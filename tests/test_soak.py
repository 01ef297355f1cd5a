"""Whole runs through each fault: they end by themselves, and nothing but what is true is left of them.

`make soak` sends a thousand prompts through each. What the runs did is printed as a table in the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path
from types import MappingProxyType

import pytest

from selfplay_core.events import RunStarted, TraceEnded
from selfplay_core.models import CommandResult, Trace, VerdictOutcome
from tests.servers.http_faults import HTTP_FAULTS
from tests.servers.proxy import Strikes, any_of
from tests.servers.rcon_faults import RCON_FAULTS
from tests.soak import LINES, ONE_MORE, Remains, Report, Soak, soak
from tests.soak_world import ENDS, prompts, remembers, true_reply, truth_of

# A connection that is cut in the moment in which it is made may be left to the garbage collector, once in some
# thousand cuts on a busy machine. It is closed all the same, and nothing of a run hangs on it.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*(_SelectorTransport|socket.socket):pytest.PytestUnraisableExceptionWarning"
)

SEED = 20
SHARE_OF_ERRORED = 0.2
THOUSAND = 1_000

SLOW = {"delay", "slow_drip"}
"""These only cost time."""
LASTING = {"restart", "refused", "password_changed", "model_gone", "path_gone", "key_refused"}
"""These begin something that lasts until the run has seen it, and strike whatever else is under way."""
AT_THE_NEXT = {"repeated"}
"""These show at the next command, whichever it is."""
BEFORE_IT_RUNS = {"cut_before", "split_request"}
"""These keep a command from the server."""
SILENT: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "stall": {"rcon__command_seconds": 0.4, "llm__first_byte_seconds": 1.0},
        "stall_mid_packet": {"rcon__command_seconds": 0.4},
        "stall_mid_line": {"llm__stall_seconds": 1.0},
        "endless_newlines": {"llm__total_seconds": 1.5},
    }
)
"""These are known by a deadline alone. It is short here, so that a busy machine may add a fault of its own."""


def strikes(name: str, *, most: int) -> Strikes:
    """How often a fault strikes: seldom where it costs a deadline, or strikes everybody."""
    if name in LASTING:
        return Strikes(SEED, chance=0.02, again=0.0, most=1)
    return Strikes(SEED, chance=0.02 if name in SILENT else 0.08, again=0.3, most=most)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, soak_prompts: int) -> Remains:
    """What the run leaves where nothing goes wrong."""
    return _undisturbed(tmp_path_factory.mktemp("undisturbed"), soak_prompts)


@pytest.fixture(scope="session")
def thousand_undisturbed(tmp_path_factory: pytest.TempPathFactory, soak_prompts: int, undisturbed: Remains) -> Remains:
    """The same of a thousand prompts at the least."""
    if soak_prompts >= THOUSAND:
        return undisturbed
    return _undisturbed(tmp_path_factory.mktemp("thousand"), THOUSAND)


@pytest.fixture
def told(pytestconfig: pytest.Config) -> Callable[[str, Report], None]:
    """Keep a report for the table at the end."""
    lines = pytestconfig.stash.setdefault(LINES, [])
    return lambda name, report: lines.append(report.line(name))


@pytest.mark.parametrize("name", RCON_FAULTS)
async def test_a_run_through_a_fault_of_the_server(
    name: str, tmp_path: Path, undisturbed: Remains, told: Callable[[str, Report], None]
) -> None:
    """A second fault on the same command ends a trace, and so does a doubt whether it had run; nothing else does."""
    drawn = strikes(name, most=2)
    given = Soak(rcon=RCON_FAULTS[name], rcon_strikes=drawn, settings=SILENT.get(name, {}))
    report = await run_through(tmp_path, undisturbed, given)
    told(f"rcon {name}", report)
    assert_nothing_but_the_truth(report, undisturbed)
    expected = set() if name in SLOW else set(_lost_to_the_server(undisturbed, drawn, name))
    assert_lost(report, expected, name)


@pytest.mark.parametrize("name", HTTP_FAULTS)
async def test_a_run_through_a_fault_of_the_model(
    name: str, tmp_path: Path, undisturbed: Remains, told: Callable[[str, Report], None]
) -> None:
    """A third fault of the same request ends a trace; a model that is busy or away is waited for."""
    drawn = strikes(name, most=3)
    given = Soak(
        http=HTTP_FAULTS[name],
        http_strikes=drawn,
        armed_by=TraceEnded if name in LASTING else RunStarted,
        settings=SILENT.get(name, {}),
    )
    report = await run_through(tmp_path, undisturbed, given)
    told(f"model {name}", report)
    assert_nothing_but_the_truth(report, undisturbed)
    is_borne = name in SLOW or name in LASTING or name == "busy"
    lost = {text for text, shown in undisturbed.shown.items() if any(drawn.wanted(asked) == 3 for asked in shown)}
    assert_lost(report, set() if is_borne else lost, name)


async def test_a_run_through_all_faults_at_once(
    tmp_path: Path, thousand_undisturbed: Remains, told: Callable[[str, Report], None]
) -> None:
    """Whatever comes together on both sides, what is left is true."""
    settings = {key: value for silent in SILENT.values() for key, value in silent.items()}
    given = Soak(
        rcon=any_of(RCON_FAULTS.values()),
        http=any_of(HTTP_FAULTS.values()),
        rcon_strikes=Strikes(SEED, chance=0.06, again=0.3, most=3),
        http_strikes=Strikes(SEED, chance=0.06, again=0.3, most=4),
        armed_by=TraceEnded,
        settings=settings,
    )
    report = await run_through(tmp_path, thousand_undisturbed, given)
    told("all at once", report)
    assert_nothing_but_the_truth(report, thousand_undisturbed)
    assert len(report.behind.errored) < SHARE_OF_ERRORED * len(report.behind.traces)


async def run_through(folder: Path, undisturbed: Remains, given: Soak) -> Report:
    """Run the same prompts; a run that did not end by itself would be cut off after some minutes."""
    async with asyncio.timeout(300):
        report = await soak(folder, list(undisturbed.traces), given)
    assert report.first.ended.status == "done"
    assert report.struck > 0
    return report


def assert_nothing_but_the_truth(report: Report, undisturbed: Remains) -> None:
    """What did not end by a fault ended as ever, and the next run, on servers in good order, brings the rest."""
    behind, after = report.behind, report.after
    for trace in behind.traces.values():
        for attempt in trace.attempts:
            for result in attempt.results:
                _assert_true(result)
    unharmed = undisturbed.traces.keys() - behind.errored
    assert {text: behind.traces[text] for text in unharmed} == {text: undisturbed.traces[text] for text in unharmed}
    true, written = set(undisturbed.rows), set(behind.rows)
    assert written <= true
    assert len(written) == len(behind.rows)
    assert all(any(text.encode() in row for text in behind.errored) for row in true - written)
    # The model hears of what it did wrong, and of nothing else.
    assert all(shown <= undisturbed.shown[text] for text, shown in after.shown.items() if text != ONE_MORE)
    assert {text: trace for text, trace in after.traces.items() if text != ONE_MORE} == undisturbed.traces
    more = [row for row in after.rows if row not in true]
    assert sorted(after.rows) == sorted([*true, *more])
    assert len(more) == 1
    assert ONE_MORE.encode() in more[0]


def assert_lost(report: Report, expected: Set[str], name: str) -> None:
    """No trace is lost but those that had to be, as far as that can be told beforehand."""
    if name in LASTING:
        assert report.away > 0
    if name in LASTING or name in AT_THE_NEXT:
        assert len(report.behind.errored) < SHARE_OF_ERRORED * len(report.behind.traces)
    elif name in SILENT:
        assert report.behind.errored >= expected
        assert len(report.behind.errored) < SHARE_OF_ERRORED * len(report.behind.traces)
    else:
        assert report.behind.errored == expected


def _undisturbed(folder: Path, count: int) -> Remains:
    remains = asyncio.run(soak(folder, prompts(count), Soak())).behind
    ends = {text: trace.outcome.value for text, trace in remains.traces.items()}
    assert ends == {text: ENDS[text.split()[1]] for text in prompts(count)}
    return remains


def _assert_true(result: CommandResult) -> None:
    assert result.reply == true_reply(result.command)
    assert (result.verdict.outcome, result.verdict.because) == truth_of(result.command)


def _lost_to_the_server(undisturbed: Remains, drawn: Strikes, name: str) -> Iterator[str]:
    for text, trace in undisturbed.traces.items():
        if any(_is_lost(command, drawn.wanted(command.encode()), name) for command in _commands(trace)):
            yield text


def _is_lost(command: str, wanted: int, name: str) -> bool:
    """Whether a command is struck too often, or fails when it is sent again: perhaps because it had run."""
    fails_again = truth_of(command)[0] is VerdictOutcome.FAILED or (remembers(command) and name not in BEFORE_IT_RUNS)
    return wanted == 2 or (wanted == 1 and fails_again)


def _commands(trace: Trace) -> Iterator[str]:
    for attempt in trace.attempts:
        for result in attempt.results:
            yield result.command
