"""Where cases come from, and what is wrong with a line that is none."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import orjson
import pytest

from selfplay_core.bakeoff.cases import CaseBook, read_cases
from selfplay_core.bakeoff.expectation import Expectation
from selfplay_core.errors import SettingsError
from selfplay_core.exchange.rows import render as row_of
from selfplay_core.models import DecisionKind, Mode
from tests.samples import ACCEPT, make_trace
from tests.store_samples import begun, by, decided, ended


def book(folder: Path, *lines: str | bytes) -> CaseBook:
    file = folder / "cases.jsonl"
    file.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in lines))
    return read_cases(str(file), None)


def test_a_line_is_an_object_a_row_or_text(tmp_path: Path) -> None:
    row = row_of(make_trace(text="pray for light", category="multiplayer"), ACCEPT)
    assert row is not None
    found = book(
        tmp_path,
        "\ufeff" + '{"prompt": "sudo give me a torch", "category": "edge_items", "expect": ["give @s torch"]}',
        "",
        '{"prompt": "pray kill them all", "refuse": true, "id": 7}',
        row.line,
        "sudo make it rain\r",
        '{"prompt": "sudo fly", "expect": {"patterns": ["elytra|levitation"]}}',
    )
    assert [(case.place, case.prompt, case.category, case.mode) for case in found.cases] == [
        (0, "sudo give me a torch", "edge_items", Mode.SUDO),
        (1, "pray kill them all", "natural_language", Mode.GOD),
        (2, "pray for light", "multiplayer", Mode.GOD),
        (3, "sudo make it rain", "natural_language", Mode.SUDO),
        (4, "sudo fly", "natural_language", Mode.SUDO),
    ]
    assert [case.expects for case in found.cases] == [
        Expectation(commands=("give @s torch",)),
        Expectation(refuse=True),
        None,
        None,
        Expectation(patterns=("elytra|levitation",)),
    ]
    assert (found.rows, found.ignored, found.expecting) == (1, ("id",), (3, 1))


def test_whoever_asks_rows_is_told_that_they_may_be_known(tmp_path: Path) -> None:
    row = row_of(make_trace(), ACCEPT)
    assert row is not None
    assert book(tmp_path, row.line).may_be_known
    assert not book(tmp_path, "sudo a").may_be_known
    assert book(tmp_path, '"sudo a"').cases == book(tmp_path, "sudo a").cases


def test_a_line_that_says_the_same_again_is_one_case(tmp_path: Path) -> None:
    found = book(tmp_path, "sudo a", "sudo b", "sudo a", '{"prompt": "sudo a"}', '{"prompt": "sudo a", "refuse": true}')
    assert [case.prompt for case in found.cases] == ["sudo a", "sudo b", "sudo a"]
    assert found.repeated == 2


def test_the_digest_is_that_of_the_cases_and_not_of_the_file(tmp_path: Path) -> None:
    one = book(tmp_path, "sudo a", "sudo b")
    assert book(tmp_path, "", '{"prompt": "sudo a"}', "sudo b", "sudo b").digest == one.digest
    for other in (("sudo b", "sudo a"), ("sudo a",), ("sudo a", '{"prompt": "sudo b", "refuse": true}')):
        assert book(tmp_path, *other).digest != one.digest


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"prompt": ', "no valid JSON"),
        ('{"prompt": 3}', "no text under `prompt`"),
        ('{"prompt": " "}', "no text under `prompt`"),
        ("{}", "no text under `prompt`"),
        ('{"prompt": "a\\nb"}', "line breaks"),
        ('{"prompt": "sudo a", "category": "nonsense"}', "unknown category 'nonsense'"),
        ('{"prompt": "sudo a", "category": null}', "unknown category"),
        ('{"prompt": "sudo a", "expect": 3}', "expects what cannot be read"),
        ('{"prompt": "sudo a", "expect": []}', "expects nothing"),
        ('{"prompt": "sudo a", "expect": {}}', "expects nothing"),
        ('{"prompt": "sudo a", "expected": ["a"]}', "Is 'expect' meant?"),
        ('{"prompt": "sudo a", "Refuse": true}', "Is 'refuse' meant?"),
        ('["sudo a"]', "is a list"),
        ("[", "no valid JSON"),
        ('{"prompt": "sudo a", "expect": {"command": "a"}}', "expects what cannot be read"),
        ('{"prompt": "sudo a", "expect": {"patterns": "a"}}', "expects what cannot be read"),
        ('{"prompt": "sudo a", "refuse": "yes"}', "expects what cannot be read"),
        ('{"prompt": "sudo a", "expect": ["a"], "refuse": true}', "a refusal and commands at once"),
        ('{"prompt": "sudo a", "expect": {"patterns": ["("]}}', "'(' is no regular expression"),
        ('{"messages": [], "source": "self_play", "id": "x"}', "no case and no row"),
        (b"sudo \xff", "no UTF-8"),
        ('""', "holds no text"),
        ("\u00a0", "holds no text"),
    ],
)
def test_a_line_that_is_no_case_is_named(tmp_path: Path, line: str | bytes, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        book(tmp_path, "sudo fine", line)
    assert told in str(refused.value)
    assert "cases.jsonl, line 2" in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_a_file_without_a_case_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SettingsError, match="there is no case"):
        book(tmp_path, content)
    for path in (tmp_path / "missing.jsonl", tmp_path):
        with pytest.raises(SettingsError, match="cannot be read"):
            read_cases(str(path), None)


def test_one_category_of_a_book_is_a_book(tmp_path: Path) -> None:
    found = book(tmp_path, "sudo a", '{"prompt": "sudo b", "category": "worldedit"}')
    assert [(case.place, case.prompt) for case in found.only("worldedit").cases] == [(0, "sudo b")]
    with pytest.raises(SettingsError, match="none of the 2 cases"):
        found.only("multiplayer")


def test_what_a_workspace_has_accepted_are_cases(tmp_path: Path) -> None:
    """In the order of acceptance, with the prompt that a person made of it."""
    with closing(begun(tmp_path)) as database:
        first, _, third = ended(database, ("sudo a", "sudo b", "sudo c"))
        decided(database, third)
        decided(database, first, by(DecisionKind.EDIT, edited_prompt="pray a"))
        found = read_cases("workspace", database)
    assert [(case.prompt, case.mode) for case in found.cases] == [("sudo c", Mode.SUDO), ("pray a", Mode.GOD)]
    assert found.may_be_known


def test_a_workspace_without_an_accepted_trace_has_no_cases(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nothing is accepted"):
        read_cases("workspace", None)
    with closing(begun(tmp_path)) as database, pytest.raises(SettingsError, match="nothing is accepted"):
        read_cases("workspace", database)


def test_the_book_survives_being_stored(tmp_path: Path) -> None:
    found = book(tmp_path, '{"prompt": "sudo a", "expect": {"reply_patterns": ["x"]}}', "pray b")
    assert msgspec.json.decode(msgspec.json.encode(found), type=CaseBook) == found
    assert orjson.loads(msgspec.json.encode(found))["digest"] == found.digest
