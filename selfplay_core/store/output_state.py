"""What the database knows of an output file: the state it was left in, and the one it was about to be in."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from selfplay_core.store.database import Reader

__all__ = [
    "OutputState",
    "Pending",
    "PendingKind",
    "known_outputs",
    "load_output",
    "output_key",
    "save_output",
]

_COLUMNS = (
    "path, base_bytes, base_hash, generation, last_seq, bytes, hash, stamp, stale_from,"
    " pending_kind, pending_last_seq, pending_bytes, pending_hash, pending_tail, pending_stale_from"
)


class PendingKind(StrEnum):
    """What was about to be done to the file."""

    APPEND = "append"
    REWRITE = "rewrite"


@dataclass(frozen=True, slots=True)
class Pending:
    """The state that the file was about to be in.

    `tail` holds the bytes of an append, `stale_from` what a rewrite mends.
    """

    kind: PendingKind
    last_seq: int
    size: int
    hash: str
    tail: bytes = b""
    stale_from: int | None = None


@dataclass(frozen=True, slots=True)
class OutputState:
    """The committed state of an output.

    The rows up to `last_seq` of the accepted order stand in it; `stale_from` is the first of them that is
    accepted no more.
    """

    key: str
    base_bytes: int
    base_hash: str
    generation: int
    last_seq: int
    size: int
    hash: str
    stamp: str
    stale_from: int | None
    pending: Pending | None

    @property
    def is_untouched(self) -> bool:
        """Whether nothing of ours stands in the file, so that it is its owner's to change."""
        return self.size == self.base_bytes and self.pending is None


def output_key(path: Path, workspace: Path) -> str:
    """Return the name of an output in the database.

    Relative within the workspace, so that a workspace may be moved with its output; else absolute.
    """
    folder = workspace.resolve()
    name = os.path.join(".", path.relative_to(folder)) if path.is_relative_to(folder) else path
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def load_output(reader: Reader, key: str) -> OutputState | None:
    row = reader.row(f"SELECT {_COLUMNS} FROM output WHERE path = ?", (key,))
    return None if row is None else _state(*row)


def known_outputs(reader: Reader) -> list[OutputState]:
    return [_state(*row) for row in reader.rows(f"SELECT {_COLUMNS} FROM output ORDER BY id")]


def save_output(connection: sqlite3.Connection, state: OutputState) -> None:
    pending = state.pending
    connection.execute(
        f"INSERT INTO output ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (path) DO UPDATE SET base_bytes = excluded.base_bytes, base_hash = excluded.base_hash,"
        " generation = excluded.generation, last_seq = excluded.last_seq, bytes = excluded.bytes,"
        " hash = excluded.hash, stamp = excluded.stamp, stale_from = excluded.stale_from,"
        " pending_kind = excluded.pending_kind, pending_last_seq = excluded.pending_last_seq,"
        " pending_bytes = excluded.pending_bytes, pending_hash = excluded.pending_hash,"
        " pending_tail = excluded.pending_tail, pending_stale_from = excluded.pending_stale_from",
        (
            state.key,
            state.base_bytes,
            state.base_hash,
            state.generation,
            state.last_seq,
            state.size,
            state.hash,
            state.stamp,
            state.stale_from,
            pending.kind if pending else None,
            pending.last_seq if pending else None,
            pending.size if pending else None,
            pending.hash if pending else None,
            pending.tail if pending else None,
            pending.stale_from if pending else None,
        ),
    )


def _state(
    key: str,
    base_bytes: int,
    base_hash: str,
    generation: int,
    last_seq: int,
    size: int,
    digest: str,
    stamp: str,
    stale_from: int | None,
    kind: str | None,
    *pending: Any,
) -> OutputState:
    awaited = None if kind is None else Pending(PendingKind(kind), *pending)
    return OutputState(key, base_bytes, base_hash, generation, last_seq, size, digest, stamp, stale_from, awaited)
