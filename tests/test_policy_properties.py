"""No spelling of a denied command gets through."""

from __future__ import annotations

import string

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from selfplay_core.models import Action, Ruling
from selfplay_core.text import clean
from selfplay_core.verify.policy import review
from selfplay_core.verify.speech import only_speaks
from selfplay_core.verify.unwrap import readings

# The deadline is off because other work shares the machine; how time grows is measured in test_policy.
calm = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])

# Pieces that a reader may trip over, put wherever the server takes any text.
TRAPS = [
    " run say hi",
    "run",
    "run kick",
    "]",
    "[",
    "{",
    "}",
    '\\"',
    "'",
    "@e",
    "/",
    " as ",
    "\u00a0",
    "\uff02",
    "#",
    "~",
    "=",
]
NAMES = st.sampled_from(["Bob", "run", "as", "at", "execute", "stop", "say", "if", "a.b", "x-1", "return"])
NUMBERS = st.sampled_from(["0", "~", "~5", "-3.5", "~-.5", "100"])
LOCAL = st.sampled_from(["^", "^1", "^-.5"])
IDS = st.sampled_from(["foo:bar", "minecraft:plains", "say:run", "a/b", "overworld"])


def words(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map(" ".join)


traps = st.lists(st.one_of(st.sampled_from(TRAPS), st.sampled_from(list(string.ascii_lowercase))), max_size=6).map(
    "".join
)


def quoted(text: str, quote: str) -> str:
    """Quote as the game's reader undoes it: the backslash stands before itself and the quote alone."""
    return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


strings = st.builds(quoted, traps, st.sampled_from(["'", '"']))
compounds = st.recursive(
    st.builds("{{a:{}}}".format, strings),
    lambda inner: st.builds("{{b:[{},{}], c:{}}}".format, inner, inner, strings),
    max_leaves=3,
)
options = st.one_of(
    st.builds("name={}".format, strings),
    st.builds("nbt={}".format, compounds),
    st.builds("nbt=!{}".format, compounds),
    st.sampled_from(["type=pig", "limit=1", "scores={run=1..,a=..2}", "distance=..5", "tag=run", "sort=nearest"]),
)
selectors = st.builds(
    "{}{}".format,
    st.sampled_from(["@a", "@e", "@s", "@p", "@r", "@n"]),
    st.lists(options, max_size=3).map(lambda found: f"[{','.join(found)}]" if found else ""),
)
entities = st.one_of(NAMES, strings, selectors)
# Whatever stands up to the next space is a score holder, even nothing.
holders = st.one_of(
    NAMES,
    selectors,
    traps.map(lambda text: text.replace(" ", "")).filter(lambda text: not text.startswith("@")),
)
positions = st.one_of(words(NUMBERS, NUMBERS, NUMBERS), words(LOCAL, LOCAL, LOCAL))
blocks = st.builds(
    "{}{}{}".format, IDS, st.sampled_from(["", "[facing=north,lit=true]"]), st.one_of(st.just(""), compounds)
)
items = st.one_of(
    st.just("*"), IDS, st.builds("*[custom_name={}]".format, strings), st.builds("a:b[x={}]".format, compounds)
)
paths = st.one_of(
    NAMES,
    st.builds("a[{}].b".format, compounds),
    st.builds("{}.c".format, compounds),
    st.builds("a.{}".format, traps.map(lambda text: quoted(text, '"'))),
)
data_places = st.one_of(words("block", positions), words("entity", entities), words("storage", IDS))
conditions = st.one_of(
    words("biome", positions, IDS),
    words("block", positions, blocks),
    words("blocks", positions, positions, positions, st.sampled_from(["all", "masked"])),
    words("data", data_places, paths),
    words("dimension", IDS),
    words("entity", entities),
    words("items", st.one_of(words("block", positions), words("entity", entities)), "hotbar.*", items),
    words("loaded", positions),
    words("predicate", st.one_of(IDS, compounds)),
    words("score", holders, NAMES, "matches", st.sampled_from(["1", "1..", "..5"])),
    words("score", holders, NAMES, st.sampled_from(["<", "<=", "=", ">=", ">"]), holders, NAMES),
    words("stopwatch", IDS, "1..2"),
)
stores = st.one_of(
    words(data_places, paths, st.sampled_from(["byte", "int", "double"]), "0.5"),
    words("bossbar", IDS, st.sampled_from(["max", "value"])),
    words("score", holders, NAMES),
)
subcommands = st.one_of(
    words("align", "xyz"),
    words("anchored", "eyes"),
    words(st.sampled_from(["as", "at", "positioned as", "rotated as"]), entities),
    words("facing entity", entities, "feet"),
    words(st.sampled_from(["facing", "positioned"]), positions),
    words("rotated", NUMBERS, NUMBERS),
    words("positioned over", "world_surface"),
    words("in", IDS),
    words("on", st.sampled_from(["attacker", "vehicle", "passengers"])),
    words("summon", st.sampled_from(["pig", "minecraft:cow"])),
    words(st.sampled_from(["if", "unless"]), conditions),
    words("store", st.sampled_from(["result", "success"]), stores),
)
executes = st.lists(subcommands, min_size=0, max_size=4).map(lambda found: " ".join(["execute", *found, "run"]))
chains = st.lists(st.one_of(executes, st.just("return run")), max_size=4).map(" ".join)

DENIED_NAMES = """stop restart reload op deop ban ban-ip pardon whitelist kick save-all save-off publish transfer
datapack debug perf jfr tick function plugman lp luckperms pex sudo timings spark mvdelete"""
names = st.sampled_from([*DENIED_NAMES.split(), "schedule function"])
namespaces = st.lists(st.sampled_from(["minecraft", "bukkit", "spigot", "paper", "worldedit", "x"]), max_size=2)
slashes = st.integers(0, 4).map("/".__mul__)
roots = st.builds(
    lambda lead, spaces, inner, name: lead + "".join(f"{space}:" for space in spaces) + inner + name,
    slashes,
    namespaces,
    slashes,
    names,
)
# A ban or a kick takes any text for its reason, so that text that looks like the end of a string may follow.
denied = st.builds("{} {}".format, roots, st.one_of(NAMES, st.builds("Bob {}".format, traps)))
plain_chains = st.lists(
    st.sampled_from(
        [
            "execute as @a run",
            "execute at Bob positioned ~ ~1 ~ run",
            "execute if score a b matches 1.. run",
            'execute as @e[name="x",limit=1] run',
            "execute store result score a b run",
            "return run",
        ]
    ),
    max_size=3,
).map(" ".join)


@st.composite
def odd_spellings(draw: st.DrawFn) -> str:
    """Spell a denied command in ways that a lenient server might still understand."""
    command = f"{draw(plain_chains)} {draw(roots)} Bob".strip()
    odd = draw(st.lists(st.sampled_from("hswucl"), min_size=len(command), max_size=len(command)))
    pieces = []
    for character, how in zip(command, odd, strict=True):
        if character == " ":
            pieces.append(draw(st.sampled_from([" ", "  ", "\t", "\u00a0", "\u2003", "\u3000", " \u200b ", "\u2800"])))
        elif how == "u":
            pieces.append(character.upper())
        elif how == "h":
            pieces.append(
                character + draw(st.sampled_from(["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u0336"]))
            )
        elif how == "w" and character.isalnum():
            pieces.append(chr(ord(character) + 0xFEE0))
        else:
            pieces.append(character)
    return "".join(pieces)


@calm
@given(chains, denied)
def test_no_wrapping_gets_a_denied_command_through(chain: str, command: str) -> None:
    """Whatever the server's own grammar can wrap around a denied command, it is denied."""
    assert review(f"{chain} {command}".strip()).action is Action.DENY


@calm
@given(odd_spellings())
def test_no_spelling_gets_a_denied_command_through(command: str) -> None:
    """Whatever case, spaces, hidden or wide characters, slashes and namespaces, a denied command is denied."""
    assert review(command).action is Action.DENY


@calm
@given(chains, chains, denied)
def test_an_unknown_subcommand_hides_nothing(before: str, after: str, command: str) -> None:
    """Behind a sub-command that the policy does not know, a denied command is still found."""
    assert review(f"{before} execute mystery 1 run {after} {command}").action is Action.DENY


@calm
@given(chains, st.sampled_from(["say", "me", "msg Bob", "tell Bob", "w Bob", "teammsg", "minecraft:say"]), denied)
def test_text_in_speech_is_allowed(chain: str, verb: str, text: str) -> None:
    """Where the grammar leaves no doubt that a command is speech, what it says does not matter."""
    command = f"{chain} {verb} {text}".strip()
    assume(command.isascii() and "  " not in command and "summon" not in chain)
    assume(all(reading.certain for reading in readings(command)))
    assert review(command).action is Action.ALLOW


@calm
@given(denied)
def test_speech_stays_speech(text: str) -> None:
    """Saying a denied command only speaks, and running it does not."""
    assert only_speaks([f"say {text}"])
    assert not only_speaks([text])
    assert not only_speaks(["say hi", text])


@calm
@given(chains, denied)
def test_a_click_that_would_be_denied_is_asked(chain: str, command: str) -> None:
    """A text that runs a denied command when a player clicks it waits for a person."""
    value = quoted(f"{chain} {command}".strip(), '"')
    text = f'{{"text":"x","click_event":{{"action":"run_command","command":{value}}}}}'
    assert review(f"tellraw @a {text}").action is Action.ASK
    in_string = quoted(text, "'")
    assert review(f"setblock 0 64 0 oak_sign{{front_text:{{messages:[{in_string}]}}}}").action is Action.ASK


@calm
@given(st.text(max_size=300))
def test_any_text_gets_a_ruling(text: str) -> None:
    """Any text at all is ruled upon, with a reason and a root that are safe to show."""
    ruling = review(text)
    assert isinstance(ruling, Ruling)
    assert 1 <= ruling.risk <= 5
    assert clean(ruling.reason) == ruling.reason
    assert clean(ruling.root) == ruling.root
    only_speaks([text])


SOUP = st.one_of(
    st.sampled_from([*TRAPS, "execute", "as", "if", "score", "store", "result", "data", "entity", "fill", "kill"]),
    st.sampled_from(
        ["@e[", "]", "tellraw", "setblock", "\\u0061", "run_command", "action:", "command:", "Command", ":"]
    ),
    st.sampled_from(["0", "~", "^", "..", "limit=", "1e999", "9" * 400, "distance=", "type=!", "\\N{", "\\U0011FFFF"]),
    st.text(max_size=3),
)


@calm
@given(st.lists(SOUP, max_size=40), st.sampled_from(["", " "]))
def test_any_soup_of_syntax_gets_a_ruling(pieces: list[str], between: str) -> None:
    """Any soup of the policy's own words and marks is ruled upon, and the same way each time."""
    text = between.join(pieces)
    for command in (text, f"fill {text}", f"kill @e[{text}", f"data modify {text}", f"tellraw @a {text}"):
        assert review(command) == review(command)
        only_speaks([command])
