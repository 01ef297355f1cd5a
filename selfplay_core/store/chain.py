"""The hash of an output file, which grows with each line and need not read the file again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import BinaryIO

__all__ = ["EMPTY", "Chain", "digests_at"]

_BLOCK = 1024 * 1024

# The hash of a base of no bytes.
EMPTY = hashlib.sha256().hexdigest()


class Chain:
    """The state of a file: its size, and a hash of the one before it and the piece that followed.

    It starts as the SHA-256 of the base. Pieces are lines with their newline; a newline alone, where the base
    ends without one, is a piece too.
    """

    def __init__(self, size: int, digest: str) -> None:
        self.size = size
        self._digest = bytes.fromhex(digest)

    @property
    def digest(self) -> str:
        return self._digest.hex()

    def add(self, piece: bytes) -> None:
        self._digest = hashlib.sha256(self._digest + piece).digest()
        self.size += len(piece)


def digests_at(file: BinaryIO, base_bytes: int, sizes: Iterable[int]) -> dict[int, str]:
    """Read `file` once from its start and return the hash that it had at each of `sizes`.

    A size that the file does not reach, or at which no line ends, is left out.
    """
    wanted = {size for size in sizes if size >= base_bytes}
    base_hash = _hash_base(file, base_bytes)
    if base_hash is None or not wanted:
        return {}
    end = max(wanted)
    chain = Chain(base_bytes, base_hash)
    found = {base_bytes: base_hash} if base_bytes in wanted else {}
    while chain.size < end and (line := file.readline(end - chain.size)):
        chain.add(line)
        if chain.size in wanted:
            found[chain.size] = chain.digest
    return found


def _hash_base(file: BinaryIO, size: int) -> str | None:
    digest = hashlib.sha256()
    while size > 0:
        block = file.read(min(size, _BLOCK))
        if not block:
            return None
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()
