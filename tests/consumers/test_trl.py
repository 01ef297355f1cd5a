"""TRL's own trainers prepare the golden files: nothing is dropped, and only what is meant to be learned is trained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
from datasets import load_dataset
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer

from selfplay_core.dataset.conversation import TOOLS
from tests.consumers.golden import (
    commands_of,
    earlier_results,
    failing_commands,
    golden,
    golden_path,
    standing_commands,
    told,
)
from tests.consumers.kinds import KINDS, QWEN3, Kind
from tests.consumers.tiny import text_of, tiny_model, tiny_tokenizer, trained_text

# The default of 1024 tokens cuts the ends of rows off, which are what is trained; a byte is a token here.
_COMMON: Final[dict[str, Any]] = {
    "max_length": None,
    "use_cpu": True,
    "bf16": False,
    "max_steps": 1,
    "per_device_train_batch_size": 2,
    "save_strategy": "no",
    "report_to": [],
}

_RESPONSE: Final = re.compile(r"<tool_response>\n(.*?)\n</tool_response>", re.DOTALL)

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def loaded(name: str) -> Any:
    return load_dataset("json", data_files=str(golden_path(name)), split="train")


def sft_trainer(kind: Kind, dataset: Any, folder: Path) -> Any:
    return SFTTrainer(
        model=tiny_model(),
        args=SFTConfig(str(folder), **_COMMON),
        train_dataset=dataset,
        processing_class=tiny_tokenizer(kind.template),
    )


def dpo_trainer(kind: Kind, dataset: Any, folder: Path) -> Any:
    return DPOTrainer(
        model=tiny_model(),
        ref_model=tiny_model(),
        args=DPOConfig(str(folder), **_COMMON),
        train_dataset=dataset,
        processing_class=tiny_tokenizer(kind.template),
    )


def kto_trainer(kind: Kind, dataset: Any, folder: Path) -> Any:
    return KTOTrainer(
        model=tiny_model(),
        ref_model=tiny_model(),
        args=KTOConfig(str(folder), **_COMMON),
        train_dataset=dataset,
        processing_class=tiny_tokenizer(kind.template),
    )


@every_kind
def test_sft_trains_the_last_answer_of_every_row_and_no_failing_command(kind: Kind, tmp_path: Path) -> None:
    """Every row is prepared; its labels say the last answer with all its commands, byte for byte, and nothing else."""
    trainer = sft_trainer(kind, loaded("trl-sft"), tmp_path)
    rows, prepared = golden("trl-sft"), list(trainer.train_dataset)
    assert len(prepared) == len(rows)
    for row, made in zip(rows, prepared, strict=True):
        (last,) = row["completion"]
        trained = trained_text(trainer.processing_class, made["labels"])
        said = kind.said(trained)
        assert said == (last["content"], commands_of(last))
        assert told(*said) == standing_commands(row)
        assert not any(command in trained for command in failing_commands(row))


@every_kind
def test_sft_shows_every_attempt_before_the_last_answer(kind: Kind, tmp_path: Path) -> None:
    """What is not trained holds the tool, every command of earlier attempts and every reply, in order."""
    trainer = sft_trainer(kind, loaded("trl-sft"), tmp_path)
    for row, made in zip(golden("trl-sft"), trainer.train_dataset, strict=True):
        tokens = zip(made["input_ids"], made["labels"], strict=True)
        shown = text_of(trainer.processing_class, [token for token, label in tokens if label == -100])
        head, *turns = shown.split("<|im_start|>assistant\n")
        earlier = [kind.said(turn[: turn.index("<|im_end|>")] + "<|im_end|>") for turn in turns[:-1]]
        results = earlier_results(row)
        assert [command for _, commands in earlier for command in commands] == [found.command for found in results]
        assert _RESPONSE.findall(shown) == [found.reply for found in results]
        assert (TOOLS[0]["function"]["description"] in head) == bool(results)
        assert row["prompt"][1]["content"] in shown


@every_kind
def test_dpo_prepares_every_pair_with_its_two_answers(kind: Kind, tmp_path: Path) -> None:
    """Every pair is prepared; chosen and rejected say exactly their own text after the same prompt."""
    trainer = dpo_trainer(kind, loaded("trl-dpo"), tmp_path)
    rows, prepared = golden("trl-dpo"), list(trainer.train_dataset)
    assert len(prepared) == len(rows)
    for row, made in zip(rows, prepared, strict=True):
        for side in ("chosen", "rejected"):
            ids = made["prompt_ids"] + made[f"{side}_ids"]
            answer = text_of(trainer.processing_class, ids).split("<|im_start|>assistant\n")[-1]
            assert kind.said(answer) == (row[side][0]["content"], ())
        assert row["prompt"][-1]["content"] in text_of(trainer.processing_class, made["prompt_ids"])


@every_kind
def test_kto_prepares_every_answer_with_its_label(kind: Kind, tmp_path: Path) -> None:
    """Every answer is prepared with its own label, and both labels are there."""
    trainer = kto_trainer(kind, loaded("trl-kto"), tmp_path)
    rows, prepared = golden("trl-kto"), list(trainer.train_dataset)
    assert len(prepared) == len(rows)
    assert {row["label"] for row in rows} == {True, False}
    for row, made in zip(rows, prepared, strict=True):
        ids = made["prompt_ids"] + made["completion_ids"]
        answer = text_of(trainer.processing_class, ids).split("<|im_start|>assistant\n")[-1]
        assert kind.said(answer) == (row["completion"][0]["content"], ())
        assert made["label"] == row["label"]


@pytest.mark.parametrize(
    ("name", "make"),
    [("trl-sft", sft_trainer), ("trl-dpo", dpo_trainer), ("trl-kto", kto_trainer)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_step_of_training_runs(name: str, make: Any, tmp_path: Path) -> None:
    """What was prepared can be collated and trained on."""
    done = make(QWEN3, loaded(name), tmp_path).train()
    assert done.global_step == 1
