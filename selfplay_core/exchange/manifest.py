"""What an export holds, what it left out and why: the file beside it, and what a person is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from selfplay_core.dataset.cases import UNSHOWN
from selfplay_core.dataset.preferences import NEAR_PAIR
from selfplay_core.exchange.sieve import CROWD

__all__ = ["FileFigures", "Manifest"]

_FORMAT: Final = 1
_PAIR_ORIGINS: Final = ("retry", "edit")
_WANTED: Final = ("wanted", "unwanted")


@dataclass(frozen=True, slots=True)
class FileFigures:
    """One file of an export; `split` is blank where there is but one."""

    name: str
    split: str
    lines: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The figures of an export; no times and no places are in it, so that equal exports have equal ones.

    `left_out` counts traces that gave no line, `dropped` lines that were not wanted.
    """

    format: str
    tool_version: str
    workspace: str
    filter: str
    duplicates: str
    per_skeleton: int | None
    proven: bool
    traces: int
    files: tuple[FileFigures, ...]
    left_out: Mapping[str, int]
    dropped: Mapping[str, int]
    counts: Mapping[str, int]
    repeated: int
    skeletons: int
    crowded: int
    hint: str = ""
    advice: tuple[str, ...] = field(default=())

    @property
    def lines(self) -> int:
        """How many lines all files hold."""
        return sum(file.lines for file in self.files)

    def as_json(self) -> dict[str, Any]:
        """Return it as the file beside the export holds it."""
        return {
            "selfplay_export": _FORMAT,
            "format": self.format,
            "selfplay_tui": self.tool_version,
            "workspace": self.workspace,
            "filter": self.filter,
            "duplicates": self.duplicates,
            "per_skeleton": self.per_skeleton,
            "proven": self.proven,
            "traces": self.traces,
            "lines": self.lines,
            "files": [
                {
                    "name": file.name,
                    "split": file.split,
                    "lines": file.lines,
                    "bytes": file.bytes,
                    "sha256": file.sha256,
                }
                for file in self.files
            ],
            "left_out_traces": dict(self.left_out),
            "left_out_lines": dict(self.dropped),
            "counts": dict(self.counts),
            "repeated_lines": self.repeated,
            "skeletons": self.skeletons,
            f"skeletons_with_over_{CROWD}_lines": self.crowded,
            "trainer_settings": self.hint,
            "advice": list(self.advice),
        }

    def as_file(self) -> bytes:
        """Return the content of the file beside the export."""
        return orjson.dumps(self.as_json(), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


def advice_on(counts: Counter[str], lines: int) -> tuple[str, ...]:
    """Return what whoever trains on these lines should know."""
    return tuple(
        text for text in (_near_pairs(counts), _one_class(counts, lines), _unshown(counts), _sandbox(counts)) if text
    )


def _near_pairs(counts: Counter[str]) -> str:
    near, pairs = counts["near"], sum(counts[origin] for origin in _PAIR_ORIGINS)
    if not near:
        return ""
    return (
        f"{near} of {pairs} pairs differ in less than {NEAR_PAIR:.0%} of their tokens: plain DPO may make the chosen "
        "answer less likely, too. Train with an SFT term beside it, with DPOP or with APO, or leave out lines that "
        "are marked near."
    )


def _one_class(counts: Counter[str], lines: int) -> str:
    wanted, unwanted = (counts[name] for name in _WANTED)
    if not lines or (wanted > 0) == (unwanted > 0):
        return ""
    return f"All answers are {'wanted' if wanted else 'unwanted'}: KTO needs some of both."


def _unshown(counts: Counter[str]) -> str:
    unshown = counts[UNSHOWN]
    if not unshown:
        return ""
    lines = "1 line holds" if unshown == 1 else f"{unshown} lines hold"
    return (
        f"{lines} commands that no server was shown to carry out: a person alone accepted them. "
        "--proven leaves them out."
    )


def _sandbox(counts: Counter[str]) -> str:
    judged = counts["verifier_sandbox"]
    lines = "1 line was" if judged == 1 else f"{judged} lines were"
    return f"{lines} judged by the sandbox, not by a real server." if judged else ""
