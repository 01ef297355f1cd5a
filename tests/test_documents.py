"""The documents name what there is."""

from __future__ import annotations

import re
from pathlib import Path

from selfplay_core.settings import Settings
from tui.setting_options import FLAG_NAMES

ROOT = Path(__file__).resolve().parent.parent


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    """In docs/settings.md, by its path."""
    settings = Settings()
    there = {
        f"{section}.{key}"
        for section in settings.__struct_fields__
        for key in getattr(settings, section).__struct_fields__
    }
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = {
        name for line in text.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+\.\w+)`", line)
    }
    assert documented == there


def test_every_flag_of_a_setting_names_one() -> None:
    """No flag sets what is not there."""
    settings = Settings()
    for path in FLAG_NAMES:
        section, _, key = path.partition(".")
        assert hasattr(getattr(settings, section), key)


def test_every_file_that_the_readme_names_exists() -> None:
    """A newcomer finds what he is sent to."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:docs/)?[\w./]+\.md)`", text):
        assert (ROOT / name).exists(), name
