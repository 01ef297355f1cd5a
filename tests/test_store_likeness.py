"""Laws of comparing traces: each is compared once, with those before it, by whichever process comes to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from selfplay_core.models import Outcome
from selfplay_core.store.database import Database
from selfplay_core.store.filters import Filter
from selfplay_core.store.likeness import Comparison, LikenessCount, like_of, likeness_count
from selfplay_core.store.listing import example, listing
from tests.store_samples import a_prompt, a_trace, begun, ended, saved

FIRST = "sudo give every player near the spawn a golden apple"
NEAR = "sudo give every player near the spawn a golden carrot"
FAR = "sudo clear weather"


def compared(database: Database, comparison: Comparison | None = None) -> Comparison:
    """Compare until nothing is left."""
    comparison = comparison or Comparison()
    while comparison.step(database):
        pass
    return comparison


def test_a_near_copy_names_the_earlier_one(tmp_path: Path) -> None:
    """The later of two is marked, and the example, the filter and the figures say so."""
    database = begun(tmp_path)
    ended(database, [FIRST, FAR, NEAR])
    compared(database)
    assert like_of(database, 1) is None
    assert like_of(database, 2) is None
    like = like_of(database, 3)
    assert like is not None
    assert like.number == 1
    shown = example(database, 3)
    assert shown is not None
    assert shown.near == like
    assert list(listing(database, Filter(near=True)).numbers) == [3]
    assert likeness_count(database) == LikenessCount(compared=3, near=1)


def test_an_errored_trace_is_like_nothing(tmp_path: Path) -> None:
    """Its prompt is asked again: the trace that takes its place must not be a copy of it."""
    database = begun(tmp_path)
    (errored,) = ended(database, [FIRST], outcome=Outcome.ERRORED)
    comparison = compared(database)
    saved_again = replace(errored, outcome=Outcome.SOLVED)
    from selfplay_core.store.traces import save_trace

    save_trace(database, "run-1", saved_again, 1600.0)
    compared(database, comparison)
    assert likeness_count(database) == LikenessCount(compared=1, near=0)


def test_another_process_goes_on_where_one_ended(tmp_path: Path) -> None:
    """What was compared before is known to whoever comes later, and not compared again."""
    database = begun(tmp_path)
    ended(database, [FIRST, FAR])
    compared(database)
    ended(database, [NEAR], number=2)
    compared(database)
    like = like_of(database, 3)
    assert like is not None
    assert like.number == 1


def test_two_processes_in_turn_miss_nothing(tmp_path: Path) -> None:
    """Each learns what the other has compared meanwhile."""
    database = begun(tmp_path)
    one, two = Comparison(), Comparison()
    for number, text in enumerate([FIRST, FAR, "sudo set the time to noon", NEAR], start=1):
        ended(database, [text], number=number)
        compared(database, one if number % 2 else two)
    like = like_of(database, 4)
    assert like is not None
    assert like.number == 1


def test_work_comes_in_pieces(tmp_path: Path) -> None:
    """One step of many traces does not do them all, so that whoever writes is not kept waiting."""
    database = begun(tmp_path)
    saved(database, [a_trace("", a_prompt(f"sudo thing number {n}")) for n in range(60)])
    comparison = Comparison()
    assert comparison.step(database)
    assert 0 < likeness_count(database).compared < 60
    compared(database, comparison)
    assert likeness_count(database).compared == 60
