"""The nine categories and the texts that a user can replace."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from selfplay_core.categories import load_texts, mode_of
from selfplay_core.errors import SettingsError
from selfplay_core.models import CATEGORY_NAMES, Mode

SUDO_ALONE = {"execute_chains", "edge_items", "worldedit", "multiplayer"}


def test_the_nine_keep_their_temperatures_and_prefixes() -> None:
    """As the original script had them."""
    categories = load_texts().categories
    assert tuple(categories) == CATEGORY_NAMES
    assert {name for name, entry in categories.items() if entry.temperature == 1.2} == {"natural_language"}
    assert {name for name, entry in categories.items() if entry.prefixes == ("sudo",)} == SUDO_ALONE
    assert all(entry.prefixes == ("sudo", "pray") for name, entry in categories.items() if name not in SUDO_ALONE)


def test_every_example_is_a_prompt_of_its_category() -> None:
    """The model is shown nothing that would be dropped from its own reply."""
    for entry in load_texts().categories.values():
        assert all(entry.allows(example) for example in entry.examples)


@pytest.mark.parametrize(
    ("prompt", "mode"),
    [("sudo hi", Mode.SUDO), ("pray hi", Mode.GOD), ("PRAY hi", Mode.GOD), ("prayer", Mode.SUDO), ("", Mode.SUDO)],
)
def test_the_prefix_chooses_the_persona(prompt: str, mode: Mode) -> None:
    """`pray` as a word of its own asks the god; everything else is sudo."""
    assert mode_of(prompt) is mode


def test_a_users_text_replaces_ours_and_changes_the_digest(tmp_path: Path) -> None:
    """A run with other texts is another run."""
    (tmp_path / "retry.txt").write_text("Again, $player: $report", encoding="utf-8")
    texts = load_texts(tmp_path)
    assert texts.fill("retry.txt", report="$wrong", player="Ann") == "Again, Ann: $wrong"
    assert texts.digest != load_texts().digest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[worldedit]", "[worldedti]"), "worldedit"),
        (("temperature = 1.2", "temperature = 12"), "temperature"),
        (('prefixes = ["sudo"]', 'prefixes = ["doas"]'), "doas"),
        (("theme =", "themes ="), "themes"),
    ],
)
def test_a_users_broken_categories_are_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    """The file and what is wrong with it, before the run begins."""
    ours = resources.files("selfplay_core").joinpath("data", "categories.toml").read_text(encoding="utf-8")
    (tmp_path / "categories.toml").write_text(ours.replace(*change), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_texts(tmp_path)
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)
