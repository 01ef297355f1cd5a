"""Which of the states that we know an output file is in."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from selfplay_core.errors import OutputEditedError
from selfplay_core.store.chain import digests_at
from selfplay_core.store.disk import NotPlain, stamp_of
from selfplay_core.store.output_state import OutputState, Pending, PendingKind

__all__ = ["Found", "inspect", "trusted"]


class Found(Enum):
    """The state of a file that is ours to continue."""

    COMMITTED = "as it was left"
    PENDING = "as it was about to be"
    TORN = "an append cut short: as it was left, and some of what was to follow"


def trusted(path: Path, state: OutputState) -> bool:
    """Whether nobody wrote to the file since the committed state, as far as its size and stamp tell."""
    return state.pending is None and _measure(path, state) == (state.size, state.stamp)


def inspect(path: Path, state: OutputState) -> Found:
    """Read the file once and say which state it is in; raises OutputEditedError if in none that we know."""
    measured = _measure(path, state)
    if measured is None:
        if state.size == 0:
            return Found.COMMITTED
        raise _edited(path, state, "it is not there: moved or deleted")
    size = measured[0]
    pending = state.pending
    marks = {state.size} | ({pending.size} if pending else set())
    with path.open("rb") as file:
        digests = digests_at(file, state.base_bytes, marks)
        if digests.get(state.size) == state.hash:
            if size == state.size:
                return Found.COMMITTED
            if pending is not None and pending.kind is PendingKind.APPEND and size <= pending.size:
                file.seek(state.size)
                rest = file.read(len(pending.tail) + 1)
                if rest == pending.tail:
                    return Found.PENDING
                if _is_begun(rest, pending.tail):
                    return Found.TORN
    if pending is not None and _is_rewritten(pending, size, digests):
        return Found.PENDING
    raise _edited(path, state, _difference(size, state, digests))


def _is_begun(rest: bytes, tail: bytes) -> bool:
    """Whether `rest` is as much of `tail` as a killed process or a power cut leaves, in any order of its blocks.

    A file system may know the new size of a file before its content, which reads as zeros then; our lines hold none.
    """
    if tail.startswith(rest):
        return True
    return len(rest) <= len(tail) and all(got in (0, wanted) for got, wanted in zip(rest, tail, strict=False))


def _is_rewritten(pending: Pending, size: int, digests: dict[int, str]) -> bool:
    return pending.kind is PendingKind.REWRITE and size == pending.size and digests.get(pending.size) == pending.hash


def _measure(path: Path, state: OutputState) -> tuple[int, str] | None:
    try:
        return stamp_of(path)
    except NotPlain as error:
        raise _edited(path, state, str(error.strerror)) from error


def _difference(size: int, state: OutputState, digests: dict[int, str]) -> str:
    if size < state.size:
        return f"it has {size} bytes: shortened"
    if digests.get(state.size) == state.hash:
        return f"it has {size} bytes: something was added behind our rows"
    return f"it has {size} bytes, and what stands in them was changed"


def _edited(path: Path, state: OutputState, found: str) -> OutputEditedError:
    return OutputEditedError(
        f"the output file was changed by hand: {path}. Expected {state.size} bytes (hash {state.hash[:12]}); "
        f"found: {found}. Put it back as it was, or give another --output: all accepted rows go there."
    )
