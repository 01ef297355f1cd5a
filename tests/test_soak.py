"""Whole runs through each fault: they end by themselves, and nothing but what is true is left of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Set
from pathlib import Path

import pytest

from selfplay_core.judging import USUAL_MEANINGS, Finding
from selfplay_core.models import Trace, VerdictOutcome
from tests.servers.http_faults import HTTP_FAULTS
from tests.servers.proxy import Strikes
from tests.servers.rcon_faults import RCON_FAULTS
from tests.soak import ONE_MORE, Remains, Report, Soak, soak
from tests.soak_world import ENDS, prompts, server_says, truth_of

SEED = 20
_SLOW = {"delay", "slow_drip"}
"""These only cost time."""
_LASTING = {"restart", "refused", "password_changed", "model_gone", "path_gone", "key_refused"}
"""These begin something that lasts until the run has seen it, and strike whatever else is under way."""
_SILENT: Mapping[str, Mapping[str, object]] = {
    "stall": {"rcon__command_seconds": 0.25, "llm__first_byte_seconds": 1.0},
    "stall_mid_packet": {"rcon__command_seconds": 0.25},
    "stall_mid_line": {"llm__stall_seconds": 1.0},
    "endless_newlines": {"llm__total_seconds": 1.5},
}
"""These are known by a deadline alone, which is short here, so that a busy machine may add some of its own."""


def strikes(name: str, *, most: int) -> Strikes:
    """How often a fault strikes: seldom where it costs a deadline or strikes everybody."""
    if name in _LASTING:
        return Strikes(SEED, chance=0.02, again=0.0, most=1)
    if name in _SILENT:
        return Strikes(SEED, chance=0.02, again=0.3, most=most)
    return Strikes(SEED, chance=0.08, again=0.3, most=most)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, soak_prompts: int) -> Remains:
    """What the run leaves where nothing goes wrong."""
    report = asyncio.run(soak(tmp_path_factory.mktemp("undisturbed"), prompts(soak_prompts), Soak()))
    assert {text: ENDS[text.split()[1]] for text in prompts(soak_prompts)} == {
        text: trace.outcome.value for text, trace in report.behind.traces.items()
    }
    return report.behind


@pytest.mark.parametrize("name", RCON_FAULTS)
async def test_rcon(name, tmp_path, soak_prompts, undisturbed, capsys):
    await check(
        name,
        Soak(rcon=RCON_FAULTS[name], rcon_strikes=strikes(name, most=2), settings=_SILENT.get(name, {})),
        tmp_path,
        soak_prompts,
        undisturbed,
        capsys,
    )


@pytest.mark.parametrize("name", HTTP_FAULTS)
async def test_http(name, tmp_path, soak_prompts, undisturbed, capsys):
    await check(
        name,
        Soak(http=HTTP_FAULTS[name], http_strikes=strikes(name, most=3), settings=_SILENT.get(name, {})),
        tmp_path,
        soak_prompts,
        undisturbed,
        capsys,
    )


async def check(name, given, tmp_path, soak_prompts, undisturbed, capsys):
    async with asyncio.timeout(120):
        report = await soak(tmp_path, prompts(soak_prompts), given)
    with capsys.disabled():
        print(
            f"\n{name:20} struck {report.struck:4} away {report.away:3} errored {len(report.behind.errored):4} {report.seconds:.1f} s {dict(report.ends)}"
        )
    problems = []
    for text, trace in report.behind.traces.items():
        if text not in report.behind.errored and trace != undisturbed.traces[text]:
            problems.append((text, trace, undisturbed.traces[text]))
        for attempt in trace.attempts:
            for result in attempt.results:
                if result.reply != server_says(result.command) or (
                    result.verdict.outcome,
                    result.verdict.because,
                ) != truth_of(result.command):
                    problems.append((text, result))
    for text, shown in report.after.shown.items():
        if text != ONE_MORE and not shown <= undisturbed.shown[text]:
            problems.append((text, shown - undisturbed.shown[text]))
    if not set(report.behind.rows) <= set(undisturbed.rows):
        problems.append("rows")
    if report.after.errored:
        problems.append("still errored")
    extra = set(report.after.rows) - set(undisturbed.rows)
    if len(extra) != 1 or not set(undisturbed.rows) <= set(report.after.rows):
        problems.append(("rows after", len(extra), len(set(undisturbed.rows) - set(report.after.rows))))
    if len(report.after.rows) != len(set(report.after.rows)):
        problems.append("double rows")
    for text, trace in undisturbed.traces.items():
        if report.after.traces[text] != trace:
            problems.append(("after", text, report.after.traces[text], trace))
    with capsys.disabled():
        for p in problems[:3]:
            print("   ", str(p)[:1500])
    assert not problems
