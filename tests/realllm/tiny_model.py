"""A GGUF file of a random language model: small enough to be made anew for every test, the same for the same seed.

The architecture is llama's, its vocabulary single bytes, its weights noise. Nothing writes to the first dimension of
the residual stream, which every token sets to the same number: so the first column of the output matrix is a bias for
each token. It keeps to printable ASCII and draws towards the end of strings and lists. Under a schema such a model says
gibberish of the right shape, within the limit of tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import gguf
import numpy as np

__all__ = ["write_model"]

_LAYERS, _WIDTH, _HEADS, _INNER, _CONTEXT = 2, 64, 4, 128, 4096
_HELD: Final = 8.0
_TEMPLATE: Final = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SPECIAL: Final = ("<unk>", "<s>", "<|im_end|>", "<|im_start|>")
_PRINTABLE: Final = [chr(code) for code in range(0x20, 0x7F)]

# In units of the logits: what is wanted seldom or often, beside 0 for any other printable character.
_BIAS: Final = {'"': 1.1, "]": 0.6, ",": 0.6, " ": 0.4, "\\": -8.0, "<|im_end|>": 2.0}
_NEVER: Final = -12.0


def write_model(path: Path, seed: int) -> None:
    """Write the model of a seed; the same bytes each time."""
    dice = np.random.default_rng(seed)
    tokens = [*_SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *_PRINTABLE, "\u2581"]
    kinds = [
        *(gguf.TokenType.UNKNOWN, *[gguf.TokenType.CONTROL] * 3),
        *[gguf.TokenType.BYTE] * 256,
        *[gguf.TokenType.NORMAL] * (len(_PRINTABLE) + 1),
    ]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_chat_template(_TEMPLATE)
    _add_weights(writer, dice, tokens)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_weights(writer: gguf.GGUFWriter, dice: np.random.Generator, tokens: list[str]) -> None:
    def noise(rows: int, columns: int, scale: float) -> np.ndarray:
        return dice.normal(0.0, scale, (rows, columns)).astype(np.float32)

    embedding, output = noise(len(tokens), _WIDTH, 1.0), noise(len(tokens), _WIDTH, 0.05)
    embedding[:, 0] = _HELD
    # After the norm the held dimension is about this large.
    held = _HELD / np.sqrt((_HELD**2 + _WIDTH) / _WIDTH)
    output[:, 0] = [_bias(token) / held for token in tokens]
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", np.ones(_WIDTH, np.float32))
    for layer in range(_LAYERS):
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(_WIDTH, np.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", _mute(name, noise(_WIDTH, _WIDTH, 0.1)))
        for name in ("ffn_gate", "ffn_up"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", noise(_INNER, _WIDTH, 0.1))
        writer.add_tensor(f"blk.{layer}.ffn_down.weight", _mute("ffn_down", noise(_WIDTH, _INNER, 0.1)))


def _mute(name: str, weights: np.ndarray) -> np.ndarray:
    """Keep what writes into the residual stream away from its first dimension."""
    if name in ("attn_output", "ffn_down"):
        weights[0] = 0.0
    return weights


def _bias(token: str) -> float:
    return _BIAS.get(token, 0.0 if token in _PRINTABLE else _NEVER)
