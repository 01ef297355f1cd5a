"""Target: settings, from a file, the environment and flags at once; and the command line itself."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from selfplay_core.errors import SettingsError
from selfplay_core.llm.address import normalise_url
from selfplay_core.settings import without_secrets
from selfplay_core.settings_sources import load_settings
from selfplay_core.text import clip, one_line
from tests.fuzzing.laws import assert_shown
from tui.options import Unusable, parse
from tui.setting_options import FLAG_NAMES

__all__ = ["PART", "command_line", "layered_settings"]

PART = b"\n%%\n"
"""Parts the settings file, the variables (NAME=value, one a line) and the flags (path=value, one a line)
of the paths that have one."""

_LONGEST = 1000


def layered_settings(data: bytes) -> None:
    """Any three layers are settings, or one line that says what is wrong and where."""
    file, variables, flags = (*data.split(PART), b"", b"")[:3]
    environment = _pairs(variables)
    # `tui.cli` has refused words that are not UTF-8 before.
    words = flags.decode("utf-8", "replace").encode()
    given = {path: value for path, value in _pairs(words).items() if path in FLAG_NAMES}
    with TemporaryDirectory() as folder:
        path = Path(folder, "selfplay.toml")
        path.write_bytes(file)
        try:
            loaded = load_settings(file=path, environment=environment, flags=given, flag_names=FLAG_NAMES)
        except SettingsError as error:
            _assert_told(str(error), str(path), *environment, *FLAG_NAMES.values(), "llm.")
            return
    settings = without_secrets(loaded.settings)
    assert settings.llm.kind != "auto"
    assert settings.world.kind != "auto"
    if settings.llm.url:
        try:
            address = normalise_url(settings.llm.url)
        except SettingsError as error:
            assert_shown(str(error))
        else:
            assert normalise_url(address) == address


def command_line(data: bytes) -> None:
    """Any words are options, or one clean line; --help and --version are their own end."""
    arguments = [word.decode("utf-8", "surrogateescape") for word in data.split(b"\n")]
    code: object = 0
    told = ""
    with redirect_stdout(StringIO()):
        try:
            parse(arguments)
        except Unusable as error:
            told = one_line(str(error))
        except SystemExit as end:
            code = end.code
    assert code == 0
    assert len(told) <= _LONGEST


def _pairs(lines: bytes) -> dict[str, str]:
    found = {}
    for line in lines.decode("utf-8", "surrogateescape").split("\n"):
        name, given, value = line.partition("=")
        if given and name:
            found[name] = value.replace("\\n", "\n")
    return found


def _assert_told(text: str, *sources: str) -> None:
    assert_shown(text)
    assert any(source in text or clip(one_line(source), 80) in text for source in sources)
