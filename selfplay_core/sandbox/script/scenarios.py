"""The scripted model's repertoire: requests, right answers and the mistakes that models make.

One TOML file a category under `scenarios/`, words for all of them in `vocabulary.toml`. `<name>` in a text
stands for a word; one that the request does not mention is the first of its list. `<me>` is the player who
speaks, `<friend>` another one, `<who>` the friend if one is mentioned and else the speaker.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from random import Random

import msgspec

__all__ = ["CATEGORIES", "Book", "Scene", "digest"]

CATEGORIES = {
    "enchantment_combos": ("sudo", "pray"),
    "entity_nbt": ("sudo", "pray"),
    "execute_chains": ("sudo",),
    "edge_items": ("sudo",),
    "worldedit": ("sudo",),
    "multiplayer": ("sudo",),
    "boundary_testing": ("sudo", "pray"),
    "natural_language": ("sudo", "pray"),
    "cosmetic_effects": ("sudo", "pray"),
}

_WORD = re.compile(r"<([a-z_0-9]+)>")
_PLAYER = r"[A-Za-z0-9_]{1,16}"
_OPENINGS = ("", "", "", "hey, ", "ok, ", "um, ")
_ENDINGS = ("", "", "", "!", " thanks", " :)")
_POLITE = r"(?:(?:sudo|pray)\s+)?(?:hey, |ok, |um, )?{}(?:!| thanks| :\))?"


class _Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ask: tuple[str, ...]
    do: tuple[str, ...]
    why: str
    say: str = "So be it."
    wrong: tuple[tuple[str, ...], ...] = ()
    astray: tuple[tuple[str, ...], ...] = ()
    risky: tuple[tuple[str, ...], ...] = ()
    words: dict[str, tuple[str, ...]] = msgspec.field(name="with", default_factory=dict)


class _Repertoire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scenario: tuple[_Scenario, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A scenario filled with the words of one request.

    `right` is empty where declining is right. `wrong` answers get an error from the world, `astray` ones
    parse but reach nobody, `risky` ones are for the policy to stop.
    """

    right: tuple[str, ...]
    why: str
    say: str
    wrong: tuple[tuple[str, ...], ...]
    astray: tuple[tuple[str, ...], ...]
    risky: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class _Form:
    """One way of asking for a scenario, and the pattern that knows it again."""

    text: str
    scenario: _Scenario

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when it is first looked for: all of them at once take as long as the rest of a start."""
        return _pattern(self.text, self.scenario)


class Book:
    """All scenarios, told by and about these players; the first one speaks."""

    def __init__(self, players: tuple[str, ...]) -> None:
        self._me = players[0]
        self._friends = players[1:] or players
        self._forms = {
            category: tuple(_Form(text, scenario) for scenario in _scenarios(category) for text in scenario.ask)
            for category in CATEGORIES
        }

    def draw(self, category: str, random: Random) -> str:
        """Return a request of a category, one of the nine, with one of its prefixes."""
        form = random.choice(self._forms[category])
        prefix = random.choice(CATEGORIES[category])
        drawn = {word: self._drawn(word, form.scenario, random) for word in dict.fromkeys(_WORD.findall(form.text))}
        text = _WORD.sub(lambda match: drawn[match[1]], form.text)
        return f"{prefix} {random.choice(_OPENINGS)}{text}{random.choice(_ENDINGS)}"

    def find(self, request: str) -> Scene | None:
        """Return the scene that a request asks for, or None if it is none of ours."""
        # A request is one line of a chat; longer text is not searched.
        text = " ".join(request[:400].split())
        for forms in self._forms.values():
            for form in forms:
                match = form.pattern.fullmatch(text)
                if match is not None:
                    return self._scene(form.scenario, match.groupdict())
        return None

    def _drawn(self, word: str, scenario: _Scenario, random: Random) -> str:
        if word == "me":
            return self._me
        if word == "friend":
            return random.choice(self._friends)
        return _shown(random.choice(_values(word, scenario)))

    def _scene(self, scenario: _Scenario, mentioned: dict[str, str]) -> Scene:
        words = {"me": self._me, "friend": mentioned.get("friend", self._friends[0])}
        words["who"] = mentioned.get("friend", self._me)

        def word(match: re.Match[str]) -> str:
            name = match[1]
            return words[name] if name in words else _meant(name, scenario, mentioned.get(name))

        def fill(text: str) -> str:
            return _WORD.sub(word, text)

        def answers(lists: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
            return tuple(tuple(map(fill, commands)) for commands in lists)

        return Scene(
            right=tuple(map(fill, scenario.do)),
            why=fill(scenario.why),
            say=fill(scenario.say),
            wrong=answers(scenario.wrong),
            astray=answers(scenario.astray),
            risky=answers(scenario.risky),
        )


@cache
def digest(model: str) -> str:
    """Return the SHA-256 of all scenario texts and the model's name in hexadecimal: what it knows, and how well."""
    names = ("vocabulary.toml", *(f"{category}.toml" for category in CATEGORIES))
    return hashlib.sha256("\0".join((*map(_read, names), model)).encode()).hexdigest()


def _read(name: str) -> str:
    return files(__package__).joinpath("scenarios", name).read_text(encoding="utf-8")


@cache
def _vocabulary() -> dict[str, tuple[str, ...]]:
    return msgspec.convert(tomllib.loads(_read("vocabulary.toml")), dict[str, tuple[str, ...]])


@cache
def _scenarios(category: str) -> tuple[_Scenario, ...]:
    return msgspec.convert(tomllib.loads(_read(f"{category}.toml")), _Repertoire).scenario


def _values(word: str, scenario: _Scenario) -> tuple[str, ...]:
    return scenario.words.get(word) or _vocabulary()[word]


def _shown(value: str) -> str:
    return value.replace("_", " ")


def _meant(word: str, scenario: _Scenario, shown: str | None) -> str:
    """Return the word of the list that a request showed, or its first if it showed none."""
    values = _values(word, scenario)
    return next((value for value in values if shown and _shown(value).lower() == shown.lower()), values[0])


def _pattern(text: str, scenario: _Scenario) -> re.Pattern[str]:
    seen: set[str] = set()
    parts = []
    for index, part in enumerate(_WORD.split(text)):
        if index % 2 == 0:
            parts.append(re.escape(part))
        elif part in seen:
            parts.append(f"(?P={part})")
        else:
            seen.add(part)
            parts.append(f"(?P<{part}>{_alternatives(part, scenario)})")
    return re.compile(_POLITE.format("".join(parts)), re.IGNORECASE)


def _alternatives(word: str, scenario: _Scenario) -> str:
    if word in ("me", "friend"):
        return _PLAYER
    shown = sorted(map(_shown, _values(word, scenario)), key=len, reverse=True)
    return "|".join(map(re.escape, shown))
