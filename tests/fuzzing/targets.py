"""Every target with the words that its inputs are made of; both drivers, and the replay of the corpus, take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzzing import vocabulary as words
from tests.fuzzing.disguises import policy, policy_disguise
from tests.fuzzing.files import cases, import_file, row
from tests.fuzzing.judge import sandbox_judge
from tests.fuzzing.layers import command_line, layered_settings
from tests.fuzzing.streams import answer, ollama_stream, openai_stream
from tests.fuzzing.wire import rcon_command, rcon_stream
from tests.fuzzing.words import text, verdict

__all__ = ["CORPUS", "TARGETS", "Target", "corpus_of"]

CORPUS: Final = Path(__file__).resolve().parent.parent / "corpus"


@dataclass(frozen=True, slots=True)
class Target:
    """A function that raises by an input that breaks a law, words to make inputs of, and how slow it is.

    `weight` is the share of examples that it gets within the tests: the slow ones fewer.
    """

    run: Callable[[bytes], None]
    words: tuple[bytes, ...]
    weight: float = 1.0


TARGETS: Final[dict[str, Target]] = {
    "answer": Target(answer, words.JSON),
    "cases": Target(cases, words.CASES),
    "command_line": Target(command_line, words.LINE, 0.3),
    "import_file": Target(import_file, words.ROWS, 0.1),
    "layered_settings": Target(layered_settings, words.SETTINGS),
    "ollama_stream": Target(ollama_stream, words.OLLAMA, 0.3),
    "openai_stream": Target(openai_stream, words.OPENAI, 0.3),
    "policy": Target(policy, words.COMMANDS),
    "policy_disguise": Target(policy_disguise, tuple(bytes([number]) for number in range(8))),
    "rcon_command": Target(rcon_command, (*words.COMMANDS, b"x" * 1440, b"\0", b"\xed\xa0\x80")),
    "rcon_stream": Target(rcon_stream, words.PACKETS),
    "row": Target(row, words.ROWS),
    "sandbox_judge": Target(sandbox_judge, words.COMMANDS),
    "text": Target(text, words.SPECIAL),
    "verdict": Target(verdict, words.REPLIES),
}


def corpus_of(name: str) -> list[Path]:
    """Return the files that are kept for a target, in order."""
    return sorted(path for path in (CORPUS / name).iterdir() if path.is_file())
