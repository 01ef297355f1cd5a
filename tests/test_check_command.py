"""`selfplay-tui check`: a verdict a line for every command of a file."""

from __future__ import annotations

import json
import resource
import select
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pexpect
import pytest

from selfplay_core.errors import SettingsError
from selfplay_core.sandbox.parser.lines import Line, read_lines
from tests.commands import COMMAND
from tests.server_reports import commands, registries, write_reports

GOOD = "give @p stone"
BAD = "give @p ston"


def check(*words: str, given: bytes | None = None, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the command, with `given` on its stdin."""
    return subprocess.run(
        [COMMAND, "check", *words], input=given or b"", capture_output=True, timeout=120, check=False, **more
    )


def verdicts(*words: str, given: bytes) -> list[dict[str, Any]]:
    """The JSON lines that the command prints for what comes by stdin."""
    done = check("--json", *words, "-", given=given)
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def function_lines(text: str) -> list[Line]:
    return list(read_lines(BytesIO(text.encode()), function=True))


def test_a_verdict_a_line_and_the_totals_on_stderr(tmp_path: Path) -> None:
    """Accepted with the command, rejected with the server's message and the place; exit 1, for one is rejected."""
    file = tmp_path / "commands.txt"
    file.write_text(f"{GOOD}\n# a comment\n\n/{BAD}\nsetblock 0 70 0 grass\n", encoding="utf-8")
    done = check(str(file))
    assert done.returncode == 1
    assert done.stdout.decode().splitlines() == [
        "1: accepted: give @p stone",
        "4: rejected: Unknown item 'minecraft:ston'  give @p ston<--[HERE]",
        "5: rejected: Unknown block type 'minecraft:grass'  ...ck 0 70 0 grass<--[HERE]",
    ]
    assert done.stderr.decode() == (
        "3 commands: 1 accepted, 2 rejected. Judged as Minecraft 1.21.11, built-in rules.\n"
    )


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", f"{GOOD}\n", GOOD, f"\n{GOOD}\r\n"])
def test_nothing_rejected_is_exit_0(text: str) -> None:
    """Also of an empty file, without a line end at the end, and with those of Windows."""
    done = check("-", given=text.encode())
    assert done.returncode == 0
    assert b"0 rejected" in done.stderr


def test_json_lines_have_line_command_verdict_message_and_cursor() -> None:
    """The cursor counts in the command as it was written, its slash included."""
    good, slashed, bad = verdicts(given=f"{GOOD}\n/{BAD}\n{BAD}\n".encode())
    assert good == {"line": 1, "command": GOOD, "verdict": "accepted", "message": "", "cursor": None}
    message = "Unknown item 'minecraft:ston'"
    assert slashed == {"line": 2, "command": f"/{BAD}", "verdict": "rejected", "message": message, "cursor": 9}
    assert bad == {"line": 3, "command": BAD, "verdict": "rejected", "message": message, "cursor": 8}
    assert BAD[bad["cursor"] :] == "ston" == slashed["command"][slashed["cursor"] :]


def test_several_files_are_named_before_the_line(tmp_path: Path) -> None:
    """Else nobody would know where to look; --quiet leaves out what is accepted."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"{GOOD}\n{BAD}\n", encoding="utf-8")
    done = check("--quiet", "a.txt", "b.txt", cwd=tmp_path)
    places = [line.split(": ")[0] for line in done.stdout.decode().splitlines()]
    assert places == ["a.txt:2", "b.txt:2"]
    assert b"4 commands: 2 accepted, 2 rejected" in done.stderr
    named = check("--json", "a.txt", "b.txt", cwd=tmp_path).stdout.splitlines()
    assert [json.loads(line)["file"] for line in named] == ["a.txt", "a.txt", "b.txt", "b.txt"]


def test_blanks_count_as_they_do_at_a_console() -> None:
    """A blank too many at the beginning or the end is an error there, and a comment begins with # alone."""
    found = verdicts(given=f"{GOOD} \n {GOOD}\n # x\n".encode())
    assert [one["verdict"] for one in found] == ["rejected", "rejected", "rejected"]


def test_worldedit_is_judged_unless_it_is_not_there() -> None:
    """Old datasets hold its commands; a server without the plugin knows none of them."""
    given = b"//set stone\n//set stonee\n//stack 2 sideways\n"
    assert [one["verdict"] for one in verdicts(given=given)] == ["accepted", "rejected", "rejected"]
    assert [one["verdict"] for one in verdicts("--no-worldedit", given=given)] == ["rejected"] * 3


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (f"  {GOOD}\t \n", [(1, GOOD)]),
        (f"{GOOD}\n  # x\n\n{BAD}", [(1, GOOD), (4, BAD)]),
        ("give \\\n  @p \\\n  stone\nlist", [(1, "give @p stone"), (4, "list")]),
        ("# x \\\ny\nlist", [(3, "list")]),
    ],
)
def test_a_function_is_read_as_the_game_reads_it(text: str, read: list[tuple[int, str]]) -> None:
    """Blanks around are cut, a backslash goes on with the next line, also of a comment; the first line counts."""
    assert [(line.number, line.text) for line in function_lines(text)] == read
    assert not any(line.fault or line.doubt for line in function_lines(text))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("give @p \\\n", "Line continuation at end of file"),
        ("/give @p stone", "did you mean 'give'"),
        ("// a comment", "a comment begins with '#'"),
        ("$say hi", "No variables in macro"),
        ("$say $(x", "Unterminated macro variable"),
        ("$say $(a b)", "Invalid macro variable name 'a b'"),
        ("say " + "x" * 2_000_000, "Command too long"),
        ("\\\n".join(["say " + "x" * 300_000] * 8), "Command too long"),
    ],
)
def test_what_no_function_may_hold_is_rejected(text: str, fault: str) -> None:
    """With the game's reason; the next line is read as if nothing had been."""
    lines = function_lines(text if text.endswith("\n") else f"{text}\nlist")
    assert fault in lines[0].fault
    assert all((line.text, line.fault) == ("list", "") for line in lines[1:])


def test_a_macro_is_not_judged(tmp_path: Path) -> None:
    """It is a command only once its variables are filled in: neither accepted nor rejected, and no error."""
    file = tmp_path / "macro.mcfunction"
    file.write_text(f"$give @p $(item)\n  {GOOD}\n", encoding="utf-8")
    done = check("--json", str(file))
    assert done.returncode == 0
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()] == ["unjudged", "accepted"]
    assert b"2 commands: 1 accepted, 0 rejected, 1 not judged." in done.stderr


def test_a_function_is_known_by_its_name_or_by_the_option(tmp_path: Path) -> None:
    """The same lines mean something else at a console."""
    text = f"  {GOOD}\n/{GOOD}\n"
    (tmp_path / "f.mcfunction").write_text(text, encoding="utf-8")
    as_function = [b"1: accepted", b"2: rejected"]
    for words in (["f.mcfunction"], ["--function", "-"]):
        done = check(*words, given=text.encode(), cwd=tmp_path)
        assert [line[: len(as_function[0])] for line in done.stdout.splitlines()] == as_function
    found = verdicts(given=text.encode())
    assert [one["verdict"] for one in found] == ["rejected", "accepted"]


def test_the_mark_at_the_beginning_of_a_file_is_passed_over() -> None:
    """Some editors write it; at the beginning of a function the game takes it for a part of the command."""
    given = b"\xef\xbb\xbf" + GOOD.encode()
    assert verdicts(given=given)[0]["verdict"] == "accepted"
    assert verdicts("--function", given=given)[0]["verdict"] == "rejected"


def test_bytes_that_are_no_utf_8_are_rejected_with_their_place() -> None:
    """The lines around them are judged."""
    found = verdicts(given=b"list\nsay \xff\xfe\nlist\n")
    assert [one["verdict"] for one in found] == ["accepted", "rejected", "accepted"]
    assert found[1]["message"] == "Not UTF-8: byte 0xff at 4"


def test_utf_16_is_told_with_what_to_do() -> None:
    """As PowerShell writes it."""
    done = check("-", given=GOOD.encode("utf-16"))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"UTF-16" in done.stderr
    assert b"iconv" in done.stderr
    with pytest.raises(SettingsError, match="UTF-16"):
        list(read_lines(BytesIO(b"\xfe\xff\x00g"), function=True))


def test_what_cannot_be_judged_here_is_neither_accepted_nor_rejected() -> None:
    """100 KB on a line, and what is nested deeper than is read here but not than the game reads; deeper is rejected."""
    nested = [b"tellraw @a " + b"[" * depth + b'"a"' + b"]" * depth for depth in (90, 400, 600)]
    found = verdicts(given=b"\n".join([b"say " + b"x" * 100_000, *nested, b"list"]))
    assert [one["verdict"] for one in found] == ["unjudged", "accepted", "unjudged", "rejected", "accepted"]
    assert "16,000" in found[0]["message"]
    assert "depth > 512" in found[3]["message"]


def test_memory_stays_flat_over_long_lines_and_many() -> None:
    """A gigabyte without a line end, then two thousand commands, in a process that may not have as much."""

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000))

    script = f"(head -c 1200000000 /dev/zero | tr '\\0' x; echo; yes list | head -2000) | {COMMAND} check --quiet -"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=300, check=False, preexec_fn=bounded)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith(b"1: rejected: Command too long")
    assert b"2,001 commands: 2,000 accepted, 1 rejected." in done.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["nowhere.txt"], b"cannot read nowhere.txt: No such file or directory."),
        (["."], b"cannot read .: Is a directory."),
        (["a\x1b[31m.txt"], "cannot read a␛[31m.txt".encode()),
        ([], b"FILE"),
        (["--colour", "x"], b"--colour is unknown to check"),
        (["good.txt", "nowhere.txt"], b"cannot read nowhere.txt"),
    ],
)
def test_a_file_that_cannot_be_read_is_exit_2(words: list[str], named: bytes, tmp_path: Path) -> None:
    """And named, with what to do."""
    (tmp_path / "good.txt").write_text(f"{GOOD}\n", encoding="utf-8")
    done = check(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert named in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_file_without_the_right_to_read_is_exit_2(tmp_path: Path) -> None:
    """As another user, for root may read everything; everything is loaded before, as that user may not."""
    file = tmp_path / "secret.txt"
    file.write_text(GOOD, encoding="utf-8")
    file.chmod(0o600)
    program = (
        "import os, sys, tui.commands.check\n"
        "from tui.cli import main\n"
        "from tui.options import parse\n"
        "parse(['check', 'x'])\n"
        "os.environ['XDG_DATA_HOME'] = '/nowhere'\n"
        f"os.chdir({str(tmp_path)!r})\n"
        "os.setuid(65534)\n"
        "sys.exit(main(['check', 'secret.txt']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=120)
    assert done.returncode == 2, done.stderr
    assert b"cannot read secret.txt: Permission denied." in done.stderr


def test_control_characters_reach_no_terminal() -> None:
    """In what is shown they are signs; in JSON they are escapes."""
    given = "say \x1b[31m\u202e\x07 hi\ngive @p \x1b]0;x\n".encode()
    for words in ([], ["--json"]):
        out = check(*words, "-", given=given).stdout
        assert b"\x1b" not in out
        assert "\u202e".encode() not in out
        assert b"\x07" not in out
    assert verdicts(given=given)[0]["command"] == "say \x1b[31m\u202e\x07 hi"


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    """`check … | head -1` prints one line and no complaint, however much is still to come."""
    script = f"yes {GOOD!r} | head -5000 | {COMMAND} check - | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=120, check=False)
    assert done.stdout == b"1: accepted: give @p stone\n"
    assert done.stderr == b""


def test_a_full_disk_behind_stdout_is_told() -> None:
    """Nobody believes that what was printed is all."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [COMMAND, "check", "-"], input=f"{GOOD}\n".encode(), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert b"cannot write to stdout" in done.stderr
    assert b"Traceback" not in done.stderr


def test_verdicts_come_at_once_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """On a terminal with stdin open: each line is answered before the next is typed; then 130 and no traceback."""
    child = pexpect.spawn(COMMAND, ["check", "-"], cwd=str(tmp_path), encoding="utf-8", timeout=60, echo=False)
    child.sendline(GOOD)
    child.expect_exact("1: accepted: give @p stone")
    child.sendline(BAD)
    child.expect_exact("2: rejected: Unknown item 'minecraft:ston'  give @p ston<--[HERE]")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert "Traceback" not in (child.before or "")
    assert child.exitstatus == 130


def test_a_terminated_check_leaves_no_traceback() -> None:
    """SIGTERM in the middle of a long input."""
    pipe = subprocess.PIPE
    with subprocess.Popen([COMMAND, "check", "-"], stdin=pipe, stdout=pipe, stderr=pipe) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{GOOD}\n".encode())
        child.stdin.flush()
        assert select.select([child.stdout], [], [], 60)[0]
        assert child.stdout.readline() == b"1: accepted: give @p stone\n"
        child.send_signal(signal.SIGTERM)
        _, complaint = child.communicate(timeout=60)
    assert child.returncode in (-signal.SIGTERM, 143)
    assert b"Traceback" not in complaint


def test_it_judges_by_imported_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of one's own has other items; the totals say whose rules they are."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    lists = registries()
    lists["minecraft:item"]["entries"]["create:wrench"] = {"protocol_id": 9000}
    reports = write_reports(tmp_path / "reports", commands=commands(), registries=lists)
    given = b"give @p create:wrench\n"
    assert check("-", given=given).returncode == 1
    imported = subprocess.run([COMMAND, "sandbox", "--import", str(reports)], capture_output=True, check=False)
    assert imported.returncode == 0, imported.stderr
    done = check("-", given=given)
    assert done.returncode == 0
    assert b"Judged as Minecraft 1.21.11, imported rules." in done.stderr


def test_the_help_shows_examples_and_exit_codes() -> None:
    """And the main help names the command."""
    told = check("--help").stdout.decode()
    assert "examples:" in told
    assert "--json" in told
    assert "exit codes:" in told
    assert "check          " in subprocess.run([COMMAND, "--help"], capture_output=True, text=True, check=True).stdout


def test_a_closed_stdin_is_named_and_no_traceback() -> None:
    """A shell that closed stdin (`<&-`) gets the reason and exit code 2."""
    done = subprocess.run(
        ["sh", "-c", '"$0" check - <&-', COMMAND], capture_output=True, timeout=120, check=False, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("selfplay-tui: cannot read -: ")
    assert "Traceback" not in done.stderr
