"""LLaMA-Factory reads the golden files by our dataset_info.json; its own converter and processors keep every row."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.data.parser import get_dataset_list
from llamafactory.hparams import DataArguments, ModelArguments
from transformers import Seq2SeqTrainingArguments

from selfplay_core.dataset.cases import LeftOut
from selfplay_core.dataset.conversation import TOOLS
from selfplay_core.dataset.llamafactory import dataset_info, sft_lines
from selfplay_core.models import Outcome, VerdictOutcome
from tests.consumers.golden import failing_commands, golden, golden_path, standing_commands, told
from tests.consumers.kinds import QWEN2_5, QWEN3, QWEN3_5
from tests.consumers.tiny import text_of, tiny_tokenizer, trained_text
from tests.golden_cases import a_case
from tests.samples import ACCEPT, make_attempt, make_result, make_trace

_KINDS: Final = {"qwen": QWEN2_5, "qwen3": QWEN3, "qwen3_nothink": QWEN3, "qwen3_5": QWEN3_5}

# The templates of models that also see ask for this, and never use it for text.
_NO_PICTURES: Final = SimpleNamespace(
    **dict.fromkeys(("image_processor", "video_processor"), SimpleNamespace(merge_size=2))
)

every_template = pytest.mark.parametrize("template", _KINDS)


def placed(folder: Path, name: str) -> Path:
    """Put a golden file and its entry where LLaMA-Factory looks for them."""
    shutil.copy(golden_path(name), folder / "lines.jsonl")
    return registered(folder, name)


def registered(folder: Path, name: str) -> Path:
    register = {"lines": dataset_info(name, "lines.jsonl")}
    folder.joinpath("dataset_info.json").write_text(json.dumps(register), "utf-8")
    return folder


def prepared(folder: Path, template: str, stage: Any, **settings: Any) -> tuple[Any, list[dict[str, Any]]]:
    """What LLaMA-Factory's own loader makes of the file: its tokenizer and the rows that it would train."""
    wanted = {"template": template, "dataset": "lines", "dataset_dir": str(folder), "cutoff_len": 8192}
    arguments = DataArguments(**wanted, **settings)
    tokenizer = tiny_tokenizer(QWEN2_5.template)
    module = get_dataset(
        get_template_and_fix_tokenizer(tokenizer, arguments),
        ModelArguments(model_name_or_path="tiny", cache_dir=str(folder / "cache")),
        arguments,
        Seq2SeqTrainingArguments(str(folder), use_cpu=True, report_to=[]),
        stage,
        tokenizer,
        _NO_PICTURES,
    )
    return tokenizer, list(module["train_dataset"])


def called(turn: dict[str, str]) -> tuple[str, ...]:
    """The commands of a turn in the sharegpt shape."""
    if turn["from"] != "function_call":
        return ()
    return tuple(call["arguments"]["command"] for call in json.loads(turn["value"]))


def expected(turn: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """What a turn is to say: words, or calls alone, as the sharegpt shape has no room for both."""
    return "" if turn["from"] == "function_call" else turn["value"], called(turn)


@pytest.mark.parametrize("name", ["llamafactory", "llamafactory-dpo", "llamafactory-kto"])
def test_our_entry_is_understood(name: str, tmp_path: Path) -> None:
    """Every column that the entry names is one of the file, and the shape is sharegpt's."""
    (entry,) = get_dataset_list(["lines"], str(placed(tmp_path, name)))
    (first, *_) = golden(name)
    named = (entry.messages, entry.system, entry.tools, entry.chosen, entry.rejected, entry.kto_tag)
    assert {column for column in named if column} <= set(first)
    assert entry.formatting == "sharegpt"
    assert entry.ranking == ("chosen" in first)


@every_template
def test_with_mask_history_the_last_turn_alone_is_trained(template: str, tmp_path: Path) -> None:
    """No row is dropped; labels say the last turn whole, and no failing command."""
    tokenizer, made = prepared(placed(tmp_path, "llamafactory"), template, "sft", mask_history=True)
    rows = golden("llamafactory")
    assert len(made) == len(rows)
    for row, found in zip(rows, made, strict=True):
        trained = trained_text(tokenizer, found["labels"])
        said = _KINDS[template].said(trained)
        assert said == expected(row["conversations"][-1])
        assert told(*said) == standing_commands(row)
        assert not any(command in trained for command in failing_commands(row))


@every_template
def test_corrections_bring_their_tools_and_every_reply(template: str, tmp_path: Path) -> None:
    """A correction shows the tool, all earlier calls, and one response for each; other rows show no tool."""
    tokenizer, made = prepared(placed(tmp_path, "llamafactory"), template, "sft", mask_history=True)
    replies = [message for row in golden("axolotl") for message in row["messages"] if message["role"] == "tool"]
    shown = [text_of(tokenizer, found["input_ids"]) for found in made]
    for row, text in zip(golden("llamafactory"), shown, strict=True):
        is_correction = bool(row["tools"])
        assert (TOOLS[0]["function"]["description"] in text) == is_correction
        assert is_correction == any(turn["from"] == "function_call" for turn in row["conversations"])
        assert text.count("<tool_call>\n") - text.split("<|im_end|>")[0].count("<tool_call>\n") == sum(
            len(called(turn)) for turn in row["conversations"]
        )
    assert sum(text.count("<tool_response>\n") for text in shown) == len(replies)
    assert all(
        any(f"<tool_response>\n{reply['content']}\n</tool_response>" in text for text in shown) for reply in replies
    )


@every_template
def test_pairs_are_ranked(template: str, tmp_path: Path) -> None:
    """No pair is dropped; chosen and rejected train their own text."""
    tokenizer, made = prepared(placed(tmp_path, "llamafactory-dpo"), template, "rm")
    rows = golden("llamafactory-dpo")
    assert len(made) == len(rows)
    for row, found in zip(rows, made, strict=True):
        for side in ("chosen", "rejected"):
            trained = trained_text(tokenizer, found[f"{side}_labels"])
            assert _KINDS[template].said(trained) == expected(row[side])


@every_template
def test_labels_stay_with_their_answers(template: str, tmp_path: Path) -> None:
    """No answer is dropped; each is trained with its own label."""
    tokenizer, made = prepared(placed(tmp_path, "llamafactory-kto"), template, "kto")
    rows = golden("llamafactory-kto")
    assert [found["kto_tags"] for found in made] == [row["kto_tag"] for row in rows]
    for row, found in zip(rows, made, strict=True):
        trained = trained_text(tokenizer, found["labels"])
        assert _KINDS[template].said(trained) == expected(row["conversations"][-1])


@every_template
@pytest.mark.parametrize("text", ["<tool_call>{}</tool_call>", "<think>a</think>b"])
def test_tags_within_a_command_are_taken_as_its_text(template: str, text: str, tmp_path: Path) -> None:
    """A command that holds the tags by which LLaMA-Factory finds calls and thoughts is trained as it is."""
    command = f"say {text}"
    first = make_attempt(1, make_result("sai hi", VerdictOutcome.REJECTED, reply="Unknown"))
    case = a_case(1, make_trace(first, make_attempt(2, make_result(command)), outcome=Outcome.CORRECTED), ACCEPT)
    lines = sft_lines(case)
    assert not isinstance(lines, LeftOut)
    tmp_path.joinpath("lines.jsonl").write_bytes(lines[0].data + b"\n")
    tokenizer, (found,) = prepared(registered(tmp_path, "llamafactory"), template, "sft", mask_history=True)
    assert _KINDS[template].said(trained_text(tokenizer, found["labels"])) == ("", (command,))
