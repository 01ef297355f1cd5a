"""Laws of the simulator, and what it proves of the default sampler: `selfplay-tui simulate` as it is typed, too."""

from __future__ import annotations

import asyncio
import math
import signal
from functools import cache
from pathlib import Path
from statistics import stdev

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.curriculum.samplers import SAMPLERS
from selfplay_core.curriculum.simulator import LAWS, SCENARIOS, Comparison, Estimate, Law, compare, simulate
from selfplay_core.models import CATEGORY_NAMES
from tests.commands import Done, clean_environment, run_command, start_command
from tests.test_layers import loaded_after
from tui.cli import main
from tui.simulate_options import SAMPLER_NAMES, SCENARIO_NAMES

ROUNDS, STUDENTS = 200, 8
CELLS = [(scenario, law) for scenario in SCENARIOS for law in LAWS]


@cache
def compared(scenario: str, law: Law) -> dict[str, Comparison]:
    """Gated and uniform in a scenario."""
    samplers = {name: SAMPLERS[name] for name in ("gated", "uniform")}
    found = compare([SCENARIOS[scenario]], samplers, laws=[law], rounds=ROUNDS, students=STUDENTS)
    return {one.sampler: one for one in found}


@pytest.mark.parametrize(("scenario", "law"), CELLS)
def test_gated_is_never_worse_than_uniform(scenario: str, law: Law) -> None:
    """In mean skill by no more than a hundredth, under either law."""
    found = compared(scenario, law)
    assert found["gated"].mean.mean >= found["uniform"].mean.mean - 0.01


@pytest.mark.parametrize(("scenario", "law"), CELLS)
def test_gated_wastes_little_on_what_cannot_be_won(scenario: str, law: Law) -> None:
    """At most two parts in K of the budget, and no more than half of what uniform wastes, whatever is broken."""
    found = compared(scenario, law)
    assert found["gated"].wasted.mean <= 2 / len(CATEGORY_NAMES)
    assert found["gated"].wasted.mean <= 0.6 * found["uniform"].wasted.mean


def test_weakest_first_breaks_the_law_that_gated_keeps() -> None:
    """Or the law would say nothing: it pours more than half of a run into two broken categories."""
    (found,) = compare(
        [SCENARIOS["two-broken"]], {"weakest": SAMPLERS["weakest"]}, laws=["gradient"], rounds=ROUNDS, students=3
    )
    assert found.wasted.mean > 0.5
    assert found.mean.mean < compared("two-broken", "gradient")["uniform"].mean.mean - 0.01


def test_the_same_seed_gives_the_same_student() -> None:
    """And another seed another one."""
    results = [
        simulate(SCENARIOS["one-broken"], SAMPLERS["gated"], "gradient", rounds=30, seed=seed) for seed in (1, 1, 2)
    ]
    assert results[0] == results[1] != results[2]


def test_the_laws_differ() -> None:
    """A student learns otherwise under each of them, from the first lesson on."""
    paths = [simulate(SCENARIOS["all-alike"], SAMPLERS["uniform"], law, rounds=40, seed=3).path for law in LAWS]
    assert [one != other for one, other in zip(*paths, strict=True)] == [False] * 2 + [True] * 8


def test_what_is_mended_is_won_afterwards() -> None:
    """A broken category counts as broken until the middle of the run, and is learnt from there on."""
    mended = simulate(SCENARIOS["mended-half-way"], SAMPLERS["uniform"], "gradient", rounds=100, seed=1)
    broken = simulate(SCENARIOS["one-broken"], SAMPLERS["uniform"], "gradient", rounds=100, seed=1)
    assert 0 < mended.wasted < 0.75 * broken.wasted
    assert mended.path[:5] == broken.path[:5]
    assert mended.mean < broken.mean  # of one more category, whose beginner counts from then on


def test_skill_that_fades_ends_lower() -> None:
    """By as much as it fades in all rounds together, where nothing is practised."""
    fading, kept = (
        simulate(SCENARIOS[name], SAMPLERS["uniform"], "gradient", rounds=100, seed=1)
        for name in ("skill-fades", "one-broken")
    )
    assert fading.mean < kept.mean - 0.02


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.sampled_from(sorted(SCENARIOS)))
def test_a_path_ends_where_the_student_does(rounds: int, scenario: str) -> None:
    """It has a point for each tenth of the run, or for each round of a shorter one."""
    result = simulate(SCENARIOS[scenario], SAMPLERS["gated"], "saturating", rounds=rounds, seed=0)
    assert len(result.path) == min(rounds, 10)
    assert result.path[-1] == result.mean
    assert 0 <= result.worst <= result.mean <= 1


def test_intervals_shrink_with_students() -> None:
    """About as the root of their number."""
    few, many = (
        compare(
            [SCENARIOS["none-broken"]], {"uniform": SAMPLERS["uniform"]}, laws=["gradient"], rounds=20, students=number
        )[0]
        for number in (6, 96)
    )
    assert 0 < many.mean.half_width < few.mean.half_width / 2
    assert many.worst.half_width < few.worst.half_width


@pytest.mark.parametrize(("count", "quantile"), [(2, 12.706), (3, 4.303), (5, 2.776), (12, 2.201), (31, 2.042)])
def test_intervals_of_few_students_are_wide_enough(count: int, quantile: float) -> None:
    """Student's t of a table; of one student nothing is known."""
    values = [float(place % 2) + 0.1 * place for place in range(count)]
    expected = quantile * stdev(values) / math.sqrt(count)
    assert Estimate.of(values).half_width == pytest.approx(expected, rel=0.01)
    assert Estimate.of(values[:1]).half_width == math.inf


def test_the_options_name_what_there_is() -> None:
    """No scenario or sampler can be missed or misspelt in the help."""
    assert tuple(SCENARIOS) == SCENARIO_NAMES
    assert tuple(SAMPLERS) == SAMPLER_NAMES


async def simulated(folder: Path, *words: str) -> Done:
    """The command with few rounds and students."""
    return await run_command(folder, "simulate", "--rounds", "12", "--students", "3", *words)


def made_in(folder: Path) -> list[str]:
    """What the command has left behind."""
    return [path.name for path in folder.iterdir()]


async def test_the_command_prints_a_table_for_each_scenario_and_law(tmp_path: Path) -> None:
    """At most 80 columns, with every sampler in each, the same bytes each time, and not a file is made."""
    words = ("--scenario", "two-broken", "--scenario", "all-alike", "--seed", "5")
    one, again = await asyncio.gather(simulated(tmp_path, *words), simulated(tmp_path, *words))
    assert (one.code, one.err) == (0, "")
    assert one.out == again.out
    lines = one.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line.endswith(" law")] == [
        "two-broken, gradient law",
        "two-broken, saturating law",
        "all-alike, gradient law",
        "all-alike, saturating law",
    ]
    for name in SAMPLERS:
        assert sum(line.startswith(f"{name} ") for line in lines if "±" in line) == 4
    assert "of 4 comparisons gated has the best mean skill" in one.out
    assert made_in(tmp_path) == []


async def test_ascii_is_ascii(tmp_path: Path) -> None:
    """In the chart and in the intervals."""
    done = await simulated(tmp_path, "--ascii", "--scenario", "one-broken")
    assert done.out.isascii()
    assert "+-" in done.out


async def test_json_is_one_object_with_the_same_figures(tmp_path: Path) -> None:
    """And it says where gated is behind, by the very figures that are in it."""
    done = await simulated(tmp_path, "--json", "--scenario", "none-broken")
    body = orjson.loads(done.out)
    assert done.out.count("\n") == 1
    assert (body["rounds"], body["students"], body["seed"]) == (12, 3, 0)
    assert [one["sampler"] for one in body["comparisons"]] == [*SAMPLERS] * 2
    figures = {(one["law"], one["sampler"]): one for one in body["comparisons"]}
    told = {(one["law"], one["measure"]): one for one in body["gated_behind"]}
    for law in LAWS:
        for measure in ("mean_skill", "worst_skill"):
            best = max(figures[law, name][measure]["mean"] for name in SAMPLERS)
            by = best - figures[law, "gated"][measure]["mean"]
            assert ((law, measure) in told) == (by > 0.0005)
            if by > 0.0005:
                assert told[law, measure]["by"] == pytest.approx(by, abs=0.0002)


async def test_without_gated_nothing_is_said_of_it(tmp_path: Path) -> None:
    """Nor with nothing beside it."""
    for name in ("uniform", "gated"):
        done = await simulated(tmp_path, "--scenario", "all-alike", "--sampler", name)
        assert done.out.endswith("\nNothing was compared with gated.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scenario", "worse"], ["'worse'", *SCENARIO_NAMES]),
        (["--sampler", "best"], ["'best'", *SAMPLER_NAMES]),
        (["--rounds", "0"], ["from 1 on"]),
        (["--students", "1"], ["from 2 on"]),
        (["--seed", "-1"], ["--seed"]),
        (["--workspace", "x"], ["--workspace"]),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With what there is, in one line, exit 2."""
    assert main(["simulate", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert all(word in printed.err for word in said)


async def test_an_interrupt_ends_it_quietly(tmp_path: Path) -> None:
    """Between two tables, with exit code 130 and no traceback; what was printed stays."""
    process = await start_command(tmp_path, "simulate", "--rounds", "400", env=clean_environment(tmp_path))
    assert process.stdout is not None
    first = await asyncio.wait_for(process.stdout.readline(), 60)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, err) == (130, b"")
    assert first == b"one-broken, gradient law\n"
    assert b"comparisons" not in out


def test_it_loads_no_screen_and_speaks_to_nothing(tmp_path: Path) -> None:
    """Neither a screen, nor a model, a server or a workspace."""
    program = "from tui.cli import main\nassert main(['simulate', '--rounds', '2', '--students', '2']) == 0"
    unwanted = ["textual", "rich", "httpx", "mcrcon", "mecha", "uvicorn", "sqlite3", "asyncio"]
    assert loaded_after(program, unwanted, tmp_path) == []
