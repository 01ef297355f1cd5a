"""What a run is told before it starts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import msgspec

from selfplay_core.categories import Texts
from selfplay_core.dataset.prompts import GivenPrompt
from selfplay_core.engine.tuning import Tuning
from selfplay_core.errors import SettingsError
from selfplay_core.judging import USUAL_MEANINGS, Finding, Meanings
from selfplay_core.models import CATEGORY_NAMES, FailedBecause
from selfplay_core.settings import Settings, VerifySettings, without_secrets
from selfplay_core.settings_sources import seconds_of

__all__ = ["DEFAULT_ACCEPT", "RunPlan", "fingerprint", "plan_run", "recorded_settings"]

_DEFAULT_ROUNDS: Final = 50
DEFAULT_ACCEPT: Final = "verified"
ANSWER_TEMPERATURE: Final = 0.3
RETRY_TEMPERATURE: Final = 0.2
_DEFAULT_CATEGORY: Final = "natural_language"


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Everything that decides which questions a run asks and what it does with the answers.

    `given` replaces the prompt writer where it is not None; `give_up` is in seconds.
    """

    rounds: int
    seed: int
    categories: tuple[str, ...]
    categories_per_round: int
    prompts_per_category: int
    max_retries: int
    max_tokens: int
    concurrency: int
    players: tuple[str, ...]
    execute: Literal["run", "probe"]
    on_ask: Literal["hold", "deny", "probe"]
    accept: Literal["verified", "parsed", "none"]
    give_up: float
    given: tuple[GivenPrompt, ...] | None = None
    meanings: Meanings = field(default_factory=lambda: USUAL_MEANINGS)

    @property
    def tuning(self) -> Tuning:
        """What a person may set anew while the run goes on, as it is planned."""
        focus = self.categories[0] if len(self.categories) == 1 else None
        return Tuning(focus, self.concurrency, self.max_retries)

    @property
    def prompts_per_round(self) -> int:
        """How many prompts a full round has."""
        return self.categories_per_round * self.prompts_per_category

    def prompts_from(self, first_round: int) -> int:
        """How many prompts are to be asked in the rounds from `first_round` on, if all can be had."""
        full = max(self.rounds - first_round, 0) * self.prompts_per_round
        if self.given is None:
            return full
        return min(full, max(len(self.given) - first_round * self.prompts_per_round, 0))


def plan_run(
    settings: Settings, *, seed: int, given: tuple[GivenPrompt, ...] | None = None, interactive: bool = False
) -> RunPlan:
    """Make the plan of a run; a file of prompts lasts for as many rounds as it fills.

    An interactive run leaves to its person what nobody settled beforehand: it accepts nothing by itself, and
    holds what the policy asks about.
    """
    run = settings.run
    categories = (run.focus,) if run.focus else CATEGORY_NAMES
    plan = RunPlan(
        rounds=run.rounds or _DEFAULT_ROUNDS,
        seed=seed,
        categories=categories,
        categories_per_round=min(run.categories_per_round, len(categories)),
        prompts_per_category=run.prompts_per_category,
        max_retries=run.max_retries,
        max_tokens=settings.llm.max_tokens,
        concurrency=run.concurrency,
        players=settings.world.players,
        execute=run.execute,
        on_ask=run.on_ask or ("hold" if interactive else "deny"),
        accept=run.accept or ("none" if interactive else DEFAULT_ACCEPT),
        give_up=seconds_of(run.give_up),
        given=_focused(given, run.focus),
        meanings=_meanings(settings.verify),
    )
    if plan.given is None or run.rounds is not None:
        return plan
    return replace(plan, rounds=-(-len(plan.given) // plan.prompts_per_round))


def recorded_settings(settings: Settings, plan: RunPlan) -> str:
    """Return the settings of a run as JSON, without secrets and with what the plan made of those left open."""
    tree = msgspec.to_builtins(without_secrets(settings))
    tree["run"] |= {"on_ask": plan.on_ask, "accept": plan.accept}
    return msgspec.json.encode(tree).decode()


def fingerprint(settings: Settings, texts: Texts, given: tuple[GivenPrompt, ...] | None, plan: RunPlan) -> str:
    """Return what two runs must have in common for one to finish the other: all but speed and patience."""
    run = msgspec.structs.replace(settings.run, concurrency=1, give_up="", seed=None, on_ask=None, accept=None)
    in_force = (plan.on_ask, plan.accept)
    llm = {"kind": settings.llm.kind, "url": settings.llm.url, "model": settings.llm.model}
    sampling = {"think": settings.llm.think, "num_ctx": settings.llm.num_ctx, "max": settings.llm.max_tokens}
    address = (settings.rcon.host, settings.rcon.port) if settings.world.kind == "rcon" else None
    parts = (
        run,
        llm,
        sampling,
        settings.world,
        settings.verify,
        settings.policy,
        address,
        in_force,
        texts.digest,
        given,
    )
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:24]


_FINDINGS: Final = {"retry": Finding.MISTAKEN, "unproven": Finding.UNPROVEN, "proven": Finding.PROVEN}


def _meanings(verify: VerifySettings) -> Meanings:
    return {because: _FINDINGS[getattr(verify, because.value)] for because in FailedBecause}


def _focused(given: tuple[GivenPrompt, ...] | None, focus: str | None) -> tuple[GivenPrompt, ...] | None:
    """Give every prompt a category, and leave those of others out where the run is restricted to one."""
    if given is None:
        return None
    named = [GivenPrompt(item.text, item.category or focus or _DEFAULT_CATEGORY) for item in given]
    chosen = tuple(item for item in named if focus is None or item.category == focus)
    if not chosen:
        raise SettingsError(f"None of the {len(given)} given prompts is of the category {focus}. Leave --focus out.")
    return chosen
