"""Laws of `export`, `import` and `stats` as they are typed: what comes out, where, and with which exit code."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from selfplay_core.errors import StoreError
from selfplay_core.exchange.rows import render
from selfplay_core.store.decisions import decide
from selfplay_core.store.imports import take_in
from tests.commands import COMMAND, clean_environment, run_command
from tests.golden_cases import REJECT
from tests.samples import ACCEPT, make_trace
from tests.store_samples import begun, saved
from tests.test_import import old_correction, old_standard, write
from tui.commands.data import WORK


async def a_workspace(folder: Path) -> None:
    """Two rounds on the sandbox, in the default place."""
    done = await run_command(folder, "--headless", "--rounds", "2", "--seed", "7", env=clean_environment(folder))
    assert done.code == 0, done.err


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def test_from_a_run_to_a_trainer(tmp_path: Path) -> None:
    """A run, a split export with its manifest, and the same lines on stdout, with nothing beside them."""
    await a_workspace(tmp_path)
    words = ("export", "--format", "trl-sft", "--filter", "status:accepted")
    done = await run_command(tmp_path, *words, "--output", "x.jsonl", "--split", "train=0.8,eval=0.2", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert set(contents(tmp_path)) == {"x.train.jsonl", "x.eval.jsonl", "x.jsonl.manifest.json"}
    assert told == orjson.loads((tmp_path / "x.jsonl.manifest.json").read_bytes())
    assert told["counts"]["verifier_sandbox"] == told["lines"]
    piped = await run_command(tmp_path, *words, "--output", "-")
    assert piped.code == 0
    assert {line["verifier"] for line in piped.events} == {"sandbox"}
    assert len(piped.events) == told["lines"]
    assert "trl-sft of" in piped.err


async def test_a_workspace_goes_out_and_comes_back(tmp_path: Path) -> None:
    """Import says what is new and what is known, and the figures of the copy are those of the workspace."""
    await a_workspace(tmp_path)
    assert (await run_command(tmp_path, "export", "--format", "native", "--output", "b.jsonl")).code == 0
    first = await run_command(tmp_path, "import", "b.jsonl", "--workspace", "copy", "--json")
    again = await run_command(tmp_path, "import", "b.jsonl", "--workspace", "copy", "--json")
    assert (first.code, again.code) == (0, 0), first.err
    new, known = json.loads(first.out), json.loads(again.out)
    assert new["new"] == known["known"] == new["lines"] > 0
    figures = [
        json.loads((await run_command(tmp_path, "stats", "--json", "--workspace", workspace)).out)
        for workspace in ("selfplay-sandbox", "copy")
    ]
    assert figures[0] == figures[1]
    assert figures[0]["duplicates"]["compared"] == figures[0]["traces"]


async def test_old_files_come_in_line_by_line(tmp_path: Path) -> None:
    """Bad lines are named and make exit code 1; a file of nothing else makes 2."""
    write(tmp_path / "old.jsonl", old_standard(), b"{torn", old_correction([], [("say a", "")]))
    done = await run_command(tmp_path, "import", "old.jsonl")
    assert done.code == 1
    assert "2 traces taken into selfplay, 0 known already, 1 left out" in done.out
    assert "old.jsonl, line 2: it is no JSON" in done.out
    write(tmp_path / "bad.jsonl", b"{", b"[]")
    assert (await run_command(tmp_path, "import", "bad.jsonl")).code == 2
    shown = await run_command(tmp_path, "stats")
    assert "2 traces, judged by a real server" in shown.out
    assert "imported" in shown.out


async def test_an_import_goes_where_its_rows_belong(tmp_path: Path) -> None:
    """By the first line that can be read, unless one workspace is here; and a pipe is a file like others."""
    row = orjson.loads(old_standard())
    row["metadata"]["verifier"] = "sandbox"
    scripted = b"{torn\n" + orjson.dumps(row)
    done = await run_command(tmp_path, "import", "-", given=scripted)
    assert done.code == 1
    assert "1 traces taken into selfplay-sandbox" in done.out
    assert "stdin, line 1: it is no JSON" in done.out
    real = await run_command(tmp_path, "import", "-", given=old_standard())
    assert real.code == 2
    assert "sandbox and real server do not mix" in real.out
    assert not (tmp_path / "selfplay").exists()
    (tmp_path / "b").mkdir()
    assert "taken into selfplay," in (await run_command(tmp_path / "b", "import", "-", given=old_standard())).out
    shown = await run_command(tmp_path / "b", "stats", "--filter", "category:imported", "--json")
    assert json.loads(shown.out)["traces"] == 1


async def test_a_refused_import_makes_no_workspace_and_says_why_once(tmp_path: Path) -> None:
    """However many lines there are, and however few files."""
    write(tmp_path / "chats.jsonl", *[b'{"messages": [], "tools": []}'] * 300)
    write(tmp_path / "good.jsonl", old_standard())
    done = await run_command(tmp_path, "import", "chats.jsonl")
    assert done.code == 2
    assert len(done.out.splitlines()) == 2
    assert "only `seed` and `native`" in done.out
    assert "(300 times)" in done.out
    assert (await run_command(tmp_path, "import", "good.jsonl", "none.jsonl")).code == 2
    assert not (tmp_path / "selfplay").exists()


def test_a_full_disk_tells_how_much_went_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And that the same import is to be run again."""
    write(tmp_path / "old.jsonl", *(old_standard(reasoning=f"{number}") for number in range(500)))
    options = argparse.Namespace(files=["old.jsonl"], workspace="ws", json=False)
    calls = iter((take_in, take_in))

    def filling(*arguments: Any) -> Any:
        do = next(calls, None)
        if do is None:
            raise StoreError("writing to the workspace failed: the disk is full: ws. Make room and go on.")
        return do(*arguments)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("selfplay_core.exchange.importing.take_in", filling)
    assert WORK["import"](options) == 1
    told = capsys.readouterr()
    assert "400 traces taken into ws" in told.out
    assert "Run it again" in told.out
    assert "the disk is full" in told.err
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert WORK["import"](options) == 0
    assert "100 traces taken into ws, 400 known already" in capsys.readouterr().out


async def test_how_many_were_decided_otherwise_is_told(tmp_path: Path) -> None:
    """In words and as JSON."""
    for folder, decision in (("ours", REJECT), ("theirs", ACCEPT)):
        database = begun(tmp_path / folder)
        (trace,) = saved(database, [make_trace()])
        decide(database, trace.id, decision, render(trace, decision))
        database.close()
    words = ("export", "--format", "native", "--output", "t.jsonl", "--workspace", "theirs")
    assert (await run_command(tmp_path, *words)).code == 0
    done = await run_command(tmp_path, "import", "t.jsonl", "--workspace", "ours")
    assert done.code == 0
    assert "known, with other decisions: 1" in done.out
    told = json.loads((await run_command(tmp_path, "import", "t.jsonl", "--workspace", "ours", "--json")).out)
    assert (told["known"], told["other_decisions"], told["whole"]) == (1, 1, True)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("export", "--format", "csv", "--output", "x"), "invalid choice: 'csv'"),
        (("export", "--format", "seed"), "--output"),
        (("export", "--output", "x"), "--format"),
        (("export", "--format", "seed", "--output", "no/x.jsonl"), "the folder does not exist"),
        (("export", "--format", "seed", "--output", "taken"), "--force"),
        (("export", "--format", "seed", "--output", "x", "--filter", "outcome:great"), "--filter"),
        (("export", "--format", "seed", "--output", "x", "--filter", "#99"), "holds no trace"),
        (("export", "--format", "seed", "--output", "x", "--split", "a=2"), "--split"),
        (("export", "--format", "seed", "--output", "-", "--split", "a=1"), "one stream"),
        (("export", "--format", "seed", "--output", "x", "--split", ""), "--split"),
        (("export", "--format", "native", "--output", "x", "--per-skeleton", "1"), "leaves nothing out"),
        (("export", "--format", "seed", "--output", "x", "--per-skeleton", "0"), "from 1 on"),
        (("export", "--format", "seed", "--output", "x", "--rounds", "2"), "--rounds is unknown to export"),
        (("export", "--format", "seed", "--output", "x", "--workspace", "none"), "no workspace is here"),
        (("import", "none.jsonl"), "no such file"),
        (("import",), "FILE"),
        (("stats", "--workspace", "none"), "no workspace is here"),
    ],
)
async def test_what_makes_no_sense_is_one_line_and_exit_code_2(
    tmp_path: Path, words: tuple[str, ...], match: str
) -> None:
    """And nothing is written."""
    (tmp_path / "taken").write_text("precious")
    write(tmp_path / "old.jsonl", old_standard())
    assert (await run_command(tmp_path, "import", "old.jsonl")).code == 0
    before = contents(tmp_path)
    done = await run_command(tmp_path, *words)
    assert done.code == 2, done.err
    assert match in done.err
    assert len(done.err.splitlines()) == 1
    assert done.out == ""
    assert contents(tmp_path) == before


async def test_a_reader_that_leaves_ends_the_export_quietly(tmp_path: Path) -> None:
    """As with `| head -1`."""
    write(tmp_path / "old.jsonl", *(old_standard(reasoning=f"{n} " * 400) for n in range(300)))
    assert (await run_command(tmp_path, "import", "old.jsonl")).code == 0
    process = await asyncio.create_subprocess_shell(
        f"'{COMMAND}' export --format native --output - | head -1",
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert orjson.loads(out)["schema"] == "selfplay/1"
    assert err == b""


async def test_hostile_text_reaches_no_terminal(tmp_path: Path) -> None:
    """Names of models and servers, categories and messages are shown made visible."""
    nasty = "\x1b]0;owned\x07\u202e[/]"
    correction = orjson.loads(old_correction([], [("say a", nasty)]))
    correction["metadata"] = {"model": {"name": nasty}, "server": {"brand": nasty, "version": nasty}}
    write(tmp_path / "old.jsonl", orjson.dumps(correction), nasty.encode())
    for words in (("import", "old.jsonl"), ("stats",), ("stats", "--json")):
        done = await run_command(tmp_path, *words)
        assert not any(character in done.out + done.err for character in "\x1b\x07\u202e")
