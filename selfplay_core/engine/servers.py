"""The model and the world that a run talks to, connected from the settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from selfplay_core.errors import ServerBusy
from selfplay_core.llm.base import ChatModel
from selfplay_core.models import SANDBOX_RESET, ModelIdentity, WorldIdentity
from selfplay_core.settings import LlmSettings, Secret, Settings
from selfplay_core.verify.address import RconAddress
from selfplay_core.verify.caps import Caps
from selfplay_core.verify.language import load_language
from selfplay_core.verify.policy import Policy
from selfplay_core.verify.rcon import RconClient
from selfplay_core.verify.server_lock import ServerLock
from selfplay_core.verify.verifier import Conduct, Verifier

if TYPE_CHECKING:
    from selfplay_core.sandbox.embedded import Sandbox

__all__ = [
    "Credentials",
    "Model",
    "World",
    "conduct_of",
    "open_chat",
    "open_model",
    "open_world",
    "policy_of",
    "sandbox_for",
]

_LOCK_EVERY: Final = 0.2


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets of a run; None where a server needs none."""

    rcon_password: Secret | None = None
    api_key: Secret | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A model that has answered who it is."""

    chat: ChatModel
    identity: ModelIdentity


@dataclass(frozen=True, slots=True)
class World:
    """A server whose lock is ours and whose console has taken the password."""

    verifier: Verifier
    identity: WorldIdentity


@asynccontextmanager
async def sandbox_for(settings: Settings) -> AsyncIterator[Sandbox | None]:
    """Start the embedded sandbox if the settings want any part of it; it outlives the run's drain.

    It judges by the rules that were imported, if any were; raises SettingsError if these cannot be read.
    """
    if not settings.is_sandbox:
        yield None
        return
    # The sandbox brings a web server and a grammar along, which a run on real servers does without.
    from selfplay_core.sandbox.embedded import Sandbox
    from selfplay_core.sandbox.facts.rules import adopt

    adopt()
    sandbox = Sandbox(settings.world.players, worldedit=settings.world.worldedit)
    await asyncio.to_thread(sandbox.start)
    try:
        yield sandbox
    finally:
        await asyncio.to_thread(sandbox.close)


@asynccontextmanager
async def open_chat(settings: Settings, credentials: Credentials, sandbox: Sandbox | None) -> AsyncIterator[ChatModel]:
    """Make the client of the model server; nothing is asked of it yet."""
    chat = _chat(settings.llm, credentials, sandbox)
    try:
        yield chat
    finally:
        await chat.aclose()


@asynccontextmanager
async def open_model(settings: Settings, credentials: Credentials, sandbox: Sandbox | None) -> AsyncIterator[Model]:
    """Connect to the model server; raises ModelUnreachable or ModelNotFound."""
    async with open_chat(settings, credentials, sandbox) as chat:
        identity = await chat.identify()
        yield Model(chat, replace(identity, kind=settings.llm.kind))


@asynccontextmanager
async def open_world(
    settings: Settings, credentials: Credentials, sandbox: Sandbox | None, *, patience: float = 0.0
) -> AsyncIterator[World]:
    """Lock the server, connect and log in; raises a `ServerFault`, ServerBusy after `patience` seconds."""
    rcon = settings.rcon
    async with AsyncExitStack() as stack:
        if settings.world.kind == "sandbox":
            assert sandbox is not None, "sandbox_for starts one whenever the settings want it"
            address = RconAddress(sandbox.rcon_host, sandbox.rcon_port)
            password = sandbox.rcon_password
        else:
            address = RconAddress(rcon.host, rcon.port, rcon.tls)
            password = credentials.rcon_password.reveal() if credentials.rcon_password else ""
            lock = ServerLock(rcon.host, rcon.port)
            await _acquired(lock, patience)
            stack.callback(lock.release)
        client = RconClient(
            address, password, connect_seconds=rcon.connect_seconds, command_seconds=rcon.command_seconds
        )
        verifier = Verifier(client, conduct_of(settings))
        stack.push_async_callback(verifier.aclose)
        yield World(verifier, await verifier.connect())


def policy_of(settings: Settings) -> Policy:
    """Return what may run: the policy with the settings' own rules."""
    rules = settings.policy
    return Policy(frozenset(rules.deny), frozenset(rules.ask), frozenset(rules.allow))


async def _acquired(lock: ServerLock, patience: float) -> None:
    """Take the lock; a file lock cannot be waited on but by trying again."""
    clock = asyncio.get_running_loop()
    give_up = clock.time() + patience
    while True:
        try:
            await asyncio.to_thread(lock.acquire)
        except ServerBusy:
            if clock.time() >= give_up:
                raise
            await asyncio.sleep(_LOCK_EVERY)
        else:
            return


def conduct_of(settings: Settings) -> Conduct:
    """Return how the settings want commands to be sent; reads the language file, and raises SettingsError for it."""
    world, caps = settings.world, settings.caps
    return Conduct(
        policy=policy_of(settings),
        as_player=settings.verify.as_player,
        language=load_language(Path(settings.verify.language)) if settings.verify.language else None,
        setup=world.setup,
        cleanup=world.cleanup,
        round_setup=world.round_setup,
        round_cleanup=world.round_cleanup,
        # What a round set up is forgotten with the rest, and set up again.
        afresh=(SANDBOX_RESET, *world.round_setup) if world.kind == "sandbox" else (),
        caps=Caps(caps.entities, caps.blocks, caps.commands_per_minute),
    )


def _chat(llm: LlmSettings, credentials: Credentials, sandbox: Sandbox | None) -> ChatModel:
    # The clients bring httpx along, which a review does without until something is asked of a model.
    if llm.kind == "openai":
        from selfplay_core.llm.openai import OpenAIChat

        return OpenAIChat(
            llm.url,
            llm.model,
            api_key=credentials.api_key.reveal() if credentials.api_key else None,
            think=bool(llm.think),
            reasoning_effort=llm.think if isinstance(llm.think, str) else None,
            connect_seconds=llm.connect_seconds,
            first_byte_seconds=llm.first_byte_seconds,
            stall_seconds=llm.stall_seconds,
            total_seconds=llm.total_seconds,
            proxy=llm.proxy or None,
        )
    from selfplay_core.llm.ollama import OllamaChat

    return OllamaChat(
        sandbox.ollama_url if sandbox is not None and llm.kind == "sandbox" else llm.url,
        llm.model,
        think=llm.think,
        num_ctx=llm.num_ctx,
        keep_alive=llm.keep_alive,
        connect_seconds=llm.connect_seconds,
        first_byte_seconds=llm.first_byte_seconds,
        stall_seconds=llm.stall_seconds,
        total_seconds=llm.total_seconds,
        proxy=llm.proxy or None,
    )
