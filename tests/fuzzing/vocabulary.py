"""The words that inputs of each target are made of, for both drivers."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["CASES", "COMMANDS", "JSON", "LINE", "OLLAMA", "OPENAI", "PACKETS", "REPLIES", "ROWS", "SETTINGS", "SPECIAL"]


def _words(text: str) -> tuple[bytes, ...]:
    """Part words by middle dots and line ends."""
    parts = (part.strip(" ") for line in text.split("\n") for part in line.split("\u00b7"))
    return tuple(part.encode("utf-8", "surrogatepass") for part in parts if part)


_BREAKS: Final = (b"\n", b"\r\n", b"\xc2\x85", b"\xe2\x80\xa8")
_BROKEN: Final = (b"\xed\xa0\xbd", b"\xff", b"\xc3", b"\xf0\x9f\x98\x80", b"\xef\xbb\xbf")

JSON: Final = (
    *_words(r"""
    { · } · [ · ] · " · : · , · null · true · false · 1e999 · -0 · 18446744073709551616 · "":
    \ud83d · \u0000 · \u2028 · \" · "commands":[ · "reasoning":"x" · "message":"y" · "prompts":[
    ``` · "list" · "/list"
    """),
    *_BROKEN,
)
_STREAM: Final = (
    *JSON,
    *_words(r"""
    "error":"boom" · "error":{"message":"x"} · <think> · </think> · {\"commands\":[\"list\"],\"reasoning\":\"x\"}
    """),
    *_BREAKS,
)
OLLAMA: Final = (
    *_STREAM,
    *_words('"message":{"content":"x"} \u00b7 "done":true \u00b7 "thinking":"t" \u00b7 "done_reason":"length"'),
)
OPENAI: Final = (
    *_STREAM,
    *_words("""
    data: · event: · error: · [DONE] · "choices":[{"delta":{"content":"x"}}] · "finish_reason":"stop" · "reasoning":"t"
    "usage":{"prompt_tokens":-1} · "index":1
    """),
)
PACKETS: Final = (
    b"\x0a\0\0\0\x01\0\0\0\x02\0\0\0\0\0",  # the answer to the login
    b"\x0a\0\0\0\xff\xff\xff\xff\x02\0\0\0\0\0",  # its refusal
    b"\x0a\0\0\0\x01\0\0\0\0\0\0\0\0\0",  # the empty reply before it
    b"\x0c\0\0\0\x02\0\0\0\0\0\0\0hi\0\0",
    b"\x0a\x10\0\0\x02\0\0\0\0\0\0\0" + b"x" * 4096 + b"\0\0",  # a full fragment
    b"\x1c\0\0\0\x03\0\0\0\0\0\0\0Unknown request 64\0\0",  # the end of a long reply
    b"\x0b\0\0\0\x02\0\0\0\0\0\0\0\xe9\0\0",
    b"\xff\xff\xff\x7f",
    b"\0\0",
)
COMMANDS: Final = (
    *_words("""
    execute · as · @a · @e[ · ] · run · return · say hi · stop · op · kick · minecraft: · / · // · if · unless · entity
    score · store · matches · 1.. · { · } · " · ' · \\" · ~ · ^ · \u00a0 · \u200b · \uff53 · function · a:b · setblock
    command_block · data · merge · block · tellraw · click_event · run_command · command: · kill · fill · limit= · type=
    nbt= · : · , · = · summon · in · on · positioned · run_command\\u0022
    """),
    b" ",
    b"\t",
)
REPLIES: Final = (
    *_words("""
    Gave 1 [Torch] to Dee · Set the time to 6000 · Unknown or incomplete command, see below for error · <--[HERE] · ...
    No player was found · No entity was found · Test passed · Test failed · Killed · Dee · [ · ] · error: · Block · 1
    Nothing changed · That position is not loaded · give @p torch · execute as @a run · : · { · \u00a7c · [FAWE] · .
    Dee has the following entity data:
    """),
    *_BREAKS,
)
SETTINGS: Final = (
    *_words(r"""
    [llm] · [rcon] · [world] · [verify] · [policy] · [caps] · [run] · [review] · kind · url · model · think · = · " · '
    SELFPLAY_ · LLM__ · RCON__PORT= · RUN__WEIGHTS= · WORLD__PLAYERS= · run.rounds= · run.focus= · rcon.port= · llm.url=
    llm.kind= · openai · ollama · sandbox · true · nan · inf · -1 · 1e400 · 99999999999999999999 · [] · {} · "a"
    1979-05-27 · \u0000 · http:// · 127.0.0.1 · [::1] · : · @ · rounds = 3 · players = ["A"] · weights = {worldedit = 0}
    give_up = "1h" · keys · % · [review.keys] · [[run]]
    """),
    b"\n%%\n",
    *_BREAKS,
    *_BROKEN,
)
LINE: Final = (
    *_words("""
    --model · --llm · openai · --llm-url · --ollama-url · --rcon-port · --rounds · review · export · import · stats
    doctor · simulate · sandbox · --format · trl-sft · --split · train=0.9,eval=0.1 · --filter · is:flagged · --json
    --workspace · --headless · --dry-run · -- · - · --duplicates · near · --per-skeleton · 10 · --rcon-pass · --seed · =
    --ollama-port · --coverage · --students · bakeoff · --cases · --compare · --until-decided · --sample · check
    """),
    b"\n",
    b"\x1b[2J",
    *_BROKEN,
)
ROWS: Final = (
    *JSON,
    *_words("""
    "id" · "source":"self_play" · "input" · "output" · "messages" · "metadata" · "role" · "content" · "user_message"
    "schema":"selfplay/1" · "record" · "trace" · "decisions" · "mode":"god" · "level":"executed" · sudo x
    """),
    *_BREAKS,
)
CASES: Final = (
    *JSON,
    *_words(r"""
    "prompt":"sudo x" · "category":"worldedit" · "expect": · "refuse":true · "patterns":[ · "command_patterns":[
    "reply_patterns":[ · (a+)+$ · (?<= · {999} · \p{L} · (?R) · [[:alpha:]] · "source":"self_play" · "input"
    """),
    b"\n",
)
_ODD: Final = """
\x1b[2J \x9b \u202e \u2066 \u200b \U000e0041 \x7f \ufe0f e\u0301 \u00a7a <U+200B> \u00ad
\u180e \U000e0100 \U0001d173 \u115f \u3164 \u034f
"""
SPECIAL: Final = (
    *(word.encode("utf-8", "surrogatepass") for word in re.split("[ \n]+", _ODD) if word),
    *_BREAKS,
    *_BROKEN,
    b"\t",
)
