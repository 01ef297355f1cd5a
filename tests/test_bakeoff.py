"""Bake-offs on real sockets: who is found better, what is kept, what goes on after an interruption."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from selfplay_core.bakeoff.events import BakeoffStarted, CaseMarked
from selfplay_core.bakeoff.intervals import LEVEL, Rule
from selfplay_core.bakeoff.ledger import read_folder
from selfplay_core.bakeoff.marks import Mark, Why
from selfplay_core.bakeoff.publish import conclude
from selfplay_core.bakeoff.report import make_report
from selfplay_core.bakeoff.standing import leader_is_decided
from selfplay_core.engine.control import Control
from selfplay_core.errors import ModelNotFound, UsageError, WorkspaceError
from selfplay_core.events import Event
from selfplay_core.models import Outcome
from selfplay_core.store.database import Reader
from selfplay_core.store.filters import Filter
from selfplay_core.store.listing import example, listing
from tests.bakeoffs import Skill, bake, bakery, luck, write_cases
from tests.servers.ollama import CUT, Reply, fail, lines, say
from tui.drawing.example import example_lines
from tui.drawing.glyphs import GLYPHS
from tui.drawing.lines import ROLES, plain


async def test_every_model_answers_every_case_once_and_alike(tmp_path: Path) -> None:
    """The same prompts, seeds, personas and schemas for each; the marks are those of the models' known skill."""
    book = write_cases(tmp_path, 60)
    async with bakery(tmp_path, good=Skill(80, 10), poor=Skill(50, 10)) as ground:
        baked = await bake(ground.job(book, run__concurrency=4))
        asked = ground.model.chats
    assert baked.ended.status == "done"
    assert len(baked.marked) == 120
    for name, skill in ground.skills.items():
        for case in book.cases:
            drawn = luck(name, case.prompt)
            wanted = Mark.OK if drawn < skill.right else Mark.FIXED if drawn < skill.right + skill.mended else Mark.MISS
            assert baked.marks(name)[case.place] is wanted
    first = {
        name: sorted(_without_model(body) for body in asked if body["model"] == name and len(body["messages"]) == 2)
        for name in ground.skills
    }
    assert first["good"] == first["poor"]
    assert len(first["good"]) == 60


async def test_the_report_counts_what_was_marked(tmp_path: Path) -> None:
    """OK and MISS are all decided cases, in all, by category and by mode; a fix is a part of what is right."""
    book = write_cases(tmp_path, 45, category="edge_items")
    async with bakery(tmp_path, good=Skill(80, 10), poor=Skill(40, 20)) as ground:
        baked = await bake(ground.job(book, run__concurrency=4))
    report = conclude(ground.folder / "bakeoff", ground.folder / "workspace")
    assert [standing.entrant.label for standing in report.standings] == ["good", "poor"]
    for standing in report.standings:
        marks = Counter(baked.marks(standing.entrant.label).values())
        figures = standing.overall
        assert figures.ok == marks[Mark.OK] + marks[Mark.FIXED]
        assert (figures.fixed, figures.missed) == (marks[Mark.FIXED], marks[Mark.MISS])
        assert figures.missed_because == {"rejected": marks[Mark.MISS]}
        assert figures.ok + figures.missed == figures.decided == 45
        for parts in (standing.by_category, standing.by_mode):
            assert sum(part.ok for part in parts.values()) == figures.ok
            assert sum(part.decided for part in parts.values()) == figures.decided
        assert standing.by_mode["god"].decided == 15
        assert set(standing.by_category) == {"edge_items"}
    (pair,) = report.pairs
    good, poor = ({place for place, mark in baked.marks(name).items() if mark.is_right} for name in ("good", "poor"))
    counts = pair.counts
    assert (counts.both, counts.first_only, counts.second_only) == (
        len(good & poor),
        len(good - poor),
        len(poor - good),
    )
    assert pair.rule is Rule.EXACT
    assert {contrast.case.place for contrast in report.contrasts} == good ^ poor
    written = orjson.loads((ground.folder / "bakeoff" / "report.json").read_bytes())
    assert [model["ok"] for model in written["models"]] == [one.overall.ok for one in report.standings]
    assert len(written["differences"]) == len(good ^ poor)
    assert all(
        {"commands", "replies", "trace"} <= set(answer) for one in written["differences"] for answer in one["answers"]
    )


async def test_the_better_model_is_found_and_it_ends_there(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 400)
    async with bakery(tmp_path, poor=Skill(45), good=Skill(85)) as ground:
        baked = await bake(ground.job(book, until_decided=True, run__concurrency=8))
    assert baked.ended.status == "done"
    assert baked.ended.reason.startswith("Decided after ")
    report = make_report([read_folder(ground.folder / "bakeoff")])
    (pair,) = report.pairs
    assert (pair.first, pair.is_decided, pair.rule) == ("good", True, Rule.ANYTIME)
    assert pair.counts.cases < 400
    assert len(baked.marks("good")) == len(baked.marks("poor")) == pair.counts.cases


@pytest.mark.parametrize("names", [("one", "two"), ("one", "two", "three")])
def test_equal_models_are_called_decided_less_often_than_the_level_allows(names: tuple[str, ...]) -> None:
    """Models of one skill, looked at after every 25 of 300 cases: in 300 bake-offs the leader is rarely found."""
    chance = random.Random(4)
    decided = 0
    for _ in range(300):
        models: dict[str, dict[int, Mark]] = {name: {} for name in names}
        for place in range(300):
            for marks in models.values():
                marks[place] = Mark.OK if chance.random() < 0.7 else Mark.MISS
            if place % 25 == 24 and leader_is_decided(models):
                decided += 1
                break
    print(f"{len(names)} equal models, looked at every 25 of 300 cases: decided in {decided} of 300 bake-offs")
    assert decided / 300 <= LEVEL


def test_the_best_of_three_is_decided_once_it_has_beaten_both() -> None:
    places = range(40)
    best = dict.fromkeys(places, Mark.OK)
    poor = dict.fromkeys(places, Mark.MISS)
    assert leader_is_decided({"best": best, "poor": poor, "poorer": poor})
    assert not leader_is_decided({"best": best, "as good": best, "poor": poor})
    assert not leader_is_decided({"alone": best})
    assert not leader_is_decided({"best": best, "unseen": {}})


async def test_a_sample_is_drawn_by_the_seed_and_a_longer_one_begins_with_it(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 60)
    async with bakery(tmp_path, good=Skill(80)) as ground:
        short = await bake(ground.job(book, sample=10))
        longer = await bake(ground.job(book, folder="longer", sample=30))
        other = await bake(ground.job(book, folder="other", sample=10, run__seed=6))
        more = await bake(ground.job(book, sample=30))
    assert len(short.marks("good")) == 10
    assert set(short.marks("good")) < set(longer.marks("good"))
    assert set(short.marks("good")) != set(other.marks("good"))
    assert set(more.marks("good")) == set(longer.marks("good")) - set(short.marks("good"))


async def test_whoever_has_looked_and_asks_for_more_is_judged_as_one_who_looks(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 60)
    async with bakery(tmp_path, good=Skill(80), poor=Skill(50)) as ground:
        await bake(ground.job(book, sample=20))
        assert make_report([read_folder(ground.folder / "bakeoff")]).pairs[0].rule is Rule.EXACT
        await bake(ground.job(book, sample=40))
    assert make_report([read_folder(ground.folder / "bakeoff")]).pairs[0].rule is Rule.ANYTIME


async def test_it_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    """Drained in the middle: what is marked stays, only the rest is asked, and the marks are those of a whole one."""
    book = write_cases(tmp_path, 40)
    async with bakery(tmp_path, good=Skill(80, 10), poor=Skill(50, 10)) as ground:
        control = Control()
        seen: list[Event] = []

        def stop_in_the_middle(event: Event) -> None:
            seen.append(event)
            if sum(isinstance(one, CaseMarked) for one in seen) == 33:
                control.drain()

        first = await bake(ground.job(book, run__concurrency=2), control, stop_in_the_middle)
        interrupted = make_report([read_folder(ground.folder / "bakeoff")])
        again = await bake(ground.job(book, run__concurrency=2))
        whole = await bake(ground.job(book, folder="whole"))
    assert first.ended.status == "interrupted"
    assert 33 <= len(first.marked) < 80
    assert not interrupted.is_final
    assert make_report([read_folder(tmp_path / "bakeoff")]).is_final
    (started,) = (event for event in again.events if isinstance(event, BakeoffStarted))
    assert (started.done, started.expected) == (len(first.marked), 80)
    assert len(first.marked) + len(again.marked) == 80
    for name in ground.skills:
        assert first.marks(name) | again.marks(name) == whole.marks(name)
        assert not first.marks(name).keys() & again.marks(name).keys()


async def test_a_fault_is_no_miss_and_the_same_again_asks_only_that(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 12)
    broken = book.cases[7].prompt
    async with bakery(tmp_path, good=Skill(100), poor=Skill(0)) as ground:

        def script(body: dict[str, Any]) -> Reply | None:
            if body["model"] == "good" and body["messages"][1]["content"] == broken:
                return fail(500, {"error": "the runner has died"})
            return None

        ground.script = script
        first = await bake(ground.job(book))
        counts = make_report([read_folder(ground.folder / "bakeoff")])
        ground.script = lambda body: None
        again = await bake(ground.job(book))
        report = make_report([read_folder(ground.folder / "bakeoff")])
    assert first.ended.status == again.ended.status == "done"
    assert first.marks("good")[7] is Mark.ERRORED
    assert (counts.standings[0].overall.errored, counts.standings[0].overall.decided) == (1, 11)
    assert counts.pairs[0].counts.cases == 11
    assert any("met a fault" in warning for warning in counts.warnings)
    assert again.marks("good") == {7: Mark.OK}
    assert again.marks("poor") == {}
    assert report.pairs[0].counts.cases == 12


async def test_a_model_that_says_nothing_misses(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 3)
    async with bakery(tmp_path, mute=Skill(0), good=Skill(100)) as ground:
        ground.script = lambda body: say("") if body["model"] == "mute" else None
        baked = await bake(ground.job(book))
    assert {event.why for event in baked.marked if event.model == "mute"} == {Why.BLANK.value}


async def test_a_miss_stays_one_however_often_it_is_started(tmp_path: Path) -> None:
    """Who was blank is not asked again until it answers; who was cut off by the server is."""
    book = write_cases(tmp_path, 3)
    async with bakery(tmp_path, mute=Skill(100), cut=Skill(100)) as ground:
        unfinished = lines({"message": {"role": "assistant", "content": "{"}, "done": False})
        ground.script = lambda body: say("") if body["model"] == "mute" else unfinished
        first = await bake(ground.job(book))
        ground.script = lambda body: None
        again = await bake(ground.job(book))
    assert set(first.marks("mute").values()) == {Mark.MISS}
    assert set(first.marks("cut").values()) == {Mark.ERRORED}
    assert again.marks("mute") == {}
    assert set(again.marks("cut").values()) == {Mark.OK}


async def test_another_build_under_the_same_name_is_refused(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 6)
    async with bakery(tmp_path, good=Skill(100)) as ground:

        def tells(digest: str) -> None:
            models = [{"name": "good", "model": "good", "digest": digest}]
            ground.model.routes["/api/tags"] = fail(200, {"models": models})

        tells("sha256:old")
        await bake(ground.job(book, sample=3))
        tells("sha256:new")
        with pytest.raises(WorkspaceError, match="another build of good has answered here"):
            await bake(ground.job(book))
        tells("sha256:old")
        assert len((await bake(ground.job(book))).marked) == 3


async def test_expectations_are_held_against_the_answers(tmp_path: Path) -> None:
    met = write_cases(tmp_path, 3, expect={"reply_patterns": ["^Gave 1"]})
    unmet = write_cases(tmp_path, 4, expect=["give slingshooter08 minecraft:diamond 1"])
    refusal = write_cases(tmp_path, 5, refuse=True)
    async with bakery(tmp_path, good=Skill(100), shy=Skill(100)) as ground:
        ground.script = lambda body: (
            say('{"commands": [], "reasoning": "No.", "message": "No."}') if body["model"] == "shy" else None
        )
        first = await bake(ground.job(met, folder="met"))
        second = await bake(ground.job(unmet, folder="unmet"))
        third = await bake(ground.job(refusal, folder="refusal"))
    assert set(first.marks("good").values()) == {Mark.OK}
    assert set(first.marks("shy").values()) == {Mark.MISS}
    assert {event.why for event in second.marked if event.model == "good"} == {Why.UNMET.value}
    assert set(third.marks("good").values()) == {Mark.MISS}
    assert set(third.marks("shy").values()) == {Mark.OK}


async def test_a_model_can_be_added_later(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 20)
    async with bakery(tmp_path, one=Skill(80), two=Skill(50), three=Skill(20)) as ground:
        await bake(ground.job(book, models=("one", "two")))
        added = await bake(ground.job(book, models=("one", "two", "three")))
    assert {event.model for event in added.marked} == {"three"}
    report = make_report([read_folder(ground.folder / "bakeoff")])
    assert len(report.pairs) == 3
    assert {pair.level for pair in report.pairs} == {0.05 / 3}


async def test_runs_of_different_times_are_compared_if_they_asked_the_same(tmp_path: Path) -> None:
    book, other_book = write_cases(tmp_path, 20), write_cases(tmp_path, 21)
    async with bakery(tmp_path, good=Skill(90), poor=Skill(30)) as ground:
        await bake(ground.job(book, folder="monday", models=("good",)))
        await bake(ground.job(book, folder="friday", models=("poor",), run__max_retries=1))
        await bake(ground.job(other_book, folder="others", models=("poor",)))
    monday, friday, others = (read_folder(ground.folder / name) for name in ("monday", "friday", "others"))
    report = make_report([monday, friday])
    (pair,) = report.pairs
    assert (pair.first, pair.second, pair.counts.cases) == ("good", "poor", 20)
    assert any(warning.startswith("max_retries differs") for warning in report.warnings)
    with pytest.raises(UsageError, match="asked other cases"):
        make_report([monday, others])
    sunday = replace(monday, folder=ground.folder / "sunday")
    labels = {standing.entrant.label for standing in make_report([monday, sunday]).standings}
    assert labels == {f"good ({one.folder})" for one in (monday, sunday)}


async def test_other_servers_are_told(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 5)
    async with bakery(tmp_path, good=Skill(90)) as ground:
        await bake(ground.job(book, folder="monday"))
        usual = ground.server.handler
        ground.server.handler = lambda command: (
            "This server is running Paper version 1.21.8-60-main@29c8822 (MC: 1.21.8)\n"
            if command == "version"
            else usual(command)
        )
        await bake(ground.job(book, folder="friday"))
    report = make_report([read_folder(ground.folder / name) for name in ("monday", "friday")])
    (told,) = (warning for warning in report.warnings if warning.startswith("Different servers"))
    assert "1.21.4" in told
    assert "1.21.8" in told


async def test_a_model_that_is_not_there_ends_it_before_anything_is_asked(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 5)
    async with bakery(tmp_path, good=Skill(90), gone=Skill(90)) as ground:
        ground.model.routes["/api/show"] = fail(404, {"error": "model 'gone' not found"})
        with pytest.raises(ModelNotFound):
            await bake(ground.job(book))
        assert ground.model.chats == []


async def test_a_reply_that_is_cut_is_asked_again_and_costs_no_model_anything(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 10)
    cut: Counter[str] = Counter()
    async with bakery(tmp_path, good=Skill(100), other=Skill(100)) as ground:

        def script(body: dict[str, Any]) -> Reply | None:
            prompt = body["messages"][1]["content"]
            cut[prompt] += 1
            return Reply((b'{"message": {"content": "{"', CUT)) if cut[prompt] == 1 else None

        ground.script = script
        baked = await bake(ground.job(book))
    assert {event.mark for event in baked.marked} == {Mark.OK}


async def test_the_review_screen_shows_what_the_other_models_answered(tmp_path: Path) -> None:
    """Beside each answer its model and mark, and the others' answers to the same case; `is:differs` lists those."""
    book = write_cases(tmp_path, 6)
    async with bakery(tmp_path, good=Skill(100), poor=Skill(0), other=Skill(100)) as ground:
        await bake(ground.job(book))
    folder = tmp_path / "bakeoff"
    conclude(folder, tmp_path / "workspace")
    with closing(Reader.open(folder)) as reader:
        numbers = listing(reader, Filter(differs=True)).numbers
        assert len(numbers) == 18
        for number in numbers:
            shown = example(reader, number)
            assert shown is not None
            assert shown.entered is not None
            assert {rival.model for rival in shown.entered.rivals} == set(ground.skills) - {shown.entered.model}
            assert all(rival.trace.prompt.text == shown.trace.prompt.text for rival in shown.entered.rivals)
            drawn = example_lines(shown, 78, GLYPHS)
            assert {piece.role for line in drawn for piece in line} <= set(ROLES)
            text = "\n".join(plain(line) for line in drawn)
            assert f"{shown.entered.model}: {'MISS, rejected' if shown.entered.model == 'poor' else 'OK'}" in text
            assert text.count("ANOTHER MODEL") == 2
            assert "givee" in text
            assert "Gave 1" in text


async def test_a_name_that_never_answered_is_no_part_of_the_report(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 4)
    async with bakery(tmp_path, good=Skill(90), poor=Skill(10), nope=Skill(0)) as ground:
        await bake(ground.job(book, models=("good", "poor")))
        ground.script = lambda body: fail(404, {"error": "model 'nope' not found"}) if body["model"] == "nope" else None
        with pytest.raises(ModelNotFound):
            await bake(ground.job(book, models=("good", "nope")))
    report = make_report([read_folder(tmp_path / "bakeoff")])
    assert {standing.entrant.label for standing in report.standings} == {"good", "poor"}
    assert report.pairs[0].rule is Rule.EXACT


async def test_what_it_keeps_are_whole_traces_that_the_review_screen_can_open(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 10)
    async with bakery(tmp_path, good=Skill(100), poor=Skill(0)) as ground:
        await bake(ground.job(book))
    ledger = read_folder(ground.folder / "bakeoff")
    outcomes = {
        entrant.label: {result.trace.outcome for result in entrant.results.values()} for entrant in ledger.entrants
    }
    assert outcomes == {"good": {Outcome.SOLVED}, "poor": {Outcome.FAILED}}
    assert all(entrant.identity is not None and entrant.identity.name == entrant.label for entrant in ledger.entrants)


def _without_model(body: dict[str, Any]) -> bytes:
    return orjson.dumps({key: value for key, value in body.items() if key != "model"}, option=orjson.OPT_SORT_KEYS)
