"""Speed against the original script's loop: `python -m benchmarks.original_loop`.

The loop is made anew from its description: one prompt after the other, one HTTP connection a request, one RCON
connection a command with its two sleeps and one read, a pause of a second after each prompt. Both sides work on the
same simulated servers.
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import time
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.figures import Figure, tell
from benchmarks.pipeline import RoundSize, measure
from benchmarks.simulated import PASSWORD, Call, Served, served

__all__ = ["Original"]

_AFTER_LOGIN: Final = 0.1
_BEFORE_READING: Final = 0.2
_AFTER_PROMPT: Final = 1.0
_PROMPTS_A_CATEGORY: Final = 5
_ERRORS: Final = ("error", "unknown", "invalid", "expected", "incorrect", "failed")
_ANSWER_OF_A_9B: Final = 7.5
"""Seconds that an answer took on the original's hardware, by its own report."""


@dataclass(frozen=True, slots=True)
class Original:
    """The original's way of working, on servers that stand."""

    servers: Served

    def round(self) -> int:
        """Ask for the prompts of one category and answer each; returns how many were answered."""
        prompts = json.loads(self._chat("Write five prompts.", None))[:_PROMPTS_A_CATEGORY]
        for prompt in prompts:
            answer = json.loads(self._chat(prompt, "json"))
            all(self._run(command) for command in answer["commands"])
            time.sleep(_AFTER_PROMPT)
        return len(prompts)

    def _chat(self, text: str, form: str | None) -> str:
        body: dict[str, Any] = {
            "model": "benchmark",
            "messages": [{"role": "system", "content": "You translate."}, {"role": "user", "content": text}],
            "stream": False,
            "options": {"temperature": 0.3, "num_predict": 300},
            **({"format": form} if form else {}),
        }
        request = urllib.request.Request(self.servers.url + "/api/chat", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=120) as response:
            content: str = json.load(response)["message"]["content"]
        return content

    def _run(self, command: str) -> bool:
        with socket.create_connection(("127.0.0.1", self.servers.port), timeout=5) as link:
            link.sendall(_packet(1, 3, PASSWORD))
            time.sleep(_AFTER_LOGIN)
            link.recv(4096)
            link.sendall(_packet(2, 2, command))
            time.sleep(_BEFORE_READING)
            said = link.recv(4096)[12:-2].decode("utf-8", "replace").lower()
        return not any(word in said for word in _ERRORS)


def main() -> None:
    """Tell prompts a minute of both, and what each spends beside waiting for the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=2.0, help="seconds a call")
    parser.add_argument("--categories", type=int, default=2, help="of five prompts each, for the original")
    options = parser.parse_args()
    theirs, beside_theirs = _original(options.latency, options.categories)
    tell(Figure("the original's loop: prompts a minute", 60 * theirs, "", note=f"a call takes {options.latency:g} s"))
    tell(Figure("the original's loop: beside the model, a prompt", beside_theirs, "s"))
    for slots, rounds in ((1, 1), (16, 4)):
        run = measure(slots, RoundSize.for_slots(slots), options.latency, rounds)
        ours = run.traces / run.seconds
        name = f"ours, {slots} slot{'s' if slots > 1 else ''}"
        tell(Figure(f"{name}: prompts a minute", 60 * ours, "", note="start and end included"))
        tell(Figure(f"{name}: times the original's", ours / theirs, "x"))
        if slots == 1:
            beside = run.seconds / run.traces - _waited(run.calls) / run.traces
            tell(Figure(f"{name}: beside the model, a prompt", beside, "s", note="the start's share included"))
            waits = _ANSWER_OF_A_9B * len(run.calls) / run.traces
            told = (waits + beside_theirs) / (waits + beside)
            tell(Figure(f"{name}, were a call {_ANSWER_OF_A_9B:g} s: times the original's", told, "x", note="computed"))


def _original(latency: float, categories: int) -> tuple[float, float]:
    """Return prompts a second, and the seconds of a prompt that are not the model's."""
    with served(latency) as servers:
        loop = Original(servers)
        began = time.monotonic()
        prompts = sum(loop.round() for _ in range(categories))
        seconds = time.monotonic() - began
        waited = _waited(servers.calls())
    return prompts / seconds, (seconds - waited) / prompts


def _waited(calls: list[Call] | tuple[Call, ...]) -> float:
    return sum(call.seconds for call in calls)


def _packet(request: int, kind: int, body: str) -> bytes:
    data = body.encode()
    return struct.pack("<iii", len(data) + 10, request, kind) + data + b"\0\0"


if __name__ == "__main__":
    main()
