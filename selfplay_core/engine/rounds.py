"""A round's prompts: its categories are chosen, and the model writes, or a file gives, what is asked."""

from __future__ import annotations

import asyncio

from selfplay_core.categories import Texts, mode_of
from selfplay_core.engine.asking import Asker
from selfplay_core.engine.control import Control
from selfplay_core.engine.conversation import Speaker
from selfplay_core.engine.groups import first_error_alone
from selfplay_core.engine.plan import RunPlan
from selfplay_core.engine.prompts import write_prompts
from selfplay_core.engine.seeds import choice_rng
from selfplay_core.errors import IllTyped, ModelFault, ModelNotFound, ModelRefusedRequest
from selfplay_core.events import Announce, PromptsFailed, PromptsWritten, RoundStarted
from selfplay_core.models import Prompt

__all__ = ["RoundWriter"]


class RoundWriter:
    """Makes the prompts of one round after the other; the same round always comes out the same."""

    def __init__(
        self, *, asker: Asker, texts: Texts, speaker: Speaker, plan: RunPlan, control: Control, announce: Announce
    ) -> None:
        self._asker = asker
        self._texts = texts
        self._speaker = speaker
        self._plan = plan
        self._announce = announce
        self._control = control

    async def write(self, number: int) -> tuple[tuple[str, ...], list[Prompt]]:
        """Return the round's categories and its prompts in the order of their slots.

        A category whose prompts cannot be had is announced and left out. Raises GaveUp and Drained, and
        ModelNotFound or ModelRefusedRequest from a model that has never answered.
        """
        if self._plan.given is not None:
            return self._given(number)
        categories = self._chosen(number)
        self._announce(RoundStarted(number, categories))
        with first_error_alone():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._category(number, category)) for category in categories]
        per_category = self._plan.prompts_per_category
        prompts = [
            Prompt(text, category, mode_of(text), number, place * per_category + index)
            for place, (category, task) in enumerate(zip(categories, tasks, strict=True))
            for index, text in enumerate(task.result())
        ]
        return categories, prompts

    def _chosen(self, number: int) -> tuple[str, ...]:
        focus = (self._control.tuning or self._plan.tuning).focus
        if focus is not None:
            return (focus,)
        return tuple(choice_rng(self._plan.seed, number).sample(self._plan.categories, self._plan.categories_per_round))

    async def _category(self, number: int, category: str) -> tuple[str, ...]:
        try:
            written = await write_prompts(self._asker, self._texts, self._speaker, self._plan, number, category)
        except (ModelFault, IllTyped) as fault:
            if isinstance(fault, ModelNotFound | ModelRefusedRequest) and not self._asker.ever_answered:
                raise
            self._announce(PromptsFailed(number, category, self._plan.prompts_per_category, str(fault)))
            return ()
        asked = self._plan.prompts_per_category
        self._announce(PromptsWritten(number, category, asked, written.prompts, written.dropped))
        return written.prompts

    def _given(self, number: int) -> tuple[tuple[str, ...], list[Prompt]]:
        size = self._plan.prompts_per_round
        chosen = (self._plan.given or ())[number * size : (number + 1) * size]
        prompts = [
            Prompt(item.text, item.category or "", mode_of(item.text), number, slot) for slot, item in enumerate(chosen)
        ]
        categories = tuple(dict.fromkeys(prompt.category for prompt in prompts))
        self._announce(RoundStarted(number, categories))
        for category in categories:
            texts = tuple(prompt.text for prompt in prompts if prompt.category == category)
            self._announce(PromptsWritten(number, category, len(texts), texts, ()))
        return categories, prompts
