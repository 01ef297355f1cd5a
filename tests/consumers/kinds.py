"""The three kinds of chat template, and how what they render is read back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["KINDS", "QWEN2_5", "QWEN3", "QWEN3_5", "Kind"]

_TEMPLATES: Final = Path(__file__).with_name("templates")
_JSON_CALL: Final = re.compile(r"\n?<tool_call>\n(\{.*\})\n</tool_call>")
_TAGGED_CALL: Final = re.compile(
    r"\n?<tool_call>\n<function=(\w+)>\n<parameter=command>\n(.*)\n</parameter>\n</function>\n</tool_call>"
)
_NO_THOUGHT: Final = re.compile(r"\A(<think>\n)?\n</think>\n\n")
_END: Final = "<|im_end|>"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of chat template; `parse` splits an answer as it renders one into its words and its calls' commands."""

    name: str
    parse: Callable[[str], tuple[str, tuple[str, ...]]]

    @property
    def template(self) -> str:
        """The template."""
        return _TEMPLATES.joinpath(f"{self.name}_kind.jinja").read_text("utf-8")

    def said(self, trained: str) -> tuple[str, tuple[str, ...]]:
        """Return the words and commands of a trained text, which is exactly one whole turn."""
        turn = trained.rstrip("\n")
        assert turn.endswith(_END)
        assert turn.count(_END) == 1
        return self.parse(_NO_THOUGHT.sub("", turn.removesuffix(_END)))


def _json_calls(turn: str) -> tuple[str, tuple[str, ...]]:
    calls = [json.loads(found) for found in _JSON_CALL.findall(turn)]
    assert all(call["name"] == "rcon_execute" and set(call["arguments"]) == {"command"} for call in calls)
    return _JSON_CALL.sub("", turn), tuple(call["arguments"]["command"] for call in calls)


def _tagged_calls(turn: str) -> tuple[str, tuple[str, ...]]:
    calls = _TAGGED_CALL.findall(turn)
    assert all(name == "rcon_execute" for name, _ in calls)
    return _TAGGED_CALL.sub("", turn), tuple(command for _, command in calls)


QWEN2_5: Final = Kind("qwen2_5", _json_calls)
QWEN3: Final = Kind("qwen3", _json_calls)
QWEN3_5: Final = Kind("qwen3_5", _tagged_calls)
KINDS: Final = (QWEN2_5, QWEN3, QWEN3_5)
