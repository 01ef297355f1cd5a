"""How fast a new prompt is compared with all that are known: `python -m benchmarks.likeness`.

The bound to beat is comparing it with every known prompt of its category in C++; the target is 5 ms at 100,000.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from random import Random
from statistics import median, quantiles
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import Indel

from benchmarks.figures import Figure, at_most, tell
from selfplay_core.likeness.normal import words
from selfplay_core.likeness.pool import NEAR, PromptPool, code_point
from selfplay_core.models import CATEGORY_NAMES

__all__ = ["by_template", "by_zipf"]

_WORDS: Final = 8_000
_TEMPLATES: Final = (
    "sudo give me {} {} blocks of {} near the {} gate",
    "pray let {} fall on the {} farm for {} more {}",
    "sudo put {} {} signs around my {} and {} too",
    "sudo make every {} of the {} glow for {} {}",
)


def by_zipf(chance: Random) -> str:
    """Five to twelve words, drawn by Zipf's law: such as a model writes that has much to say."""
    count = chance.randint(5, 12)
    return "sudo " + " ".join(f"w{int(_WORDS ** chance.random()):x}" for _ in range(count))


def by_template(chance: Random) -> str:
    """One of four sentences with four of 300 words each: the worst case, for hardly a word is rare."""
    return chance.choice(_TEMPLATES).format(*(f"v{chance.randrange(300)}" for _ in range(4)))


def main() -> None:
    """Tell of each kind of prompts and each spread of them over categories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--known", type=int, default=100_000)
    parser.add_argument("--asked", type=int, default=500)
    options = parser.parse_args()
    for name, write in (("Zipf", by_zipf), ("templates", by_template)):
        for categories in (CATEGORY_NAMES, CATEGORY_NAMES[:1]):
            _measure(name, write, categories, options.known, options.asked)


def _measure(name: str, write: Callable[[Random], str], categories: tuple[str, ...], known: int, asked: int) -> None:
    chance = Random(1)
    pool = PromptPool(kept=known)
    texts = [write(chance) for _ in range(known)]
    for number, text in enumerate(texts):
        pool.add(categories[number % len(categories)], number, text)
    new = [write(chance) for _ in range(asked)]
    took = [_milliseconds(lambda text=text: pool.closest(categories[0], text)) for text in new]  # type: ignore[misc]  # mypy infers no default of a lambda
    coded = _coded(texts[:: len(categories)] + new)
    half = coded[:-asked]
    plain = [_milliseconds(lambda one=one: _all(one, half)) for one in coded[-20:]]  # type: ignore[misc]  # as above
    spread = f"{len(categories)} categor{'ies' if len(categories) > 1 else 'y'}"
    note = (
        f"p50 {median(took):.2f}, worst {max(took):.2f}; p50 is {median(took) / median(plain):.2f} times what all of "
        "the category take in C++"
    )
    what = f"{name}, {spread}, {known:,} known: p95 of a new one"
    tell(Figure(what, quantiles(took, n=20)[-1], "ms", at_most(5), note))


def _coded(texts: list[str]) -> list[str]:
    codes: dict[str, str] = {}
    return ["".join(codes.setdefault(word, code_point(len(codes))) for word in words(text)) for text in texts]


def _all(one: str, known: list[str]) -> None:
    process.extractOne(one, known, scorer=Indel.normalized_similarity, processor=None, score_cutoff=NEAR)


def _milliseconds(work: Callable[[], object]) -> float:
    """Return how much of a core the work takes; a clock on the wall would count what else the machine does."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1_000


if __name__ == "__main__":
    main()
