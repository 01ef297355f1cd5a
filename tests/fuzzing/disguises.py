"""Targets: the policy. A denied command is put through every disguise; and any text at all gets a ruling."""

from __future__ import annotations

import unicodedata

from selfplay_core.models import Action
from selfplay_core.text import one_line
from selfplay_core.verify.policy import hits, pattern_of, review
from selfplay_core.verify.spelling import loosened
from selfplay_core.verify.unwrap import readings

__all__ = ["disguised", "policy", "policy_disguise"]

# What may never run, by the laws of this project, spelled as a server's console takes it.
_DENIED = """stop|restart|reload|reload confirm|op Bob|deop Bob|ban Bob|ban-ip 1.2.3.4|pardon Bob|pardon-ip 1.2.3.4
whitelist off|whitelist add Bob|kick Bob|kick @a bye|save-all|save-off|save-on flush|publish|transfer host 25565
datapack disable x|datapack list|debug start|perf start|jfr start|tick freeze|tick rate 1|function a:b|plugman unload x
lp user Bob permission set *|luckperms editor|pex user Bob add x|schedule function a:b 1s|setblock 0 0 0 command_block
summon command_block_minecart|fill 0 0 0 1 1 1 minecraft:chain_command_block"""
_COMMANDS = [command for line in _DENIED.splitlines() for command in line.split("|")]

_CHAINS = """execute run|execute as @a run|execute as @s at @s run|execute at @e[type=cow,limit=1] run|return run
execute if entity @s run|execute unless block ~ ~-1 ~ stone run|execute positioned 0 64 0 run|execute in the_end run
execute store result score a b run|execute if score a b matches 1.. run|execute facing 0 0 0 run|execute on vehicle run
execute as @e[name="a run say hi"] run|execute as @e[nbt={a:'run say'}] run|execute rotated as @p run
execute if data storage a:b c{d:"run say"} run|execute mystery 1 run|execute run execute run|return run return run
execute summon pig run|execute align xyz anchored eyes run|execute store success entity @s a.b int 1 run|run"""
_WRAPPERS = [chain for line in _CHAINS.splitlines() for chain in line.split("|")]

_NAMESPACES = ["minecraft:", "bukkit:", "a:b:", ":", "paper:", "x-y.z:"]
_BLANKS = [" ", "  ", "\t", "\u00a0", "\u1680", "\u2003", "\u202f", "\u205f", "\u3000", "\u2800", " \u200b ", "\u3164 "]
_HIDDEN = ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u0301", "\u034f", "\ufe0f", "\u180e", "\U000e0041"]
# First letters of runs of styled letters, whose compatibility form is the plain one.
_STYLES = [(0xFF41, 26), (0x1D41A, 26), (0x1D5BA, 26), (0x1D68A, 26), (0x24D0, 26)]

_WRAPS = ("execute run ", "execute as @s run ", "return run ", "minecraft:", "/", "execute at @s run return run ")


class _Choices:
    """Bytes as choices, one a byte; when they have run out, the first of everything."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def below(self, count: int) -> int:
        if not self.left:
            return 0
        self._at += 1
        return self._data[self._at - 1] % count

    def of(self, options: list[str]) -> str:
        return options[self.below(len(options))]


def disguised(data: bytes) -> str:
    """Return a denied command in the disguise that the bytes choose."""
    choices = _Choices(data)
    command = choices.of(_COMMANDS)
    name, blank, arguments = command.partition(" ")
    command = _lead(choices) + _spelled(choices, name) + blank + arguments
    for _ in range(choices.below(4)):
        command = f"{_lead(choices)}{choices.of(_WRAPPERS)} {command}"
    return _spaced(choices, command)


def policy_disguise(data: bytes) -> None:
    """No disguise gets a denied command through."""
    command = disguised(data)
    ruling = review(command)
    assert ruling.action is Action.DENY, (command, ruling)


def policy(data: bytes) -> None:
    """Any text gets a ruling, the same each time and clean; nothing wrapped around it makes it less grave."""
    command = data.decode("utf-8", "surrogateescape")
    ruling = review(command)
    assert review(command) == ruling
    assert 1 <= ruling.risk <= 5
    assert (ruling.action is Action.DENY) == (ruling.risk == 5)
    for shown in (ruling.reason, ruling.root):
        assert one_line(shown) == shown
        assert len(shown) <= 400
    if not all(call.name for reading in readings(command) for call in reading.calls):
        return  # slashes and blanks alone: what is wrapped around them is all there is
    for wrap in _WRAPS:
        if wrap.endswith(":") and command.lstrip().startswith("/"):
            continue  # a namespace before a slash is no name that a server knows
        assert review(wrap + command).risk >= ruling.risk, wrap
    pattern = pattern_of(command)
    if loosened(pattern) and ruling.action is not Action.DENY:
        assert hits(command, pattern)


def _lead(choices: _Choices) -> str:
    match choices.below(6):
        case 1:
            return "/" * (1 + choices.below(3))
        case 2:
            return choices.of(_NAMESPACES)
        case 3:
            return "/" + choices.of(_NAMESPACES) + "/" * choices.below(3)
        case 4:
            return " " * choices.below(4) + "/ "
    return ""


def _spelled(choices: _Choices, name: str) -> str:
    pieces = []
    how = choices.below(5)
    for letter in name:
        change = choices.below(4) if how else 0
        if how == 1 and change:
            pieces.append(letter.upper())
        elif how == 2 and change == 1:
            pieces.append(letter + choices.of(_HIDDEN))
        elif how >= 3 and change and letter.isascii() and letter.islower():
            first, _ = _STYLES[choices.below(len(_STYLES))]
            pieces.append(_styled(letter, first))
        else:
            pieces.append(letter)
    return "".join(pieces)


def _styled(letter: str, first: int) -> str:
    styled = chr(first + ord(letter) - ord("a"))
    return styled if unicodedata.normalize("NFKC", styled) == letter else letter


def _spaced(choices: _Choices, command: str) -> str:
    if not choices.below(3):
        return command
    return "".join(choices.of(_BLANKS) if letter == " " else letter for letter in command)
