"""Kills at random, counted, and told with their seed where a law does not hold afterwards."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.nursery import Child, Nursery
from tests.storm_laws import Told
from tests.tallies import COUNTED

__all__ = ["Storm", "generator_words"]


def generator_words(
    *more: str, seed: int, rounds: int, workspace: str = "workspace", concurrency: int = 1
) -> list[str]:
    """The words of a batch run on the sandbox."""
    numbers = {"--seed": seed, "--rounds": rounds, "--concurrency": concurrency}
    flags = [word for flag, number in numbers.items() for word in (flag, str(number))]
    return ["--headless", "--json", "--workspace", workspace, *flags, *more]


@dataclass(slots=True)
class Storm:
    """One workspace under fire; what is drawn comes from `seed`, the moment of a kill within it from the machine."""

    nursery: Nursery
    folder: Path
    seed: int
    kills: int = 0
    told: Told = field(default_factory=Told)
    chance: random.Random = field(init=False)
    _log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def start(self, role: str, *words: str, name: str = "") -> Child:
        """Start a process in the folder of the storm; every other one writes its WAL back all the while."""
        if self.chance.random() < 0.5:
            role, words = "checkpointing", (role, *words)
        return self.nursery.start(role, *words, folder=self.folder, name=name)

    def run(self, role: str, *words: str) -> Child:
        """Let a process come to its end by itself; it must end well."""
        child = self.nursery.run(role, *words, folder=self.folder)
        assert child.wait() == 0, (role, words, child.wait(), child.said)
        self.told.take(child.lines)
        return child

    def strike(self, child: Child, *, lines: int, seconds: float) -> bool:
        """Kill a process a moment after it has told so many lines; False if it had ended by itself, and well."""
        if child.has_said(lines):
            child.lives_for(seconds)
        return self.kill(child, f"after {lines} lines and {seconds * 1000:.0f} ms")

    def kill_of_its_own(self, child: Child) -> bool:
        """Wait for a process that kills itself at a step; False if it came to its end."""
        died = child.wait() == -signal.SIGKILL
        COUNTED[child.name] += died
        return died

    def kill(self, child: Child, when: str) -> bool:
        """Kill a process now, and take in what it had told."""
        code = child.kill()
        self._log.append(f"{child.name} {when}: {code}")
        assert code in (0, -signal.SIGKILL), (code, child.said)
        self.told.take(child.lines)
        if code == 0:
            return False
        self.kills += 1
        COUNTED[child.name] += 1
        return True

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Tell of a failure how to have the storm again."""
        try:
            yield
        except BaseException as error:
            error.add_note(f"--storm-seed {self.seed}; kills: {'; '.join(self._log[-12:])}; folder: {self.folder}")
            raise
