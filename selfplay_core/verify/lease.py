"""One command sent within a lease of the server, and what its reply shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from selfplay_core.errors import CommandTooLong
from selfplay_core.models import CommandResult, FailedBecause, Level, Verdict, VerdictOutcome
from selfplay_core.verify.language import Language
from selfplay_core.verify.probe import is_parsed_by_the_game, judge_probe, probed
from selfplay_core.verify.standpoint import context_of, presence_check, target_check, wrapped
from selfplay_core.verify.unwrap import readings
from selfplay_core.verify.verdict import judge

__all__ = ["Console", "Lease"]


class Console(Protocol):
    """A connection to a server's console; `RconClient` is the real one."""

    @property
    def connected(self) -> bool:
        """Whether a command can be sent without opening first."""

    async def open(self) -> None:
        """Connect and log in; raises a `ServerFault`."""

    async def command(self, text: str) -> str:
        """Return the whole reply; raises a `ServerFault` and is then no longer connected."""

    async def aclose(self) -> None:
        """Close for good."""


@dataclass(slots=True)
class Lease:
    """The right to send commands for one attempt; raises what the console raises.

    `as_player` runs every command that can be wrapped as that player, where the player stands.
    """

    console: Console
    as_player: str | None = None
    language: Language | None = None
    _present: bool | None = field(default=None, init=False)

    async def run(self, command: str) -> CommandResult:
        """Run a command and judge its reply."""
        inside = wrapped(command, self.as_player) if self.as_player else None
        sent = inside or command
        try:
            reply = await self.console.command(sent)
        except CommandTooLong:
            return _unsent(command, "it fits the packet bare, but not as a player's command")
        verdict = self._judge(reply, sent) if reply.strip() else await self._judge_silence(command, sent)
        context = context_of(self.as_player) if self.as_player and inside else ""
        return CommandResult(command, reply, verdict, _level_of(verdict), context=context)

    async def probe(self, command: str) -> CommandResult:
        """Let the server parse a command, and run nothing."""
        try:
            reply = await self.console.command(probed(command))
        except CommandTooLong:
            return _unsent(command, "it fits the packet bare, but not as a probe", probed=True)
        verdict, level = judge_probe(reply, command, language=self.language)
        return CommandResult(command, reply, verdict, level, probed=True)

    async def _judge_silence(self, command: str, sent: str) -> Verdict:
        """Judge an empty reply; under `execute` it counts only once it is shown that somebody was there."""
        if self.as_player and sent != command and not await self._is_present(self.as_player):
            # Nobody to act: the server has parsed the command and run nothing, as in a probe.
            if not is_parsed_by_the_game(command):
                return Verdict(VerdictOutcome.UNCLEAR, message=f"{self.as_player} is not online")
            return Verdict(VerdictOutcome.FAILED, FailedBecause.NOBODY, message=f"{self.as_player} is not online")
        if_shown = self._judge("", sent, target_shown=True)
        shown = if_shown.outcome is VerdictOutcome.PASSED and await self._finds_somebody(command, sent)
        return if_shown if shown else self._judge("", sent)

    async def _finds_somebody(self, command: str, sent: str) -> bool:
        if sent != command and not readings(command)[0].run_at:
            return True  # the player alone had to be there, and is
        check = target_check(sent)
        return check is not None and await self._passes(check)

    async def _is_present(self, player: str) -> bool:
        if self._present is None:
            self._present = await self._passes(presence_check(player))
        return self._present

    async def _passes(self, check: str) -> bool:
        try:
            return self._judge(await self.console.command(check), check).outcome is VerdictOutcome.PASSED
        except CommandTooLong:
            return False

    def _judge(self, reply: str, command: str, *, target_shown: bool = False) -> Verdict:
        return judge(reply, command, target_shown=target_shown, language=self.language)


def _level_of(verdict: Verdict) -> Level:
    """Return what a verdict on a command that was really sent shows."""
    match verdict.outcome, verdict.because:
        case VerdictOutcome.PASSED, _:
            return Level.EXECUTED
        case VerdictOutcome.FAILED, FailedBecause.NOTHING_CHANGED:
            return Level.EXECUTED
        case VerdictOutcome.FAILED, _:
            return Level.PARSED
        case _:
            return Level.NONE


def _unsent(command: str, why: str, *, probed: bool = False) -> CommandResult:
    verdict = Verdict(VerdictOutcome.UNCLEAR, message=why)
    return CommandResult(command, "", verdict, Level.NONE, probed=probed)
