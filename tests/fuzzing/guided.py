"""One target under atheris: `python -m tests.fuzzing.guided NAME` and libFuzzer's own arguments."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["selfplay_core", "tui"]):
    from tests.fuzzing.targets import TARGETS


def main() -> None:
    """Feed the target until libFuzzer ends the process, by the time given or by a finding."""
    name, *rest = sys.argv[1:]
    atheris.Setup([sys.argv[0], *rest], TARGETS[name].run)
    atheris.Fuzz()


main()
