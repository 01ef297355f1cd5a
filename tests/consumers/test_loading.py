"""`datasets` takes the fields of a file's first chunk for those of all of it, so exports begin with every field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from datasets import load_dataset

from selfplay_core.exchange.export import export
from selfplay_core.exchange.places import Wish
from selfplay_core.exchange.split import Share
from selfplay_core.models import Attempt, Outcome, Row, Trace
from selfplay_core.store.decisions import decide
from selfplay_core.store.filters import Filter
from tests.golden_cases import corrected
from tests.samples import ACCEPT, make_attempt, make_result, make_trace
from tests.store_samples import begun, saved

# `datasets` reads 10 MiB at once.
_LONG = "You are the console. " * 50_000
_PLAIN = tuple(replace(make_trace(text=f"sudo torch {number}"), system=_LONG) for number in range(12))

uniform = pytest.mark.parametrize("name", ["trl-sft", "axolotl"])


def unanswered_first() -> Trace:
    """A correction that never called the tool in vain: its first reply was no answer at all."""
    nothing = Attempt(1, "Sure!", None, error="there is no JSON")
    right = make_attempt(2, make_result("time set noon"))
    return make_trace(nothing, right, outcome=Outcome.CORRECTED, text="sudo noon")


def exported(name: str, folder: Path, traces: Sequence[Trace], shares: tuple[Share, ...] = ()) -> Path:
    """Export a workspace in which all of these are accepted."""
    database = begun(folder / "workspace")
    try:
        for trace in saved(database, traces):
            decide(database, trace.id, ACCEPT, Row(trace.id, b"{}"))
        export(database, Wish(name, folder / "lines.jsonl", Filter(), "", "test", shares))
    finally:
        database.close()
    return folder / "lines.jsonl"


def load(path: Path) -> Any:
    return load_dataset("json", data_files=str(path), split="train")


@uniform
@pytest.mark.parametrize(
    "last", [(corrected(),), (unanswered_first(), corrected())], ids=["one kind", "a lesser one before"]
)
def test_a_long_file_whose_only_corrections_came_last_loads_whole(
    name: str, last: tuple[Trace, ...], tmp_path: Path
) -> None:
    """An export begins with a correction that has every field, so all rows load, and their tool calls with them."""
    path = exported(name, tmp_path, (*_PLAIN, *last))
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert path.stat().st_size > 10 << 20
    assert [row["id"] for row in load(path)] == [line["id"] for line in lines]
    assert len(lines) == len(_PLAIN) + len(last)


@uniform
def test_the_same_lines_with_the_correction_last_do_not_load(name: str, tmp_path: Path) -> None:
    """Without that order `datasets` fails at the first tool call; the day it does not, the order may go."""
    path = exported(name, tmp_path, (*_PLAIN, corrected()))
    first, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((*others, first)))
    with pytest.raises(Exception, match="An error occurred while generating the dataset"):
        load(path)


@uniform
def test_files_of_a_split_load_together_where_one_holds_no_correction(name: str, tmp_path: Path) -> None:
    """Training and evaluation load as one dataset of two parts, whichever of them the corrections fell to."""
    plain = [make_trace(text=f"sudo torch {number}") for number in range(8)]
    exported(name, tmp_path, (*plain, corrected()), (Share("train", 0.5), Share("eval", 0.5)))
    files = {share: str(tmp_path / f"lines.{share}.jsonl") for share in ("train", "eval")}
    for order in (("train", "eval"), ("eval", "train")):
        found = load_dataset("json", data_files={share: files[share] for share in order})
        assert sum(part.num_rows for part in found.values()) == len(plain) + 1
