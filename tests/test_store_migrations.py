"""Laws of migration: a workspace of an earlier version becomes one of this version and loses nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from selfplay_core.errors import WorkspaceError
from selfplay_core.models import AUTO, DecisionKind, Outcome, VerdictOutcome
from selfplay_core.store import migrations
from selfplay_core.store.database import DATABASE_NAME, Database, Reader
from selfplay_core.store.decisions import redo, undo
from selfplay_core.store.filters import Filter
from selfplay_core.store.history import undo_last
from selfplay_core.store.listing import listing
from selfplay_core.store.migrations import VERSION, migrate
from selfplay_core.store.statistics import reject_reasons
from tests.store_samples import (
    ACCEPT,
    REJECT,
    a_prompt,
    a_result,
    a_trace,
    an_attempt,
    assert_sound,
    begun,
    by,
    decided,
    saved,
)

# In the order of their references.
V1_TABLES = ("workspace", "run", "round", "prompt", "trace", "held", "decision", "accepted")


def a_used_workspace(folder: Path) -> None:
    """Traces of every verdict, and every way in which a decision comes to stand or to stand no more."""
    database = begun(folder)
    passed, refused, failed, unclear = (a_result("say hi", outcome) for outcome in VerdictOutcome)
    made = a_trace("", a_prompt("x"))
    attempts = [
        (an_attempt(1, refused, passed), an_attempt(2, passed)),
        (an_attempt(1, passed, failed, unclear),),
        (an_attempt(1, unclear, passed),),
        (an_attempt(1),),
        (),
        (an_attempt(1, refused, passed),),
        (an_attempt(1, passed),),
    ]
    traces = [replace(made, prompt=a_prompt(f"x{n}"), attempts=those) for n, those in enumerate(attempts)]
    traces[4] = replace(traces[4], outcome=Outcome.ERRORED, prompt=a_prompt("x4", category="worldedit"))
    saved(database, traces)
    rest = saved(database, [replace(made, prompt=a_prompt(f"y{n}")) for n in range(6)], 2)
    first, second, third, fourth, fifth, sixth = rest
    decided(database, first)
    decided(database, second, REJECT)
    decided(database, second)
    undo(database, second.id, by="tester", at=1.0)
    for kind in (DecisionKind.REJECT, DecisionKind.SKIP, DecisionKind.ACCEPT):
        decided(database, third, replace(by(kind), reason="unsafe"))
    for _ in range(3):
        undo(database, third.id, by="tester", at=1.0)
    redo(database, third.id, by="tester", at=1.0)
    decided(database, fourth, replace(ACCEPT, by=AUTO))
    decided(database, fifth, REJECT)
    decided(database, fifth, replace(REJECT, reason="style"))
    for _ in range(2):
        undo(database, fifth.id, by="tester", at=1.0)
        undo(database, fifth.id, by="tester", at=1.0)
        redo(database, fifth.id, by="tester", at=1.0)
        redo(database, fifth.id, by="tester", at=1.0)
    decided(database, sixth)
    undo(database, sixth.id, by="tester", at=1.0)
    database.close()


def as_version_1(source: Path, target: Path) -> None:
    """Write the same workspace as version 1 had it, by its own script."""
    target.mkdir()
    connection = sqlite3.connect(target / DATABASE_NAME)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "VERSION", 1)
        migrate(connection, 0)
    connection.execute("ATTACH ? AS newer", (str(source / DATABASE_NAME),))
    for table in V1_TABLES:
        columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
        connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")
    connection.commit()
    connection.close()


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    said = {table: sorted(database.rows(f"SELECT * FROM {table}")) for table in (*V1_TABLES, "standing")}
    said["tally"] = database.rows("SELECT * FROM tally WHERE count > 0 ORDER BY 1, 2, 3, 4")
    said["review"] = database.rows(
        "SELECT n, mark, c.word, o.word, l.word, attempts, verdict, flagged FROM review"
        " JOIN word c ON c.id = category JOIN word o ON o.id = outcome JOIN word l ON l.id = level ORDER BY n"
    )
    return said


def test_a_migrated_workspace_is_as_if_made_today(tmp_path: Path) -> None:
    """What version 2 keeps beside the traces and the log is for old ones what it would have been from the start."""
    a_used_workspace(tmp_path / "new")
    as_version_1(tmp_path / "new", tmp_path / "old")
    made, migrated = Database.open(tmp_path / "new"), Database.open(tmp_path / "old")
    assert contents(migrated) == contents(made)
    assert [row[6] for row in migrated.rows("SELECT * FROM review ORDER BY n LIMIT 7")] == [0, 2, 1, None, None, 3, 0]
    assert migrated.row("PRAGMA user_version") == (VERSION,)
    assert_sound(migrated)
    schema = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
    assert migrated.rows(schema) == made.rows(schema)
    made.close()
    migrated.close()


def test_a_migrated_workspace_works(tmp_path: Path) -> None:
    """Decisions of an old workspace are undone, and its counts go on."""
    a_used_workspace(tmp_path / "new")
    as_version_1(tmp_path / "new", tmp_path / "old")
    database = Database.open(tmp_path / "old")
    assert reject_reasons(database) == {"": 1, "style": 1, "unsafe": 1}
    moved = undo_last(database, by="tester", at=9.0)
    assert moved is not None
    assert moved.decision.reason == "style"
    assert reject_reasons(database) == {"": 2, "unsafe": 1}
    saved(database, [a_trace("", a_prompt("z"))], 3)
    assert len(listing(database, Filter()).numbers) == 14
    database.close()


def test_an_old_workspace_needs_a_writer_first(tmp_path: Path) -> None:
    """A reader does not migrate: it says what to do."""
    a_used_workspace(tmp_path / "new")
    as_version_1(tmp_path / "new", tmp_path / "old")
    with pytest.raises(WorkspaceError, match=rf"older version \(1, wanted {VERSION}\).*Start a run"):
        Reader.open(tmp_path / "old")
    Database.open(tmp_path / "old").close()
    Reader.open(tmp_path / "old").close()


def test_damaged_content_does_not_stop_a_migration(tmp_path: Path) -> None:
    """A payload that is no JSON is for those who read it to complain of."""
    a_used_workspace(tmp_path / "new")
    as_version_1(tmp_path / "new", tmp_path / "old")
    with sqlite3.connect(tmp_path / "old" / DATABASE_NAME) as old:
        old.execute("UPDATE trace SET payload = '{' WHERE n = 1")
        old.execute("UPDATE decision SET payload = '{' WHERE payload IS NOT NULL")
    old.close()
    database = Database.open(tmp_path / "old")
    assert database.row("SELECT verdict FROM review WHERE n = 1") == (None,)
    assert database.row("SELECT count(*) FROM standing") == (5,)
    database.close()


def test_the_machines_name_stands_in_the_schema() -> None:
    """Indexes and triggers know who decides where no person does by the same name as the code."""
    assert AUTO == "auto"
