"""What models are compared by becomes no row: not by a run, a person, an edit, an import, a redo or an export."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import pytest

from selfplay_core.bakeoff.cases import read_cases
from selfplay_core.bakeoff.guard import leaks_into
from selfplay_core.bakeoff.ledger import read_folder
from selfplay_core.bakeoff.report import make_report
from selfplay_core.errors import CaseOfBakeoff, UsageError, WorkspaceError
from selfplay_core.events import Event, PromptsWritten, TraceStarted
from selfplay_core.exchange.export import export
from selfplay_core.exchange.importing import import_files
from selfplay_core.exchange.places import Wish
from selfplay_core.models import DecisionKind, Outcome
from selfplay_core.store.amendments import amend_trace
from selfplay_core.store.bans import add_bans, banned, has_bans, lift_bans
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.decisions import redo, standing, undo
from selfplay_core.store.filters import Filter
from selfplay_core.store.imports import Fate
from selfplay_core.store.listing import example
from selfplay_core.store.requests import ask
from selfplay_core.store.traces import traces
from tests.bakeoffs import Skill, bake, bakery, write_cases
from tests.store_samples import begun, by, decided, ended
from tests.worlds import play, playground, prompts_of
from tui.workspace.commits import commit_shown, commit_untouched

CASE = "sudo give me seven golden apples and a bucket of milk"
NEAR = "sudo give me seven golden apples and one bucket of milk"
FAR = "pray turn the sea into glass"


def ban(database: Database, *prompts: str) -> None:
    add_bans(database, prompts, source="cases.jsonl", at=1.0)


def test_a_copy_is_banned_whatever_its_category_and_a_stranger_is_not(tmp_path: Path) -> None:
    with closing(begun(tmp_path)) as database:
        assert banned(database, CASE) is None
        ban(database, CASE, "//")
        assert banned(database, CASE) == CASE
        assert banned(database, NEAR) == CASE
        assert banned(database, CASE.upper()) == CASE
        # Of such a prompt no word is left to compare.
        assert banned(database, "//") == "//"
        assert banned(database, FAR) is None
        ban(database, FAR)
        assert banned(database, FAR) == FAR
    with closing(Reader.open(tmp_path)) as reader:
        assert banned(reader, NEAR) == CASE


def test_no_person_can_accept_it(tmp_path: Path) -> None:
    with closing(begun(tmp_path)) as database:
        near, far = ended(database, (NEAR, FAR))
        ban(database, CASE)
        with pytest.raises(CaseOfBakeoff, match="seven golden apples"):
            decided(database, near)
        with pytest.raises(CaseOfBakeoff):
            decided(database, far, by(DecisionKind.EDIT, edited_prompt=CASE))
        decided(database, near, by(DecisionKind.EDIT, edited_prompt="sudo do something else entirely"))
        decided(database, far)
        decided(database, near, by(DecisionKind.REJECT))
        assert database.rows("SELECT count(*) FROM accepted") == [(1,)]


def test_of_many_at_once_the_others_are_accepted(tmp_path: Path) -> None:
    with closing(begun(tmp_path)) as database:
        ended(database, (NEAR, FAR, "sudo fly"))
        ban(database, CASE)
        assert commit_untouched(database, (1, 2), by(), 0) == (2,)
        shown = [one for one in (example(database, 1), example(database, 3)) if one is not None]
        assert commit_shown(database, shown, by()) == (3,)
        assert commit_untouched(database, (1,), by(DecisionKind.REJECT), 0) == (1,)


def test_what_was_accepted_before_is_told_and_left_out_of_exports(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 3)
    with closing(begun(tmp_path)) as database:
        first, _ = ended(database, (book.cases[1].prompt, FAR))
        decided(database, first)
        decided(database, ended(database, ("sudo x", FAR), 2)[1])
        ban(database, *(case.prompt for case in book.cases))
    assert leaks_into(book, tmp_path).numbers == (1,)
    assert leaks_into(book, tmp_path / "nowhere").numbers is None
    with closing(Reader.open(tmp_path)) as reader:
        for name, lines in (("trl-sft", 1), ("trl-kto", None), ("native", 4)):
            stream = io.BytesIO()
            wish = Wish(format=name, output=None, wanted=Filter(), filter_text="", tool_version="0")
            manifest = export(reader, wish, stream)
            held = book.cases[1].prompt in stream.getvalue().decode()
            assert held == (name == "native")
            assert lines is None or manifest.lines == lines
            assert name == "native" or manifest.dropped["a case of a bake-off, or nearly one"] == 1


def test_an_undone_acceptance_stays_undone(tmp_path: Path) -> None:
    """A redo would make a row of what was banned meanwhile."""
    with closing(begun(tmp_path)) as database:
        (near,) = ended(database, (NEAR,))
        decided(database, near)
        undo(database, near.id, by="tester", at=1.0)
        ban(database, CASE)
        with pytest.raises(CaseOfBakeoff):
            redo(database, near.id, by="tester", at=2.0)
        assert standing(database, near.id).decision is None
        assert database.rows("SELECT count(*) FROM accepted") == [(0,)]


def test_an_import_brings_the_trace_and_not_the_row(tmp_path: Path) -> None:
    file = tmp_path / "backup.jsonl"
    with closing(begun(tmp_path / "theirs")) as database:
        for made in ended(database, (NEAR, FAR)):
            decided(database, made)
        with file.open("wb") as stream:
            export(database, Wish("native", None, Filter(), "", "0"), stream)
    with closing(Database.open(tmp_path / "ours")) as database:
        ban(database, CASE)
        imported = import_files(database, [file], at=1.0)
        assert (imported.fates[Fate.NEW], imported.fates[Fate.REFUSED]) == (2, 1)
        assert [line.prompt for line in traces(database, decision=DecisionKind.ACCEPT)] == [FAR]
        assert any("bake-off" in problem.why for problem in imported.problems)


async def test_cases_that_are_nearly_all_there_is_to_train_on_are_refused(tmp_path: Path) -> None:
    """A ban would leave nothing to export; what was meant is `--cases workspace`."""
    book = write_cases(tmp_path, 4)
    with closing(begun(tmp_path / "workspace")) as database:
        for made in ended(database, [case.prompt for case in book.cases[:3]]):
            decided(database, made)
    async with bakery(tmp_path, good=Skill(100)) as ground:
        with pytest.raises(UsageError, match=r"of the 4 cases in .* 3 are accepted rows"):
            await bake(ground.job(book))
    with closing(Reader.open(tmp_path / "workspace")) as reader:
        assert not has_bans(reader)


def test_a_ban_can_be_lifted(tmp_path: Path) -> None:
    with closing(begun(tmp_path)) as database:
        (near,) = ended(database, (NEAR,))
        ban(database, CASE, FAR)
        assert banned(database, NEAR) == CASE
        assert lift_bans(database, [CASE, "sudo never banned"]) == 1
        assert banned(database, NEAR) is None
        assert banned(database, FAR) == FAR
        decided(database, near)
        ban(database, CASE)
        assert banned(database, NEAR) == CASE


async def test_a_run_neither_asks_nor_accepts_it(tmp_path: Path) -> None:
    """What the model writes like a case is dropped before it is answered, and so is what a file gives."""
    async with playground(tmp_path) as ground:
        first = await play(ground.job(run__rounds=1, workspace="plain", output="plain.jsonl"))
        prompts = [trace.prompt.text for trace in first.traces if trace.outcome is Outcome.SOLVED]
        with closing(Database.open(tmp_path / "workspace")) as database:
            ban(database, prompts[0])
        ran = await play(ground.job(run__rounds=1))
        given = await play(ground.job(given=[prompts[0], "sudo another one torch"], new=True))
    assert prompts[0] not in [trace.prompt.text for trace in ran.traces]
    dropped = [text for event in ran.events if isinstance(event, PromptsWritten) for text in event.dropped]
    assert (prompts[0], "is nearly a case of a bake-off") in dropped
    assert [trace.prompt.text for trace in given.traces] == ["sudo another one torch"]
    assert prompts[0] not in prompts_of(tmp_path / "out.jsonl")


async def test_what_is_banned_while_it_is_answered_is_left_to_a_person(tmp_path: Path) -> None:
    """The automatic acceptance passes a case over, and the run goes on to its end."""

    def ban_it(event: Event) -> None:
        if isinstance(event, TraceStarted):
            with closing(Database.open(tmp_path / "workspace")) as database:
                ban(database, event.prompt.text)

    async with playground(tmp_path) as ground:
        ran = await play(ground.job(run__rounds=1), watch=ban_it)
    assert ran.ended.status == "done"
    assert {Outcome.SOLVED, Outcome.CORRECTED} & {trace.outcome for trace in ran.traces}
    assert not prompts_of(tmp_path / "out.jsonl")


async def test_a_bakeoff_bans_its_cases_in_its_workspace_and_keeps_its_own_answers_as_they_are(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 4)
    async with bakery(tmp_path, good=Skill(100)) as ground:
        await bake(ground.job(book))
    with closing(Reader.open(tmp_path / "workspace")) as reader:
        assert all(banned(reader, case.prompt) == case.prompt for case in book.cases)
    with closing(Database.open(tmp_path / "bakeoff")) as database:
        for line in traces(database):
            shown = example(database, line.number)
            assert shown is not None
            with pytest.raises(CaseOfBakeoff):
                decided(database, shown.trace)
            decided(database, shown.trace, by(DecisionKind.REJECT))
            with pytest.raises(WorkspaceError, match="holds a bake-off"):
                amend_trace(database, shown.trace, by="tester", at=1.0, expected_attempts=1)
        with pytest.raises(WorkspaceError, match="holds a bake-off"):
            ask(database, "look", "{}", 1.0)


async def test_cases_that_are_the_workspaces_own_ban_nothing_and_are_called_known(tmp_path: Path) -> None:
    with closing(begun(tmp_path / "workspace")) as database:
        for made in ended(database, (CASE, FAR)):
            decided(database, made)
        book = read_cases("workspace", database)
    async with bakery(tmp_path, good=Skill(100)) as ground:
        await bake(ground.job(book))
    with closing(Reader.open(tmp_path / "workspace")) as reader:
        assert banned(reader, CASE) is None
    report = make_report([read_folder(tmp_path / "bakeoff")])
    assert any("may have been trained on" in warning for warning in report.warnings)
    assert report.book.may_be_known
