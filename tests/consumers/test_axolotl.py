"""Axolotl's own strategies take the golden files with the settings that docs/formats.md names."""

from __future__ import annotations

from typing import Any

import pytest
from axolotl.prompt_strategies.chat_template import load as load_strategy
from axolotl.prompt_strategies.dpo.chat_template import default
from axolotl.utils.dict import DictDefault
from datasets import load_dataset

from tests.consumers.golden import (
    commands_of,
    earlier_results,
    failing_commands,
    golden,
    golden_path,
    standing_commands,
    told,
)
from tests.consumers.kinds import KINDS, Kind
from tests.consumers.tiny import text_of, tiny_tokenizer, trained_text

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def loaded(name: str) -> Any:
    return load_dataset("json", data_files=str(golden_path(name)), split="train")


def settings(kind: Kind, **dataset: str) -> Any:
    named = {"chat_template": "jinja", "chat_template_jinja": kind.template}
    return DictDefault({**named, "sequence_len": 8192, "train_on_inputs": False, "datasets": [{**named, **dataset}]})


@every_kind
def test_exactly_the_turns_that_say_so_are_trained(kind: Kind) -> None:
    """Every row is tokenized; its labels say the one turn with `train: true`, whole, and no failing command."""
    tokenizer = tiny_tokenizer(kind.template)
    cfg = settings(kind, type="chat_template", message_field_training="train")
    strategy = load_strategy(tokenizer, cfg, cfg.datasets[0])
    rows, dataset = golden("axolotl"), loaded("axolotl")
    assert len(dataset) == len(rows)
    for row, found in zip(rows, dataset, strict=True):
        (last,) = [message for message in row["messages"] if message["train"]]
        made = strategy.tokenize_prompt(found)
        trained = trained_text(tokenizer, made["labels"])
        said = kind.said(trained)
        assert said == (last["content"], commands_of(last))
        assert told(*said) == standing_commands(row)
        assert not any(command in trained for command in failing_commands(row))


@every_kind
def test_tools_and_all_turns_are_shown(kind: Kind) -> None:
    """What the model sees is what the chat template makes of the row as it stands in the file, tools included."""
    tokenizer = tiny_tokenizer(kind.template)
    cfg = settings(kind, type="chat_template", message_field_training="train")
    strategy = load_strategy(tokenizer, cfg, cfg.datasets[0])
    for row, found in zip(golden("axolotl"), loaded("axolotl"), strict=True):
        shown = text_of(tokenizer, strategy.tokenize_prompt(found)["input_ids"])
        for message in row["messages"]:
            assert message["content"] in shown
        assert ("<tools>" in shown) == bool(earlier_results(row))
        assert shown.count("<tool_call>\n") == sum(len(commands_of(message)) for message in row["messages"])


@every_kind
def test_pairs_keep_both_answers_as_text(kind: Kind) -> None:
    """Every pair is transformed; chosen and rejected are their own text and the end of the turn."""
    tokenizer = tiny_tokenizer(kind.template)
    transform, _ = default(settings(kind, type="chat_template.default"))
    rows, dataset = golden("axolotl-dpo"), loaded("axolotl-dpo")
    assert len(dataset) == len(rows)
    for row, found in zip(rows, dataset, strict=True):
        made = transform(found, tokenizer=tokenizer)
        assert made["chosen"] == f"{row['chosen']['content']}<|im_end|>"
        assert made["rejected"] == f"{row['rejected']['content']}<|im_end|>"
        assert all(message["content"] in made["prompt"] for message in row["messages"])
