"""What may run, by a table of commands and by rules."""

from __future__ import annotations

import time
import unicodedata
from pathlib import Path

import pytest

from selfplay_core.models import Action, Ruling
from selfplay_core.verify.policy import review

TABLES = Path(__file__).parent / "policy"


def table(name: str) -> list[str]:
    lines = (TABLES / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("# ")]


BENIGN, ASKED, DENIED = table("benign"), table("asked"), table("denied")


@pytest.mark.parametrize("command", BENIGN)
def test_a_benign_command_is_allowed(command: str) -> None:
    """What harms nobody runs without a person."""
    assert review(command).action is Action.ALLOW


@pytest.mark.parametrize("command", ASKED)
def test_a_risky_command_waits_for_a_person(command: str) -> None:
    """What is broad, large or about the whole world is asked about, and not denied."""
    assert review(command).action is Action.ASK


@pytest.mark.parametrize("command", DENIED)
def test_a_dangerous_command_is_denied(command: str) -> None:
    """What endangers the server never leaves the process."""
    assert review(command).action is Action.DENY


def test_the_tables_are_large_and_without_doubles() -> None:
    """The tables hold at least 150 benign and 150 dangerous commands, each once."""
    assert len(BENIGN) >= 150
    assert len(DENIED) >= 150
    assert len({*BENIGN, *ASKED, *DENIED}) == len(BENIGN) + len(ASKED) + len(DENIED)


CONTROLS = [chr(code) for code in (*range(9), *range(10, 32), *range(127, 160), 0x2028, 0x2029, 0xD800)]


@pytest.mark.parametrize("control", CONTROLS, ids=[f"U+{ord(control):04X}" for control in CONTROLS])
def test_a_control_character_is_denied(control: str) -> None:
    """A line break or another control character is refused anywhere in a command, even in speech."""
    for command in (f"say a{control}b", f"{control}say a", f"say a{control}"):
        ruling = review(command)
        assert ruling.action is Action.DENY
        assert f"U+{ord(control):04X}" in ruling.reason


@pytest.mark.parametrize(
    "command",
    [
        "\ufeffstop",
        "s\u200bt\u200co\u200dp",
        "\uff53\uff54\uff4f\uff50",
        "\ufb06op",
        "\U0001d42c\U0001d42d\U0001d428\U0001d429",
        "\u212aick Bob",
        "k\u0130ck Bob",
        "s\u0336t\u0336o\u0336p\u0336",
        "minecraft\uff1astop",
        "\uff0fstop",
        "\u00a0stop",
        "stop\u3000now",
        "\tstop",
        "execute\tas\t@a\trun\tstop",
        "execute as @a\u2003run\u2003stop",
        "execute\u00a0run\u00a0stop",
        "execute run\u200b stop",
        "execute store result score a\u00a0b run run kick Bob",
        "execute store result score  run run kick Bob",
        "execute store result score  o at run at Bob run kick Bob",
        "execute store result score a\tb run rotated 0 0 run kick Bob",
        "execute store result score a\u00a0b run rotated 0 0 run kick Bob",
        "execute if score \uff02x o matches 1 run kick Bob \uff02 run say hi",
        'execute as @e[name="\uff02"] run kick Bob "] run say hi',
    ],
)
def test_odd_spelling_hides_nothing(command: str) -> None:
    """Hidden, wide and styled characters and odd spaces do not hide a denied command from either reading."""
    assert review(command).action is Action.DENY, [unicodedata.name(c, "?") for c in command]


def test_the_hard_list_cannot_be_lifted() -> None:
    """No setting admits a denied command; only functions can be listed, one by one."""
    everything = frozenset({"", "*", "execute", "run", "function", "schedule", "schedule function", *DENIED})
    lifted = [command for command in DENIED if review(command, allow=everything).action is not Action.DENY]
    named = {"function foo:bar", "function #foo:bar", "function foo:bar {a:1}"}
    assert all("function foo:bar" in command or command in named for command in lifted)
    without = frozenset(entry for entry in everything if "function foo:bar" not in entry and entry not in named)
    assert not [command for command in DENIED if review(command, allow=without).action is not Action.DENY]


@pytest.mark.parametrize(
    "command",
    [
        "function foo:bar",
        "minecraft:function foo:bar {a:1}",
        "schedule function foo:bar 1t append",
        "execute if function foo:bar",
        "execute as Bob if function foo:bar run return run function foo:bar",
    ],
)
def test_a_listed_function_is_admitted(command: str) -> None:
    """A function that the settings list may run, however it is run; no other function may."""
    assert review(command, allow=frozenset({"function foo:bar"})).action is Action.ALLOW
    assert review(command, allow=frozenset({"function foo:baz"})).action is Action.DENY
    assert review(command, allow=frozenset({"function #foo:bar"})).action is Action.DENY


def test_a_function_without_namespace_is_the_games_own() -> None:
    """A function's id without a namespace means `minecraft:`, in the settings as in the command."""
    assert review("function minecraft:a", allow=frozenset({"function a"})).action is Action.ALLOW
    assert review("function a", allow=frozenset({"/minecraft:function minecraft:a"})).action is Action.ALLOW
    assert review("function a:a", allow=frozenset({"function a"})).action is Action.DENY


@pytest.mark.parametrize(
    ("entry", "command"),
    [
        ("give", "give @s stone"),
        ("/Minecraft:Give", "execute as Bob run minecraft:give @s stone"),
        ("effect give", "effect give @s speed"),
        ("execute", "execute as Bob run say hi"),
        ("return", "return run say hi"),
    ],
)
def test_the_settings_add_rules(entry: str, command: str) -> None:
    """An entry of the settings denies or asks by the first words of what would run, or of what wraps it."""
    assert review(command).action is Action.ALLOW
    assert review(command, deny=frozenset({entry})).action is Action.DENY
    assert review(command, ask=frozenset({entry})).action is Action.ASK
    assert review(command, deny=frozenset({entry}), allow=frozenset({entry})).action is Action.DENY
    assert review(command, ask=frozenset({entry}), allow=frozenset({entry})).action is Action.ASK


def test_an_entry_is_whole_words() -> None:
    """An entry does not reach commands that only begin with the same letters, or say its words later."""
    assert review("effect clear @s", deny=frozenset({"effect give"})).action is Action.ALLOW
    assert review("giveaway", deny=frozenset({"give"})).action is Action.ALLOW
    assert review("say give", deny=frozenset({"give"})).action is Action.ALLOW


@pytest.mark.parametrize("command", ["kill @e", "worldborder set 5", "fill 0 0 0 99 99 99 stone", "//regen"])
def test_the_settings_lift_what_is_asked(command: str) -> None:
    """An allowed command is not asked about for its reach."""
    allowed = frozenset({"kill", "worldborder set", "fill", "regen"})
    assert review(command, allow=allowed).action is Action.ALLOW


@pytest.mark.parametrize(
    "command",
    [command for command in ASKED if "run_command" in command and not command.startswith("data")]
    + ["give @s command_block"],
)
def test_the_settings_do_not_lift_what_is_carried(command: str) -> None:
    """An allowed command is still asked about for the commands that it carries."""
    allowed = frozenset({"tellraw", "setblock", "give", "dialog", "kill @a"})
    carries_kill = "/kill" in command
    assert review(command, allow=allowed).action is (Action.ALLOW if carries_kill else Action.ASK)


def test_risk_follows_action() -> None:
    """Risk is 4 for what is asked, 5 for what is denied, and lower for what is allowed."""
    expected = {Action.ALLOW: {1, 2, 3}, Action.ASK: {4}, Action.DENY: {5}}
    for command in (*BENIGN, *ASKED, *DENIED):
        ruling = review(command)
        assert ruling.risk in expected[ruling.action], command


@pytest.mark.parametrize(
    ("command", "risk"),
    [
        ("say hi", 1),
        ("list", 1),
        ("execute as @a run say hi", 1),
        ("execute if entity @a", 1),
        ("gamerule keepInventory", 1),
        ("give @s stone", 2),
        ("tp Bob 0 64 0", 2),
        ("foo", 2),
        ("give @a stone", 3),
        ("setblock 0 0 0 stone", 3),
        ("summon pig", 3),
        ("execute as @a run give @s stone", 3),
        ("execute summon pig run say hi", 3),
        ("weather rain", 3),
        ("//set stone", 3),
    ],
)
def test_an_allowed_command_has_its_risk(command: str, risk: int) -> None:
    """Speaking is 1, the ordinary is 2, and changing the world or many is 3."""
    assert review(command).risk == risk


@pytest.mark.parametrize(
    ("command", "root"),
    [
        ("/minecraft:GIVE @s stone", "give"),
        ("execute as @a run return run execute at @s run summon pig", "summon"),
        ("execute as @a run stop", "stop"),
        ("worldedit:/set stone", "set"),
        ("execute if entity @a", "execute"),
        ("execute mystery run say hi run op Bob", "op"),
        ("", ""),
        ("//", ""),
    ],
)
def test_the_root_is_what_runs_in_the_end(command: str, root: str) -> None:
    """The root names the command that would run in the end, bare and in lower case."""
    assert review(command).root == root


def test_the_reason_names_rule_and_text() -> None:
    """A reason is one line that says why, and shows the text that was hit."""
    reason = review("execute as @a run fill 0 0 0 20 20 20 stone").reason
    assert "9,261 blocks" in reason
    assert "fill 0 0 0 20 20 20 stone" in reason


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\u202e", "\u200b", "\n", "\u2028", "\x9b"])
def test_the_ruling_is_safe_to_show(hostile: str) -> None:
    """Nothing hostile of a command comes back in what a person is shown, and not much of it."""
    for command in (f"op {hostile}", f"x{hostile}x", f"ban {hostile * 5000}", f"stop{hostile}"):
        ruling = review(command)
        shown = ruling.reason + ruling.root
        assert hostile not in shown
        assert len(shown) < 500


def test_too_many_starts_are_denied() -> None:
    """A chain that cannot be read and may begin anywhere is denied, not tried a thousand times."""
    assert review("execute mystery " + "run say " * 10).action is Action.ALLOW
    assert review("execute mystery " + "run say " * 100).action is Action.DENY


HEAVY = {
    "a word": "x",
    "nested execute": "execute run ",
    "nested return": "return run ",
    "nested conditions": "execute if entity @e[nbt={a:[1]}] run ",
    "unreadable runs": "run say ",
    "runs in speech": "say run ",
    "slashes": "/",
    "spaces": " ",
    "colons": ":",
    "brackets": "execute as @e[",
    "open brackets": "[",
    "braces": "{a:[",
    "quotes": '"',
    "escaped quotes": '\\"',
    "escapes": "\\u0061",
    "backslashes": "\\",
    "keys": "{Command ",
    "clicks": 'action:run_command,command:"',
    "options": "a=b,",
    "combining marks": "\u0300\u0316",
    "hidden": "\u200b",
    "ligatures": "\ufdfa",
    "spaced ideographs": "\u3000",
}
BEFORE = ["", "execute as ", "kill @e[", "setblock 0 0 0 a", "tellraw @a ", "execute if score ", "data modify "]


def seconds(command: str) -> float:
    best = float("inf")
    for _ in range(2):
        begun = time.process_time()
        review(command)
        best = min(best, time.process_time() - begun)
    return best


@pytest.mark.parametrize("piece", HEAVY.values(), ids=HEAVY.keys())
def test_time_is_linear(piece: str) -> None:
    """Eight times the text takes nowhere near sixty-four times as long, whatever it is made of."""
    for before in BEFORE:
        small = before + piece * (10_000 // len(piece))
        large = before + piece * (80_000 // len(piece))
        # The floor keeps the clock's noise out of the ratio of two very short times.
        assert seconds(large) < 30 * max(seconds(small), 0.001)


@pytest.mark.parametrize("piece", HEAVY.values(), ids=HEAVY.keys())
def test_a_megabyte_is_ruled_upon(piece: str) -> None:
    """A command of a megabyte gets a ruling like any other."""
    assert isinstance(review("execute as @a run setblock 0 0 0 " + piece * (1_000_000 // len(piece))), Ruling)


@pytest.mark.parametrize("wrap", ["execute run ", "return run ", "execute as @e[nbt={a:[{}]}] at @s run "])
def test_depth_hides_nothing(wrap: str) -> None:
    """A denied command is found below five hundred wrappers, and speech below them is still speech."""
    assert review(wrap * 500 + "op Bob").action is Action.DENY
    assert review(wrap * 500 + "say run op Bob").action is Action.ALLOW


def test_deep_brackets_hide_nothing() -> None:
    """A selector with five hundred brackets within one another is walked over, and what follows it is read."""
    deep = "{a:[" * 500 + "]}" * 500
    assert review(f"execute as @e[nbt={deep}] run op Bob").action is Action.DENY
    assert review(f"execute as @e[nbt={deep}] run say op").action is Action.ALLOW


def clicking(command: str) -> str:
    escaped = command.replace("\\", "\\\\").replace('"', '\\"')
    return f'tellraw @a {{"text":"x","click_event":{{"action":"run_command","command":"{escaped}"}}}}'


def test_clicks_behind_clicks_are_followed_so_far() -> None:
    """A click that leads to a click is read, and one that leads on and on waits for a person."""
    assert review(clicking(clicking("/say hi"))).action is Action.ALLOW
    assert review(clicking(clicking("/op Bob"))).action is Action.ASK
    assert review(clicking(clicking(clicking(clicking("/say hi"))))).action is Action.ASK


@pytest.mark.parametrize(
    ("rule", "command"),
    [
        ("teleport", "tp Foo 0 0 0"),
        ("tp", "teleport Foo 0 0 0"),
        ("xp", "experience add Foo 1"),
        ("tell", "w Foo hi"),
        ("msg", "tell Foo hi"),
        ("//replace", "//re dirt stone"),
    ],
)
def test_a_rule_for_one_name_of_a_command_is_a_rule_for_all(rule: str, command: str) -> None:
    """Aliases are no way around what a user denies."""
    assert review(command, deny=frozenset({rule})).action is Action.DENY
