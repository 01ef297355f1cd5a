"""The filter as a person types it: `status:pending cmd:execute retries>0 "gold block"`."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Final, NamedTuple, TypeVar

from selfplay_core.models import CATEGORY_NAMES, IMPORTED, Outcome, VerdictOutcome
from selfplay_core.store.filters import Filter
from selfplay_core.text import clip, one_line

__all__ = ["HELP", "BadFilter", "as_text", "hint", "names_one", "parse_filter"]

HELP: Final[tuple[tuple[str, str], ...]] = (
    ("word word", "full text of prompt and commands; every word must be found, the last as a beginning"),
    ('"gold block"', "these words next to each other"),
    ("cmd:word", "the same as word; for words that would mean something else here"),
    ("status:pending", "pending, accepted, rejected, edited, skipped, decided, errored or any; several by comma"),
    ("category:entity_nbt", "one category or several by comma, or imported; a beginning that fits only one will do"),
    ("outcome:corrected", "solved, corrected, refused, unproven, failed, blocked or errored"),
    ("verdict:unclear", "worst verdict of the last attempt: passed, rejected, failed or unclear"),
    ("retries:2", "so many retries; also retries>0  retries>=1  retries<3  retries<=2"),
    ("is:flagged", "flagged, unflagged, clean (solved at the first attempt, all passed), near (an earlier prompt)"),
    ("is:differs", "in a bake-off's folder: cases that some models got right, and others did not"),
    ("#1843", "this number"),
)
"""What can be typed, and what it means."""

_DECIDED: Final = ("accept", "reject", "edit")
_STATUS: Final[Mapping[str, tuple[str, ...]]] = {
    "pending": ("undecided",),
    "accepted": ("accept",),
    "rejected": ("reject",),
    "edited": ("edit",),
    "skipped": ("skip",),
    "decided": _DECIDED,
    "errored": ("errored",),
    "any": (),
}
_ALIASES: Final = {
    "undecided": "pending",
    "accept": "accepted",
    "reject": "rejected",
    "edit": "edited",
    "skip": "skipped",
}
_STATUS_WORD: Final = {marks[0]: word for word, marks in _STATUS.items() if len(marks) == 1}

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "status": (*_STATUS, *_ALIASES),
    "category": (*CATEGORY_NAMES, IMPORTED),
    "outcome": tuple(outcome.value for outcome in Outcome),
    "verdict": tuple(verdict.value for verdict in VerdictOutcome),
    "is": ("flagged", "unflagged", "clean", "near", "differs"),
}
_KEYS: Final = (*(f"{key}:" for key in _CHOICES), "retries", "cmd:")

# A quote opens a phrase only where a word could begin, and closes one only where a word could end: commands are full
# of others. One that is still open reaches to the end.
_TOKEN: Final = re.compile(r'(?P<key>cmd:)?"(?P<phrase>.*?)(?:"(?=\s|$)|$)|(?P<word>\S+)', re.DOTALL | re.IGNORECASE)
_RETRIES: Final = re.compile(r"retries(?P<sign>:|=|>=|<=|>|<)(?P<number>.*)", re.DOTALL | re.IGNORECASE)
_NUMBER: Final = re.compile("#([0-9]+)")

# SQLite counts to 2**63-1.
_MOST_DIGITS: Final = 18

# Of the keys' letters: "catgory" and "verdicts" are near enough, "items" and "minecraft" are not.
_NEAR_KEY: Final = 0.8

T = TypeVar("T")


class BadFilter(ValueError):
    """Raised for a value that a key does not have and never will, however it goes on."""


class _Token(NamedTuple):
    """One thing typed; what is quoted or comes after `cmd:` is text whatever it looks like."""

    text: str
    is_text: bool


@dataclass(slots=True)
class _Found:
    """What the tokens say so far; `status` None: nothing."""

    rest: Filter = field(default_factory=Filter)
    status: tuple[str, ...] | None = None
    words: tuple[str, ...] = ()


def parse_filter(text: str, base: Filter) -> Filter:
    """Return what `text` asks for; `base` if it asks for nothing, the status of `base` if it names none.

    A number is looked for whatever its status. What is still being typed (`status:`, or a beginning that fits several
    values) asks for nothing. Raises BadFilter.
    """
    found = _Found()
    for token in _tokens(text):
        _take_in(found, token)
    if found == _Found():
        return base
    status = found.status
    if status is None:
        status = base.status if found.rest.number is None else ()
    return replace(found.rest, status=status, text=" ".join(found.words))


def as_text(wanted: Filter) -> str:
    """Return what to type for a filter, whatever it is based on."""
    return " ".join(_parts(wanted))


def names_one(text: str) -> bool:
    """Whether a filter asks for one number and nothing else: a way to look something up, not one to work by."""
    return _NUMBER.fullmatch(text.strip()) is not None


def hint(text: str) -> str:
    """Return what could follow at the end of `text`, blank where nothing particular could."""
    last = _last_word(text)
    if not last:
        return "  ".join((*_KEYS[:-2], "retries>0", "cmd:", "#number", '"phrase"'))
    key, colon, values = last.lower().partition(":")
    if colon and key in _CHOICES:
        return _hint_values(key, values.rpartition(",")[2])
    if key.startswith("retries") and not _is_whole(last):
        return "retries:2  retries>0  retries>=1  retries<3"
    return "  ".join(known for known in _KEYS if known.startswith(last.lower()) and known != last.lower())


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        phrase = match["phrase"]
        if phrase is not None:
            # The full text index reads one word with signs in it as words that follow each other.
            joined = "+".join(phrase.split())
            if joined:
                yield _Token(joined, is_text=True)
        elif match["word"].lower().startswith("cmd:"):
            if len(match["word"]) > len("cmd:"):
                yield _Token(match["word"][len("cmd:") :], is_text=True)
        else:
            yield _Token(match["word"], is_text=False)


def _take_in(found: _Found, token: _Token) -> None:
    key, colon, values = token.text.partition(":")
    number = _NUMBER.fullmatch(token.text)
    retries = _RETRIES.fullmatch(token.text)
    if token.is_text:
        found.words += (token.text,)
    elif number:
        found.rest = replace(found.rest, number=_counted(number[1], token.text))
    elif retries:
        found.rest = _with_retries(found.rest, retries["sign"], retries["number"], token.text)
    elif colon and key.lower() in _TAKERS:
        chosen = _chosen(key.lower(), values)
        if chosen:
            _TAKERS[key.lower()](found, chosen)
    elif colon and (meant := _misspelt(key)):
        raise BadFilter(
            f"The filter knows no key {clip(one_line(key), 40)!r}. Use {meant}, or quote it to find it as text."
        )
    else:
        found.words += (token.text,)


def _misspelt(key: str) -> str:
    """Return the key that is meant by one that is nearly it, blank for what is no key: commands are full of colons."""
    near = get_close_matches(key.lower(), (*_CHOICES, "retries"), n=1, cutoff=_NEAR_KEY)
    return f"{near[0]}:" if near else ""


def _chosen(key: str, values: str) -> list[str]:
    """Return the values that are meant; what is still being typed is left out."""
    chosen: list[str] = []
    for typed in values.split(","):
        fitting = _fitting(key, typed)
        if not fitting:
            raise BadFilter(
                f"The filter knows no {key} {clip(one_line(typed), 40)!r}. "
                f"Use {', '.join(_offered(key))}, or quote it to find it as text."
            )
        if len(fitting) == 1:
            chosen.extend(fitting)
    return chosen


def _fitting(key: str, typed: str) -> list[str]:
    """Return the values that a person may mean who has typed so much."""
    word = typed.lower()
    if word in _CHOICES[key]:
        return [_ALIASES.get(word, word)]
    return list(dict.fromkeys(_ALIASES.get(value, value) for value in _CHOICES[key] if value.startswith(word)))


def _offered(key: str) -> tuple[str, ...]:
    return tuple(_STATUS) if key == "status" else _CHOICES[key]


def _take_status(found: _Found, chosen: Sequence[str]) -> None:
    if "any" in chosen:
        found.status = ()
    elif found.status != ():
        found.status = _united(found.status or (), [mark for word in chosen for mark in _STATUS[word]])


def _take_categories(found: _Found, chosen: Sequence[str]) -> None:
    found.rest = replace(found.rest, categories=_united(found.rest.categories, chosen))


def _take_outcomes(found: _Found, chosen: Sequence[str]) -> None:
    found.rest = replace(found.rest, outcomes=_united(found.rest.outcomes, [Outcome(word) for word in chosen]))


def _take_verdicts(found: _Found, chosen: Sequence[str]) -> None:
    found.rest = replace(found.rest, verdicts=_united(found.rest.verdicts, [VerdictOutcome(word) for word in chosen]))


def _take_traits(found: _Found, chosen: Sequence[str]) -> None:
    for trait in chosen:
        if trait == "clean":
            found.rest = replace(found.rest, clean=True)
        elif trait == "near":
            found.rest = replace(found.rest, near=True)
        elif trait == "differs":
            found.rest = replace(found.rest, differs=True)
        else:
            found.rest = replace(found.rest, flagged=trait == "flagged")


_TAKERS: Final[Mapping[str, Callable[[_Found, Sequence[str]], None]]] = {
    "status": _take_status,
    "category": _take_categories,
    "outcome": _take_outcomes,
    "verdict": _take_verdicts,
    "is": _take_traits,
}


def _united(before: tuple[T, ...], more: Sequence[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*before, *more)))


def _with_retries(before: Filter, sign: str, typed: str, token: str) -> Filter:
    if not typed:
        return before
    number = _counted(typed, token)
    low, high = {
        ">": (number + 1, None),
        ">=": (number, None),
        "<": (None, number - 1),
        "<=": (None, number),
    }.get(sign, (number, number))
    if high == -1:
        raise BadFilter(f"Nothing has {token}: there are no fewer than 0 retries. Use retries:0 or retries<1.")
    lows = [bound for bound in (before.min_retries, low) if bound is not None]
    highs = [bound for bound in (before.max_retries, high) if bound is not None]
    return replace(before, min_retries=max(lows, default=None), max_retries=min(highs, default=None))


def _counted(typed: str, token: str) -> int:
    if not (typed.isascii() and typed.isdigit()) or len(typed) > _MOST_DIGITS:
        raise BadFilter(
            f"The filter reads no number in {clip(one_line(token), 40)!r}. "
            "Use one like retries>0, retries:2 or #1843, or quote it to find it as text."
        )
    return int(typed)


def _parts(wanted: Filter) -> Iterator[str]:
    yield f"status:{','.join(_STATUS_WORD[mark] for mark in wanted.status) or 'any'}"
    for key, values in (
        ("category", wanted.categories),
        ("outcome", wanted.outcomes),
        ("verdict", wanted.verdicts),
    ):
        if values:
            yield f"{key}:{','.join(values)}"
    if wanted.min_retries is not None and wanted.min_retries == wanted.max_retries:
        yield f"retries:{wanted.min_retries}"
    else:
        if wanted.min_retries is not None:
            yield f"retries>={wanted.min_retries}"
        if wanted.max_retries is not None:
            yield f"retries<={wanted.max_retries}"
    if wanted.flagged is not None:
        yield "is:flagged" if wanted.flagged else "is:unflagged"
    if wanted.clean:
        yield "is:clean"
    if wanted.near:
        yield "is:near"
    if wanted.differs:
        yield "is:differs"
    if wanted.number is not None:
        yield f"#{wanted.number}"
    yield from (word if _means_itself(word) else f'"{word}"' for word in wanted.text.split())


def _means_itself(word: str) -> bool:
    """Whether a word needs no quotes to be text."""
    key = word.partition(":")[0].lower()
    is_key = ":" in word and (key in _CHOICES or key == "cmd" or bool(_misspelt(key)))
    return not (word.startswith('"') or is_key or _NUMBER.fullmatch(word) or _RETRIES.fullmatch(word))


def _last_word(text: str) -> str:
    """Return what is being typed at the end, blank if a new word is or a quoted one."""
    matches = deque(_TOKEN.finditer(text), maxlen=1)
    if not matches or matches[0].end() < len(text):
        return ""
    last = matches[0]
    return last["word"] or last.group()


def _is_whole(word: str) -> bool:
    match = _RETRIES.fullmatch(word)
    return match is not None and match["number"].isdigit()


def _hint_values(key: str, typed: str) -> str:
    if typed.lower() in _CHOICES[key]:
        return ""
    return "  ".join(value for value in (_fitting(key, typed) or _offered(key)))
