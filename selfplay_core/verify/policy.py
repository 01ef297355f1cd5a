"""What may run: a ruling on a command before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from selfplay_core.models import Action, Ruling
from selfplay_core.text import clip, one_line
from selfplay_core.verify import rules
from selfplay_core.verify.carried import (
    clicks,
    holds_builder,
    holds_command_block,
    largest_explosion,
    levels,
    writes_command_key,
)
from selfplay_core.verify.risks import ordinary_risk, risk_of
from selfplay_core.verify.selection import edited_volumes
from selfplay_core.verify.spelling import CONTROL, bare_name, loosened
from selfplay_core.verify.unwrap import Call, Reading, readings, words

__all__ = ["ALIASES", "Policy", "hits", "pattern_of", "review"]

_NOTHING: frozenset[str] = frozenset()
_NO_ENTRIES: frozenset[tuple[str, ...]] = frozenset()
_SHOWN = 80
_LARGEST_EXPLOSION = 16
_DEEPEST_CLICK = 2
_OLD_IDS = frozenset(("137", "210", "211"))  # the numbers of the three command blocks before 1.13

# Other names of the same command: a rule for one is a rule for all.
ALIASES = {
    "teleport": "tp",
    "xp": "experience",
    "tell": "msg",
    "w": "msg",
    "tm": "teammsg",
    "?": "help",
    "re": "replace",
    "rep": "replace",
}

_BLOCK = "a command block, which would run commands later"

# Commands whose next word says which command they really are.
_WITH_SUB_WORD = frozenset(
    word
    for line in (
        "advancement bossbar data effect experience forceload item loot place recipe schedule scoreboard snap",
        "snapshot structure team tickingarea time xp",
    )
    for word in line.split()
)

_ASK = 4
_DENY = 5


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules that a user added to ours; see `review` for what they can do."""

    deny: frozenset[str] = _NOTHING
    ask: frozenset[str] = _NOTHING
    allow: frozenset[str] = _NOTHING
    ruled_out: frozenset[str] = _NOTHING

    def review(self, command: str) -> Ruling:
        """Rule on a command by our rules and these."""
        return review(command, deny=self.deny, ask=self.ask, allow=self.allow, ruled_out=self.ruled_out)

    def review_all(self, commands: Sequence[str]) -> tuple[Ruling, ...]:
        """Rule on the commands of one answer, whose WorldEdit selection is known from its own commands."""
        rulings = map(self.review, commands)
        return tuple(map(_with_volume, commands, rulings, edited_volumes(commands)))


@dataclass(frozen=True, slots=True)
class _Lists:
    """What the settings add: each entry is the first words of a command, its name bare."""

    deny: frozenset[tuple[str, ...]]
    ask: frozenset[tuple[str, ...]]
    allow: frozenset[tuple[str, ...]]
    ruled_out: frozenset[tuple[str, ...]]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class _Finding:
    """A rule that a command hit: `why` completes "it …", `hit` is the text that it hit."""

    risk: int
    why: str
    hit: str


def review(
    command: str,
    *,
    deny: frozenset[str] = _NOTHING,
    ask: frozenset[str] = _NOTHING,
    allow: frozenset[str] = _NOTHING,
    ruled_out: frozenset[str] = _NOTHING,
) -> Ruling:
    """Rule on `command`, however it is spelled and wrapped; never raises, in time linear in its length.

    An entry of `deny`, `ask`, `allow` or `ruled_out` is the beginning of a command (`give`, `effect clear`).
    `deny` and `ask` go before `allow`, which lifts only what would be asked; `ruled_out` denies what a person
    said no to in this run. The hard list stands above all; of it, the entry `function <id>` in `allow` admits
    that one function, run or scheduled.
    """
    return _review(command, _Lists(_entries(deny), _entries(ask), _entries(allow), _entries(ruled_out)))


def hits(command: str, beginning: str) -> bool:
    """Whether the entry `beginning` in a list would be a rule for `command`, however it is spelled and wrapped."""
    entries = _entries(frozenset((beginning,)))
    read = ((call, reading) for reading in readings(command) for call in reading.calls)
    return any(_entry(entries, _begins(call, words(call.rest.lower())), reading.around) for call, reading in read)


def pattern_of(command: str) -> str:
    """Return the beginning that stands for commands like this one: its root, and the word behind it that matters.

    Of a command that is read in several ways, the one with the gravest ruling; blank where there is no command.
    """
    lists = _Lists(_NO_ENTRIES, _NO_ENTRIES, _NO_ENTRIES, _NO_ENTRIES)
    calls = [
        (_on_call(call, reading, lists).risk, call)
        for reading in readings(command)
        for call in reading.calls
        # An entry is read with odd spelling forgiven, so that a name with an odd space in it would be two words.
        if loosened(call.name) == call.name
    ]
    _, call = max(calls, key=lambda item: item[0], default=(0, Call("", "")))
    first = next(iter(words(call.rest.lower())), "")
    return f"{call.shown} {first}" if call.name in _WITH_SUB_WORD and first.isidentifier() else call.shown


def _review(command: str, lists: _Lists) -> Ruling:
    control = CONTROL.search(command)
    if control is not None:
        why = f"it holds a line break or another control character (U+{ord(control.group()):04X})"
        root = bare_name((command[:_SHOWN].split() or [""])[0])[0]
        return Ruling(Action.DENY, _sentence(Action.DENY, why, command), _shown(root), _DENY)
    rulings = [_on_call(call, reading, lists) for reading in readings(command) for call in reading.calls]
    return max(rulings, key=lambda ruling: ruling.risk)


def _on_call(call: Call, reading: Reading, lists: _Lists) -> Ruling:
    finding = _finding(call, reading, lists)
    root = _shown(call.name)
    if finding is None:
        return Ruling(Action.ALLOW, "No rule stands against it.", root, ordinary_risk(call, reading))
    action = Action.DENY if finding.risk == _DENY else Action.ASK
    return Ruling(action, _sentence(action, finding.why, finding.hit), root, finding.risk)


def _finding(call: Call, reading: Reading, lists: _Lists) -> _Finding | None:
    """Return the gravest rule that the call hits; the order of the questions is the order of their weight."""
    args = words(call.rest.lower())
    begins = _begins(call, args)
    never = _never(call, reading, args, lists)
    if never is not None:
        return _Finding(_DENY, *never)
    carried = _carried(call, reading, args, lists)
    if carried is not None and carried.risk == _DENY:
        return carried
    listed = _entry(lists.deny, begins, reading.around)
    if listed:
        return _Finding(_DENY, f"the settings deny `{listed}`", _text(call))
    listed = _entry(lists.ruled_out, begins, reading.around)
    if listed:
        return _Finding(_DENY, f"a person denied `{listed}` for this run", _text(call))
    listed = _entry(lists.ask, begins, reading.around)
    if listed:
        return _Finding(_ASK, f"the settings ask about `{listed}`", _text(call))
    if carried is not None:
        return carried
    why = None if _entry(lists.allow, begins) else risk_of(call, reading, args)
    return _Finding(_ASK, f"it {why}", _text(call)) if why else None


def _begins(call: Call, args: list[str]) -> tuple[str, ...]:
    return (ALIASES.get(call.name, call.name), *args)


def _never(call: Call, reading: Reading, args: list[str], lists: _Lists) -> tuple[str, str] | None:
    if reading.tangled:
        return "the chain of `execute` cannot be read", _text(call)
    for function in (*reading.functions, *_functions(call, args)):
        if not _admitted(function, lists):
            return "a function runs commands that the policy cannot see", f"function {function}"
    why = _never_name(call.name) or _never_arguments(call, args)
    return (f"it {why}", _text(call)) if why else None


def _functions(call: Call, args: list[str]) -> tuple[str, ...]:
    if call.name == "function":
        return (args[0] if args else "",)
    if call.name == "schedule" and args[:1] == ["function"]:
        return (args[1] if len(args) > 1 else "",)
    return ()


def _admitted(function: str, lists: _Lists) -> bool:
    return ("function", _full_id(function)) in lists.allow


def _never_name(name: str) -> str | None:
    # EssentialsX knows each of its commands with an `e` before it too.
    why = rules.NEVER.get(name) or (rules.NEVER.get(name[1:]) if name.startswith("e") else None)
    if why is not None or len(name) > 64:
        return why
    return next((reason for family, reason in rules.NEVER_FAMILY if family.fullmatch(name)), None)


def _never_arguments(call: Call, args: list[str]) -> str | None:
    name, first = call.name, args[0] if args else ""
    pattern, why = rules.NEVER_WITH.get(name, (None, ""))
    if pattern is not None and pattern.match(" ".join(call.rest.lower().split())):
        return why
    if name in rules.ONLY_WITH and first not in rules.ONLY_WITH[name]:
        return "manages the server or a plugin"
    if first in ("reload", "rl") and name not in rules.VANILLA | rules.PLAIN_SPEECH:
        return "reloads a plugin"
    return None


def _carried(call: Call, reading: Reading, args: list[str], lists: _Lists) -> _Finding | None:
    if holds_command_block(reading.summoned):
        return _Finding(_DENY, f"it places {_BLOCK}", reading.summoned[0])
    if call.name in rules.PLAIN_SPEECH | rules.SEARCHES or (call.name == "data" and args[:1] == ["get"]):
        return None
    texts, ended = levels(call.rest)
    return _placed(call, args, texts) or _clicked(call, texts, ended, lists)


def _placed(call: Call, args: list[str], texts: tuple[str, ...]) -> _Finding | None:
    places = call.doubled or call.name in rules.PLACES
    if not places and call.name not in rules.GIVES_ITEMS:
        return None
    if _command_block(call, args, texts):
        risk, verb = (_DENY, "places or writes") if places else (_ASK, "hands out")
        return _Finding(risk, f"it {verb} {_BLOCK}", _text(call))
    if places and holds_builder(texts):
        return _Finding(_ASK, "it places a block that builds structures", _text(call))
    if largest_explosion(texts) > _LARGEST_EXPLOSION:
        return _Finding(_ASK, "it makes an explosion far larger than the game's own", _text(call))
    return None


def _command_block(call: Call, args: list[str], texts: tuple[str, ...]) -> bool:
    if holds_command_block(texts) and not _only_searched(call, args):
        return True
    return writes_command_key(call.rest) or _sets_command_path(call, texts) or _old_id(call, args)


def _only_searched(call: Call, args: list[str]) -> bool:
    """Tell whether command blocks are only what is to be replaced."""
    if call.name == "fill" and len(args) >= 9 and args[7] == "replace":
        return not holds_command_block((args[6],))
    if call.name in ("replace", "re", "rep") and len(args) > 1:
        return not holds_command_block((args[-1],))
    return False


def _sets_command_path(call: Call, texts: tuple[str, ...]) -> bool:
    if call.name != "data":
        return False
    return any(_path_of_data(words(text)).rpartition(".")[2].strip("\"'") == "Command" for text in texts)


def _path_of_data(args: list[str]) -> str:
    """Return the path that `data modify` writes to, behind a block's coordinates or one other target."""
    if args[:1] != ["modify"]:
        return ""
    place = 5 if args[1:2] == ["block"] else 3
    return args[place] if len(args) > place else ""


def _old_id(call: Call, args: list[str]) -> bool:
    if call.name not in rules.PATTERN_FIRST:
        return False
    patterns = [word for word in args if not word.startswith("-")][:2]
    if call.name not in ("replace", "re", "rep"):
        patterns = patterns[:1]
    parts = (part.rpartition("%")[2].partition(":")[0] for word in patterns for part in word.split(","))
    return any(part in _OLD_IDS for part in parts)


def _clicked(call: Call, texts: tuple[str, ...], ended: bool, lists: _Lists) -> _Finding | None:
    found = clicks(texts)
    # Text in storage may become an action when another text takes it in.
    pieces = call.name == "data" and not found.commands and "run_command" in texts[-1].lower()
    if found.unread or not ended or pieces:
        return _Finding(_ASK, "it holds text that cannot be read to its end", _text(call))
    if found.commands and lists.depth >= _DEEPEST_CLICK:
        return _Finding(_ASK, "a click in it leads to a click, and so on", _text(call))
    deeper = replace(lists, depth=lists.depth + 1)
    for command in found.commands:
        ruling = _review(command, deeper)
        if ruling.action is not Action.ALLOW:
            return _Finding(_ASK, f"a click in it would run `{ruling.root}`", command)
    return None


def _with_volume(command: str, ruling: Ruling, volume: float) -> Ruling:
    if ruling.risk >= _ASK or volume <= rules.LARGEST_VOLUME:
        return ruling
    size = "an unknown number of" if math.isinf(volume) else f"about {volume:,.0f}"
    why = f"it changes {size} blocks of a selection (more than {rules.LARGEST_VOLUME:,})"
    return Ruling(Action.ASK, _sentence(Action.ASK, why, command), ruling.root, _ASK)


def _entries(entries: frozenset[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(_entry_words(entry) for entry in entries if entry.strip())


def _entry_words(entry: str) -> tuple[str, ...]:
    # A command's name ends at the first space, whatever quotes are in it.
    first, _, arguments = loosened(entry).partition(" ")
    name, rest = bare_name(first)[0], words(arguments)
    name = ALIASES.get(name, name)
    if name == "function" and rest:
        return (name, _full_id(rest[0]))
    return (name, *(word.lower() for word in rest))


def _entry(
    entries: frozenset[tuple[str, ...]], begins: tuple[str, ...], around: frozenset[str] = _NOTHING
) -> str | None:
    """Return the entry that `begins` begins with, or that names one of the commands around it."""
    for length in sorted({len(entry) for entry in entries}):
        if begins[:length] in entries:
            return " ".join(begins[:length])
    return next((name for name in sorted(around) if (name,) in entries), None)


def _full_id(name: str) -> str:
    name = name.lower()
    tag, bare = ("#", name[1:]) if name.startswith("#") else ("", name)
    return f"{tag}{bare if ':' in bare else f'minecraft:{bare}'}"


def _shown(text: str) -> str:
    return clip(one_line(text[:_SHOWN]), _SHOWN)


def _text(call: Call) -> str:
    return f"{call.shown} {call.rest[:_SHOWN]}".strip()


def _sentence(action: Action, why: str, hit: str) -> str:
    verb = "Denied" if action is Action.DENY else "Held for a person"
    return f"{verb}: {one_line(why)} (`{clip(one_line(hit[: 2 * _SHOWN]), _SHOWN)}`)."
