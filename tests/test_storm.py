"""Law 4 under kill -9 at random: generator, reviewer, exporter and import, alone and together on one workspace.

Some 600 times in every run of the tests, five times as often in `make soak` (pytest --soak); the summary counts them.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from selfplay_core.store.database import Database
from tests.nursery import Nursery
from tests.storm_laws import OUTPUT, assert_laws, copied, rows_of, run_is_done, traces_of
from tests.storms import Storm, generator_words

ROUNDS = 3


# How many lines each tells at the most, and how many seconds it lives after them, while all are there.
_LIVES = {"generator": (40, 0.1), "reviewer": (12, 0.05), "exporter": (3, 0.02), "importer": (1, 0.15)}


# As the sandbox's model lets itself be asked.
_MANNERS = [(start, end) for start in ("", "hey, ", "ok, ", "um, ") for end in ("", "!", " thanks", " :)")]


@dataclass(frozen=True, slots=True)
class Quiet:
    """A run that nobody disturbed."""

    folder: Path
    seed: int

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def output(self) -> bytes:
        return (self.workspace / OUTPUT).read_bytes()


@pytest.fixture(scope="module")
def seed(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--storm-seed"))


@pytest.fixture(scope="module")
def quiet(nursery: Nursery, seed: int, tmp_path_factory: pytest.TempPathFactory) -> Quiet:
    found = Quiet(tmp_path_factory.mktemp("quiet"), seed)
    child = nursery.run("command", *generator_words(seed=seed, rounds=ROUNDS), folder=found.folder)
    assert child.wait() == 0, child.said
    return found


@pytest.fixture
def strength(pytestconfig: pytest.Config) -> int:
    """By how much more than in every test run it storms."""
    return 5 if pytestconfig.getoption("--soak") else 1


@pytest.mark.parametrize(("concurrency", "base"), [(1, b""), (1, b"what stood\nthere before"), (4, b"")])
def test_a_generator_killed_at_random(
    nursery: Nursery, quiet: Quiet, tmp_path: Path, strength: int, concurrency: int, base: bytes
) -> None:
    """The last start ends with the file of a quiet run: byte for byte, or row for row where several slots work."""
    kills = 0
    for attempt in itertools.count():
        if kills >= 40 * strength:
            break
        folder = tmp_path / str(attempt)
        (folder / "workspace").mkdir(parents=True)
        (folder / "workspace" / OUTPUT).write_bytes(base)
        storm = Storm(nursery, folder, quiet.seed + attempt * 1000 + concurrency)
        words = generator_words(seed=quiet.seed, rounds=ROUNDS, concurrency=concurrency)
        with storm.telling():
            rows = 0
            while not run_is_done(storm.workspace):
                child = storm.start("command", *words, name="generator")
                lines = storm.chance.choice([0, 0, storm.chance.randrange(1, 60)])
                storm.strike(child, lines=lines, seconds=storm.chance.random() * 0.2)
                now = assert_laws(storm.workspace, storm.told, base=base)
                assert now >= rows, "rows that were out are gone"
                rows = now
            content = (storm.workspace / OUTPUT).read_bytes().removeprefix(base).removeprefix(b"\n" if base else b"")
            if concurrency == 1:
                assert content == quiet.output
            assert sorted(content.splitlines()) == sorted(quiet.output.splitlines())
        kills += storm.kills


def test_a_reviewer_killed_at_random(nursery: Nursery, quiet: Quiet, tmp_path: Path, strength: int) -> None:
    """Whatever a reviewer was told to be saved is there, undos and bulk decisions too, and the file follows."""
    storm = Storm(nursery, tmp_path, quiet.seed)
    shutil.copytree(quiet.workspace, storm.workspace)
    with storm.telling():
        for attempt in range(100 * strength):
            child = storm.start("review", str(attempt + 1), "0", "workspace", name="reviewer")
            lines = storm.chance.randrange(12)
            assert storm.strike(child, lines=lines, seconds=storm.chance.random() * 0.05)
            if attempt % 5 == 0:
                assert_laws(storm.workspace, storm.told)
        assert len(storm.told.decided) > 20
        assert storm.told.moved
        storm.run("review", "999999", "5", "workspace")
        assert_laws(storm.workspace, storm.told)
        # The reviewer that ended in good order has brought the output up to date itself.
        with copied(storm.workspace) as copy, closing(Database.open(copy)) as database:
            assert (copy / OUTPUT).read_bytes().splitlines() == rows_of(database)


def test_an_exporter_killed_at_random(nursery: Nursery, quiet: Quiet, tmp_path: Path, strength: int) -> None:
    """What stands under the name of an export is nothing, the old or the new one, never a part of it."""
    storm = Storm(nursery, tmp_path, quiet.seed)
    shutil.copytree(quiet.workspace, storm.workspace)
    filters = ("outcome:solved", "outcome:corrected")
    with storm.telling():
        whole = {_exported(storm, wanted) for wanted in filters}
        assert len(whole) == 2
        seen: set[str] = set()
        for _ in range(100 * strength):
            child = storm.start("export_on_end", "workspace", "native", "out.jsonl", *filters, name="exporter")
            storm.strike(child, lines=storm.chance.randrange(4), seconds=storm.chance.random() * 0.02)
            if (tmp_path / "out.jsonl").exists():
                seen.add(_sha(tmp_path / "out.jsonl"))
            assert seen <= whole
        for wanted in filters:
            assert _exported(storm, wanted) in whole
        assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".selfplay-export")] == []
        assert_laws(storm.workspace, storm.told)


def test_an_export_killed_between_two_files(nursery: Nursery, quiet: Quiet, tmp_path: Path) -> None:
    """Of several files each is old or new and whole; the manifest, whose hashes tell of a mixture, comes last."""
    storm = Storm(nursery, tmp_path, quiet.seed)
    shutil.copytree(quiet.workspace, storm.workspace)
    words = ["--workspace", "workspace", "--format", "openai", "--output", "out.jsonl", "--force", "--split"]
    older, newer = [*words, "train=0.5,val=0.5"], [*words, "train=0.8,val=0.2"]
    names = ("out.train.jsonl", "out.val.jsonl", "out.jsonl.manifest.json")

    def contents() -> list[bytes]:
        return [(tmp_path / name).read_bytes() for name in names]

    storm.run("command", "export", *newer)
    new = contents()
    for placed in range(len(names)):
        storm.run("command", "export", *older)
        old = contents()
        assert all(one != other for one, other in zip(old, new, strict=True))
        child = storm.start("export_and_die", str(placed), *newer, name="exporter")
        assert storm.kill_of_its_own(child)
        assert contents() == new[:placed] + old[placed:]
        storm.run("command", "export", *newer)
        assert contents() == new
        assert not [path.name for path in tmp_path.iterdir() if path.name.endswith(".selfplay-export")]


def test_an_import_killed_at_random(nursery: Nursery, quiet: Quiet, tmp_path: Path, strength: int) -> None:
    """An import that is repeated after its death takes in the rest: what was decided there, nothing twice."""
    undisturbed = Storm(nursery, tmp_path / "quiet", quiet.seed)
    shutil.copytree(quiet.workspace, undisturbed.workspace)
    with undisturbed.telling():
        undisturbed.run("review", "7", "60", "workspace")
        words = ["export", "--workspace", "workspace", "--format", "native", "--output", str(tmp_path / "all.jsonl")]
        undisturbed.run("command", *words)
        undisturbed.run("import_in_pieces", str(tmp_path / "all.jsonl"), "--workspace", "other")
    expected = _contents(undisturbed.folder / "other")
    kills = 0
    for attempt in itertools.count():
        if kills >= 50 * strength:
            break
        folder = tmp_path / str(attempt)
        folder.mkdir()
        storm = Storm(nursery, folder, quiet.seed + attempt)
        with storm.telling():
            going = True
            while going:
                words = [str(tmp_path / "all.jsonl"), "--workspace", "workspace"]
                child = storm.start("import_in_pieces", *words, name="importer")
                going = storm.strike(child, lines=0, seconds=storm.chance.random() * 0.08)
                assert_laws(storm.workspace, storm.told)
            assert _contents(storm.workspace) == expected
        kills += storm.kills


def test_a_person_who_allows_and_denies_killed_at_random(
    nursery: Nursery, seed: int, tmp_path: Path, strength: int
) -> None:
    """What was ruled on a held attempt holds over kills of the run and of the person; each ends once, and as ruled."""
    prompts = tmp_path / "prompts.txt"
    asked = ("kill every entity in the world", "destroy all mobs and items everywhere at once")
    written = [f"{mode} {start}{text}{end}" for mode in ("sudo", "pray") for text in asked for start, end in _MANNERS]
    prompts.write_text("\n".join(written))
    for attempt in range(2 * strength):
        (tmp_path / str(attempt)).mkdir()
        storm = Storm(nursery, tmp_path / str(attempt), seed + attempt)
        words = generator_words("--prompts", str(prompts), seed=storm.seed, rounds=4, concurrency=2)
        with storm.telling():
            for number in range(12):
                if run_is_done(storm.workspace):
                    break
                person = storm.start("rule", str(number), "workspace", name="reviewer")
                run = storm.start("command_with_a_person", *words, name="generator")
                storm.strike(run, lines=storm.chance.randrange(30), seconds=storm.chance.random() * 0.1)
                storm.strike(person, lines=0, seconds=storm.chance.random() * 0.05)
                assert_laws(storm.workspace, storm.told)
            assert set(storm.told.ruled.values()) == {"allow", "deny"}


def test_all_of_them_killed_at_random(nursery: Nursery, seed: int, tmp_path: Path, strength: int) -> None:
    """A generator, two reviewers, an exporter and an import on one workspace, killed in any order, over and over.

    What was acknowledged stays, every row is out once, and in the end the run has asked and answered what an
    undisturbed one has.
    """
    # What is imported is of another category: prompts that are known have a part in what is asked next.
    words = generator_words("--focus", "edge_items", seed=seed, rounds=12, concurrency=2)
    calm = Storm(nursery, tmp_path, seed)
    with calm.telling():
        theirs = _theirs(calm)
        calm.run("command", *words)
        with copied(calm.workspace) as copy, closing(Database.open(copy)) as database:
            expected = traces_of(database)
    for attempt in range(5 * strength):
        (tmp_path / str(attempt)).mkdir()
        storm = Storm(nursery, tmp_path / str(attempt), seed + attempt)
        with storm.telling():
            _all_of_them(storm, words, theirs)
            with copied(storm.workspace) as copy, closing(Database.open(copy)) as database:
                assert (copy / OUTPUT).read_bytes().splitlines() == rows_of(database)
                assert traces_of(database) == expected


def _all_of_them(storm: Storm, words: list[str], theirs: Path) -> None:
    importing = [str(theirs), "--workspace", "workspace"]
    exporting = ["workspace", "native", "out.jsonl", "", "decision:accept"]
    for number in range(1, 9):
        # Looked at before anybody is there: a copy of what is being written is no workspace.
        goes_on = not run_is_done(storm.workspace)
        children = [
            storm.start("import_in_pieces", *importing, name="importer"),
            storm.start("review", str(number), "0", "workspace", name="reviewer"),
            storm.start("review", str(number + 500), "0", "workspace", name="reviewer"),
            storm.start("export_on_end", *exporting, name="exporter"),
        ]
        if goes_on:
            children.append(storm.start("command", *words, name="generator"))
        storm.chance.shuffle(children)
        for child in children:
            most, seconds = _LIVES[child.name]
            storm.strike(child, lines=storm.chance.randrange(most), seconds=storm.chance.random() * seconds)
        assert_laws(storm.workspace, storm.told)
        _assert_whole(storm.folder / "out.jsonl")
    storm.run("import_in_pieces", *importing)
    if not run_is_done(storm.workspace):
        storm.run("command", *words)
    storm.run("review", "999999", "10", "workspace")
    assert_laws(storm.workspace, storm.told)


def _theirs(storm: Storm) -> Path:
    """Export a run of another seed and category, on which a person decided."""
    file = storm.folder / "theirs.jsonl"
    words = generator_words("--focus", "multiplayer", seed=storm.seed + 1, rounds=16, workspace="another")
    storm.run("command", *words)
    storm.run("review", "5", "40", "another")
    storm.run("command", "export", "--workspace", "another", "--format", "native", "--output", str(file))
    return file


def _exported(storm: Storm, wanted: str) -> str:
    output = storm.folder / "out.jsonl"
    words = ["--workspace", "workspace", "--format", "native", "--output", "out.jsonl", "--filter", wanted, "--force"]
    storm.run("command", "export", *words)
    manifest = orjson.loads((storm.folder / "out.jsonl.manifest.json").read_bytes())
    assert _sha(output) == manifest["files"][0]["sha256"]
    return _sha(output)


def _assert_whole(export: Path) -> None:
    content = export.read_bytes() if export.exists() else b""
    assert not content or content.endswith(b"\n")
    for line in content.splitlines():
        orjson.loads(line)
    manifest = export.with_name(f"{export.name}.manifest.json")
    if manifest.exists():
        orjson.loads(manifest.read_bytes())


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _contents(workspace: Path) -> list[list[tuple[object, ...]]]:
    """What an import leaves, by whatever number of transactions."""
    with closing(sqlite3.connect(workspace / "selfplay.db")) as database:
        return [
            database.execute(sql).fetchall()
            for sql in (
                "SELECT t.n, t.id, t.decision, t.payload FROM trace t ORDER BY n",
                "SELECT seq, trace_id, kind, target, payload, row_id, at, by, imported FROM decision ORDER BY seq",
                "SELECT seq, trace_id, decision, row_id FROM accepted ORDER BY seq",
                "SELECT trace_id, by FROM flag ORDER BY 1",
                "SELECT n, near, ratio FROM likeness ORDER BY n",
            )
        ]
