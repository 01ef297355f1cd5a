"""Laws of what a run begins with: it is kept, and nothing that ends later is lost or counted twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from selfplay_core.curriculum.state import Asked
from selfplay_core.engine.choosing import begin
from selfplay_core.models import Outcome
from selfplay_core.store.codec import encode
from selfplay_core.store.database import Database
from selfplay_core.store.rounds import Chosen, PlannedPrompt, add_round
from selfplay_core.store.runs import start_run
from selfplay_core.store.traces import save_trace
from tests.store_samples import RUN, a_prompt, a_run, a_trace, begun

CATEGORY = "edge_items"


def asked(database: Database, number: int, texts: Sequence[str], run: str = RUN) -> list[PlannedPrompt]:
    """Record a round that has been written, chosen by what the run begins with."""
    planned = [PlannedPrompt(f"{run}.{number}.{slot}", a_prompt(text, slot, number)) for slot, text in enumerate(texts)]
    known = begin(database, run, "m")
    chosen = Chosen(encode(Asked({CATEGORY: ["1.1.1"] * len(texts)}, len(texts), 0)), known.folded, encode(known.state))
    add_round(database, run, number, [CATEGORY], planned, chosen)
    return planned


def end(database: Database, planned: Sequence[PlannedPrompt], outcome: Outcome = Outcome.FAILED) -> None:
    for item in planned:
        save_trace(database, RUN, a_trace(item.trace_id, item.prompt, outcome), 1500.0)


def tried(database: Database, run: str) -> int:
    return begin(database, run, "m").state.of(CATEGORY).tried


def test_a_run_keeps_what_it_begins_with(tmp_path: Path) -> None:
    """What it answers of an earlier run's prompts changes nothing, if it is stopped before its first round."""
    database = begun(tmp_path)
    planned = asked(database, 0, ["a", "b", "c"])
    end(database, planned[:1])
    start_run(database, a_run("later"))
    first = begin(database, "later", "m")
    end(database, planned[1:])
    assert begin(database, "later", "m").state == first.state
    assert tried(database, "later") == 1


def test_what_ends_later_counts_once(tmp_path: Path) -> None:
    """Answered by the next run, errored first and answered then, or never: each as often as it ended."""
    database = begun(tmp_path)
    planned = asked(database, 0, ["a", "b", "c", "d"])
    end(database, planned[:1])
    end(database, planned[1:2], Outcome.ERRORED)
    for run, more, expected in (("2", planned[1:2], 1), ("3", planned[2:3], 2), ("4", [], 3), ("5", [], 3)):
        start_run(database, a_run(run))
        assert tried(database, run) == expected
        end(database, more)


def test_another_run_compares_its_rounds_with_its_own_alone(tmp_path: Path) -> None:
    """Another focus would look like a collapse."""
    database = begun(tmp_path)
    for number in range(4):
        end(database, asked(database, number, [f"a{number}", f"b{number}"]))
    start_run(database, a_run("later"))
    state = begin(database, "later", "m").state
    assert state.of(CATEGORY).tried == 8
    assert state.rounds == []


def test_what_was_imported_is_older_than_what_was_asked(tmp_path: Path) -> None:
    """A run that goes on has the same newest prompts, whatever came in meanwhile."""
    database = begun(tmp_path)
    asked(database, 0, ["ours"])
    start_run(database, a_run("theirs"))
    asked(database, 0, ["theirs"], run="theirs")
    with database.transaction() as connection:
        connection.execute("UPDATE run SET imported = 1 WHERE id = 'theirs'")
    assert [text for _, text in begin(database, RUN, "m").prompts] == ["theirs", "ours"]


def test_a_round_of_given_prompts_says_nothing(tmp_path: Path) -> None:
    """Neither of skill nor of what is owed."""
    database = begun(tmp_path)
    prompt = a_prompt("given", 0, 0)
    add_round(database, RUN, 0, [CATEGORY], [PlannedPrompt("g", prompt)], Chosen(encode(Asked({}, 0, 0)), -1, "{}"))
    save_trace(database, RUN, a_trace("g", prompt, Outcome.FAILED), 1500.0)
    start_run(database, a_run("later"))
    state = begin(database, "later", "m").state
    assert (state.of(CATEGORY).tried, state.owed) == (0, [])
