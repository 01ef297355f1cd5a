"""The filter language: what is typed, what it asks for, and what is still being typed."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selfplay_core.models import CATEGORY_NAMES, Outcome, VerdictOutcome
from selfplay_core.store.filters import MARKS, Filter, condition
from selfplay_core.store.listing import listing
from tests.store_samples import begun, ended
from tui.state.filter_text import HELP, BadFilter, as_text, hint, parse_filter

T = TypeVar("T")

BASE = Filter(status=("undecided", "skip"))


def some(values: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(values, unique=True, max_size=4).map(tuple)


TYPED = st.sampled_from(
    [
        *(
            "status:",
            "status:pending",
            "category:",
            "category:entity_nbt",
            "outcome:",
            "verdict:failed",
            "cmd:",
            "cmd:x",
        ),
        *(
            "retries",
            "retries>",
            "retries>=",
            "retries:2",
            "is:",
            "is:clean",
            "#",
            "#7",
            '"',
            "a",
            "\0",
            ",",
            ":",
            "\x1f",
        ),
    ]
)
TEXTS = st.one_of(st.text(), st.lists(st.one_of(TYPED, st.sampled_from([" ", ""])), max_size=8).map("".join))
COUNTS = st.one_of(st.none(), st.integers(0, 10**18 - 1))
FILTERS = st.builds(
    Filter,
    status=some(st.sampled_from(MARKS)),
    categories=some(st.sampled_from(CATEGORY_NAMES)),
    outcomes=some(st.sampled_from(Outcome)),
    verdicts=some(st.sampled_from(VerdictOutcome)),
    min_retries=COUNTS,
    max_retries=COUNTS,
    flagged=st.sampled_from([None, True, False]),
    text=TEXTS.map(lambda text: " ".join(text.split())),
    number=COUNTS,
    clean=st.booleans(),
)


@given(FILTERS, FILTERS)
@example(Filter(text='"a "b" " "" #1 status:x cmd:x retries>0 a"'), BASE)
def test_what_is_written_for_a_filter_asks_for_the_same(wanted: Filter, base: Filter) -> None:
    """Whatever the base, and whatever its words look like: keys, numbers, quotes."""
    assert parse_filter(as_text(wanted), base) == wanted


@given(TEXTS)
def test_anything_that_is_typed_asks_for_something_or_is_refused_in_words(text: str) -> None:
    """Nothing but BadFilter is raised, and what is asked for can be put as SQL and written again."""
    hint(text)
    try:
        wanted = parse_filter(text, BASE)
    except BadFilter as error:
        assert re.search(r"\. .*Use ", str(error))  # noqa: PT017  # refused or not, both are allowed
        return
    condition(wanted)
    assert parse_filter(as_text(wanted), BASE) == wanted


@pytest.mark.parametrize("text", ["", "  ", "status:", "status:e", "category:en", "retries>", "is:", "cmd:", '""'])
def test_what_is_still_being_typed_asks_for_nothing_more(text: str) -> None:
    """A list does not jump while the value of a key is being typed."""
    assert parse_filter(text, BASE) == BASE
    assert parse_filter(f"{text} stone", BASE) == Filter(BASE.status, text="stone")
    assert parse_filter(f"status:pending {text}", BASE) == Filter(("undecided",))


def test_a_list_of_values_holds_while_the_next_is_typed() -> None:
    """What is whole already stands."""
    assert parse_filter("status:pending,", BASE) == parse_filter("status:pending,e", BASE) == Filter(("undecided",))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("status:pending", Filter(("undecided",))),
        ("status:accept,rejected", Filter(("accept", "reject"))),
        ("status:decided", Filter(("accept", "reject", "edit"))),
        ("STATUS:Rej status:skip", Filter(("reject", "skip"))),
        ("status:any", Filter()),
        ("status:pending status:any", Filter()),
        ("status:any,pending", Filter()),
        ("category:ent,edge", Filter(BASE.status, categories=("entity_nbt", "edge_items"))),
        ("outcome:solved outcome:corr", Filter(BASE.status, outcomes=(Outcome.SOLVED, Outcome.CORRECTED))),
        ("verdict:unclear", Filter(BASE.status, verdicts=(VerdictOutcome.UNCLEAR,))),
        ("retries:2", Filter(BASE.status, min_retries=2, max_retries=2)),
        ("retries>0", Filter(BASE.status, min_retries=1)),
        ("retries>=1", Filter(BASE.status, min_retries=1)),
        ("retries<3", Filter(BASE.status, max_retries=2)),
        ("retries>1 retries<=4 retries<9", Filter(BASE.status, min_retries=2, max_retries=4)),
        ("is:flagged is:clean", Filter(BASE.status, flagged=True, clean=True)),
        ("#1843", Filter((), number=1843)),
        ("#1843 status:pending", Filter(("undecided",), number=1843)),
        ("cmd:status:x", Filter(BASE.status, text="status:x")),
        ("glowing cow", Filter(BASE.status, text="glowing cow")),
    ],
)
def test_keys(text: str, wanted: Filter) -> None:
    """Every key of the help page, alone and with others."""
    assert parse_filter(text, BASE) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "minecraft:stone",
        "@e[type=cow,distance=..10]",
        "#minecraft:wool",
        "#",
        "{CustomName:'\"Bessie\"'}",
        "run:data",
        "retries",
        "~ ~1 ~",
        'tellraw @a [{"text":"Done"}]',
    ],
)
def test_commands_are_text(text: str) -> None:
    """Colons, quotes, brackets and number signs within commands are no part of the language."""
    assert parse_filter(text, BASE) == Filter(BASE.status, text=text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"gold block"', "gold+block"),
        ('"status:pending"', "status:pending"),
        ('cmd:"gold  block" x', "gold+block x"),
        ('"gold blo', "gold+blo"),
        ('""', ""),
        ('"a"b"', 'a"b'),
    ],
)
def test_quotes(text: str, words: str) -> None:
    """A phrase is one word for the index, and one that is still open reaches to the end."""
    assert parse_filter(text, BASE) == Filter(BASE.status, text=words)


def test_a_phrase_finds_its_words_side_by_side(tmp_path: Path) -> None:
    """In the real index, quotes find less than the words alone."""
    with closing(begun(tmp_path)) as database:
        ended(database, ["sudo a gold block", "sudo a block of gold", "sudo gold"])
        assert len(listing(database, parse_filter("gold block", BASE)).numbers) == 2
        assert list(listing(database, parse_filter('"gold block"', BASE)).numbers) == [1]


@pytest.mark.parametrize(
    "text", ["status:nope", "category:x", "outcome:accepted", "retries:two", "retries<0", "is:red", f"#{'9' * 30}"]
)
def test_a_value_that_cannot_be_meant_is_refused(text: str) -> None:
    """The refusal says what happened, to what, and what to do."""
    with pytest.raises(BadFilter, match="Use ") as caught:
        parse_filter(text, BASE)
    assert text.partition(":")[2] in str(caught.value)


def test_a_refusal_is_safe_to_show() -> None:
    """What was typed or pasted reaches the message without its control characters, and not all of it."""
    with pytest.raises(BadFilter) as caught:
        parse_filter("status:\x1b[31mred" + 10_000 * "d", BASE)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "status:"),
        ("stone ", "retries>0"),
        ("sta", "status:"),
        ("status:", "pending"),
        ("status:pending,ac", "accepted"),
        ("category:en", "entity_nbt"),
        ("category:nope", "worldedit"),
        ("retries", "retries>0"),
        ("retries>", "retries<3"),
    ],
)
def test_a_hint_says_what_could_follow(text: str, expected: str) -> None:
    """At the end of what is typed, the choices are told."""
    assert expected in hint(text).split()


@pytest.mark.parametrize("text", ["stone", "status:pending", "is:clean", "retries>0", '"gold blo'])
def test_no_hint_where_nothing_is_missing(text: str) -> None:
    """Whole tokens and plain text are left alone."""
    assert hint(text) == ""


@pytest.mark.parametrize("typed", [typed for typed, _ in HELP])
def test_the_help_speaks_the_language(typed: str) -> None:
    """Every example on the help page asks for something."""
    assert parse_filter(typed, BASE) != BASE
