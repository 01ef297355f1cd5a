"""What must be equal for the answers of two models to be comparable."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from selfplay_core.categories import Texts
from selfplay_core.engine.plan import RunPlan
from selfplay_core.settings import Settings

__all__ = ["Terms", "differences", "digest", "terms_of"]


class Terms(msgspec.Struct, frozen=True):
    """The conditions of a bake-off; `server` is its address, or `sandbox`."""

    server: str
    players: tuple[str, ...]
    setup: tuple[str, ...]
    cleanup: tuple[str, ...]
    round_setup: tuple[str, ...]
    round_cleanup: tuple[str, ...]
    worldedit: bool
    as_player: str | None
    max_retries: int
    max_tokens: int
    think: str
    num_ctx: int | None
    execute: str
    on_ask: str
    policy: str
    verify: str
    texts: str


def terms_of(settings: Settings, texts: Texts, plan: RunPlan) -> Terms:
    """Return the conditions that settings make; which models answer, and how many at once, are none."""
    world, llm, verify = settings.world, settings.llm, settings.verify
    return Terms(
        server="sandbox" if world.kind == "sandbox" else f"{settings.rcon.host}:{settings.rcon.port}",
        players=world.players,
        setup=world.setup,
        cleanup=world.cleanup,
        round_setup=world.round_setup,
        round_cleanup=world.round_cleanup,
        worldedit=world.worldedit,
        as_player=verify.as_player,
        max_retries=plan.max_retries,
        max_tokens=plan.max_tokens,
        think=str(llm.think),
        num_ctx=llm.num_ctx,
        execute=plan.execute,
        on_ask=plan.on_ask,
        policy=_hash(settings.policy),
        verify=_hash(msgspec.structs.replace(verify, allow_players=False, canary_minutes=5.0)),
        texts=texts.digest,
    )


def digest(terms: Terms, cases_digest: str) -> str:
    """Return what two starts must have in common for one to go on with the other."""
    return _hash((terms, cases_digest))


def differences(here: Terms, there: Terms) -> Iterator[tuple[str, str, str]]:
    """Yield what differs between two: its name, here and there."""
    for name in Terms.__struct_fields__:
        mine, theirs = getattr(here, name), getattr(there, name)
        if mine != theirs:
            yield name, str(mine), str(theirs)


def _hash(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:16]
