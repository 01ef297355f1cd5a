"""`make fuzz`: every target for some time under atheris, which looks for inputs that reach new code.

`python -m tests.fuzzing [--seconds N] [TARGET …]`. What it found is kept in .fuzz/, and the next time goes on from
there; an input that breaks a law is named, and belongs into tests/corpus/ once it is mended.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from typing import Final

from tests.fuzzing.targets import CORPUS, TARGETS

_ROOT: Final = CORPUS.parent.parent
_KEPT: Final = _ROOT / ".fuzz"
_LONGEST_INPUT: Final = 20_000


def main() -> int:
    """Return 0 if no target was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description="Coverage-guided fuzzing.")
    parser.add_argument("--seconds", type=int, default=60, help="how long each target is fed")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"default: all of {', '.join(TARGETS)}")
    options = parser.parse_args()
    if unknown := [name for name in options.targets if name not in TARGETS]:
        parser.error(f"there is no target {unknown[0]!r}; there are {', '.join(TARGETS)}")
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed here, so that nothing can be guided by coverage. What can be done without it:")
        print("  FUZZ_EXAMPLES=50000 python -m pytest tests/test_fuzzing.py")
        return 2
    broken = [name for name in options.targets or TARGETS if not _holds(name, options.seconds)]
    print(f"broken: {', '.join(broken) or 'none'}", flush=True)
    return 1 if broken else 0


def _holds(name: str, seconds: int) -> bool:
    found, findings = _KEPT / name, _KEPT / "findings"
    for folder in (found, findings):
        folder.mkdir(parents=True, exist_ok=True)
    words = _KEPT / f"{name}.dict"
    words.write_text("".join(f'"{_quoted(word)}"\n' for word in TARGETS[name].words if word), encoding="ascii")
    arguments = (
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST_INPUT}",
        f"-dict={words}",
        f"-artifact_prefix={findings}/{name}-",
        "-timeout=30",
        "-print_final_stats=1",
        "-verbosity=0",
    )
    command = [sys.executable, "-m", "tests.fuzzing.guided", name, *arguments, str(found), str(CORPUS / name)]
    done = subprocess.run(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )
    tried = _statistic(done.stdout, "number_of_executed_units")
    print(f"{name}: {tried} inputs, {len(list(found.iterdir()))} kept, exit {done.returncode}", flush=True)
    if done.returncode:
        print(done.stdout[-4000:], flush=True)
    return done.returncode == 0


def _statistic(said: str, name: str) -> str:
    return next((line.split()[-1] for line in said.splitlines() if line.startswith(f"stat::{name}")), "no")


def _quoted(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main())
