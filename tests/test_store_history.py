"""Laws of undo and redo across traces: what a person did last goes back first."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.errors import DecisionOvertaken
from selfplay_core.models import AUTO, Decision, DecisionKind, Trace
from selfplay_core.store import history as history_module
from selfplay_core.store.amendments import amend_trace
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import Planned, decide, decide_all, log, redo, standing, undo
from selfplay_core.store.history import Moved, last_decision, redo_last, undo_automatic, undo_last
from selfplay_core.store.traces import trace
from tests.store_samples import ACCEPT, REJECT, a_prompt, a_trace, asked_again, begun, ended, render, saved

BATCHED = replace(REJECT, batch="one keystroke")
ACTIONS = ("accept", "reject", "undo_last", "redo_last", "undo", "redo", "amend")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = begun(tmp_path)
    yield opened
    opened.close()


def accept(database: Database, made: Trace, by: str = "ann", batch: str = "") -> None:
    decision = replace(ACCEPT, by=by, batch=batch)
    decide(database, made.id, decision, render(made, decision))


def moved(found: Moved | None) -> tuple[str, list[int]] | None:
    return None if found is None else (found.kind, [number for _, number in found.traces])


def undone(database: Database, by: str = "ann") -> tuple[str, list[int]] | None:
    return moved(undo_last(database, by=by, at=5.0))


def redone(database: Database, by: str = "ann") -> tuple[str, list[int]] | None:
    return moved(redo_last(database, by=by, at=6.0))


def test_the_last_goes_back_first_across_restarts(tmp_path: Path, database: Database) -> None:
    """Undo walks back over traces in the order of their decisions, redo forth again, in another process too."""
    traces = ended(database, ["a", "b", "c"])
    for made in (traces[1], traces[0], traces[2]):
        accept(database, made)
    again = Database.open(tmp_path)
    assert [undone(again) for _ in range(4)] == [("undo", [3]), ("undo", [1]), ("undo", [2]), None]
    assert [redone(database) for _ in range(4)] == [("redo", [2]), ("redo", [1]), ("redo", [3]), None]
    assert [undone(again), redone(database), undone(again)] == [("undo", [3]), ("redo", [3]), ("undo", [3])]
    again.close()


def test_what_the_machine_decided_stays(database: Database) -> None:
    """Undo passes over automatic decisions, also where one lies over a person's, and takes any person's."""
    first, second, third = ended(database, ["a", "b", "c"])
    accept(database, first, "ann")
    accept(database, second, "bob")
    accept(database, third, AUTO)
    accept(database, second, AUTO)
    assert [undone(database), undone(database)] == [("undo", [1]), None]
    accept(database, third, AUTO)
    assert redone(database) == ("redo", [1])


def test_an_automatic_decision_is_taken_back_on_its_own_trace(database: Database) -> None:
    """By name of who did it; it stays so until it is redone, and a person's decision is none of its business."""
    first, second = ended(database, ["a", "b"])
    accept(database, first, "ann")
    accept(database, second, AUTO)
    assert undo_automatic(database, first.id, by="bob", at=4.0) is None
    assert moved(undo_automatic(database, second.id, by="bob", at=4.0)) == ("undo", [2])
    assert standing(database, second.id).decision is None
    assert log(database, limit=1)[0].by == "bob"
    assert undo_automatic(database, second.id, by="bob", at=5.0) is None
    with pytest.raises(DecisionOvertaken):
        decide(database, second.id, replace(ACCEPT, by=AUTO), render(second, ACCEPT), expected_seq=0)
    assert redone(database) == ("redo", [2])
    again = standing(database, second.id).decision
    assert again is not None
    assert again.by == AUTO
    assert undone(database) == ("undo", [1])


def test_a_decision_of_a_person_ends_redo(database: Database) -> None:
    """What was undone before anybody's newer decision cannot be redone, on whichever trace it fell."""
    first, second = ended(database, ["a", "b"])
    accept(database, first)
    undone(database)
    accept(database, second, "bob")
    assert redone(database) is None
    assert undone(database) == ("undo", [2])
    assert redone(database) == ("redo", [2])
    assert redone(database) is None


def test_decisions_of_one_keystroke_go_together(database: Database) -> None:
    """A batch is undone and redone whole; of it what somebody overruled since is left alone."""
    traces = ended(database, ["a", "b", "c"])
    decide_all(database, [Planned(made.id, BATCHED) for made in traces])
    assert undone(database) == ("undo", [1, 2, 3])
    assert redone(database) == ("redo", [1, 2, 3])
    accept(database, traces[1])
    assert [undone(database), undone(database)] == [("undo", [2]), ("undo", [1, 2, 3])]
    assert [redone(database), redone(database)] == [("redo", [1, 2, 3]), ("redo", [2])]
    accept(database, traces[0], AUTO)
    undone(database)
    assert undone(database) == ("undo", [2, 3])


def test_decisions_without_a_batch_go_singly(database: Database) -> None:
    """No batch is not a batch."""
    traces = ended(database, ["a", "b"])
    decide_all(database, [Planned(made.id, REJECT) for made in traces])
    assert [undone(database), undone(database)] == [("undo", [2]), ("undo", [1])]


def test_the_next_undo_is_told_before(database: Database) -> None:
    """`last_decision` names what `undo_last` then takes back."""
    assert last_decision(database) is None
    first, second = ended(database, ["a", "b"])
    accept(database, second)
    decide(database, first.id, REJECT)
    told = last_decision(database)
    assert told is not None
    assert (told.entry.decision, told.number, told.count) == (REJECT, 1, 1)
    done = undo_last(database, by="ann", at=5.0)
    assert done == Moved("undo", REJECT, ((first.id, 1),))


def test_all_or_none_are_decided(database: Database) -> None:
    """One decision that is refused takes back the others of its transaction."""
    first, second = ended(database, ["a", "b"])
    accept(database, second)
    with pytest.raises(DecisionOvertaken):
        decide_all(database, [Planned(first.id, REJECT), Planned(second.id, REJECT, expected_seq=0)])
    assert standing(database, first.id).decision is None
    assert len(log(database)) == 1


def test_a_long_way_back_is_read_in_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many undos were redone since, the one before them is found."""
    monkeypatch.setattr(history_module, "_PAGE", 2)
    first, second = ended(database, ["a", "b"])
    accept(database, first)
    accept(database, second)
    undone(database)
    undone(database)
    redone(database)
    for _ in range(5):
        undo(database, first.id, by="ann", at=1.0)
        redo(database, first.id, by="ann", at=1.0)
    assert redone(database) == ("redo", [2])


@dataclass
class Entry:
    seq: int
    trace: int
    by: str
    batch: str
    kind: DecisionKind


@dataclass
class Model:
    """The same rules on plain lists."""

    done: list[list[Entry]] = field(default_factory=lambda: [[], [], []])
    undone: list[list[Entry]] = field(default_factory=lambda: [[], [], []])
    order: list[Entry] = field(default_factory=list)

    def decide(self, entry: Entry) -> None:
        self.forget_undone(entry.trace)
        self.done[entry.trace].append(entry)
        if entry.by != AUTO:
            self.order.clear()

    def forget_undone(self, trace: int) -> None:
        self.order = [entry for entry in self.order if entry not in self.undone[trace]]
        self.undone[trace].clear()

    def amend(self, trace: int) -> None:
        self.forget_undone(trace)
        self.done[trace].clear()

    def undo(self, trace: int) -> None:
        if self.done[trace]:
            entry = self.done[trace].pop()
            self.undone[trace].append(entry)
            self.order.append(entry)

    def redo(self, trace: int) -> None:
        if self.undone[trace]:
            entry = self.undone[trace].pop()
            self.done[trace].append(entry)
            self.order = [other for other in self.order if other is not entry]

    def undo_last(self) -> list[int] | None:
        tops = [stack[-1] for stack in self.done if stack and stack[-1].by != AUTO]
        if not tops:
            return None
        newest = max(tops, key=lambda entry: entry.seq)
        together = [e for e in tops if e is newest or (e.batch and e.batch == newest.batch)]
        # In the order in which the store enters them, which is the order of the log.
        for entry in sorted(together, key=lambda entry: entry.seq):
            self.undo(entry.trace)
        return sorted(entry.trace + 1 for entry in together)

    def redo_last(self) -> list[int] | None:
        if not self.order:
            return None
        newest = self.order[-1]
        tops = [stack[-1] for stack in self.undone if stack and stack[-1] in self.order]
        together = [e for e in tops if e is newest or (e.batch and e.batch == newest.batch)]
        for entry in sorted(together, key=self.order.index, reverse=True):
            self.redo(entry.trace)
        return sorted(entry.trace + 1 for entry in together)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(ACTIONS), st.integers(0, 2), st.sampled_from(("ann", "bob", AUTO)), st.sampled_from("-xy")
        ),
        max_size=40,
    )
)
def test_any_history_is_as_on_paper(actions: list[tuple[str, int, str, str]]) -> None:
    """Whatever two people and the machine do in turn, what stands and what moves is as plain lists say."""
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        database = begun(Path(folder))
        ids = [made.id for made in saved(database, [a_trace("", a_prompt(text)) for text in "abc"])]
        for step, (action, index, by, batch) in enumerate(actions):
            now = trace(database, ids[index])
            assert now is not None
            match action:
                case "accept" | "reject":
                    kind = DecisionKind(action)
                    decision = Decision(kind, by, float(step), batch=batch.strip("-"))
                    seq = decide(database, ids[index], decision, render(now, decision)).seq
                    model.decide(Entry(seq, index, by, decision.batch, kind))
                case "undo_last":
                    found = undone(database, by)
                    assert (None if found is None else sorted(found[1])) == model.undo_last()
                case "redo_last":
                    found = redone(database, by)
                    assert (None if found is None else sorted(found[1])) == model.redo_last()
                case "undo":
                    undo(database, ids[index], by=by, at=1.0)
                    model.undo(index)
                case "redo":
                    redo(database, ids[index], by=by, at=1.0)
                    model.redo(index)
                case "amend" if standing(database, ids[index]).decision is None or not accepted(database, ids[index]):
                    amend_trace(database, asked_again(now), by=by, at=1.0, expected_attempts=len(now.attempts))
                    model.amend(index)
        tops = [stack[-1].kind if stack else None for stack in model.done]
        decisions = [standing(database, id_).decision for id_ in ids]
        assert [decision and decision.kind for decision in decisions] == tops
        assert [accepted(database, id_) for id_ in ids] == [top is DecisionKind.ACCEPT for top in tops]
        database.close()


def accepted(database: Database, trace_id: str) -> bool:
    return database.row("SELECT 1 FROM accepted WHERE trace_id = ?", (trace_id,)) is not None
