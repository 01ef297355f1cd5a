"""The one door: a command reaches a server through the policy, then through here."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from selfplay_core.errors import (
    ConnectionLost,
    NothingSent,
    ProtocolViolation,
    SelfplayError,
    ServerFault,
    ServerUnreachable,
    SettingsError,
)
from selfplay_core.models import Action, CommandResult, Ruling, VerdictOutcome, WorldIdentity
from selfplay_core.text import clip, one_line, without_colours
from selfplay_core.verify.canary import inspect
from selfplay_core.verify.caps import Caps, Meter, Toll
from selfplay_core.verify.identity import IDENTITY_COMMAND, read_identity
from selfplay_core.verify.language import Language
from selfplay_core.verify.lease import Console, Lease
from selfplay_core.verify.policy import Policy
from selfplay_core.verify.rcon import MAX_COMMAND_BYTES
from selfplay_core.verify.verdict import judge

__all__ = ["MAX_COMMAND_BYTES", "Conduct", "FaultCount", "PolicyViolation", "TooSoon", "Verifier", "too_long"]

_FAULTS_ALLOWED: Final = 1
_SETUP: Final = -1

_log = logging.getLogger(__name__)


class TooSoon(SelfplayError):
    """Raised before an attempt that would be too many commands in one minute; nothing is held while one waits."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The next commands may be sent in {seconds:.0f} s; caps.commands_per_minute holds them.")
        self.seconds = seconds


class PolicyViolation(SelfplayError):
    """Raised when a command arrives here that the policy does not let through."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """How commands are sent: by which rules, as whom, how many, and what runs around attempts and rounds.

    `afresh` makes a sandbox's world the same before each attempt, so that no attempt's verdicts depend on which came
    before it. It is no part of what the run does to a world: neither counted nor judged.
    """

    policy: Policy = field(default_factory=Policy)
    as_player: str | None = None
    language: Language | None = None
    setup: tuple[str, ...] = ()
    cleanup: tuple[str, ...] = ()
    round_setup: tuple[str, ...] = ()
    round_cleanup: tuple[str, ...] = ()
    afresh: tuple[str, ...] = ()
    caps: Caps = field(default_factory=Caps)

    @property
    def around(self) -> tuple[str, ...]:
        """Every command that runs around others."""
        return (*self.setup, *self.cleanup, *self.round_setup, *self.round_cleanup)


class FaultCount:
    """What one attempt has met over all its connections: how often each command met a fault, and what was answered.

    It outlives the server's absences.
    """

    def __init__(self) -> None:
        self._faults: Counter[int] = Counter()
        self._answered: list[CommandResult] = []
        self._unanswered: set[int] = set()

    def exhausted_by(self, position: int, fault: ServerFault) -> bool:
        """Count a fault at a command; True once it is one too many."""
        self._faults[position] += 1
        if not isinstance(fault, NothingSent):
            self._unanswered.add(position)
        return self._faults[position] > _FAULTS_ALLOWED

    def settle(self, position: int, found: CommandResult) -> CommandResult:
        """Return what counts for a command that may have been sent before: the first reply that came whole.

        Servers remember: what was done once can fail when it is done again (`scoreboard objectives add`, `kill`).
        So raises ConnectionLost where a command failed whose first reply was lost: nobody knows why it did.
        """
        if position < len(self._answered):
            return self._answered[position]
        if position in self._unanswered and found.verdict.outcome is VerdictOutcome.FAILED:
            raise ConnectionLost(
                f"The reply to {clip(one_line(found.command), 80)!r} was lost. Sent again it failed, perhaps because "
                "it had been carried out before, so this is no verdict. Nothing is to be done: the next run asks anew."
            )
        self._answered.append(found)
        return found


def too_long(command: str) -> bool:
    """Whether a bare command is more than a server reads in one packet."""
    return len(command.encode("utf-8", "surrogatepass")) > MAX_COMMAND_BYTES


class Verifier:
    """Runs attempts on one server, one after another, each in one exclusive lease.

    Set-up and clean-up commands run within the lease; they pass the policy when the verifier is made.
    """

    def __init__(self, console: Console, conduct: Conduct | None = None) -> None:
        self._console = console
        self._conduct = conduct or Conduct()
        self._meter = Meter(self._conduct.caps)
        self._lease = asyncio.Lock()
        self._identity: WorldIdentity | None = None
        for command in self._conduct.around:
            self._refuse_unfit(command)

    @property
    def identity(self) -> WorldIdentity:
        """What the server called itself at the latest connect; empty before the first."""
        return self._identity or read_identity("")

    def charge(self, toll: Toll) -> None:
        """Count what this run had done to the world before it was interrupted."""
        self._meter.charge(toll)

    def rule_out(self, beginning: str) -> None:
        """Deny commands that begin so from here on: a person said no to them for this run."""
        policy = self._conduct.policy
        policy = replace(policy, ruled_out=policy.ruled_out | {beginning})
        self._conduct = replace(self._conduct, policy=policy)

    def review(self, commands: Sequence[str]) -> tuple[Ruling, ...]:
        """Rule on the commands of an answer before anything is sent."""
        return self._conduct.policy.review_all(commands)

    async def connect(self) -> WorldIdentity:
        """Connect if needed and return who the server says it is; raises a `ServerFault`."""
        async with self._lease:
            await self._ensure_connected()
        return self.identity

    async def inspect(self) -> WorldIdentity:
        """Check the canaries and read who is online; raises CanaryFailed, or a `ServerFault`."""
        async with self._lease:
            await self._ensure_connected()
            found = await inspect(self._console.command, language=self._conduct.language)
            if not self.identity.version:
                # Paper looks for its version in the background, and knows it when asked again.
                self._identity = read_identity(await self._console.command(IDENTITY_COMMAND))
            self._identity = replace(self.identity, players=found.players, plugins=found.plugins)
        return self._identity

    async def verify(
        self,
        commands: Sequence[str],
        *,
        faults: FaultCount,
        probe: bool = False,
        allowed_by_person: bool = False,
    ) -> tuple[CommandResult, ...]:
        """Run every command in order, also past a failure, and judge the replies.

        After a fault the whole attempt is verified anew on a new connection, and what had been answered before
        stands; a second fault on the same command is raised, and so is a server that cannot be reached, and
        a doubt whether a command had run (`FaultCount.settle`). Raises PolicyViolation unless the
        policy allows every command (one that it asks about may be probed, or run once a person allowed it), and
        CapReached before a run would do more than it may, TooSoon where it must wait for its minute.
        """
        rulings = self._permitted(commands, lenient=probe or allowed_by_person)
        while True:
            async with self._lease:
                if not probe:
                    self._meter.refuse_beyond(commands)
                if (pause := self._meter.pause_before(len(commands))) > 0:
                    raise TooSoon(pause)
                await self._ensure_connected()
                results: list[CommandResult] = []
                position = _SETUP
                try:
                    if not probe:
                        await self._begin_afresh()
                        await self._run_quietly(self._conduct.setup)
                    lease = Lease(self._console, self._conduct.as_player, self._conduct.language)
                    send = lease.probe if probe else lease.run
                    for command in commands:
                        position = len(results)
                        if not probe:
                            self._meter.spend(command, before=commands[:position])
                        results.append(faults.settle(position, await send(command)))
                except (ConnectionLost, ProtocolViolation) as fault:
                    if faults.exhausted_by(position, fault):
                        raise
                    continue
                if not probe:
                    await self._run_leniently(self._conduct.cleanup)
                return tuple(replace(result, risk=ruling.risk) for result, ruling in zip(results, rulings, strict=True))

    async def begin_round(self) -> None:
        """Run the commands that stand before a round; raises a `ServerFault`."""
        await self._around(self._conduct.round_setup)

    async def end_round(self) -> None:
        """Run the commands that stand after a round; raises a `ServerFault`."""
        await self._around(self._conduct.round_cleanup)

    async def _around(self, commands: Sequence[str]) -> None:
        if commands:
            async with self._lease:
                await self._ensure_connected()
                await self._run_quietly(commands)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._console.aclose()

    async def _ensure_connected(self) -> None:
        if self._console.connected:
            return
        try:
            await self._console.open()
            reply = await self._console.command(IDENTITY_COMMAND)
        except (ConnectionLost, ProtocolViolation) as fault:
            # Before the first command of an attempt this is a server that is not there, not one that fails it.
            raise ServerUnreachable(f"The server cannot be used. {fault}") from fault
        before = self.identity
        self._identity = replace(read_identity(reply), players=before.players, plugins=before.plugins)

    async def _begin_afresh(self) -> None:
        for command in self._conduct.afresh:
            await self._console.command(command)

    async def _run_quietly(self, commands: Sequence[str]) -> None:
        for command in commands:
            self._meter.spend(command)
            reply = await self._console.command(command)
            if judge(reply, command, language=self._conduct.language).outcome is VerdictOutcome.REJECTED:
                _log.warning(
                    "The server rejects %r of [world]: %s", command, clip(one_line(without_colours(reply)), 200)
                )

    async def _run_leniently(self, commands: Sequence[str]) -> None:
        # The verdicts stand whatever happens here; a broken connection is opened anew for the next attempt.
        try:
            await self._run_quietly(commands)
        except (ConnectionLost, ProtocolViolation) as fault:
            _log.warning("Commands of [world] were cut short: %s", fault)

    def _permitted(self, commands: Sequence[str], *, lenient: bool) -> tuple[Ruling, ...]:
        rulings = self.review(commands)
        for command, ruling in zip(commands, rulings, strict=True):
            if ruling.action is Action.DENY or (ruling.action is Action.ASK and not lenient):
                raise PolicyViolation(f"The policy stops {clip(one_line(command), 80)!r}: {ruling.reason}")
        return rulings

    def _refuse_unfit(self, command: str) -> None:
        (ruling,) = self.review([command])
        reason = ruling.reason if ruling.action is Action.DENY else ""
        if too_long(command):
            reason = f"It is longer than the {MAX_COMMAND_BYTES} bytes that a server reads."
        if reason:
            raise SettingsError(
                f"The set-up or clean-up command {clip(one_line(command), 80)!r} may not run: "
                f"{reason} Take it out of [world]."
            )
