"""Laws of splits: what is nearly the same is never on both sides, whatever stands between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Indel

from selfplay_core.exchange.export import export
from selfplay_core.exchange.places import Wish
from selfplay_core.exchange.rows import render
from selfplay_core.exchange.split import parse_split
from selfplay_core.likeness.normal import words
from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import decide
from selfplay_core.store.filters import Filter
from tests.samples import ACCEPT, make_trace
from tests.store_samples import begun, saved

VOCABULARY = [
    "give",
    "me",
    "two",
    "golden",
    "apples",
    "near",
    "spawn",
    "now",
    "please",
    "stone",
    "torch",
    "sword",
    "night",
    "day",
]


def parts(database: Database, folder: Path) -> list[list[str]]:
    """The prompts of both halves."""
    wish = Wish("openai", folder / "x.jsonl", Filter(), "", "1", shares=parse_split("a=0.5,b=0.5"), force=True)
    export(database, wish)
    lines = [(folder / f"x.{name}.jsonl").read_bytes().splitlines() for name in "ab"]
    return [[orjson.loads(line)["messages"][1]["content"] for line in part] for part in lines]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(VOCABULARY), min_size=3, max_size=9).map(" ".join),
            st.sampled_from(("edge_items", "entity_nbt")),
            st.booleans(),
        ),
        min_size=2,
        max_size=30,
    )
)
def test_no_pair_of_near_copies_is_parted(tmp_path_factory: object, cases: list[tuple[str, str, bool]]) -> None:
    """Across categories, by chains, and by the prompt that an edit made of it; without any earlier comparison."""
    folder = tmp_path_factory.mktemp("split")  # type: ignore[attr-defined]  # hypothesis wants one folder an example
    database = begun(folder / "ws")
    made = [
        make_trace(text="sudo something else" if edited else f"sudo {text}", category=category)
        for text, category, edited in cases
    ]
    for number, (trace, (text, _, edited)) in enumerate(zip(saved(database, made), cases, strict=True)):
        edit = Decision(DecisionKind.EDIT, by="ada", at=1.0, edited_prompt=f"sudo {text}")
        decision = edit if edited else replace(ACCEPT, at=float(number))
        decide(database, trace.id, decision, render(trace, decision))
    first, second = parts(database, folder)
    assert len(first) + len(second) <= len(cases)
    for one in first:
        for other in second:
            assert Indel.normalized_similarity(words(one), words(other)) < 0.7, (one, other)
    database.close()
