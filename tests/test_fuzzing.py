"""Inputs that once broke something, and a minute of others: no target breaks a law.

The others are the same for everybody; `make fuzz` looks for those that nobody has tried.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from selfplay_core.models import Action
from selfplay_core.verify.policy import review
from tests.fuzzing.disguises import disguised
from tests.fuzzing.targets import CORPUS, TARGETS, corpus_of

# About a minute for all targets; FUZZ_EXAMPLES=50000 is for a machine without atheris.
EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "1200"))
_CALM: Final = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


@pytest.mark.parametrize(
    ("name", "path"),
    [pytest.param(name, path, id=f"{name}/{path.name}") for name in TARGETS for path in corpus_of(name)],
)
def test_the_corpus_breaks_nothing(name: str, path: Path) -> None:
    """Each kept input, as it stands."""
    TARGETS[name].run(path.read_bytes())


@st.composite
def inputs(draw: st.DrawFn, name: str) -> bytes:
    """One kept input or a soup of the target's words, changed in some places."""
    kept = st.sampled_from([path.read_bytes() for path in corpus_of(name)])
    words = st.sampled_from(TARGETS[name].words)
    data = draw(kept | st.lists(words, max_size=30).map(b"".join) | st.lists(words, max_size=30).map(b" ".join))
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 64)))
        piece = draw(words | st.binary(max_size=4) | st.just(b"") | st.just(data[start:end] * 2) | kept)
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks_a_law(name: str) -> None:
    """Whatever hypothesis makes of the kept inputs and of the words that such inputs consist of."""
    target = TARGETS[name]

    @settings(
        max_examples=max(20, int(EXAMPLES * target.weight)),
        deadline=None,
        suppress_health_check=_CALM,
        derandomize=True,
    )
    @given(inputs(name))
    def try_all(data: bytes) -> None:
        target.run(data)

    try_all()


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=60))
@example(b"")
def test_no_disguise_gets_a_denied_command_through(data: bytes) -> None:
    """Every choice of wrapping and spelling, drawn evenly."""
    assert review(disguised(data)).action is Action.DENY


def test_every_folder_of_the_corpus_has_its_target() -> None:
    """Nothing is kept that nothing replays."""
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert all(corpus_of(name) for name in TARGETS)
