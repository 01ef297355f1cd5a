"""A round's prompts: its categories are drawn, and the model writes, or a file gives, what is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from selfplay_core.categories import Texts, mode_of
from selfplay_core.curriculum.state import Asked
from selfplay_core.engine.asking import Asker
from selfplay_core.engine.choosing import Chooser
from selfplay_core.engine.control import Control
from selfplay_core.engine.conversation import Speaker
from selfplay_core.engine.groups import first_error_alone
from selfplay_core.engine.plan import RunPlan
from selfplay_core.engine.prompts import OF_BAKEOFF, Written, write_prompts
from selfplay_core.errors import ModelFault, ModelNotFound, ModelRefusedRequest
from selfplay_core.events import Announce, PromptsFailed, PromptsWritten, RoundStarted
from selfplay_core.models import Prompt

__all__ = ["RoundWriter", "WrittenRound"]


@dataclass(frozen=True, slots=True)
class WrittenRound:
    """A round as it will be asked: categories, prompts in the order of their slots, and what was asked for them."""

    categories: tuple[str, ...]
    prompts: tuple[Prompt, ...]
    asked: Asked


class RoundWriter:
    """Makes the prompts of one round after the other; the same round always comes out the same."""

    def __init__(
        self,
        *,
        asker: Asker,
        texts: Texts,
        speaker: Speaker,
        plan: RunPlan,
        chooser: Chooser,
        control: Control,
        announce: Announce,
    ) -> None:
        self._asker = asker
        self._texts = texts
        self._speaker = speaker
        self._plan = plan
        self._chooser = chooser
        self._announce = announce
        self._control = control

    async def write(self, number: int) -> WrittenRound:
        """Write a round, and know its prompts from then on.

        A category whose prompts cannot be had is announced and left out. Raises GaveUp and Drained, and
        ModelNotFound or ModelRefusedRequest from a model that has never answered.
        """
        if self._plan.given is not None:
            return self._given(number)
        drawn = self._drawn(number)
        categories = tuple(category for category, _ in drawn)
        self._announce(RoundStarted(number, categories))
        with first_error_alone():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._category(number, category, count)) for category, count in drawn]
        written = {category: task.result() for category, task in zip(categories, tasks, strict=True)}
        for category, one in written.items():
            for text in one.prompts:
                self._chooser.take(category, text)
        asked = Asked(
            {category: list(one.prompts.values()) for category, one in written.items()},
            sum(one.count for one in written.values()),
            sum(one.copies for one in written.values()),
        )
        return WrittenRound(categories, tuple(_placed(number, drawn, written)), asked)

    def _drawn(self, number: int) -> list[tuple[str, int]]:
        """Return the categories of a round, with how many prompts of each are wanted."""
        per_unit = self._plan.prompts_per_category
        focus = (self._control.tuning or self._plan.tuning).focus
        if focus is not None:
            return [(focus, per_unit)]
        drawn = self._chooser.draw(self._plan.seed, number, self._plan.categories, self._plan.categories_per_round)
        return [(category, units * per_unit) for category, units in drawn]

    async def _category(self, number: int, category: str, count: int) -> Written:
        examples = self._texts.categories[category].examples
        choice = self._chooser.choice(self._plan.seed, number, category, count, examples)
        is_known = partial(self._chooser.like, category)
        try:
            written = await write_prompts(
                self._asker,
                self._texts,
                self._speaker,
                self._plan,
                number,
                choice,
                is_known,
                self._chooser.is_banned,
            )
        except ModelFault as fault:
            if isinstance(fault, ModelNotFound | ModelRefusedRequest) and not self._asker.ever_answered:
                raise
            self._announce(PromptsFailed(number, category, count, str(fault)))
            return Written()
        if not written.prompts:
            # The rounds that are all copies are those by which a collapse is known.
            told = PromptsFailed(number, category, count, written.complaint, len(written.dropped), written.copies)
            self._announce(told)
            return written
        self._announce(
            PromptsWritten(number, category, count, tuple(written.prompts), tuple(written.dropped), written.copies)
        )
        return written

    def _given(self, number: int) -> WrittenRound:
        size = self._plan.prompts_per_round
        chosen = (self._plan.given or ())[number * size : (number + 1) * size]
        prompts = tuple(
            Prompt(item.text, item.category or "", mode_of(item.text), number, slot) for slot, item in enumerate(chosen)
        )
        categories = tuple(dict.fromkeys(prompt.category for prompt in prompts))
        self._announce(RoundStarted(number, categories))
        left = tuple(prompt for prompt in prompts if not self._chooser.is_banned(prompt.text))
        for category in categories:
            asked = [prompt for prompt in prompts if prompt.category == category]
            texts = tuple(prompt.text for prompt in asked if prompt in left)
            dropped = tuple((prompt.text, OF_BAKEOFF) for prompt in asked if prompt not in left)
            self._announce(PromptsWritten(number, category, len(asked), texts, dropped))
        return WrittenRound(categories, left, Asked({}, 0, 0))


def _placed(number: int, drawn: Sequence[tuple[str, int]], written: dict[str, Written]) -> list[Prompt]:
    """Give each prompt its slot: a category has as many as were wanted of it, whether all came or not."""
    prompts: list[Prompt] = []
    first = 0
    for category, count in drawn:
        for index, text in enumerate(written[category].prompts):
            prompts.append(Prompt(text, category, mode_of(text), number, first + index))
        first += count
    return prompts
