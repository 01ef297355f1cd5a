"""What a task group raises, without the group around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["first_error_alone"]


@contextmanager
def first_error_alone() -> Iterator[None]:
    """Raise the first error of a group by itself: its siblings were cancelled because of it."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
