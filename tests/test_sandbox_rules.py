"""The sandbox judges by the reports of a server of one's own, once they were imported, and goes back when told to."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfplay_core.errors import SettingsError
from selfplay_core.sandbox.facts.registries import block_states, known
from selfplay_core.sandbox.facts.reports import read_reports
from selfplay_core.sandbox.facts.rules import BUILT_IN, Basis, adopt, basis, forget, rules_path, store, use
from selfplay_core.sandbox.parser.judge import judge
from selfplay_core.sandbox.parser.problem import Problem
from selfplay_core.sandbox.world.world import World
from tests.commands import COMMAND
from tests.server_reports import blocks, commands, registries, without, write_reports

SINCE_1_21_9 = {"diamond_spear", "copper_torch"}


@pytest.fixture(autouse=True)
def built_in_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has a data folder of its own, and leaves the process with the built-in rules."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    yield
    use(None)


def commands_without(*names: str) -> dict[str, Any]:
    tree = commands()
    for name in names:
        del tree["children"][name]
    return tree


def modded() -> dict[str, dict[str, Any]]:
    """What a server with a mod reports: an item, a block and a command of the mod's own."""
    tree, lists, states = commands(), registries(), blocks()
    lists["minecraft:item"]["entries"]["create:wrench"] = {"protocol_id": 9000}
    lists["minecraft:block"]["entries"]["create:shaft"] = {"protocol_id": 9000}
    states["create:shaft"] = {"properties": {"axis": ["x", "y", "z"]}, "states": []}
    tree["children"]["heal"] = {
        "type": "literal",
        "children": {"amount": {"type": "argument", "parser": "brigadier:integer", "executable": True}},
    }
    return {"commands": tree, "registries": lists, "blocks": states}


def run(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the real command line."""
    return subprocess.run([COMMAND, *words], capture_output=True, text=True, timeout=120, check=False, **more)


def test_commands_ids_and_states_are_the_servers(tmp_path: Path) -> None:
    """What the server has is accepted, what it lacks is refused; without the rules it is the other way round."""
    lists = modded()
    del lists["registries"]["minecraft:item"]["entries"]["minecraft:stick"]
    theirs = ["give @p create:wrench", "setblock 0 70 0 create:shaft", "heal 3"]
    assert all(isinstance(judge(command), Problem) for command in theirs)
    use(read_reports(write_reports(tmp_path / "reports", **lists)))
    assert [command for command in theirs if isinstance(judge(command), Problem)] == []
    assert isinstance(judge("heal much"), Problem)
    assert isinstance(judge("give @p stick"), Problem)
    assert block_states("create:shaft") == {"axis": ("x", "y", "z")}
    assert block_states("minecraft:stone") == {}
    use(None)
    assert all(isinstance(judge(command), Problem) for command in theirs)
    assert not isinstance(judge("give @p stick"), Problem)


def test_registries_that_no_report_lists_stay(tmp_path: Path) -> None:
    """The data generator lists no enchantments: those of the built-in rules are known as before."""
    use(read_reports(write_reports(tmp_path / "reports")))
    assert known("enchantment", "minecraft:sharpness")
    assert not known("enchantment", "minecraft:sharpest")


def test_blocks_are_optional(tmp_path: Path) -> None:
    """Without blocks.json the built-in states are used, and a mod's block has none that could be checked."""
    use(read_reports(write_reports(tmp_path / "reports", **{**modded(), "blocks": None})))
    assert block_states("kelp") == {"age": tuple(map(str, range(26)))}
    assert block_states("create:shaft") is None


@pytest.mark.parametrize("below", ["", "reports", "generated/reports"])
def test_the_reports_are_found_where_the_data_generator_puts_them(below: str, tmp_path: Path) -> None:
    """The folder that the generator ran in will do."""
    write_reports(tmp_path / below)
    assert read_reports(tmp_path).version == "1.21.11"


@pytest.mark.parametrize(
    ("lacking", "commands_lacking", "version"),
    [
        (set(), (), "1.21.11"),
        ({"diamond_spear"}, ("stopwatch",), "1.21.10"),
        (SINCE_1_21_9, ("stopwatch", "fetchprofile"), "1.21.8"),
        ({*SINCE_1_21_9, "music_disc_lava_chicken"}, ("stopwatch", "fetchprofile"), "1.21.6"),
        (
            {*SINCE_1_21_9, "music_disc_lava_chicken", "dried_ghast"},
            ("stopwatch", "fetchprofile", "dialog"),
            "1.21.5",
        ),
    ],
)
def test_the_version_is_told_by_what_is_newest(
    lacking: set[str], commands_lacking: tuple[str, ...], version: str, tmp_path: Path
) -> None:
    """The reports do not name it, but each version brought an item."""
    tree = commands_without(*commands_lacking)
    write_reports(tmp_path, commands=tree, registries=without(lacking), blocks=None)
    assert read_reports(tmp_path).version == version


OLD = {*SINCE_1_21_9, "music_disc_lava_chicken", "dried_ghast", "leaf_litter"}


def newer() -> dict[str, Any]:
    lists = registries()
    lists["minecraft:item"]["entries"]["minecraft:golden_dandelion"] = {"protocol_id": 1}
    return lists


def hostile() -> dict[str, Any]:
    lists = registries()
    lists["minecraft:item"]["entries"]["minecraft:\u202e\x1b[31mstick"] = {"protocol_id": 1}
    return lists


def nested(depth: int) -> str:
    """A tree of commands with a very long one."""
    roots = ",".join(f'"{name}":{{"type":"literal"}}' for name in ("execute", "give", "setblock", "summon"))
    node = '{"type":"literal","children":{"a":' * depth + '{"type":"literal"}' + "}}" * depth
    return f'{{"type":"root","children":{{{roots},"long":{node}}}}}'


def with_command(name: str, node: dict[str, Any]) -> dict[str, Any]:
    tree = commands()
    tree["children"][name] = node
    return tree


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"registries": None}, "half of the reports is missing.* holds no registries.json"),
        ({"commands": None}, "half of the reports is missing.* holds no commands.json"),
        ({"registries": None, "commands": None}, "holds neither commands.json nor registries.json"),
        ({"registries": without(OLD)}, "another version.*Minecraft 1.21.4.*resin_brick"),
        ({"registries": {"minecraft:item": {"entries": {}}}}, "lists no block"),
        ({"registries": newer()}, "another version.*newer.*golden_dandelion"),
        ({"registries": without({"diamond_spear"})}, "two versions.*1.21.10.*fetchprofile.*stopwatch"),
        ({"commands": commands_without("stopwatch")}, "two versions.*stopwatch.*fetchprofile"),
        ({"blocks": {"minecraft:stone": {}}}, "two versions.*blocks.json"),
        ({"registries": hostile()}, r"damaged.*<U\+202E>␛\[31mstick' is no id"),
        ({"commands": "{"}, "damaged.*commands.json"),
        ({"registries": "\ufeff{}"}, "damaged.*registries.json"),
        ({"registries": '{"minecraft:item": 1}'}, "damaged.*registries.json.*Expected `object`"),
        ({"commands": nested(5000)}, "damaged.*commands.json.*nested too deeply"),
        ({"commands": nested(150)}, "damaged.*commands.json.*more than 100"),
        ({"commands": '{"type":"root","children":{"a":{"type":"literal"}}}'}, "no tree of a server's commands"),
        ({"commands": with_command("a b", {"type": "literal"})}, "'a b' cannot be a word"),
        ({"commands": with_command("a", {"type": "argument"})}, "'a' has no parser"),
        ({"commands": with_command("a", {"type": "literal", "redirect": ["nowhere"]})}, "'nowhere'.*not there"),
        ({"blocks": "[]"}, "damaged.*blocks.json"),
        (
            {"commands": with_command("a", {"type": "argument", "parser": "x", "properties": {"min": "a"}})},
            "'a' has bounds that are no numbers",
        ),
        ({"blocks": {**blocks(), "minecraft:stone": {"properties": {"a": []}}}}, "'stone' has no values"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_kept(changed: dict[str, Any], named: str, tmp_path: Path) -> None:
    """Missing halves, other versions, damage and hostile names: an error of three parts, and the rules stay."""
    write_reports(tmp_path / "reports", **changed)
    with pytest.raises(SettingsError, match=named) as refused:
        read_reports(tmp_path / "reports")
    assert str(refused.value).endswith((".", "reports.", ")."))
    assert "\x1b" not in str(refused.value)
    assert adopt() == BUILT_IN


def test_a_pipe_a_folder_and_a_huge_file_are_no_reports(tmp_path: Path) -> None:
    """Nobody waits for a pipe, and no file of any size is read whole."""
    folder = write_reports(tmp_path / "reports")
    file = folder / "registries.json"
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(SettingsError, match="no plain file"):
        read_reports(folder)
    file.unlink()
    file.mkdir()
    with pytest.raises(SettingsError, match=r"registries\.json"):
        read_reports(folder)
    file.rmdir()
    with file.open("wb") as stream:
        stream.truncate(10_000_000_000)
    with pytest.raises(SettingsError, match="10,000,000,000 bytes"):
        read_reports(folder)


def test_what_was_stored_holds_until_it_is_forgotten(tmp_path: Path) -> None:
    """Another process of the same user judges by it; forgetting goes back, and may be done twice."""
    path = store(read_reports(write_reports(tmp_path / "reports", **modded())))
    assert path == rules_path()
    assert basis() == BUILT_IN
    assert adopt() == Basis("1.21.11", imported=True) == basis()
    assert not isinstance(judge("heal 3"), Problem)
    assert forget()
    assert adopt() == BUILT_IN
    assert isinstance(judge("heal 3"), Problem)
    assert not forget()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{}", b'{"version":"1","tree":{},"registries":{},"format":7}', b"\xff"),
        b'{"version":"1","tree":{"children":{"say":5}},"registries":{}}',
        b'{"version":"\\u001b[31m1","tree":{},"registries":{}}',
    ],
)
def test_rules_that_cannot_be_read_are_told_with_the_way_back(content: bytes) -> None:
    """Nobody judges by half of the rules, or silently by others."""
    rules_path().parent.mkdir(parents=True)
    rules_path().write_bytes(content)
    with pytest.raises(SettingsError, match="sandbox --forget"):
        adopt()
    assert forget()
    assert adopt() == BUILT_IN


def test_nobody_waits_for_a_pipe_in_the_place_of_the_rules() -> None:
    """What is no plain file is no rules; `adopt` refuses it at once."""
    rules_path().parent.mkdir(parents=True)
    os.mkfifo(rules_path())
    with pytest.raises(SettingsError, match="sandbox --forget"):
        adopt()


def test_a_world_says_by_which_rules_it_judges(tmp_path: Path) -> None:
    """`version` is what every row's `server` comes from."""
    world = World(("SwiftWolf",))
    assert "1.21.11, by built-in rules" in world.reply("version")
    tree = commands_without("stopwatch", "fetchprofile")
    write_reports(tmp_path, commands=tree, registries=without(SINCE_1_21_9), blocks=None)
    use(read_reports(tmp_path))
    assert "1.21.8, by the reports of a server" in world.reply("version")


def test_the_command_line_imports_says_so_and_forgets(tmp_path: Path) -> None:
    """Import, then a sandbox that names its rules, then back."""
    reports = write_reports(tmp_path / "reports", **modded())
    done = run("sandbox", "--import", str(reports))
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["event"] == "rules_imported"
    assert told["rules"] == {"version": "1.21.11", "source": "imported"}
    assert told["registries"]["item"] == 1506
    assert ready_rules() == {"version": "1.21.11", "source": "imported"}
    gone = json.loads(run("sandbox", "--forget").stdout)
    assert (gone["event"], gone["were_imported"]) == ("rules_forgotten", True)
    assert ready_rules() == {"version": "1.21.11", "source": "built-in"}


def ready_rules() -> object:
    """Start a sandbox, and return what it says that it judges by."""
    with subprocess.Popen([COMMAND, "sandbox"], stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        try:
            return json.loads(serving.stdout.readline())["rules"]
        finally:
            serving.send_signal(signal.SIGINT)


def test_a_runs_rows_name_the_rules_they_were_judged_by(tmp_path: Path) -> None:
    """`metadata.server` has the version of the imported rules."""
    tree = commands_without("stopwatch", "fetchprofile")
    write_reports(tmp_path / "reports", commands=tree, registries=without(SINCE_1_21_9), blocks=None)
    assert run("sandbox", "--import", str(tmp_path / "reports")).returncode == 0
    done = run("--headless", "--rounds", "1", "--focus", "edge_items", "--output", "out.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows
    assert {row["metadata"]["server"]["version"] for row in rows} == {"1.21.8"}
    assert {row["metadata"]["verifier"] for row in rows} == {"sandbox"}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--import", "."], "holds neither"),
        (["--import", "nowhere"], "is no folder"),
        (["--import", "x", "--forget"], "not allowed with"),
        (["--import"], "expected one argument"),
        (["--forget", "--rcon-port", "25575"], "do not serve"),
    ],
)
def test_a_wrong_import_is_exit_2(words: list[str], named: str, tmp_path: Path) -> None:
    """One line on stderr, nothing on stdout."""
    done = run("sandbox", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr


def test_rules_that_cannot_be_read_are_exit_2_wherever_the_sandbox_judges() -> None:
    """The sandbox, a run and doctor name the file and the way back."""
    rules_path().parent.mkdir(parents=True)
    rules_path().write_bytes(b"{")
    for words, code in ((["sandbox"], 2), (["--headless", "--rounds", "1", "--workspace", "w"], 2), (["doctor"], 3)):
        done = run(*words, cwd=rules_path().parent)
        assert done.returncode == code, done.stderr
        assert "sandbox --forget" in done.stderr + done.stdout
        assert "Traceback" not in done.stderr


def test_a_full_disk_leaves_the_rules_that_were_there(tmp_path: Path) -> None:
    """The new rules are there whole or not at all, and nothing is left beside them."""
    assert run("sandbox", "--import", str(write_reports(tmp_path / "first"))).returncode == 0
    before = rules_path().read_bytes()

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    reports = write_reports(tmp_path / "second", **modded())
    done = run("sandbox", "--import", str(reports), preexec_fn=no_room)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no room" in done.stderr
    assert rules_path().read_bytes() == before
    assert os.listdir(rules_path().parent) == [rules_path().name]
