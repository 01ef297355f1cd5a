"""How a database of an earlier version becomes one of this version."""

from __future__ import annotations

import sqlite3
from importlib.resources import files

__all__ = ["VERSION", "migrate", "version_of"]

# "SPTU": what `file selfplay.db` shows, and how a stranger's database is told from ours.
_APPLICATION_ID = 0x53505455

# The script at index n leads from user_version n to n + 1.
_SCRIPTS = ("schema.sql", "schema_2.sql", "schema_3.sql", "schema_4.sql")

VERSION = len(_SCRIPTS)


def version_of(connection: sqlite3.Connection) -> int | None:
    """Return the version of the schema, 0 for an empty database, None for somebody else's."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application == _APPLICATION_ID:
        return int(version)
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return None if tables or application or version else 0


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the schema from `version` up to VERSION, each step in its own transaction."""
    for step in range(version, VERSION):
        script = files("selfplay_core.store").joinpath(_SCRIPTS[step]).read_text(encoding="utf-8")
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\nPRAGMA application_id = {_APPLICATION_ID};\n"
                f"PRAGMA user_version = {step + 1};\nCOMMIT;"
            )
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
