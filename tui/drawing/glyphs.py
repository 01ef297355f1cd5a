"""Signs that carry meaning together with their place: colour is never the only difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from selfplay_core.models import DecisionKind, Outcome, VerdictOutcome
from selfplay_core.store.filters import MARKS

__all__ = ["ASCII", "GLYPHS", "Glyphs", "choose_glyphs"]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One sign for each thing that is told apart by a sign; each is one cell wide."""

    accept: str
    reject: str
    edit: str
    skip: str
    pending: str
    held: str
    retry: str
    flag: str
    near: str
    mark: str
    reply: str
    unclear: str
    added: str
    removed: str
    cursor: str
    across: str
    down: str
    more: str
    dot: str
    fault: str
    blocks: str
    bar: str
    rest: str

    def marked(self, mark: int) -> str:
        """Return the sign of a mark, an index into the store's `MARKS`."""
        name = MARKS[mark]
        return {"undecided": self.pending, "errored": self.fault}.get(name) or str(getattr(self, name))

    def decision(self, kind: DecisionKind | None) -> str:
        """Return the sign of what was decided."""
        return self.pending if kind is None else str(getattr(self, kind.value))

    def verdict(self, outcome: VerdictOutcome) -> str:
        """Return the sign of what a server's reply means."""
        signs = {VerdictOutcome.PASSED: self.accept, VerdictOutcome.UNCLEAR: self.unclear}
        return signs.get(outcome, self.reject)

    def outcome(self, outcome: Outcome) -> str:
        """Return the sign of how a trace ended."""
        signs = {
            Outcome.SOLVED: self.accept,
            Outcome.CORRECTED: self.retry,
            Outcome.UNPROVEN: self.unclear,
            Outcome.BLOCKED: self.held,
            Outcome.ERRORED: self.fault,
        }
        return signs.get(outcome, self.reject)


GLYPHS: Final = Glyphs(
    accept="\u2713",
    reject="\u2717",
    edit="~",
    skip="\u203a",
    pending="\u00b7",
    held="!",
    retry="\u21bb",
    flag="\u2691",
    near="\u2248",
    mark="\u2022",
    reply="\u203a",
    unclear="?",
    added="+",
    removed="\u2212",
    cursor="\u258c",
    across="\u2500",
    down="\u2502",
    more="\u2026",
    dot="\u00b7",
    fault="\u00d7",
    blocks=" \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588",
    bar="\u2588",
    rest="\u2591",
)
ASCII: Final = Glyphs(
    accept="+",
    reject="x",
    edit="~",
    skip=">",
    pending=".",
    held="!",
    retry="@",
    flag="#",
    near="=",
    mark="*",
    reply=">",
    unclear="?",
    added="+",
    removed="-",
    cursor="|",
    across="-",
    down="|",
    more="~",
    dot="-",
    fault="%",
    blocks=" .:-=+*#%",
    bar="#",
    rest=".",
)


def choose_glyphs(ascii_only: bool) -> Glyphs:
    """Return the signs for a terminal; `ascii_only` for fonts and locales that draw others two cells wide."""
    return ASCII if ascii_only else GLYPHS
