"""The output file as a projection of the accepted rows: nothing lost, nothing twice, under any crash."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from selfplay_core.errors import StoreError, UsageError
from selfplay_core.models import Decision, Row, Trace
from selfplay_core.store.chain import EMPTY, Chain, digests_at
from selfplay_core.store.codec import decode
from selfplay_core.store.database import Database
from selfplay_core.store.disk import Disk, NotPlain, stamp_of
from selfplay_core.store.faults import file_faults
from selfplay_core.store.marks import Mark, add_marks, drop_marks, is_due, last_mark
from selfplay_core.store.output_state import (
    OutputState,
    Pending,
    PendingKind,
    known_outputs,
    load_output,
    output_key,
    save_output,
)
from selfplay_core.store.recovery import Found, inspect, trusted

__all__ = ["Projection", "Render"]

Render = Callable[[Trace, Decision], Row | None]

# One append: its bytes stand in the database until they stand in the file.
_BATCH_ROWS = 256
_BATCH_BYTES = 1024 * 1024

# A row that a smaller number has given already is passed over, and not even read.
_ACCEPTED = """
    SELECT a.seq, t.payload, d.payload
    FROM accepted a
    LEFT JOIN trace t ON t.id = a.trace_id AND a.row_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM accepted e WHERE e.row_id = a.row_id AND e.seq < a.seq)
    LEFT JOIN decision d ON d.seq = a.decision
    WHERE a.seq > ? ORDER BY a.seq LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Accepted rows that follow each other; `last_seq` counts those that give no line, too."""

    last_seq: int
    lines: tuple[bytes, ...]


@dataclass(slots=True)
class _Rest:
    """What follows the kept part of a file that is written anew, measured as it is written."""

    batches: Iterator[_Batch]
    opening: list[bytes]
    chain: Chain
    last_seq: int
    marks: list[Mark]
    written: int = 0

    def write(self, file: BinaryIO) -> None:
        for batch in self.batches:
            for piece in (*(self.opening if batch.lines and not self.written else ()), *batch.lines):
                self.chain.add(piece)
                file.write(piece)
            self.written += len(batch.lines)
            self.last_seq = batch.last_seq
            if is_due(self.chain.size, self.marks[-1]):
                self.marks.append(Mark(self.last_seq, self.chain.size, self.chain.digest))

    def pending(self, stale_from: int) -> Pending:
        size, digest = self.chain.size, self.chain.digest
        return Pending(PendingKind.REWRITE, self.last_seq, size, digest, stale_from=stale_from)


class Projection:
    """Keeps one output file equal to its base and all accepted rows, in the order of their acceptance.

    Every change runs under the workspace lock, in steps that can each be the last: the state to come is
    committed, the file is changed, the state is committed as reached. Symbolic links are followed once.
    """

    def __init__(self, database: Database, path: Path, render: Render, *, disk: Disk | None = None) -> None:
        self._database = database
        self._render = render
        self._disk = disk or Disk()
        self.path = Path(os.path.realpath(path))
        self._key = output_key(self.path, database.workspace)

    def check(self) -> None:
        """Read the file once, and end what a crash left unfinished.

        Raises OutputEditedError if the file is neither as it was left nor as it was about to be, UsageError
        if a new output cannot be one.
        """
        with self._database.locked(), file_faults("reading the output", self.path):
            self._settled(reads=True)
            self._refuse_unwritable()

    def catch_up(self) -> int:
        """Write every outstanding row, and after an undo all that stood behind the undone one.

        Returns how many rows were rendered for it. Raises OutputEditedError like `check`, and StoreError if
        the disk says no: the file is then as before.
        """
        written = 0
        while (rows := self._step()) is not None:
            written += rows
        return written

    def _step(self) -> int | None:
        """Do one append or rewrite; None if there is nothing to do. Between two steps others may have the lock."""
        with self._database.locked(), file_faults("reading the output", self.path):
            state = self._settled(reads=False)
            if state.stale_from is not None:
                return self._rewrite(state, state.stale_from)
            batch = self._next_batch(state.last_seq)
            if batch is None:
                return None
            return self._append(state, batch) if batch.lines else self._pass_over(state, batch)

    def _settled(self, *, reads: bool) -> OutputState:
        """Return the committed state, with the file in just that state."""
        state = load_output(self._database, self._key)
        if state is None:
            return self._first_use()
        if state.is_untouched and not trusted(self.path, state):
            return self._taken_as_base(state)
        if not reads and trusted(self.path, state):
            return state
        return self._recovered(state, inspect(self.path, state))

    def _recovered(self, state: OutputState, found: Found) -> OutputState:
        pending = state.pending
        with file_faults("recovering the output", self.path):
            if found is Found.TORN:
                self._disk.cut(self.path, state.size)
            if pending is not None and found is Found.PENDING:
                if pending.kind is PendingKind.APPEND:
                    self._disk.append_again(self.path, state.size, pending.tail)
                else:
                    self._disk.sync(self.path)
            self._disk.discard(self.path)
        if pending is not None and found is Found.PENDING:
            return self._commit(_reached(state, pending))
        # The undo that asked for an unfinished rewrite still stands.
        asked = (state.stale_from, pending.stale_from if pending else None)
        undone = [seq for seq in asked if seq is not None]
        settled = replace(state, pending=None, stale_from=min(undone, default=None))
        return state if trusted(self.path, settled) and settled == state else self._commit(settled)

    def _first_use(self) -> OutputState:
        self._refuse_unusable()
        return self._moved_here() or self._taken_as_base(
            OutputState(self._key, 0, EMPTY, 0, 0, 0, EMPTY, "", None, None)
        )

    def _refuse_unwritable(self) -> None:
        changed = self.path if self.path.exists() else self.path.parent
        if not os.access(changed, os.W_OK):
            raise UsageError(
                f"this output cannot be written: {self.path}: no permission to write to {changed}. "
                "Change its permissions, or name another --output."
            )

    def _refuse_unusable(self) -> None:
        if self.path.parent == self._database.workspace.resolve() and self.path.name.startswith("selfplay."):
            raise UsageError(f"this is a file of the workspace itself: {self.path}. Name another --output.")
        try:
            stamp_of(self.path)
        except NotPlain as error:
            raise UsageError(
                f"this cannot be an output: {self.path}: {error.strerror}. Name a plain file with --output."
            ) from error
        if not self.path.parent.is_dir():
            raise UsageError(
                f"the output's folder does not exist: {self.path.parent}. Make it, or name another --output."
            )

    def _moved_here(self) -> OutputState | None:
        """Return the state of another output of this workspace of which this new one is an exact copy."""
        measured = stamp_of(self.path)
        for known in known_outputs(self._database):
            if measured is None or known.is_untouched or known.pending is not None or known.size != measured[0]:
                continue
            with self.path.open("rb") as file:
                same = digests_at(file, known.base_bytes, {known.size}).get(known.size) == known.hash
            if same:
                return self._commit(replace(known, key=self._key))
        return None

    def _taken_as_base(self, state: OutputState) -> OutputState:
        """Keep what stands in the file now as what stood there before our first row."""
        self._refuse_unusable()
        measured = stamp_of(self.path)
        size, digest = 0, EMPTY
        if measured is not None:
            with self.path.open("rb") as file:
                size = measured[0]
                digest = digests_at(file, size, {size}).get(size, EMPTY)
        return self._commit(replace(state, base_bytes=size, base_hash=digest, size=size, hash=digest))

    def _append(self, state: OutputState, batch: _Batch) -> int:
        chain = Chain(state.size, state.hash)
        opening = self._parting(state) if state.size == state.base_bytes else []
        pieces = [*opening, *batch.lines]
        for piece in pieces:
            chain.add(piece)
        tail = b"".join(pieces)
        pending = Pending(PendingKind.APPEND, batch.last_seq, chain.size, chain.digest, tail)
        state = self._save(replace(state, pending=pending))
        with file_faults("appending to the output", self.path):
            try:
                self._disk.append(self.path, state.size, tail)
            except OSError:
                # What cannot be taken back now is known by its pending state, and cut at the next start.
                with suppress(OSError, StoreError):
                    found = inspect(self.path, state)
                    self._recovered(state, Found.TORN if found is Found.PENDING else found)
                raise
        reached = _reached(state, pending)
        last = last_mark(self._database, self._key) or _base_of(reached)
        self._commit(reached, [_end_of(reached)] if is_due(reached.size, last) else [])
        return len(batch.lines)

    def _pass_over(self, state: OutputState, batch: _Batch) -> int:
        self._save(replace(state, last_seq=batch.last_seq))
        return 0

    def _rewrite(self, state: OutputState, stale_from: int) -> int:
        """Write the file anew: as it is up to the last mark before what changed, then row by row."""
        start = last_mark(self._database, self._key, before=stale_from) or _base_of(state)
        opening = self._parting(state) if start.size == state.base_bytes else []
        rest = _Rest(self._batches(start.seq), opening, Chain(start.size, start.hash), start.seq, [start])
        with file_faults("rewriting the output", self.path):
            try:
                self._disk.write_beside(self.path, start.size, rest.write)
                # The size and hash to come are known only now; until here the file is as it was.
                pending = rest.pending(stale_from)
                state = self._save(replace(state, pending=pending, stale_from=None), marks_up_to=start.seq)
            except BaseException:
                with suppress(OSError):
                    self._disk.discard(self.path)
                raise
            self._disk.put_in_place(self.path)
        self._commit(_reached(state, pending), rest.marks[1:])
        return rest.written

    def _parting(self, state: OutputState) -> list[bytes]:
        """Return the newline that our first row needs before it, where the base ends without one."""
        if state.base_bytes == 0:
            return []
        with self.path.open("rb") as file:
            file.seek(state.base_bytes - 1)
            return [] if file.read(1) == b"\n" else [b"\n"]

    def _batches(self, after: int) -> Iterator[_Batch]:
        while batch := self._next_batch(after):
            yield batch
            after = batch.last_seq

    def _next_batch(self, after: int) -> _Batch | None:
        lines: list[bytes] = []
        last_seq, size = after, 0
        with closing(self._database.each(_ACCEPTED, (after, _BATCH_ROWS))) as accepted:
            for seq, trace, decision in accepted:
                last_seq = seq
                row = None if trace is None else self._rendered(seq, trace, decision)
                if row is not None:
                    lines.append(row.line + b"\n")
                    size += len(row.line) + 1
                if size >= _BATCH_BYTES:
                    break
        return None if last_seq == after else _Batch(last_seq, tuple(lines))

    def _rendered(self, seq: int, trace: str, decision: str) -> Row | None:
        what = f"accepted row {seq}"
        row = self._render(decode(trace, Trace, what), decode(decision, Decision, what))
        if row is not None and b"\n" in row.line:
            raise ValueError(f"{what} holds a newline within its line")
        return row

    def _commit(self, state: OutputState, marks: Sequence[Mark] = ()) -> OutputState:
        measured = stamp_of(self.path)
        return self._save(replace(state, stamp=measured[1] if measured else ""), marks)

    def _save(self, state: OutputState, marks: Sequence[Mark] = (), *, marks_up_to: int | None = None) -> OutputState:
        with self._database.transaction() as connection:
            save_output(connection, state)
            if marks_up_to is not None:
                drop_marks(connection, self._key, behind=marks_up_to)
            add_marks(connection, self._key, marks)
        return state


def _base_of(state: OutputState) -> Mark:
    return Mark(0, state.base_bytes, state.base_hash)


def _end_of(state: OutputState) -> Mark:
    return Mark(state.last_seq, state.size, state.hash)


def _reached(state: OutputState, pending: Pending) -> OutputState:
    """Return the state after what was pending has been done."""
    generation = state.generation + (pending.kind is PendingKind.REWRITE)
    return replace(
        state,
        generation=generation,
        last_seq=pending.last_seq,
        size=pending.size,
        hash=pending.hash,
        pending=None,
    )
