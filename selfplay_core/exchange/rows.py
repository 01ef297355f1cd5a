"""The row that a decision gives, with the risk that the policy sees in it."""

from __future__ import annotations

from selfplay_core.dataset.seed import seed_row
from selfplay_core.models import Decision, Row, Trace
from selfplay_core.verify.policy import review

__all__ = ["render", "risk"]


def render(trace: Trace, decision: Decision) -> Row | None:
    """Return the row of an accepted trace in the original's format."""
    return seed_row(trace, decision, risk_of=risk)


def risk(command: str) -> int:
    """Return how the policy rates a command, from 1 to 5."""
    return review(command).risk
