"""The documents name what there is, and leave nothing out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from selfplay_core.engine.servers import conduct_of
from selfplay_core.settings import Settings
from selfplay_core.settings_sources import load_settings
from selfplay_core.verify.verifier import Verifier
from tests.documents import COMMANDS, DOCUMENTS, ROOT, blocks_in, inline_code, make_targets
from tests.fakes import ScriptedConsole
from tui.cli import main
from tui.setting_options import FLAG_NAMES

OF_OTHERS: Final = {
    "--interrupt_requests": "llama-cpp-python's server",
    "--max-model-len": "vLLM",
    "--n_ctx": "llama-cpp-python's server",
    "--n_threads": "llama-cpp-python's server",
    "--reasoning-parser": "vLLM",
}
"""Options of other programs that the documents name in their sentences."""

_LINK: Final = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors_in(text: str) -> set[str]:
    """The names by which headings are linked to, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def options_of_all(capsys: pytest.CaptureFixture[str]) -> Iterator[str]:
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([*command.split(), "--help"])
        yield from re.findall(r"--[a-z][\w-]*", capsys.readouterr().out)


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    """In docs/settings.md, by its path."""
    settings = Settings()
    there = {
        f"{section}.{key}"
        for section in settings.__struct_fields__
        for key in getattr(settings, section).__struct_fields__
    }
    text = text_of("docs/settings.md")
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


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    """To a file that is there, and to a heading in it."""
    here = (ROOT / name).parent
    for target in _LINK.findall(text_of(name)):
        file, _, anchor = target.partition("#")
        path = here / file if file else ROOT / name
        assert path.exists(), target
        if anchor:
            assert anchor in anchors_in(path.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_of_ours_that_is_named_exists(name: str) -> None:
    """By its path from the root, from the program's folders, or from the page."""
    bases = (ROOT, ROOT / "selfplay_core", ROOT / "tui", (ROOT / name).parent)
    for path in inline_code(text_of(name)):
        if re.fullmatch(r"(?:[\w.-]+/)+[\w.-]*", path) and path.split("/")[0] in _TOP:
            assert any((base / path).exists() for base in bases), path


_TOP: Final = {"benchmarks", "data", "docs", "screenshots", "selfplay_core", "tests", "tui"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_option_in_a_sentence_is_one(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of one of our commands, or of a program that is named in the table."""
    known = {*options_of_all(capsys), *OF_OTHERS}
    found = {option for code in inline_code(text_of(name)) for option in re.findall(r"(?<!\S)--[a-z][\w-]*", code)}
    assert found - known == set()


def test_no_option_of_others_is_left_over() -> None:
    """Each in the table stands in a sentence."""
    texts = "\n".join(code for name in DOCUMENTS for code in inline_code(text_of(name)))
    assert {option for option in OF_OTHERS if option not in texts} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_example_of_settings_is_valid(name: str, tmp_path: Path) -> None:
    """Alone in a file, and its set-up commands pass the policy."""
    file = tmp_path / "selfplay.toml"
    for language, _, lines in blocks_in(text_of(name)):
        if language == "toml":
            file.write_text("\n".join(lines), encoding="utf-8")
            loaded = load_settings(file=file, environment={}, flags={}, flag_names=FLAG_NAMES)
            Verifier(ScriptedConsole(lambda command: ""), conduct_of(loaded.settings))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_of_the_game_in_a_block_is_one(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `check` sees it."""
    file = tmp_path / "commands.txt"
    for language, _, lines in blocks_in(text_of(name)):
        if language == "mcfunction":
            file.write_text("\n".join(lines), encoding="utf-8")
            assert main(["check", "--quiet", str(file)]) == 0, capsys.readouterr().out


def test_every_page_is_in_the_index() -> None:
    """docs/README.md leads to each of the others."""
    linked = {target.partition("#")[0] for target in _LINK.findall(text_of("docs/README.md"))}
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} <= linked


def test_every_target_of_make_is_in_contributing() -> None:
    """But for those that are a step of another."""
    text = text_of("CONTRIBUTING.md")
    assert {target for target in make_targets() if f"`make {target}`" not in text} == set()


def test_the_readme_can_be_read_at_one_go() -> None:
    """Some 120 lines, none of them wider than a terminal, but for the rows of tables."""
    lines = text_of("README.md").splitlines()
    assert len(lines) <= 130
    assert [line for line in lines if len(line) > 105 and not line.startswith("|")] == []
