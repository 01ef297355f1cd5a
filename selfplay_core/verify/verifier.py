"""The one door: a command reaches a server through the policy, then through here."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

from selfplay_core.errors import (
    CommandTooLong,
    ConnectionLost,
    ProtocolViolation,
    SelfplayError,
    ServerUnreachable,
    SettingsError,
)
from selfplay_core.models import (
    Action,
    CommandResult,
    FailedBecause,
    Level,
    Ruling,
    Verdict,
    VerdictOutcome,
    WorldIdentity,
)
from selfplay_core.text import clip, one_line
from selfplay_core.verify.identity import IDENTITY_COMMAND, read_identity
from selfplay_core.verify.policy import review
from selfplay_core.verify.probe import judge_probe, probed, probing_proves
from selfplay_core.verify.rcon import MAX_COMMAND_BYTES
from selfplay_core.verify.verdict import judge

__all__ = ["MAX_COMMAND_BYTES", "Console", "FaultCount", "PolicyViolation", "Verifier", "too_long"]


_FAULTS_ALLOWED: Final = 1
_SETUP: Final = -1

_log = logging.getLogger(__name__)


class PolicyViolation(SelfplayError):
    """Raised when a command arrives here that the policy does not let through."""


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


class FaultCount:
    """How often each command of one attempt has met a fault; it outlives the server's absences."""

    def __init__(self) -> None:
        self._faults: Counter[int] = Counter()

    def exhausted_by(self, position: int) -> bool:
        """Count a fault at a command; True once it is one too many."""
        self._faults[position] += 1
        return self._faults[position] > _FAULTS_ALLOWED


def too_long(command: str) -> bool:
    """Whether a bare command is more than a server reads in one packet."""
    return len(command.encode("utf-8", "surrogatepass")) > MAX_COMMAND_BYTES


class Verifier:
    """Runs attempts on one server, one after another, each in one exclusive lease.

    Set-up and clean-up commands run within the lease; they pass the policy when the verifier is made.
    """

    def __init__(self, console: Console, *, setup: Sequence[str] = (), cleanup: Sequence[str] = ()) -> None:
        for command in (*setup, *cleanup):
            ruling = review(command)
            if ruling.action is Action.DENY or too_long(command):
                raise SettingsError(
                    f"The set-up or clean-up command {clip(one_line(command), 80)!r} may not run: "
                    f"{ruling.reason} Take it out of [world]."
                )
        self._console = console
        self._setup = tuple(setup)
        self._cleanup = tuple(cleanup)
        self._lease = asyncio.Lock()
        self._identity: WorldIdentity | None = None

    @property
    def identity(self) -> WorldIdentity:
        """What the server called itself at the latest connect; empty before the first."""
        return self._identity or read_identity("")

    async def connect(self) -> WorldIdentity:
        """Connect if needed and return who the server says it is; raises a `ServerFault`."""
        async with self._lease:
            await self._ensure_connected()
        return self.identity

    async def verify(
        self,
        commands: Sequence[str],
        *,
        faults: FaultCount,
        probe: bool = False,
        allowed_by_person: bool = False,
    ) -> tuple[CommandResult, ...]:
        """Run every command in order, also past a failure, and judge the replies.

        After a fault the whole attempt is verified anew on a new connection; a second fault on the same
        command is raised, and so is a server that cannot be reached. Raises PolicyViolation unless the
        policy allows every command (one that it asks about may be probed, or run once a person allowed it).
        """
        rulings = tuple(_permit(command, lenient=probe or allowed_by_person) for command in commands)
        while True:
            async with self._lease:
                await self._ensure_connected()
                results: list[CommandResult] = []
                position = _SETUP
                try:
                    await self._run_quietly(self._setup)
                    for command, ruling in zip(commands, rulings, strict=True):
                        position = len(results)
                        results.append(await self._one(command, ruling, probe=probe))
                except (ConnectionLost, ProtocolViolation):
                    if faults.exhausted_by(position):
                        raise
                    continue
                await self._clean_up()
                return tuple(results)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._console.aclose()

    async def _ensure_connected(self) -> None:
        if self._console.connected:
            return
        await self._console.open()
        try:
            reply = await self._console.command(IDENTITY_COMMAND)
        except (ConnectionLost, ProtocolViolation) as fault:
            raise ServerUnreachable(f"The server took the login but not its first command. {fault}") from fault
        self._identity = read_identity(reply)

    async def _one(self, command: str, ruling: Ruling, *, probe: bool) -> CommandResult:
        if not probe:
            reply = await self._console.command(command)
            verdict = judge(reply, command)
            return CommandResult(command, reply, verdict, level_of(verdict), ruling.risk)
        if not probing_proves(command):
            return _unprobed(command, ruling, "a plugin's command cannot be probed")
        try:
            reply = await self._console.command(probed(command))
        except CommandTooLong:
            return _unprobed(command, ruling, "too long to be probed")
        verdict, level = judge_probe(reply, command)
        return CommandResult(command, reply, verdict, level, ruling.risk, probed=True)

    async def _run_quietly(self, commands: Sequence[str]) -> None:
        for command in commands:
            reply = await self._console.command(command)
            if judge(reply, command).outcome is VerdictOutcome.REJECTED:
                _log.warning("The server rejects %r of [world]: %s", command, clip(one_line(reply), 200))

    async def _clean_up(self) -> None:
        # The verdicts stand whatever happens here; a broken connection is opened anew for the next attempt.
        try:
            await self._run_quietly(self._cleanup)
        except (ConnectionLost, ProtocolViolation) as fault:
            _log.warning("The clean-up after an attempt was cut short: %s", fault)


def level_of(verdict: Verdict) -> Level:
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


def _permit(command: str, *, lenient: bool) -> Ruling:
    ruling = review(command)
    if ruling.action is Action.DENY or (ruling.action is Action.ASK and not lenient):
        raise PolicyViolation(f"The policy stops {clip(one_line(command), 80)!r}: {ruling.reason}")
    return ruling


def _unprobed(command: str, ruling: Ruling, why: str) -> CommandResult:
    verdict = Verdict(VerdictOutcome.UNCLEAR, message=why)
    return CommandResult(command, "", verdict, Level.NONE, ruling.risk, probed=True)
