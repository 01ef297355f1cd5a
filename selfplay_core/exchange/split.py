"""Lines dealt out to several files by what was asked: whatever is nearly the same goes to the same file."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from selfplay_core.dataset.cases import Case
from selfplay_core.errors import SettingsError
from selfplay_core.likeness.groups import grouped
from selfplay_core.likeness.normal import normal_text
from selfplay_core.store.codec import encode
from selfplay_core.store.database import Reader
from selfplay_core.text import clip, one_line

__all__ = ["Dealer", "Share", "parse_split"]

_PART: Final = re.compile(r"([A-Za-z0-9_-]{1,32})=([0-9]*\.?[0-9]+)")
_ROUNDING: Final = 1e-6
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the lines: the file's name within the others, and how much of all it is to get."""

    name: str
    part: float


def parse_split(text: str) -> tuple[Share, ...]:
    """Read `train=0.9,eval=0.1`; raises SettingsError unless the names differ and the parts make 1."""
    found = [_PART.fullmatch(part.strip()) for part in text.split(",")]
    shares = tuple(Share(match[1], float(match[2])) for match in found if match is not None)
    names = {share.name for share in shares}
    whole = sum(share.part for share in shares)
    if len(shares) != len(found) or len(names) != len(shares) or abs(whole - 1) > _ROUNDING:
        raise SettingsError(
            f"--split: {clip(one_line(text), 60)!r} does not deal out everything. Name each part once, of letters, "
            "digits, - and _, with its share, and let the shares make 1: train=0.9,eval=0.1."
        )
    return shares


class Dealer:
    """Deals out cases by the hash of what is asked, as it will be exported; near-copies go where the first one goes.

    So no evaluation is on what was trained but for a word. A case stays where it is when others are added, unless one
    of those joins two groups of near-copies.
    """

    def __init__(self, reader: Reader, shares: tuple[Share, ...], numbers: Sequence[int]) -> None:
        self._shares = shares
        known, prompts = array("Q"), []
        for number, prompt in _prompts(reader, sorted(numbers)):
            known.append(number)
            prompts.append(prompt)
        self._places = {number: _place(prompts[first]) for number, first in zip(known, grouped(prompts), strict=True)}

    def share_of(self, case: Case) -> str:
        """Return the name of the part that a case belongs to."""
        place = self._places[case.number]
        reached = 0.0
        for share in self._shares:
            reached += share.part
            if place < reached:
                return share.name
        return self._shares[-1].name


def _prompts(reader: Reader, numbers: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Yield each trace's number and the prompt that its lines will have."""
    for start in range(0, len(numbers), _AT_ONCE):
        chunk = encode(list(numbers[start : start + _AT_ONCE]))
        yield from reader.rows(
            "SELECT t.n, coalesce(json_extract(d.payload, '$.edited_prompt'), t.prompt)"
            " FROM json_each(?) j CROSS JOIN trace t ON t.n = j.value"
            " LEFT JOIN standing s ON s.trace_id = t.id LEFT JOIN decision d ON d.seq = s.decision ORDER BY j.key",
            (chunk,),
        )


def _place(prompt: str) -> float:
    """Return where a prompt stands between 0 and 1."""
    digest = hashlib.sha256(normal_text(prompt).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / (1 << 64)
