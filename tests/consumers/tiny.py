"""A tokenizer and a model that need no download: every byte is a token, and two small layers know nothing."""

from __future__ import annotations

from typing import Any, Final

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

__all__ = ["text_of", "tiny_model", "tiny_tokenizer", "trained_text"]

_SPECIAL: Final = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
# Tokens of their own in the Qwen family, also where they stand in a command's text.
_TAGS: Final = ("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
_NOT_TRAINED: Final = -100


def tiny_tokenizer(template: str | None = None) -> Any:
    """Return a tokenizer of the 256 bytes and the tags of chats."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={sign: number for number, sign in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(text, special=True) for text in _SPECIAL])
    core.add_tokens([AddedToken(text, special=False) for text in _TAGS])
    made = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    made.chat_template = template
    return made


def tiny_model() -> Any:
    """Return a random model that is small enough for a step of training in a test."""
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tiny_tokenizer()),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=8192,
    )
    return Qwen2ForCausalLM(config)


def text_of(tokenizer: Any, ids: list[int]) -> str:
    """Return what tokens say, byte for byte."""
    text: str = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return text


def trained_text(tokenizer: Any, labels: list[int]) -> str:
    """Return what labels train, and insist that it is one piece."""
    places = [place for place, label in enumerate(labels) if label != _NOT_TRAINED]
    assert places == list(range(places[0], places[-1] + 1))
    return text_of(tokenizer, labels[places[0] : places[-1] + 1])
