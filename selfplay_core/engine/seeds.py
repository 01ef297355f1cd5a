"""Numbers that follow from the run's seed alone, so that the same seed asks the same questions."""

from __future__ import annotations

import hashlib
import random

__all__ = ["choice_rng", "request_seed", "trace_id"]

# Ollama keeps a seed in a signed 32-bit integer.
_SEED_SPACE = 2**31


def request_seed(seed: int, round_number: int, slot: str | int, attempt: int, ask: int = 0) -> int:
    """Return the sampling seed of one request; `ask` counts repetitions of the same request."""
    return _hash(seed, round_number, slot, attempt, ask) % _SEED_SPACE


def choice_rng(seed: int, round_number: int, category: str = "") -> random.Random:
    """Return the generator that chooses the categories of a round, or what is asked in one of them."""
    return random.Random(_hash(seed, "choice", round_number, category))


def trace_id(run_id: str, round_number: int, slot: int) -> str:
    """Return the id of a trace: the hash of where it was asked."""
    return hashlib.sha256(f"{run_id}\0{round_number}\0{slot}".encode()).hexdigest()[:24]


def _hash(*parts: object) -> int:
    text = "\0".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
