"""The traces of a workspace as cases, in a fixed order, a few at a time."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from selfplay_core.dataset.cases import Case, Origin
from selfplay_core.errors import StoreError
from selfplay_core.models import Decision, Trace
from selfplay_core.store.codec import decode, encode
from selfplay_core.store.database import Reader
from selfplay_core.store.filters import Filter, condition
from selfplay_core.store.log import trace_log

__all__ = ["cases", "numbers_of"]

_AT_ONCE: Final = 256

_CASES: Final = """
    SELECT t.n, t.payload, t.ended_at, iif(r.imported, r.origin, r.id), r.seed, q.flagged, d.payload, EXISTS (
        SELECT 1 FROM decision o WHERE o.trace_id = t.id AND o.seq <> d.seq
    )
    FROM json_each(?) j CROSS JOIN trace t ON t.n = j.value JOIN review q ON q.n = t.n JOIN run r ON r.seq = t.run
    LEFT JOIN standing s ON s.trace_id = t.id LEFT JOIN decision d ON d.seq = s.decision
    ORDER BY j.key
"""


def numbers_of(reader: Reader, wanted: Filter, *, by_acceptance: bool) -> array[int]:
    """Return the numbers of all traces under a filter: as they ended, or those first that give rows, as accepted."""
    asked = condition(wanted)
    order = asked.number
    source = asked.source
    if by_acceptance:
        source += " JOIN trace o ON o.n = q.n LEFT JOIN accepted a ON a.trace_id = o.id"
        order = f"a.seq IS NULL, a.seq, {asked.number}"
    found = reader.each(f"SELECT q.n FROM {source} WHERE true{asked.where} ORDER BY {order}", asked.parameters)
    return array("Q", (number for (number,) in found))


def cases(
    reader: Reader,
    numbers: Sequence[int],
    unreadable: Callable[[int], None] = lambda number: None,
    *,
    with_history: bool = False,
) -> Iterator[Case]:
    """Yield the traces of these numbers in their order; their history and place of acceptance where they are wanted.

    One that is not readable as it is stored is told and left out: a backup must not fail by it.
    """
    places = _places(reader) if with_history else array("L")
    for start in range(0, len(numbers), _AT_ONCE):
        chunk = list(numbers[start : start + _AT_ONCE])
        for row in reader.rows(_CASES, (encode(chunk),)):
            try:
                case = _case(reader, *row, with_history=with_history)
            except StoreError:
                unreadable(row[0])
            else:
                place = places[case.number] if case.number < len(places) else 0
                yield replace(case, accepted=place) if place else case


def _places(reader: Reader) -> array[int]:
    """Return for each number the trace's place among the accepted, from 1 on, 0 for none: a few bytes a trace."""
    ((last,),) = reader.rows("SELECT coalesce(max(n), 0) FROM trace")
    places = array("L", bytes(array("L").itemsize * (last + 1)))
    accepted = reader.each("SELECT t.n FROM accepted a JOIN trace t ON t.id = a.trace_id ORDER BY a.seq")
    for place, (number,) in enumerate(accepted, 1):
        places[number] = place
    return places


def _case(
    reader: Reader,
    number: int,
    payload: str,
    ended_at: float,
    run: str,
    seed: str,
    flagged: int,
    decision: str | None,
    has_more: int,
    *,
    with_history: bool,
) -> Case:
    trace = decode(payload, Trace, f"trace #{number}")
    history: tuple[Decision, ...] = ()
    if decision is not None:
        history = (decode(decision, Decision, f"the decision on #{number}"),)
        if with_history and has_more:
            entries = trace_log(reader, trace.id).stack().done
            history = tuple(entry.decision for entry in entries if entry.decision is not None)
    return Case(number, trace, history, ended_at, Origin(run, seed), bool(flagged))
