"""The formats by name, and what each needs besides its lines."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from selfplay_core.dataset import axolotl, llamafactory, openai, trl
from selfplay_core.dataset.cases import Case, LeftOut, Line, Renderer
from selfplay_core.dataset.native import native_lines
from selfplay_core.dataset.seed import seed_lines
from selfplay_core.exchange.rows import risk

__all__ = ["FORMATS", "Format"]


@dataclass(frozen=True, slots=True)
class Format:
    """What a format is for and how it is made.

    `accepted_only` formats follow the order of acceptance, as the output file does, others the numbers of traces.
    `uniform` ones are read by `datasets`, which takes the fields of a file's beginning for those of all of it.
    `lossless` ones leave nothing out. `hint` is what the trainer must be told.
    """

    about: str
    lines: Renderer
    accepted_only: bool = True
    uniform: bool = False
    lossless: bool = False
    is_registered: bool = False
    hint: str = ""


def _seed(case: Case) -> list[Line] | LeftOut:
    return seed_lines(case, risk_of=risk)


_MASKED: Final = "mask_history: true in the training settings, so that failing attempts are not trained"

FORMATS: Final = MappingProxyType(
    {
        "seed": Format("the original script's two row types, as in the output file", _seed),
        "native": Format(
            "selfplay/1: every trace without loss, the backup", native_lines, accepted_only=False, lossless=True
        ),
        "trl-sft": Format("TRL SFT: prompt and completion, tools", trl.sft_lines, uniform=True),
        "trl-dpo": Format("TRL DPO: answers that were refused or edited, beside those that stand", trl.dpo_lines),
        "trl-kto": Format("TRL KTO: every attempt, wanted or not", trl.kto_lines, accepted_only=False),
        "axolotl": Format(
            "Axolotl SFT: chat_template with tools",
            axolotl.sft_lines,
            uniform=True,
            hint="type: chat_template, message_field_training: train",
        ),
        "axolotl-dpo": Format("Axolotl DPO", axolotl.dpo_lines, hint="type: chat_template.default"),
        "llamafactory": Format(
            "LLaMA-Factory SFT: sharegpt with tools", llamafactory.sft_lines, is_registered=True, hint=_MASKED
        ),
        "llamafactory-dpo": Format("LLaMA-Factory DPO: ranking", llamafactory.dpo_lines, is_registered=True),
        "llamafactory-kto": Format(
            "LLaMA-Factory KTO: kto_tag", llamafactory.kto_lines, accepted_only=False, is_registered=True
        ),
        "openai": Format("OpenAI fine-tuning: chats with tools and weights", openai.sft_lines),
        "openai-dpo": Format("OpenAI preference fine-tuning, also Together's and Fireworks'", openai.dpo_lines),
    }
)
