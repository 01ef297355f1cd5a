"""One export: the traces under a filter, through a format and the sieve, into files that appear together."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from selfplay_core.dataset.cases import UNSHOWN, Case, LeftOut, Line
from selfplay_core.dataset.conversation import Kind
from selfplay_core.errors import UsageError
from selfplay_core.exchange.files import FileSet, Target, disk_fault
from selfplay_core.exchange.formats import FORMATS, Format
from selfplay_core.exchange.manifest import FileFigures, Manifest, advice_on
from selfplay_core.exchange.places import Wish, settle_places
from selfplay_core.exchange.sieve import Duplicates, Sieve
from selfplay_core.exchange.source import cases, numbers_of
from selfplay_core.exchange.split import Dealer
from selfplay_core.models import Outcome
from selfplay_core.store.bans import banned, has_bans
from selfplay_core.store.database import Reader
from selfplay_core.store.runs import kind_of

__all__ = ["export"]

# Within a text its quotes would be escaped, so this is a message of the tool and nothing else.
_TOOL_TURN: Final = b'"role":"tool"'


def export(reader: Reader, wish: Wish, stream: BinaryIO | None = None) -> Manifest:
    """Export, and return what was; the same workspace and wish give the same bytes.

    Raises UsageError, with nothing written, if a path cannot be used or nothing is there to export; StoreError
    if the disk says no.
    """
    made = FORMATS[wish.format]
    places = settle_places(reader, wish) if stream is None else None
    with reader.snapshot(), FileSet.opened() as files, _telling(wish):
        work = _Export(reader, wish, made)
        targets = {"": Target(stream)} if stream is not None else {}
        if places is not None:
            targets.update((share, files.target(path)) for share, path in places.files.items())
        work.run(targets)
        manifest = work.manifest(places.names if places is not None else {}, targets)
        if manifest.lines == 0:
            raise UsageError(_nothing(manifest))
        if places is not None:
            # From reading the register to replacing it nobody else may add to it.
            with files.alone_in(places.manifest.parent):
                for path, content in places.beside(manifest.as_file()):
                    files.write_whole(path, content)
                files.publish()
    return manifest


class _Export:
    """The work of one export: what has been counted so far."""

    def __init__(self, reader: Reader, wish: Wish, made: Format) -> None:
        self._reader = reader
        self._wish = wish
        self._made = made
        self._dealer: Dealer | None = None
        duplicates = Duplicates.KEEP if made.lossless else wish.duplicates
        self._sieve = Sieve(duplicates, None if made.lossless else wish.per_skeleton)
        self._left_out: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._has_bans = has_bans(reader)
        self._traces = 0

    def run(self, targets: dict[str, Target]) -> None:
        """Write every line to its target."""
        numbers = numbers_of(self._reader, self._wish.wanted, by_acceptance=self._made.accepted_only)
        self._traces = len(numbers)
        if self._wish.shares:
            self._dealer = Dealer(self._reader, self._wish.shares, numbers)
        for case in self._cases(self._led(numbers, set(targets))):
            found = self._made.lines(case)
            if isinstance(found, LeftOut):
                self._left_out[found.value] += 1
            else:
                self._write(case, found, targets[self._share(case)])

    def manifest(self, names: dict[str, str], targets: dict[str, Target]) -> Manifest:
        """Return the figures."""
        files = tuple(
            FileFigures(names.get(split, "-"), split, target.lines, target.size, target.sha256)
            for split, target in targets.items()
        )
        kind = kind_of(self._reader)
        return Manifest(
            format=self._wish.format,
            tool_version=self._wish.tool_version,
            workspace=kind.value if kind is not None else "",
            filter=self._wish.filter_text,
            duplicates="keep" if self._made.lossless else self._wish.duplicates.value,
            per_skeleton=None if self._made.lossless else self._wish.per_skeleton,
            proven=self._wish.proven,
            traces=self._traces,
            files=files,
            left_out=dict(sorted(self._left_out.items())),
            dropped=dict(sorted(self._dropped.items())),
            counts=dict(sorted(self._counts.items())),
            repeated=self._sieve.same,
            skeletons=self._sieve.skeletons,
            crowded=self._sieve.crowded,
            hint=self._made.hint,
            advice=(*advice_on(self._counts, sum(target.lines for target in targets.values())), *_empty(files)),
        )

    def _write(self, case: Case, lines: Sequence[Line], target: Target) -> None:
        for line in lines:
            stopped = None if self._made.lossless else self._stops(case, line)
            if stopped is not None:
                self._dropped[stopped.value] += 1
                continue
            self._counts.update(line.tags)
            target.write(line.data)

    def _stops(self, case: Case, line: Line) -> LeftOut | None:
        return self._unwanted(line) or self._sieve.stops(case, line)

    def _unwanted(self, line: Line) -> LeftOut | None:
        """Return why a line is left out whatever the others are."""
        if self._has_bans and banned(self._reader, line.prompt) is not None:
            return LeftOut.BAKEOFF
        return LeftOut.UNSHOWN if self._wish.proven and UNSHOWN in line.tags else None

    def _cases(self, numbers: Sequence[int]) -> Iterator[Case]:
        return cases(self._reader, numbers, self._unreadable, with_history=self._made.lossless)

    def _unreadable(self, number: int) -> None:
        self._left_out[LeftOut.UNREADABLE.value] += 1

    def _share(self, case: Case) -> str:
        return "" if self._dealer is None else self._dealer.share_of(case)

    def _led(self, numbers: array[int], splits: set[str]) -> array[int]:
        """Put a correction in front of each file, where it has one; one that called the tool in vain, if there is.

        `datasets` takes the fields that a file begins with for all there are, and fails later by tool calls. A
        correction whose earlier replies were no answers has none of them before its last turn.
        """
        if not self._made.uniform:
            return numbers
        leads: dict[str, int] = {}
        missing = set(splits)
        corrected = set(self._corrected())
        leading = [number for number in numbers if number in corrected]
        for case in cases(self._reader, leading):
            found = self._made.lines(case)
            split = self._share(case)
            if split not in missing or isinstance(found, LeftOut) or Kind.CORRECTION not in found[0].tags:
                continue
            if self._unwanted(found[0]) is not None:
                continue
            if _TOOL_TURN in found[0].data:
                leads[split] = case.number
                missing.remove(split)
            else:
                leads.setdefault(split, case.number)
            if not missing:
                break
        first = set(leads.values())
        return array("Q", (*leads.values(), *(number for number in numbers if number not in first)))

    def _corrected(self) -> array[int]:
        outcomes = self._wish.wanted.outcomes
        if outcomes and Outcome.CORRECTED not in outcomes:
            return array("Q")
        wanted = replace(self._wish.wanted, outcomes=(Outcome.CORRECTED,))
        return numbers_of(self._reader, wanted, by_acceptance=False)


@contextmanager
def _telling(wish: Wish) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise disk_fault(error, wish.output or Path("-")) from error


def _empty(files: Sequence[FileFigures]) -> list[str]:
    return [f"The part {file.split} got nothing." for file in files if file.split and not file.lines]


def _nothing(manifest: Manifest) -> str:
    if manifest.traces == 0:
        asked = f"the filter {manifest.filter!r}" if manifest.filter else "this workspace"
        return f"there is nothing to export: {asked} holds no trace. Change --filter, or name another --workspace."
    reasons = {**manifest.left_out, **manifest.dropped}
    why = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    return (
        f"there is nothing to export as {manifest.format}: of {manifest.traces} traces {why}. "
        "Decide on some, or change --filter or --format."
    )
