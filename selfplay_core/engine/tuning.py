"""What a person may set anew while a run goes on."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from selfplay_core.errors import SettingsError
from selfplay_core.models import CATEGORY_NAMES
from selfplay_core.settings import RunSettings
from selfplay_core.text import clip, one_line

__all__ = ["Tuning", "check_tuning"]


@dataclass(frozen=True, slots=True)
class Tuning:
    """The three settings of a run that may change under way.

    `focus` (None: every category of the run) holds from the next round on that is written, `concurrency` at
    once, `max_retries` from the next attempt on. A run of given prompts has no use for a focus.
    """

    focus: str | None
    concurrency: int
    max_retries: int


def check_tuning(tuning: Tuning) -> None:
    """Raise SettingsError for what the settings would not allow either."""
    if tuning.focus is not None and tuning.focus not in CATEGORY_NAMES:
        raise SettingsError(
            f"run.focus: {clip(one_line(tuning.focus), 60)!r} is no category; allowed are {', '.join(CATEGORY_NAMES)}."
        )
    for name in ("concurrency", "max_retries"):
        value = getattr(tuning, name)
        try:
            msgspec.convert({name: value}, RunSettings)
        except msgspec.ValidationError as error:
            reason = str(error).partition(" - at ")[0]
            raise SettingsError(f"run.{name} = {value} is not valid: {reason[0].lower()}{reason[1:]}.") from error
