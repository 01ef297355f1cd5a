"""By which game the sandbox judges: the built-in facts, or what was imported from a server of one's own.

What is imported holds for all workspaces of a user: it stands as one file in the user's data folder. A process takes it
up by `adopt`, once, before it judges its first command; without that it judges by the built-in facts.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import platformdirs

from selfplay_core.errors import SettingsError
from selfplay_core.sandbox.facts.registries import use_lists
from selfplay_core.sandbox.parser.grammar import use_tree
from selfplay_core.store.faults import file_faults

__all__ = ["BUILT_IN", "Basis", "Rules", "adopt", "basis", "forget", "rules_path", "store", "use"]

_FORMAT: Final = 1
_MOST_BYTES: Final = 64_000_000


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a server's reports say: its commands as in `commands.json`, its ids, and its blocks' states if it told them.

    Ids stand without the game's own namespace, and with any other.
    """

    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9][0-9.]{0,19}$")]
    tree: dict[str, Any]
    registries: dict[str, frozenset[str]]
    states: dict[str, dict[str, tuple[str, ...]]] | None = None
    format: int = _FORMAT


@dataclass(frozen=True, slots=True)
class Basis:
    """What this process judges by: the game's version, and whether that was imported."""

    version: str
    imported: bool

    @property
    def source(self) -> str:
        """`built-in` or `imported`."""
        return "imported" if self.imported else "built-in"


BUILT_IN: Final = Basis("1.21.11", imported=False)


class _Now:
    """What this process judges by now."""

    def __init__(self) -> None:
        self.basis = BUILT_IN


_now = _Now()


def basis() -> Basis:
    """Return what this process judges by."""
    return _now.basis


def use(rules: Rules | None) -> Basis:
    """Judge by these rules from here on, or by the built-in facts."""
    use_tree(None if rules is None else rules.tree)
    use_lists({} if rules is None else rules.registries, None if rules is None else rules.states)
    _now.basis = BUILT_IN if rules is None else Basis(rules.version, imported=True)
    return _now.basis


def adopt() -> Basis:
    """Judge by what was imported, else by the built-in facts; raises SettingsError if it cannot be read."""
    path = rules_path()
    try:
        # A pipe in the file's place must not keep us waiting for somebody who writes into it.
        plain = path.is_file() or not path.exists() or path.is_dir()
        content = path.read_bytes() if plain and path.stat().st_size <= _MOST_BYTES else b""
        rules = msgspec.json.decode(content, type=Rules)
    except FileNotFoundError:
        return use(None)
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise _unreadable(path, str(error)) from error
    if rules.format != _FORMAT:
        raise _unreadable(path, f"they are of format {rules.format}, not {_FORMAT}")
    try:
        return use(rules)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        use(None)
        raise _unreadable(path, "their commands are no tree of commands") from error


def store(rules: Rules) -> Path:
    """Keep rules for every process to come, in place of others; they are there whole or not at all."""
    path = rules_path()
    with file_faults("keeping the rules", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, msgspec.json.encode(rules))
    return path


def forget() -> bool:
    """Go back to the built-in facts for every process to come; tells whether anything was imported."""
    path = rules_path()
    with file_faults("forgetting the rules", path):
        was_there = path.exists()
        path.unlink(missing_ok=True)
    return was_there


def rules_path() -> Path:
    """Return where imported rules stand."""
    return platformdirs.user_data_path("selfplay-tui") / "sandbox-rules.json"


def _write(path: Path, content: bytes) -> None:
    descriptor, beside = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def _unreadable(path: Path, reason: str) -> SettingsError:
    return SettingsError(
        f"the imported rules cannot be read: {path}: {reason}. Import them again (selfplay-tui sandbox --import "
        "REPORTS), or go back to the built-in ones (selfplay-tui sandbox --forget)."
    )
