"""Is everything there that a run needs: each thing looked at by itself, and told what to do."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from selfplay_core.engine.choosing import Chooser, Known
from selfplay_core.engine.conversation import Speaker, writer_messages
from selfplay_core.engine.errands import ask_for_inspection
from selfplay_core.engine.groups import first_error_alone
from selfplay_core.engine.servers import conduct_of, open_chat, open_world, sandbox_for
from selfplay_core.engine.session import Job
from selfplay_core.errors import (
    LoginRefused,
    ModelFault,
    ModelNotFound,
    NoAnswer,
    SelfplayError,
    ServerBusy,
    ServerFault,
    UsageError,
)
from selfplay_core.exchange.rows import render
from selfplay_core.llm.base import ChatModel, ChatRequest
from selfplay_core.llm.replies import prompts_schema
from selfplay_core.models import CATEGORY_NAMES, UNKNOWN_VERSION, WorldIdentity, WorldKind
from selfplay_core.store.database import DATABASE_NAME
from selfplay_core.store.projection import Projection
from selfplay_core.store.runs import kind_of
from selfplay_core.store.thread import AsyncStore
from selfplay_core.verify.canary import foreign_players
from selfplay_core.verify.identity import version_note

__all__ = ["Check", "examine"]

_PATIENCE: Final = 30.0
_SHORT: Final = 64


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `said` tells what was found, and what to do if it is not well."""

    name: str
    well: bool
    said: str


Tell = Callable[[Check], None]


async def examine(job: Job, tell: Tell) -> None:
    """Look at everything, one after the other, and tell each finding as it comes."""
    job = _examine_rules(job, tell)
    async with AsyncExitStack() as stack:
        store = await _examine_places(job, tell, stack)
        try:
            sandbox = await stack.enter_async_context(sandbox_for(job.settings))
        except UsageError as error:
            tell(Check("sandbox", False, str(error)))
            return
        if job.settings.world.kind == "sandbox":
            _examine_sandbox(tell)
        async with open_chat(job.settings, job.credentials, sandbox) as chat:
            await _examine_model(job, chat, tell)
        try:
            world = await stack.enter_async_context(open_world(job.settings, job.credentials, sandbox))
        except ServerBusy as busy:
            await _ask_the_holder(job, store, busy, tell)
        except LoginRefused as refused:
            tell(Check("server", True, _where(job)))
            tell(Check("password", False, str(refused)))
        except (ServerFault, UsageError) as error:
            tell(Check("server", False, str(error)))
        else:
            tell(Check("server", True, _where(job)))
            tell(Check("password", True, "accepted"))
            try:
                await _told(job, await world.verifier.inspect(), tell)
            except SelfplayError as error:
                tell(Check("canaries", False, str(error)))


def _examine_rules(job: Job, tell: Tell) -> Job:
    """Look at policy and language, and return the job without what cannot be used."""
    rules = job.settings.policy
    tell(Check("policy", True, f"{len(rules.deny)} deny, {len(rules.ask)} ask, {len(rules.allow)} allow of your own"))
    try:
        conduct = conduct_of(job.settings)
    except SelfplayError as error:
        tell(Check("language", False, str(error)))
        verify = msgspec.structs.replace(job.settings.verify, language="")
        return replace(job, settings=msgspec.structs.replace(job.settings, verify=verify))
    known = conduct.language
    told = "the built-in catalogue" if known is None else f"{known.keys} messages of {job.settings.verify.language}"
    tell(Check("language", True, told))
    return job


async def _examine_places(job: Job, tell: Tell, stack: AsyncExitStack) -> AsyncStore | None:
    if not (job.workspace / DATABASE_NAME).exists():
        _examine_new_places(job, tell)
        return None
    try:
        store = await AsyncStore.open(job.workspace)
    except SelfplayError as error:
        tell(Check("workspace", False, str(error)))
        tell(Check("output", False, f"{job.output} belongs to the workspace, which cannot be opened. Mend that first."))
        return None
    stack.push_async_callback(store.aclose)
    kind = await store.do(kind_of)
    busy = await store.do(lambda database: database.is_generating())
    state = ", a run is going on" if busy else ""
    whose = {WorldKind.SANDBOX: ", for the sandbox", WorldKind.REAL: ", for real servers", None: ""}[kind]
    tell(Check("workspace", True, f"{job.workspace}{whose}{state}"))
    try:
        projection = await store.do(Projection, job.output, render)
        await store.do(lambda _: projection.check())
    except SelfplayError as error:
        tell(Check("output", False, str(error)))
    else:
        tell(Check("output", True, str(job.output)))
    return store


def _examine_new_places(job: Job, tell: Tell) -> None:
    for name, path in (("workspace", job.workspace), ("output", job.output)):
        nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
        if not os.access(nearest, os.W_OK):
            tell(Check(name, False, f"{path} cannot be made: no permission to write to {nearest}. Name another place."))
        elif name == "output" and path.parent != job.workspace and not path.parent.is_dir():
            tell(Check(name, False, f"{path} cannot be made: {path.parent} does not exist. Make it, or name another."))
        else:
            tell(Check(name, True, f"{path} {'is there' if path.exists() else 'will be made by the first run'}"))


def _examine_sandbox(tell: Tell) -> None:
    from selfplay_core.sandbox.facts.rules import basis, rules_path

    judged_by = basis()
    told = f"judges as Minecraft {judged_by.version}, by "
    tell(Check("sandbox", True, told + (f"imported rules: {rules_path()}" if judged_by.imported else "built-in rules")))


async def _examine_model(job: Job, chat: ChatModel, tell: Tell) -> None:
    where = job.settings.llm.url or "the sandbox"
    try:
        identity = await chat.identify()
    except ModelNotFound as missing:
        tell(Check("model server", True, where))
        tell(Check("model", False, str(missing)))
        return
    except ModelFault as fault:
        tell(Check("model server", False, str(fault)))
        return
    tell(Check("model server", True, f"{where} {identity.server_version}".rstrip()))
    tell(Check("model", True, f"{identity.name} {identity.digest[:12]}".rstrip()))
    try:
        await _examine_slots(job, chat, tell)
    except ModelFault as fault:
        tell(Check("slots", False, str(fault)))


async def _examine_slots(job: Job, chat: ChatModel, tell: Tell) -> None:
    """Ask for as many single prompts at once as a run would, and compare with one alone."""
    slots = job.settings.run.concurrency
    speaker = Speaker(job.settings.world.players, UNKNOWN_VERSION)
    category = CATEGORY_NAMES[0]
    chooser = Chooser(Known(), job.texts.cells, "uniform", {})
    choice = chooser.choice(0, 0, category, 1, job.texts.categories[category].examples)
    messages = writer_messages(job.texts, speaker, choice)
    request = ChatRequest(messages, prompts_schema(), 0.0, seed=0, max_tokens=_SHORT)
    alone = await _timed(chat, request, 1)
    if slots == 1:
        tell(Check("slots", True, "1 request at a time, as --concurrency says"))
        return
    together = await _timed(chat, request, slots)
    told = f"{slots} short requests at once took {together / alone:.1f} times as long as one"
    if together > alone * slots * 0.75:
        more = "give it more slots" if job.settings.llm.kind == "openai" else "raise OLLAMA_NUM_PARALLEL"
        told += f": the server takes them one by one; {more}, or lower --concurrency"
    tell(Check("slots", True, told))


async def _timed(chat: ChatModel, request: ChatRequest, count: int) -> float:
    began = time.monotonic()
    with first_error_alone():
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(_say_something(chat, replace(request, seed=number)))
    return max(time.monotonic() - began, 0.001)


async def _say_something(chat: ChatModel, request: ChatRequest) -> None:
    try:
        await chat.chat(request)
    except NoAnswer:
        return  # it spoke, which is all that is asked here


async def _told(job: Job, identity: WorldIdentity, tell: Tell) -> None:
    tell(Check("canaries", True, "a right command passed, a wrong one was rejected"))
    note = version_note(identity.version)
    kind = "SANDBOX " if identity.kind is WorldKind.SANDBOX else ""
    version = f"{kind}{identity.brand or 'unnamed'} {identity.version or 'of unknown version'}"
    told = f"{version}, plugins: {', '.join(identity.plugins) or 'none'}"
    tell(Check("version", True, f"{told}. {note}".rstrip(". ") + ("." if note else "")))
    strangers = foreign_players(identity.players, job.settings.world.players)
    online = "the list cannot be read" if identity.players is None else ", ".join(identity.players) or "nobody"
    if strangers and not job.settings.verify.allow_players:
        tell(Check("players", False, f"online: {online}. Add them to [world] players, or give --allow-players."))
    else:
        tell(Check("players", True, f"online: {online}"))


async def _ask_the_holder(job: Job, store: AsyncStore | None, busy: ServerBusy, tell: Tell) -> None:
    """Another process holds the server: if it is a run of this workspace, let it look."""
    if store is not None and await store.do(lambda database: database.is_generating()):
        found = await ask_for_inspection(store, patience=_PATIENCE)
        if found is not None and found.identity is not None:
            tell(Check("server", True, f"{_where(job)}, by the run that holds it"))
            await _told(job, found.identity, tell)
            return
        if found is not None:
            tell(Check("canaries", False, found.error))
            return
    tell(Check("server", False, str(busy)))


def _where(job: Job) -> str:
    if job.settings.world.kind == "sandbox":
        return "the sandbox"
    return f"{job.settings.rcon.host}:{job.settings.rcon.port}"
