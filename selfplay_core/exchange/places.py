"""What an export is asked to be, and the files that it will be: settled before anything is read or written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from selfplay_core.dataset.llamafactory import dataset_info
from selfplay_core.errors import UsageError
from selfplay_core.exchange.files import refuse_existing
from selfplay_core.exchange.formats import FORMATS
from selfplay_core.exchange.sieve import Duplicates
from selfplay_core.exchange.split import Share
from selfplay_core.store.database import DATABASE_NAME, Reader
from selfplay_core.store.filters import Filter
from selfplay_core.store.output_state import known_outputs

__all__ = ["Places", "Wish", "manifest_path", "settle_places"]

_REGISTER: Final = "dataset_info.json"
_ONE: Final = (Share("", 1.0),)
_OURS: Final = f"{DATABASE_NAME.partition('.')[0]}."


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be exported, in which format and to where; `output` is None for `stream`.

    `filter_text` is `wanted` as a person typed it. `tool_version` goes into the manifest. `proven` leaves out accepted
    answers that no server was shown to carry out.
    """

    format: str
    output: Path | None
    wanted: Filter
    filter_text: str
    tool_version: str
    shares: tuple[Share, ...] = ()
    duplicates: Duplicates = Duplicates.EXACT
    per_skeleton: int | None = None
    proven: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """The files of an export by the name of their share, blank where there is one, and what will stand beside them."""

    files: Mapping[str, Path]
    manifest: Path
    register: Path
    wish: Wish

    @property
    def names(self) -> dict[str, str]:
        """The files' names without their folder."""
        return {share: path.name for share, path in self.files.items()}

    def beside(self, manifest: bytes) -> Iterator[tuple[Path, bytes]]:
        """Yield what is written once the lines are."""
        if FORMATS[self.wish.format].is_registered:
            yield self.register, _registered(self.register, self.wish, self.files)
        yield self.manifest, manifest


def manifest_path(output: Path) -> Path:
    """Return where the manifest of an export stands."""
    return output.with_name(f"{output.name}.manifest.json")


def settle_places(reader: Reader, wish: Wish) -> Places:
    """Return where everything will stand; raises UsageError if something is in the way."""
    output = wish.output
    if output is None or not output.name:
        raise UsageError("--output names no file. Name one, or - for stdout.")
    files = {
        share.name: output.with_name(f"{output.stem}.{share.name}{output.suffix}") if share.name else output
        for share in wish.shares or _ONE
    }
    manifest, register = manifest_path(output), output.with_name(_REGISTER)
    _refuse_ours(reader, (*files.values(), manifest))
    for path in (*files.values(), manifest):
        refuse_existing(path, force=wish.force)
    if FORMATS[wish.format].is_registered:
        if register in files.values():
            raise UsageError(f"{register} is where trainers look for the list of data sets. Name another --output.")
        _registered(register, wish, files)
    return Places(files, manifest, register, wish)


def _refuse_ours(reader: Reader, paths: tuple[Path, ...]) -> None:
    workspace = reader.workspace.resolve()
    outputs = {(workspace / state.key).resolve() for state in known_outputs(reader)}
    for path in paths:
        real = path.resolve()
        if real in outputs or (real.parent == workspace and real.name.startswith(_OURS)):
            raise UsageError(f"this file belongs to the workspace itself: {path}. Name another --output.")


def _registered(register: Path, wish: Wish, files: Mapping[str, Path]) -> bytes:
    """Return what dataset_info.json is to hold: our entries beside all that stands in it already."""
    known = _known(register)
    for path in files.values():
        if path.stem in known and not wish.force:
            raise UsageError(
                f"{register} describes {path.stem!r} already. Give --force to replace that entry, "
                "or name another --output."
            )
        known[path.stem] = dataset_info(wish.format, path.name)
    return orjson.dumps(known, option=orjson.OPT_INDENT_2)


def _known(register: Path) -> dict[str, Any]:
    try:
        known = orjson.loads(register.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        raise UsageError(f"this file cannot be read: {register}: {error}. Mend it, or name another folder.") from error
    if not isinstance(known, dict):
        raise UsageError(f"this file holds no JSON object: {register}. Mend it, or name another folder.")
    return known
